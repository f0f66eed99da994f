package client

import (
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
)

func TestWhenAContactWasLastHereIsKeptAndAskedForOnce(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.lie = func(q conn.Request) (string, bool) {
			return "<query xmlns='jabber:iq:last' seconds='3600'/>", parse(t, string(q.Payload)).Is("jabber:iq:last", "query")
		}
		d.wire.lie = d.lie
		start := time.Now()
		d.must(&port.History{Chat: bob, Limit: 5})
		d.must(&port.History{Chat: bob, Limit: 5})
		if n := len(d.questions("jabber:iq:last")); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if c := d.contact(bob); c.Seen.Unix() != start.Add(-time.Hour).Unix() {
			t.Errorf("last here at %v", c.Seen)
		}
		d.gets("<presence from='" + bob + "/phone'/>")
		if c := d.contact(bob); !c.Online || !c.Seen.IsZero() {
			t.Errorf("while here: %+v", c)
		}
		time.Sleep(time.Minute)
		d.gets("<presence type='unavailable' from='" + bob + "/phone'/>")
		d.stop()
		d.start()
		if c := d.contact(bob); c.Seen.Unix() != start.Add(time.Minute).Unix() {
			t.Errorf("last here at %v", c.Seen)
		}
	})
}

func TestStrangersAreNotAskedAbout(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets(plainFrom(eve, "1", "hello"))
		d.must(&port.History{Chat: eve, Limit: 5})
		if n := len(d.questions("jabber:iq:last")); n != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}
