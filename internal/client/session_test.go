package client

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

func (d *desk) status() port.Status {
	for i := len(d.told) - 1; i >= 0; i-- {
		if s, ok := d.told[i].(*port.Status); ok {
			return *s
		}
	}
	return port.Status{}
}

func TestAPasswordThatWasNoneIsNotKeptAndTheServerCanBeNamedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := keep.NewMemory()
		d := sit(t, store)
		d.engine.Do(&port.SignIn{Address: me, Password: "mistyped-5e", Server: "192.0.2.1:5222"})
		d.wait()
		d.happens(&conn.Refused{Err: &conn.Refusal{Reason: conn.Rejected}})
		d.wait()
		if found := d.find("mistyped-5e"); len(found) > 0 {
			t.Errorf("the password is in %v", found)
		}
		d.engine.Do(&port.SignIn{Address: me, Password: "right"})
		d.wait()
		if s := d.engine.profile.Server; s != "" {
			t.Errorf("the server is still %q", s)
		}
	})
}

func TestAnAddressThatWasNeverSignedInToIsNotThereAfterAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.engine.Do(&port.SignIn{Address: me, Password: "mistyped"})
		d.wait()
		d.happens(&conn.Refused{Err: &conn.Refusal{Reason: conn.Rejected}})
		d.wait()
		d.stop()
		d.start()
		if own := d.engine.own; !own.IsZero() {
			t.Errorf("the profile is %s's", own)
		}
		d.signIn()
		d.stop()
		d.start()
		d.happens(&conn.Refused{Err: &conn.Refusal{Reason: conn.Rejected}})
		d.wait()
		d.stop()
		d.start()
		if own := d.engine.own; own.String() != me {
			t.Errorf("an account that was signed in to is %q after a refusal", own)
		}
		d.stop()
	})
}

func TestEveryRefusalAnswersSignInOnceAndSaysWhy(t *testing.T) {
	for reason, code := range map[conn.Reason]string{
		conn.Rejected: port.WrongPassword, conn.Revoked: port.Revoked, conn.AccountGone: port.Revoked,
		conn.BadCertificate: port.Untrusted, conn.HostUnknown: port.Unreachable, conn.NoMechanism: port.Refused,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := sit(t, keep.NewMemory())
			d.engine.Do(&port.SignIn{Ref: port.Ref{Ref: 7}, Address: me, Password: "wrong"})
			d.wait()
			d.happens(&conn.Refused{Err: &conn.Refusal{Reason: reason}})
			d.wait()
			a := d.answers(7, 0)
			if len(a) != 1 || port.FailureOf(a[0]) == nil || port.FailureOf(a[0]).Code != code {
				t.Errorf("%s: answered by %+v", reason, a)
			}
			if s := d.status(); s.State != "refused" || s.Failure == nil {
				t.Errorf("%s: the status is %+v", reason, s)
			}
			d.signIn() // another try is a new connection
			d.stop()
		})
	}
}

// TestARemovedDeviceSaysSoThoughItsStreamIsLostInThatMoment: its server cuts it off as soon as it is
// removed, so both are told at once.
func TestARemovedDeviceSaysSoThoughItsStreamIsLostInThatMoment(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.engine.link.leaving = true // removedHere's good-bye has begun
		d.engine.state("refused", port.Failf(port.Revoked, "%s", removedWords), time.Time{})
		d.down()
		if s := d.status(); s.State != "refused" || s.Failure == nil || s.Failure.Code != port.Revoked {
			t.Errorf("the status is %+v", s)
		}
		d.engine.link.leaving = false // so that the desk can end it
	})
}

