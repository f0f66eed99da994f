package client

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // XEP-0084 says so
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
)

var jpeg = append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte{7}, 500)...)

func nameOfPicture(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

func shows(who string, image []byte) string {
	return "<message from='" + who + "'><event xmlns='" + nsEvent + "'><items node='" + nsAvatarMeta + "'><item id='x'><metadata xmlns='" + nsAvatarMeta +
		"'><info id='" + nameOfPicture(image) + "' type='image/jpeg' bytes='" + strconv.Itoa(len(image)) + "'/></metadata></item></items></event></message>"
}

func calls(who, nick string) string {
	return "<message from='" + who + "'><event xmlns='" + nsEvent + "'><items node='" + nsNick + "'><item id='current'><nick xmlns='" + nsNick + "'>" + nick + "</nick></item></items></event></message>"
}

func (d *desk) contact(who string) port.Contact {
	for _, c := range d.must(&port.ListContacts{}).(*port.ContactList).Contacts {
		if c.Address == who {
			return c
		}
	}
	return port.Contact{}
}

func TestAContactsNameAndPictureAreShownAndAStrangersAreNot(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(calls(bob, "Bo\u202eb"), shows(bob, jpeg), calls(eve, "Bob"), shows(eve, jpeg))
		if c := d.contact(bob); c.Nick != "Bob" || c.Avatar != nameOfPicture(jpeg) || c.Name != "" {
			t.Errorf("bob is %+v", c)
		}
		if found := d.find(eve); len(found) > 0 {
			t.Errorf("eve is in %v", found)
		}
		if f := port.FailureOf(d.do(&port.Avatar{Address: eve})[0]); f == nil || f.Code != port.Missing {
			t.Errorf("eve's picture: %v", f)
		}
		d.stop()
		d.start()
		if c, there := d.engine.lines.Chat(bob); !there || c.Name != "Bob" || c.Avatar == "" {
			t.Errorf("after a restart the chat is %+v", c)
		}
	})
}

func TestAPictureIsFetchedOnceAndOnlyIfItIsTheOneNamed(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets(shows(bob, jpeg))
		put := func(b []byte) {
			d.nodes[bob+" "+nsAvatarData] = "<item id='" + nameOfPicture(jpeg) + "'><data xmlns='" + nsAvatarData + "'>" + base64.StdEncoding.EncodeToString(b) + "</data></item>"
		}
		put(append(jpeg, 'x'))
		if f := port.FailureOf(d.do(&port.Avatar{Address: bob})[0]); f == nil || f.Code != port.Tampered {
			t.Errorf("another picture: %v", f)
		}
		put(jpeg)
		d.questions("")
		for range 2 {
			p := d.must(&port.Avatar{Address: bob}).(*port.Picture)
			if !bytes.Equal(p.Data, jpeg) || p.Type != "image/jpeg" {
				t.Errorf("the picture is %+v", p)
			}
		}
		if n := len(d.questions(nsAvatarData)); n != 1 {
			t.Errorf("it was asked for %d times", n)
		}
		d.gets(strings.Replace(shows(bob, jpeg), "<info", "<none", 1))
		if c := d.contact(bob); c.Avatar != "" || len(d.find(string(jpeg))) > 0 {
			t.Errorf("the picture that was taken away is still here: %+v", c)
		}
	})
}

func TestOnesOwnNameAndPictureArePublishedForContactsAndTold(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		name := "Sara <Ali>"
		d.must(&port.SetProfile{Name: &name, Picture: jpeg, Width: 10, Height: 20})
		for _, q := range d.questions("<publish ") {
			if text := string(q.Payload); (strings.Contains(text, nsNick) || strings.Contains(text, "urn:xmpp:avatar")) && !strings.Contains(text, "<value>presence</value>") {
				t.Errorf("published for everybody: %s", text)
			}
		}
		if p := d.must(&port.GetProfile{}).(*port.Profile); p.Name != name || p.Avatar != nameOfPicture(jpeg) {
			t.Errorf("the profile is %+v", p)
		}
		if !strings.Contains(d.nodes[me+" "+nsAvatarMeta], "width='10'") || !strings.Contains(d.nodes[me+" "+nsNick], "Sara &lt;Ali&gt;") {
			t.Errorf("published: %q", d.nodes)
		}
		d.must(&port.SetProfile{NoPicture: true})
		if p := d.must(&port.GetProfile{}).(*port.Profile); p.Name != name || p.Avatar != "" {
			t.Errorf("the profile is %+v", p)
		}
		for _, bad := range []*port.SetProfile{{Picture: make([]byte, mostPicture+1)}, {Picture: []byte("<svg/>")}} {
			if port.FailureOf(d.do(bad)[0]) == nil {
				t.Error("a bad picture was taken")
			}
		}
		d.lie = func(q conn.Request) (string, bool) { return "error forbidden", true }
		if port.FailureOf(d.do(&port.SetProfile{Name: &name})[0]) == nil {
			t.Error("a refusal was not told")
		}
	})
}
