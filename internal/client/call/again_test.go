package call

import (
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
)

// offline has one device's requests not go.
func (l *line) offline(who *device) {
	l.meddle = func(from *device, s *jingle.Session) bool {
		if from == who {
			from.Unsent(*s)
		}
		return from != who
	}
}

// onceMore has a device say again what was not heard, and checks that nothing is left.
func (l *line) onceMore(d *device) {
	l.t.Helper()
	if !d.Waits() {
		l.t.Fatal("nothing waits to be said again")
	}
	l.meddle = nil
	l.does(d, d.Again())
	if d.Waits() {
		l.t.Error("something is left")
	}
	l.does(d, d.Again())
	if got := ufragIn(l.b.sdp[len(l.b.sdp)-1]); got != l.a.ufrag {
		l.t.Errorf("bob knows alice by %q, not %q", got, l.a.ufrag)
	}
	if got := ufragIn(l.a.sdp[len(l.a.sdp)-1]); got != l.b.ufrag {
		l.t.Errorf("alice knows bob by %q, not %q", got, l.b.ufrag)
	}
	l.is("active", l.a.View().State)
	l.is("active", l.b.View().State)
}

func TestARestartThatWasNotHeardIsMadeAnew(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.a.did, l.b.did = nil, nil
	l.offline(l.a)
	l.does(l.a, l.a.Network())
	l.does(l.a, l.a.Again()) // still without a connection
	l.onceMore(l.a)
	same(t, "alice's seat", l.a.did, "offer restart", "offer restart", "offer restart", "remote answer", "address 0")
	same(t, "bob's seat", l.b.did, "remote offer", "answer", "address 0")
}

func TestWaysThatWereNotHeardAreSaidAgain(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.a.did = nil
	l.offline(l.b)
	l.does(l.a, l.a.Network())
	if l.a.Waits() {
		t.Error("alice, who was heard, is to say it again")
	}
	l.onceMore(l.b)
	same(t, "alice's seat", l.a.did, "offer restart", "remote answer", "address 0")
}

func TestARestartWaitsForADeviceThatIsAway(t *testing.T) {
	for _, c := range []struct {
		condition stanza.Condition
		waits     bool
	}{{stanza.ServiceUnavailable, true}, {stanza.RecipientUnavailable, true}, {stanza.ItemNotFound, false}, {stanza.NotAllowed, false}} {
		l := newLine(t)
		l.reach(life.Active, false)
		l.meddle = func(*device, *jingle.Session) bool { return false }
		l.does(l.a, l.a.Network())
		l.does(l.a, l.a.Answered(jingle.TransportInfo, stanza.Errorf(c.condition, "")))
		if l.a.Waits() != c.waits {
			t.Errorf("%s: waits %v", c.condition, l.a.Waits())
		}
		if c.waits {
			l.onceMore(l.a)
		}
	}
}

func TestWhatIsOverIsNotSaidAgain(t *testing.T) {
	l := newLine(t)
	l.reach(life.Active, false)
	l.offline(l.a)
	l.does(l.a, l.a.Network())
	l.does(l.a, l.a.HangUp())
	if l.a.Waits() || len(l.a.Again()) > 0 {
		t.Error("a call that is over says something again")
	}
}
