package client

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

func TestACodeIsReadAsItIsWrittenAndPasswordsAreNotTouched(t *testing.T) {
	code := "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	for _, written := range []string{code, printed(code), strings.ToLower(printed(code)), " abcd efgh jklm npqr stuv wxyz 2345 6789\n"} {
		if got := plainCode(written); got != code {
			t.Errorf("%q is read as %q", written, got)
		}
	}
	for _, password := range []string{"correct horse battery staple", "a-b c", "", code + "A", "0BCDEFGHJKLMNPQRSTUVWXYZ23456789"} {
		if got := plainCode(password); got != password {
			t.Errorf("the password %q became %q", password, got)
		}
	}
}

func withToken(t *testing.T, f func(d *desk)) {
	bubble(t, func(t *testing.T, d *desk) {
		d.down()
		d.happens(&conn.Up{JID: jid.MustParse(me + "/here"), Token: &conn.Token{Mechanism: "HT-SHA-256-NONE", Secret: "token-1"}})
		d.wait()
		f(d)
	})
}

func TestARecoveryCodeIsKeptOnlyUntilThereIsAToken(t *testing.T) {
	withToken(t, func(d *desk) {
		text := d.must(&port.RecoveryCode{}).(*port.Code).Text
		code := plainCode(text)
		if len(code) != codeLength || code == text {
			t.Errorf("the code is %q", text)
		}
		if p := d.engine.profile; p.Password != code || p.Token != nil {
			t.Errorf("it would sign in with %+v", p)
		}
		d.happens(&conn.Up{JID: jid.MustParse(me + "/here"), Token: &conn.Token{Mechanism: "HT-SHA-256-NONE", Secret: "token-2"}})
		d.wait()
		if found := d.find(code); len(found) > 0 || d.engine.profile.Token.Secret != "token-2" {
			t.Errorf("the code is in %v", found)
		}
	})
}

func TestACodeThatTheServerRefusedChangesNothing(t *testing.T) {
	withToken(t, func(d *desk) {
		d.lie = func(q conn.Request) (string, bool) {
			return "error not-acceptable", strings.Contains(string(q.Payload), "iq:register")
		}
		if f := port.FailureOf(d.do(&port.RecoveryCode{})[0]); f == nil || f.Code != port.Refused {
			t.Errorf("answered by %v", f)
		}
		if p := d.engine.profile; p.Password != "" || p.Token == nil {
			t.Errorf("the profile is %+v", p)
		}
	})
}

func TestACodeWithoutAnAnswerIsDroppedWhenTheTokenIsGoodStill(t *testing.T) {
	withToken(t, func(d *desk) {
		d.lie = func(q conn.Request) (string, bool) {
			return "lost connection", strings.Contains(string(q.Payload), "iq:register")
		}
		if f := port.FailureOf(d.do(&port.RecoveryCode{})[0]); f == nil || f.Code != port.Unreachable {
			t.Errorf("answered by %v", f)
		}
		if p := d.engine.profile; p.Password == "" || p.Token == nil {
			t.Errorf("it could not sign in either way: %+v", p)
		}
		d.down()
		d.up(false)
		if p := d.engine.profile; p.Password != "" || p.Token == nil {
			t.Errorf("the profile is %+v", p)
		}
	})
}

func TestATokenOfTheSiteSignsInAsTheDeviceThatItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.engine.Do(&port.SignIn{Address: me, Token: "site-token", Device: "3b1e0a4c-0000-4000-8000-000000000001"})
		d.wait()
		p := d.engine.profile
		if p.Device != "3b1e0a4c-0000-4000-8000-000000000001" || p.Password != "" || p.Token == nil || p.Token.Secret != "site-token" || p.Token.Mechanism != "HT-SHA-256-NONE" {
			t.Errorf("it would sign in with %+v", p)
		}
		d.up(false)
		d.stop()
	})
}

