package messages

import (
	"context"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	patience = 20 * time.Second
	password = "secret"
	alice    = "alice@" + mirsal.Domain
	bob      = "bob@" + mirsal.Domain
)

// device is one of somebody's, and what has arrived on it.
type device struct {
	*xmppclient.Conn
	t *testing.T
}

func online(t *testing.T, s *mirsal.Server, name, resource string) *device {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain})
	if err == nil {
		err = c.Login(ctx, name, password)
	}
	if err == nil {
		err = c.Bind(ctx, resource)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return &device{c, t}
}

// copies makes a device one that is sent copies, and available.
func (d *device) copies() *device {
	d.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence/>")
	return d
}

func (d *device) say(xml string) {
	d.t.Helper()
	if err := d.Send(xml); err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) next() *xmppclient.Node {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	n, err := d.Next(ctx)
	if err != nil {
		d.t.Fatalf("%s: waiting for an element: %v", d.JID, err)
	}
	return n
}

// upTo reads up to the iq of an id and returns the messages in front of it.
func (d *device) upTo(id string) (all []*xmppclient.Node) {
	d.t.Helper()
	for {
		switch n := d.next(); {
		case n.Name.Local == "message":
			all = append(all, n)
		case n.Name.Local == "iq" && n.Attr("id") == id:
			return all
		}
	}
}

// handled reads until the server has handled all that the device sent, and
// returns the messages that came meanwhile.
func (d *device) handled() []*xmppclient.Node {
	d.t.Helper()
	d.say("<iq type='get' id='handled' to='" + mirsal.Domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	return d.upTo("handled")
}

// from reads what another device has caused: its ping comes behind it.
func (d *device) from(o *device) []*xmppclient.Node {
	d.t.Helper()
	o.say("<iq type='get' id='mark' to='" + d.JID + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	return d.upTo("mark")
}

// inner is the message in a copy or in an archive's result, nil in any other.
func inner(n *xmppclient.Node) *xmppclient.Node {
	for _, c := range n.Children {
		if m := c.Child("urn:xmpp:forward:0", "forwarded").Child(xmppclient.NSClient, "message"); m != nil {
			return m
		}
	}
	return nil
}

// ids are those of messages; with wrapped, of those inside of others.
func ids(all []*xmppclient.Node, wrapped bool) map[string]*xmppclient.Node {
	found := map[string]*xmppclient.Node{}
	for _, n := range all {
		m := inner(n)
		if wrapped != (m != nil) {
			continue
		}
		if m == nil {
			m = n
		}
		found[m.Attr("id")] = m
	}
	return found
}

// archived are the ids in an account's archive.
func (d *device) archived() map[string]*xmppclient.Node {
	d.t.Helper()
	d.say("<iq type='set' id='archive'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query></iq>")
	return ids(d.upTo("archive"), true)
}
