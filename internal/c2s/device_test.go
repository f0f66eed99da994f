package c2s

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/xep/register"
)

// enabled binds a resource in the old way, "" for one of the server's choice, and
// returns how it is resumed.
func (c *peer) enabled(user, resource string) (resume string) {
	c.t.Helper()
	c.proveOld(user)
	bind := strings.Replace(oldBind, "'/></iq>", "'><resource>"+resource+"</resource></bind></iq>", 1)
	wants(c.t, "binding", c.say(bind), "<jid>"+user+"@example.org/"+resource)
	_, id, _ := strings.Cut(c.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>"), " id='")
	id, _, _ = strings.Cut(id, "'")
	return "<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + id + "'/>"
}

func TestWhoResumesInTheOldWayIsSeen(t *testing.T) {
	for _, resource := range []string{"phone", ""} {
		atDoor(t, func(d *door) {
			resume := d.comes().enabled("alice", resource)
			time.Sleep(3 * time.Hour)
			wants(t, resource, d.comes().resumeOld("alice", resume), "<resumed ")
			all, err := d.auth.Devices(d.T.Context(), "alice")
			if err != nil || len(all) != 1 || time.Since(all[0].Last) > time.Hour || d.sessions("alice")[0].Device != all[0].ID {
				t.Errorf("%q: %+v %v", resource, all, err)
			}
		})
	}
}

func TestWhoeverSignsInOtherwiseDoesNotResumeASessionOfTheOldWay(t *testing.T) {
	atDoor(t, func(d *door) {
		resume := d.comes().enabled("alice", "phone")
		wants(t, "with an id", d.comes().signIn("alice", agentID("thief")+resume), "<item-not-found ")
		wants(t, "without", d.comes().signIn("alice", resume), "<item-not-found ")
		back := d.comes()
		back.proveOld("alice")
		if err := d.auth.Passwd(d.T.Context(), "alice", "secret"); err != nil {
			t.Fatal(err)
		}
		wants(t, "with an old password", back.say(resume), "<item-not-found ")
	})
}

// Clients that say nothing of themselves are one device, and one of them a thief's.
func TestThePasswordIsChangedAndNobodyElseStays(t *testing.T) {
	atDoor(t, func(d *door) {
		register.New(d.auth, register.Config{}).Register(d.Host)
		own := d.comes()
		wants(t, "own", own.signIn("alice", bind), "<success ")
		others := map[string]*peer{"without a user-agent": d.comes(), "with a resource of our making": d.comes(), "another device": d.comes()}
		wants(t, "thief", others["without a user-agent"].signIn("alice", bind), "<success ")
		others["with a resource of our making"].login2("alice")
		wants(t, "other", others["another device"].signIn("alice", agentID("other")+bind), "<success ")
		answer := own.say("<iq type='set' id='p'><query xmlns='jabber:iq:register'><username>alice</username><password>a new one</password></query></iq>")
		wants(t, "the change", answer, "type='result'")
		for name, c := range others {
			if !c.gone() {
				t.Error(name, "stays")
			}
		}
		if own.gone() || len(d.sessions("alice")) != 1 {
			t.Error("own is gone")
		}
	})
}
