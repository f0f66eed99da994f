package client

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

func TestANameBecomesWhatCanStandBeforeAnAt(t *testing.T) {
	for name, want := range map[string]string{
		"Sara Ali": "sara.ali", "سارة": "سارة", "سَارَة عليّ": "سارة.علي", "O'Neil, J.": "oneil.j", "  ": "", "😀": "",
		"José-María": "josé.maría", "a@b/c": "a.b.c", strings.Repeat("x", 99): strings.Repeat("x", mostLocal), "العـــربي 2": "العربي.2",
		"Иван Ivan": "иван", "saraсара": "sara", "Sara سارة Ali": "sara.ali", "سارة Sara": "سارة", "山田 Ken": "山田.ken", "ひらKana漢": "ひらkana漢", "김 Kim カナ": "김.kim",
		"sara١٢": "sara", "sara 1٢3": "sara.1", "2 سارة": "سارة", "سارة ١٢": "سارة.١٢", "Αlice": "α",
	} {
		got := suggested(name)
		if got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
		if _, err := jid.New(got, "example.org", ""); got != "" && err != nil {
			t.Errorf("%q became %q: %v", name, got, err)
		}
	}
	if got := localpart("saraсара"); got != "saraсара" {
		t.Errorf("what was typed became %q: the server is to say that it is no name", got)
	}
	for name, want := range map[string]string{"sara": "sara2", "sara2": "sara3", "سارة": "سارة2", "agent007": "agent8", "y2k": "y2k2", "n99999": "n999992"} {
		if got := another(name); got != want {
			t.Errorf("behind %q comes %q, not %q", name, got, want)
		}
	}
}

func TestAnInvitationIsATokenOrALink(t *testing.T) {
	for link, domain := range map[string]string{
		"tok": "example.org", "xmpp:example.org?register;preauth=tok": "", "xmpp:bob@example.org?roster;preauth=tok;ibr=y": "", "xmpp:other.net?preauth=tok": "example.org",
	} {
		s, f := newSignup(&port.SignUp{Invitation: link, Domain: domain})
		if f != nil || s.token != "tok" || s.domain.String() != "example.org" {
			t.Errorf("%q is %+v, %v", link, s, f)
		}
	}
	for _, link := range []string{"", "tok", "xmpp:example.org", "xmpp:example.org?register"} {
		if _, f := newSignup(&port.SignUp{Invitation: link}); f == nil {
			t.Errorf("%q was taken", link)
		}
	}
}

// halfway is a store of a program that ended while an account was being made.
func halfway(t *testing.T) keep.Store {
	t.Helper()
	store := keep.NewMemory()
	row, err := json.Marshal(signup{Address: me, Password: "hidden-3f", Name: "Sara Ali"})
	var b keep.Batch
	b.Put(profileTable, signupRow, row)
	if err != nil || store.Apply(&b) != nil {
		t.Fatal(err)
	}
	return store
}

func TestAnAccountThatWasBeingMadeIsSignedInToByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, halfway(t))
		if p := d.engine.profile; p.Address != me || p.Password != "hidden-3f" {
			t.Fatalf("the profile is %+v", p)
		}
		d.happens(&conn.Up{JID: jid.MustParse(me + "/here"), Token: &conn.Token{Mechanism: "HT-SHA-256-NONE", Secret: "token-1"}})
		d.wait()
		if found := d.find("hidden-3f"); len(found) > 0 {
			t.Errorf("the password is still in %v", found)
		}
		if item := d.nodes[me+" "+nsNick]; !strings.Contains(item, "Sara Ali") {
			t.Errorf("the name is told as %q", item)
		}
		if d.engine.signup != nil || len(d.find("Sara Ali")) != 1 { // one's own face
			t.Errorf("signing up is not over: %v", d.find("Sara Ali"))
		}
		d.befriend(bob)
		if _, there := d.engine.lines.Chat(bob); !there {
			t.Error("who has invited is not among the chats")
		}
		d.stop()
	})
}

func TestAnAccountThatWasNeverMadeLeavesAnEmptyProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, halfway(t))
		d.happens(&conn.Refused{Err: &conn.Refusal{Reason: conn.Rejected}})
		d.wait()
		if s := d.status(); s.State != "offline" || s.Address != "" {
			t.Errorf("the status is %+v", s)
		}
		if f := port.FailureOf(d.do(&port.ListChats{})[0]); f == nil || f.Code != port.NotSignedIn {
			t.Errorf("there is an account: %v", f)
		}
		d.stop()
		d.start()
		if len(d.find("hidden-3f")) > 0 || !d.engine.own.IsZero() {
			t.Error("the account came back")
		}
		d.stop()
	})
}

func TestSigningUpWithoutANetworkSaysSoAndKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		a := d.do(&port.SignUp{Invitation: "tok", Domain: "example.org", DisplayName: "Sara"})
		if f := port.FailureOf(a[0]); f == nil || f.Code != port.Unreachable {
			t.Errorf("answered by %+v", a)
		}
		if len(d.find("Sara")) > 0 {
			t.Error("something is kept")
		}
		a = d.do(&port.SignUp{Invitation: "tok", Domain: "example.org", DisplayName: "😀"})
		if f := port.FailureOf(a[0]); f == nil || f.Code != port.BadName {
			t.Errorf("answered by %+v", a)
		}
		d.stop()
	})
}

func TestANameIsNotGivenToAnotherAccountThanTheOneItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, halfway(t))
		d.engine.Do(&port.SignIn{Ref: port.Ref{Ref: 70}, Address: "other@example.org", Password: "wrong"})
		d.wait()
		d.happens(&conn.Refused{Err: &conn.Refusal{Reason: conn.Rejected}})
		d.wait()
		if a := d.answers(70, 0); len(a) != 1 || port.FailureOf(a[0]).Code != port.WrongPassword {
			t.Errorf("answered by %+v", a)
		}
		d.engine.Do(&port.SignIn{Address: "other@example.org", Password: "right"})
		d.wait()
		d.happens(&conn.Up{JID: jid.MustParse("other@example.org/here")})
		d.wait()
		if len(d.questions(nsNick)) > 0 || len(d.find("Sara Ali")) > 0 {
			t.Errorf("the name is in %v", d.find("Sara Ali"))
		}
		d.stop()
	})
}
