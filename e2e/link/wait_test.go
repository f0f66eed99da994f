package link

import (
	"testing"

	here "mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// letIn has a tablet let in, on a server that makes it wait.
func letIn(t *testing.T, wait string) (phone, laptop, tablet *device, joined, confirmed <-chan *port.Failure) {
	t.Helper()
	s := here.Serve(t, []string{"alice"}, []string{"--set", "auth.link_wait=" + wait}...)
	phone, laptop, tablet = signIn(t, s, "alice", "phone"), signIn(t, s, "alice", "laptop"), empty(t, s, "tablet")
	joined = tablet.begin(&port.LinkJoin{Code: phone.shows(), Label: "tablet"})
	if a := phone.asked(); a.Network != "" || a.Same {
		t.Errorf("what is known of this machine's own network: %+v", a)
	}
	confirmed = phone.begin(&port.LinkConfirm{Accept: true})
	if s := phone.linkState("held"); s.Until.IsZero() {
		t.Error("it is not said until when")
	}
	return phone, laptop, tablet, joined, confirmed
}

// R25: what a person was talked into letting in can be refused on any device, before it is in.
func TestWhatWasLetInIsRefusedOnAnotherDevice(t *testing.T) {
	phone, laptop, tablet, joined, confirmed := letIn(t, "1h")
	a := until(laptop, func(a *port.KeyAlert) bool { return a.Kind == "linked" })
	if a.Link == "" || a.Until.IsZero() || a.Label != "tablet (mirsal chat)" {
		t.Errorf("%+v", a)
	}
	if c := laptop.fails(&port.LinkConfirm{Accept: true, Link: a.Link}); c != port.BadCommand {
		t.Error("another device can let it in sooner:", c)
	}
	laptop.Must(&port.LinkConfirm{Link: a.Link})
	if f := <-joined; f == nil || f.Code != port.Refused {
		t.Error("the new device:", f)
	}
	if f := <-confirmed; f == nil || f.Code != port.Canceled {
		t.Error("the old device:", f)
	}
	if c := laptop.fails(&port.LinkConfirm{Link: a.Link}); c != port.Refused {
		t.Error("it is refused twice:", c)
	}
	if n := len(phone.keys("")); n != 2 {
		t.Errorf("alice has %d devices", n)
	}
	if c := tablet.fails(&port.ListChats{}); c != port.NotSignedIn {
		t.Error("it has an account:", c)
	}
}

func TestWhatWasLetInIsInWhenItsTimeHasCome(t *testing.T) {
	_, _, tablet, joined, confirmed := letIn(t, "2s")
	tablet.linkState("held")
	if f := <-joined; f != nil {
		t.Error(f)
	}
	if f := <-confirmed; f != nil {
		t.Error(f)
	}
	tablet.Synced()
}
