package client

import (
	"strings"
	"testing"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
)

// invites has the server answer the command by a form with these fields.
func (d *desk) invites(fields ...string) {
	form := "<x xmlns='jabber:x:data' type='result'>"
	for i := 0; i+1 < len(fields); i += 2 {
		form += "<field var='" + fields[i] + "'><value>" + esc(fields[i+1]) + "</value></field>"
	}
	d.lie = func(q conn.Request) (string, bool) {
		if !strings.Contains(string(q.Payload), nodeInvite) {
			return "", false
		}
		if len(fields) == 0 {
			return "error item-not-found", true
		}
		return "<command xmlns='" + nsCommands + "' node='" + nodeInvite + "' status='completed'>" + form + "</x></command>", q.To.String() == server
	}
	d.wire.lie = d.lie
}

func TestALinkInvitesAsTheServerSaysItDoes(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		link := "https://example.org/invite/tok"
		for _, c := range []struct {
			fields  []string
			text    string
			account bool
		}{
			{[]string{"uri", "xmpp:me@example.org?roster;preauth=tok;ibr=y", "landing-url", link, "expire", "2030-01-02T03:04:05Z"}, link, true},
			{[]string{"uri", "xmpp:me@example.org?roster;preauth=tok", "landing-url", link}, link, false},
			{[]string{"uri", "xmpp:me@example.org?roster;preauth=tok"}, "xmpp:me@example.org?roster;preauth=tok", false},
			{[]string{"uri", "xmpp:me@example.org?roster;preauth=tok", "landing-url", "javascript:alert(1)"}, "xmpp:me@example.org?roster;preauth=tok", false},
		} {
			d.invites(c.fields...)
			if got := d.must(&port.InviteLink{}).(*port.Code); got.Text != c.text || got.Account != c.account || got.Until.IsZero() == (len(c.fields) > 4) {
				t.Errorf("%v is told as %+v", c.fields, got)
			}
		}
	})
}

func TestAServerThatInvitesNobodyIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		for _, fields := range [][]string{nil, {"uri", "https://example.org/"}} {
			d.invites(fields...)
			if f := port.FailureOf(d.do(&port.InviteLink{})[0]); f == nil {
				t.Errorf("%v is a link", fields)
			}
		}
	})
}

func TestWhoHasAnInvitationShowsItsToken(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.take("")
		d.must(&port.AddContact{Address: bob, Token: "a'b"})
		if sent := d.take("type='subscribe'"); len(sent) != 1 || !strings.Contains(sent[0], "<preauth xmlns='urn:xmpp:pars:0' token='a&apos;b'/>") {
			t.Errorf("sent: %v", sent)
		}
	})
}

func TestWhoLeavesARoomIsNoMemberOfItAnyMore(t *testing.T) {
	for role, want := range map[string]string{"member": "jabber:iq:register'><remove/>", "owner": "affiliation='none' jid='" + me + "'"} {
		bubble(t, func(t *testing.T, d *desk) {
			d.roomInfo(me, bob)
			d.enter(tea)
			d.become(role, me)
			d.questions("")
			d.must(&port.LeaveRoom{Address: tea})
			if q := d.questions(want); len(q) != 1 || q[0].To.String() != tea {
				t.Errorf("%s asked: %v", role, q)
			}
			if d.engine.rooms[tea] != nil || d.chat(tea).Address != "" {
				t.Error("the room is still here")
			}
		})
	}
}

func TestARoomThatOneIsInvitedToCanBeDeclined(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets("<message from='" + tea + "' id='i'><x xmlns='" + nsMUCUser + "'><invite from='" + bob + "'><reason>Tea</reason></invite></x></message>")
		if c := d.chat(tea); c.Name != "Tea" || c.Last == nil || c.Last.Notice != "invited" {
			t.Fatalf("the chat is %+v", c)
		} else if !c.Room || c.Lock.Why != whyOutside {
			t.Errorf("it is not shown as a room that one is not in: %+v", c)
		}
		d.questions("")
		d.must(&port.LeaveRoom{Address: tea})
		if q := d.questions("<remove/>"); len(q) != 1 || d.chat(tea).Address != "" {
			t.Errorf("asked: %v, the chat is %+v", q, d.chat(tea))
		}
	})
}