func TestSignInAgainAnswersTheFormerAndWhatItHadAsked(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.lie = func(q conn.Request) (string, bool) { return "silence", true }
		d.engine.Do(&port.Block{Ref: port.Ref{Ref: 70}, Address: bob, On: true})
		d.wait()
		d.down()
		d.engine.Do(&port.SignIn{Ref: port.Ref{Ref: 71}, Address: me})
		d.wait()
		d.engine.Do(&port.SignIn{Ref: port.Ref{Ref: 72}, Address: me})
		d.wait()
		d.lie = nil
		d.wire.lie = nil
		d.up(false)
		for ref, fails := range map[uint64]bool{70: true, 71: true, 72: false} {
			if a := d.answers(ref, 0); len(a) != 1 || (port.FailureOf(a[0]) != nil) != fails {
				t.Errorf("command %d is answered by %v", ref, a)
			}
		}
	})
}

func TestSignOutEndsOfflineAndSignInBeginsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.must(&port.SignOut{})
		if s := d.status(); s.State != "offline" {
			t.Errorf("the status is %+v", s)
		}
		d.signIn()
		d.must(&port.SignOut{Forget: true})
		if d.engine.profile.Password != "" || d.engine.profile.Token != nil {
			t.Error("the profile still has what signs it in")
		}
		if len(d.questions("devicelist")) == 0 {
			t.Error("the device is still on the list")
		}
	})
}

func TestNobodyLookingIsToldToTheNextConnectionToo(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.must(&port.Attend{Here: false})
		d.must(&port.SignOut{})
		d.signIn()
		if len(d.looking) != 1 || d.looking[0] {
			t.Errorf("the connection was told %v", d.looking)
		}
	})
}

func TestAResumedSessionAsksForNothingAndForgetsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets("<presence from='" + bob + "/phone'/>")
		d.enter(tea)
		d.down()
		d.questions("")
		d.up(true)
		if q := d.questions("query"); len(q) != 0 {
			t.Errorf("it asked %d questions again", len(q))
		}
		if !d.engine.rooms[tea].joined || len(d.engine.people[bob].here) != 1 {
			t.Error("it has forgotten its rooms or who is online")
		}
		d.gets("<message type='groupchat' from='" + tea + "/carol' id='1'><body>after</body></message>")
		same(t, "the room", d.lines(tea), "after")
	})
}

func TestANewSessionForgetsWhoWasOnline(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets("<presence from='" + bob + "/phone'/>")
		d.lie = func(q conn.Request) (string, bool) {
			if parse(t, string(q.Payload)).Is("jabber:iq:roster", "query") {
				return "<query xmlns='jabber:iq:roster'><item jid='" + bob + "' subscription='both'/></query>", true
			}
			return "", false
		}
		d.down()
		d.up(false)
		if len(d.engine.people[bob].here) != 0 {
			t.Error("bob is still shown as online")
		}
	})
}

func TestTypingEndsAlsoWhenSomethingElseWakesTheEngine(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.befriend(bob)
		d.gets("<message type='chat' from='"+bob+"/x' id='1'><body>hi</body></message>",
			"<message type='chat' from='"+bob+"/x'><composing xmlns='"+nsStates+"'/></message>")
		before := len(d.told)
		d.gets()
		time.Sleep(46 * time.Second)
		d.wait()
		for _, ev := range d.told[before:] {
			if c, ok := ev.(*port.ChatChanged); ok && len(c.Chat.Typing) == 0 {
				return
			}
		}
		t.Error("bob is shown as writing for ever")
	})
}

func TestANewTokenIsShownOnlyWhenItIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		next := &conn.Token{Mechanism: "HT-SHA-256-EXPR", Secret: "next"}
		d.wire.happens(&conn.Up{JID: d.engine.own, Resumed: true, Token: next})
		synctest.Wait()
		d.wire.mu.Lock()
		told := d.wire.kept
		d.wire.mu.Unlock()
		var p profile
		if raw, err := d.store.Get(profileTable, "account"); err != nil || json.Unmarshal(raw, &p) != nil {
			t.Fatal(err)
		}
		if told != next || p.Token == nil || p.Token.Secret != "next" {
			t.Errorf("told %v, kept %+v", told, p.Token)
		}
	})
}