func TestACodeThatShutsNobodyOutLeavesTheTokenGood(t *testing.T) {
	withToken(t, func(d *desk) {
		var asked string
		d.lie = func(q conn.Request) (string, bool) {
			if !strings.Contains(string(q.Payload), "iq:register") {
				return "", false
			}
			asked = string(q.Payload)
			return "<query xmlns='jabber:iq:register'><kept xmlns='urn:mirsal:recovery:0'/></query>", true
		}
		answer := d.must(&port.RecoveryCode{}).(*port.Code)
		if code := plainCode(answer.Text); answer.Alone || !strings.Contains(asked, code) || !strings.Contains(asked, "<keep ") || len(d.find(code)) > 0 {
			t.Errorf("answered by %+v to %q", answer, asked)
		}
		if p := d.engine.profile; p.Password != "" || p.Token == nil || p.Token.Secret != "token-1" {
			t.Errorf("it would sign in with %+v", p)
		}
		d.lie = func(q conn.Request) (string, bool) {
			asked = string(q.Payload)
			return "", false
		}
		if answer := d.must(&port.RecoveryCode{Alone: true}).(*port.Code); !answer.Alone || strings.Contains(asked, "<keep ") {
			t.Errorf("answered by %+v to %q", answer, asked)
		}
	})
}

func TestPasskeysAreAskedForAndAnotherDevicesAreTold(t *testing.T) {
	withToken(t, func(d *desk) {
		d.lie = func(q conn.Request) (string, bool) {
			switch p := string(q.Payload); {
			case strings.HasPrefix(p, "<ticket"):
				return "<ticket xmlns='urn:mirsal:passkey:0' token='once' until='2026-11-22T20:05:00Z'/>", true
			case strings.HasPrefix(p, "<passkeys"):
				return "<passkeys xmlns='urn:mirsal:passkey:0'><passkey id='1' name='Laptop' site='example.org' added='2026-11-22T20:05:00Z'/></passkeys>", true
			}
			return "", false
		}
		if c := d.must(&port.PasskeyTicket{}).(*port.Code); c.Text != "once" || c.Until.IsZero() {
			t.Errorf("the ticket is %+v", c)
		}
		if l := d.must(&port.ListPasskeys{}).(*port.PasskeyList); len(l.Passkeys) != 1 || l.Passkeys[0].Name != "Laptop" || l.Passkeys[0].Added.IsZero() {
			t.Errorf("the passkeys are %+v", l)
		}
		d.must(&port.RemovePasskey{ID: "1"})
		if q := d.questions("<remove xmlns='urn:mirsal:passkey:0' id='1'/>"); len(q) != 1 {
			t.Errorf("asked for %q", q)
		}
	})
}

func TestWhatOtherDevicesHaveMadeIsToldAndIsNoMessage(t *testing.T) {
	withToken(t, func(d *desk) {
		made := "<made xmlns='urn:mirsal:recovery:0' id='1' by='Phone'/>"
		words := "<message xmlns='jabber:client' from='example.org' to='" + me + "' id='w'><body>A recovery code was made</body>" + made
		d.gets("<message xmlns='jabber:client' type='headline' from='"+me+"' id='h'>"+made+"</message>", words+"</message>")
		late := "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='" + d.engine.Now().UTC().Add(-time.Hour).Format(time.RFC3339) + "'/></message>"
		d.gets(words+late, strings.Replace(words, made, "<linked xmlns='urn:mirsal:link:0' label='Tablet' by='Phone'/>", 1)+late)
		var told []string
		for _, ev := range d.told {
			if a, ok := ev.(*port.KeyAlert); ok {
				told = append(told, a.Kind+" "+a.Link)
			}
		}
		if len(told) != 2 || told[0] != "recovery-code 1" || told[1] != told[0] { // at once, and once more by what was kept
			t.Errorf("told: %q", told)
		}
		if _, there := d.engine.lines.Chat("example.org"); there {
			t.Error("it is a chat")
		}
		d.gets("<message xmlns='jabber:client' from='eve@example.org' to='" + me + "' id='e'><body>hello</body>" + made + "</message>")
		if _, there := d.engine.lines.Chat("eve@example.org"); !there {
			t.Error("others can hide what they say")
		}
	})
}
