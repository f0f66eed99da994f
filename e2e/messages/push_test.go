package messages

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
)

const (
	appServer = "app." + mirsal.Domain
	secret    = "an-unguessable-secret"
)

// For each row there is a person whose phone sleeps. Whose row wakes is pushed to;
// the others are sent a text afterwards, and that must be their first push.
func TestToOneWhosePhoneSleeps(t *testing.T) {
	ringing := "<message type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='c1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>"
	rows := append(table(t), row{xml: ringing, kind: "call of a contact", push: "ring", place: "ringing"})
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--config", settings(t), "--set", "listen.component=127.0.0.1:0"}})
	names := []string{"alice"}
	for _, r := range rows {
		names = append(names, "p"+r.place)
	}
	s.Accounts(password, names...)
	pushes := listen(t, s)
	full := map[string]string{}
	for _, r := range rows {
		full[r.place] = sleeper(t, s, "p"+r.place, r.place)
	}
	eventually(t, func() bool { return strings.Count(s.Log(), `msg="connection ended"`) >= len(rows) })
	phone := online(t, s, "alice", "phone")
	for _, r := range rows {
		phone.say(r.to(full[r.place], "asleep"))
	}
	phone.from(phone)
	woken := map[string]string{}
	collect(t, pushes, woken, func() bool { return allWoken(rows, woken) })
	for _, r := range rows {
		if r.push == "–" && woken[r.place] != "" {
			t.Errorf("%s woke the phone\n%s", r.kind, r.xml)
		}
	}
	for _, r := range rows {
		if r.push == "–" {
			phone.say("<message type='chat' to='" + full[r.place] + "'><body>wakes</body></message>")
		}
	}
	collect(t, pushes, woken, func() bool { return len(woken) == len(rows) })
	for _, r := range rows {
		if woken[r.place] != "1" {
			t.Errorf("%s: push is %q in the table; the first push counts %q messages\n%s", r.kind, r.push, woken[r.place], r.xml)
		}
	}
}

// allWoken tells whether everybody was pushed to who is to be.
func allWoken(rows []row, woken map[string]string) bool {
	for _, r := range rows {
		if r.push != "–" && woken[r.place] == "" {
			return false
		}
	}
	return true
}

// settings is a configuration with an app server.
func settings(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mirsal.toml")
	if err := os.WriteFile(file, []byte("[components]\n\""+appServer+"\" = \""+secret+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// sleeper is somebody who has alice among the contacts, can be pushed to, and whose
// phone has just lost its connection. It returns the phone's address.
func sleeper(t *testing.T, s *mirsal.Server, name, node string) string {
	t.Helper()
	d := online(t, s, name, "phone")
	if _, err := d.EnableSM(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	d.say("<presence/><iq type='set' id='contact'><query xmlns='jabber:iq:roster'><item jid='" + alice + "'/></query></iq>" +
		"<iq type='set' id='push'><enable xmlns='urn:xmpp:push:0' jid='" + appServer + "' node='" + node + "'/></iq>")
	d.upTo("push")
	d.Kill()
	return d.JID
}

// push is one notification: whose, and how many messages it counts.
type push struct{ node, count string }

// listen is the app server: it says of each push that it was taken.
func listen(t *testing.T, s *mirsal.Server) <-chan push {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr("component"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(3 * patience))
	fmt.Fprintf(c, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='%s'>", appServer)
	in := xml.NewDecoder(c)
	var header xml.StartElement
	for header.Name.Local != "stream" {
		token, err := in.Token()
		if err != nil {
			t.Fatal(err)
		}
		header, _ = token.(xml.StartElement)
	}
	for _, a := range header.Attr {
		if a.Name.Local == "id" {
			sum := sha1.Sum([]byte(a.Value + secret))
			fmt.Fprintf(c, "<handshake>%s</handshake>", hex.EncodeToString(sum[:]))
		}
	}
	pushes := make(chan push, 1000)
	go serve(c, in, pushes)
	return pushes
}

// serve reads notifications to the end of the stream.
func serve(c io.Writer, in *xml.Decoder, pushes chan<- push) {
	type notification struct {
		XMLName xml.Name
		ID      string `xml:"id,attr"`
		From    string `xml:"from,attr"`
		Publish struct {
			Node   string `xml:"node,attr"`
			Fields []struct {
				Var   string `xml:"var,attr"`
				Value string `xml:"value"`
			} `xml:"item>notification>x>field"`
		} `xml:"pubsub>publish"`
	}
	for {
		var n notification
		if err := in.Decode(&n); err != nil {
			return
		}
		if n.Publish.Node == "" {
			continue
		}
		fmt.Fprintf(c, "<iq type='result' id='%s' from='%s' to='%s'/>", n.ID, appServer, n.From)
		for _, f := range n.Publish.Fields {
			if f.Var == "message-count" {
				pushes <- push{n.Publish.Node, f.Value}
			}
		}
	}
}

// collect notes the first push of each until done, or in vain.
func collect(t *testing.T, pushes <-chan push, woken map[string]string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !done() {
		select {
		case p := <-pushes:
			if woken[p.node] == "" {
				woken[p.node] = p.count
			}
		case <-ctx.Done():
			t.Error("waited in vain for pushes")
			return
		}
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("waited in vain")
		}
	}
}
