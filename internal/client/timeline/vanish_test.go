package timeline

import (
	"strings"
	"testing"
	"time"
)

func timed(in Incoming, seconds uint32) Incoming {
	in.Timer, in.Timed = seconds, true
	return in
}

// passes lets time go by and deletes what is due.
func (d *desk) passes(t time.Duration) {
	d.t.Helper()
	d.now = d.now.Add(t)
	for due := d.b.VanishDue(); !due.IsZero() && !d.now.Before(due); due = d.b.VanishDue() {
		d.keep(d.b.Vanish(d.now))
	}
}

func TestATextGoesSomeTimeAfterItWasSeen(t *testing.T) {
	d := newDesk(t)
	d.keep(d.b.Online(own, false))
	d.applyAll(from(bob, "1", "stays"), timed(from(bob, "2", "goes"), 60))
	d.passes(time.Hour)
	d.want(bob, "bob: stays", "bob: goes", ": *timer")
	d.b.present = func() time.Time { return d.now }
	_, c, err := d.b.MarkRead(bob, d.idOf(bob, "goes"))
	d.keep(c, err)
	if due := d.b.VanishDue(); due.Sub(d.now) != time.Minute {
		t.Errorf("it goes at %v, now is %v", due, d.now)
	}
	d.passes(59 * time.Second)
	d.restart()
	d.want(bob, "bob: stays", "bob: goes", ": *timer")
	d.passes(time.Second)
	d.want(bob, "bob: stays", ": *timer")
	again := timed(from(bob, "2", "goes"), 60)
	again.Source = Archive
	d.apply(again)
	d.want(bob, "bob: stays", ": *timer")
	if !d.b.VanishDue().IsZero() {
		t.Error("something is still due")
	}
}

func TestTheTimerOfAChatIsWhatWasSaidLast(t *testing.T) {
	d := newDesk(t)
	d.keep(d.b.Online(own, false))
	d.applyAll(from(bob, "1", "hello"), timed(from(bob, "2", "a week"), 604800), timed(from(bob, "3", "").as(Timer, ""), 60), from(bob, "4", "I know none"))
	if c := lastChat(t, d, bob); c.Timer != 60 {
		t.Errorf("the timer is %d", c.Timer)
	}
	o := d.compose(Draft{Chat: bob, Text: "mine"})
	if o.Timer != 60 || !strings.Contains(string(o.AppendExtras(nil)), "timer='60'") {
		t.Errorf("it is sent as %s", o.AppendExtras(nil))
	}
	d.passes(time.Hour)
	d.keep(d.b.Sent(o.OriginID, d.now))
	d.passes(2 * time.Minute)
	d.want(bob, "bob: hello", "bob: a week", ": *timer", ": *timer", "bob: I know none")
	off := uint32(0)
	o = d.compose(Draft{Chat: bob, Timer: &off})
	if c := lastChat(t, d, bob); c.Timer != 0 || o.Body() != "" || !strings.Contains(string(o.AppendExtras(nil)), "<ephemeral xmlns='urn:xmpp:ephemeral:0' timer='0'/><store") {
		t.Errorf("the timer is %d, sent as %s", c.Timer, o.AppendExtras(nil))
	}
	d.keep(d.b.Sent(o.OriginID, d.now))
	if out, err := d.b.Outbox(); err != nil || len(out) > 0 {
		t.Errorf("still to be sent: %+v", out)
	}
	if o = d.compose(Draft{Chat: bob, Text: "for good"}); o.Timer != 0 {
		t.Error("it has a timer")
	}
}

func TestWhatIsReadHasItsTimer(t *testing.T) {
	for xml, want := range map[string]uint32{
		"<body>x</body><ephemeral xmlns='urn:xmpp:ephemeral:0' timer='5'/>": 5, "<body>x</body>": 0,
		"<body>x</body><ephemeral xmlns='urn:xmpp:ephemeral:0' timer='4294967295'/>": MaxTimer, "<body>x</body><ephemeral xmlns='urn:xmpp:ephemeral:0' timer='-1'/>": 0,
		"<ephemeral xmlns='urn:xmpp:ephemeral:0' timer='7'/><store xmlns='urn:xmpp:hints'/>": 7,
	} {
		in := Read(parse(t, "<message id='1'>"+xml+"</message>"), Envelope{}, "", nil)
		if in.Timer != want || in.Timed != (want > 0) || in.Kind == Nothing {
			t.Errorf("%s: %+v", xml, in)
		}
	}
}
