package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

// archivedCall has an archive tell what somebody has said of a call.
func (d *desk) archivedCall(at time.Time, said ...string) {
	d.t.Helper()
	for _, raw := range said {
		d.engine.callArchived(stanzaOf(d.t, raw).Elem, at)
	}
	d.engine.lineCalls() // as behind the server's list of attempts
	d.callLog()
}

func TestACallRingsAlsoIfTheArchiveHasToldOfItFirst(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.engine.lineCalls()
		d.pass(5 * time.Minute)
		d.take("")
		d.told = nil
		propose := invites(bob+"/b", "propose", "c1", audio)
		d.archivedCall(time.Now(), propose)
		same(t, "lines while it may ring", d.lines(bob))
		d.gets(propose)
		same(t, "told", d.ofCalls(), "incoming")
		same(t, "said", d.invited(), "ringing "+bob+"/b")
		d.must(&port.DeclineCall{Call: bob + " c1"})
		d.pass(2 * time.Minute)
		same(t, "lines", d.lines(bob), "!call")
		if log := d.callLog(); len(log) != 1 || log[0].Why != "declined" || log[0].Late {
			t.Errorf("the log is %+v", log)
		}
		d.told = nil
		d.gets(propose)
		same(t, "told of what is over", d.ofCalls())
	})
}

func TestACallWhoseEndTheArchiveHasToldDoesNotRing(t *testing.T) {
	own := strings.Replace(invites(me+"/other", "proceed", "c1", ""), "to='"+me+"'", "to='"+bob+"/b'", 1)
	for _, end := range []string{own, strings.Replace(own, "proceed", "reject", 2), invites(bob+"/b", "retract", "c1", "")} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			propose := invites(bob+"/b", "propose", "c1", audio)
			d.archivedCall(time.Now(), propose, end)
			d.told = nil
			d.gets(propose)
			same(t, "told", d.ofCalls())
		})
	}
}

func TestACallThatWasToldByTheArchiveAloneIsMissed(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.engine.lineCalls()
		d.pass(5 * time.Minute)
		d.archivedCall(time.Now(), invites(bob+"/b", "propose", "c1", audio))
		d.pass(61 * time.Second)
		same(t, "lines", d.lines(bob), "!call")
		if log := d.callLog(); len(log) != 1 || log[0].Why != "missed" || !log[0].Late {
			t.Errorf("the log is %+v", log)
		}
	})
}

func TestWhoAcceptsACallThatTheCallerHasForgottenIsToldSo(t *testing.T) {
	accepts := func(from, to string) string {
		return strings.Replace(invites(from, "proceed", "c1", ""), "to='"+me+"'", "to='"+to+"'", 1)
	}
	for what, want := range map[string]string{
		accepts(bob+"/b", me+"/here"):                                          "finish " + bob + "/b",
		copied("received", accepts(bob+"/b", me+"/here")):                      "",
		accepts(bob+"/b", me+"/other"):                                         "",
		accepts(eve+"/x", me+"/here"):                                          "",
		copied("sent", accepts(me+"/other", bob+"/b")):                         "",
		invites(bob+"/b", "ringing", "c1", ""):                                 "",
		strings.Replace(accepts(bob+"/b", me+"/here"), "'chat'", "'error'", 1): "",
	} {
		bubble(t, func(t *testing.T, d *desk) {
			d.befriend(bob)
			d.take("")
			d.gets(what)
			if got := strings.Join(d.invited(), " "); got != want {
				t.Errorf("%s\nsaid %q", what, got)
			}
			d.must(&port.PlaceCall{Chat: bob})
			if said := fmt.Sprint(d.invited()); !strings.Contains(said, "propose") {
				t.Errorf("said %s", said)
			}
		})
	}
}
