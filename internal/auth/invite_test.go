package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func TestAnInvitationForSeveralMakesAsManyAccountsAndTellsWhose(t *testing.T) {
	a := open(t, memory.New())
	in, err := a.Invite(t.Context(), Offer{Uses: 3})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 9 {
		wg.Go(func() {
			if _, err := a.Redeem(t.Context(), in.Token, fmt.Sprint("person", i), "one good secret"); err != nil && !errors.Is(err, ErrInvitation) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := a.Invitations(t.Context(), "")
	if err != nil || a.Count() != 3 || len(all) != 1 || all[0].Left() != 0 || len(all[0].Used) != 3 {
		t.Fatal(a.Count(), all, err)
	}
	for _, u := range all[0].Used {
		if !a.Exists(u.Name) || !a.UsedBy(t.Context(), in.Token, u.Name) {
			t.Error(u)
		}
	}
	if err := a.Remove(t.Context(), all[0].Used[0].Name); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "more", "one good secret"); !errors.Is(err, ErrInvitation) {
		t.Error("a removed account gives its use back:", err)
	}
}

func TestTwoServersOnOneStoreCannotUseATokenTwice(t *testing.T) {
	s := memory.New()
	a := open(t, s)
	in := invite(t, a, false, 0)
	rec, version, err := a.find(t.Context(), in.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "alice", "one good secret"); err != nil {
		t.Fatal(err)
	}
	op, err := a.setInvitation(keyOf(in.Token), &rec)
	if err != nil {
		t.Fatal(err)
	}
	op.If = &version
	if err := a.kv.Apply(t.Context(), owner, op); err == nil {
		t.Error("a claim on what was seen before another's was written")
	}
}

func TestWhatACrashLeftOpenIsSettledAtTheNextStart(t *testing.T) {
	s := lastingStore()
	a := open(t, s)
	add(t, a, "carol", "x")
	add(t, a, "alice", "x")
	in, err := a.Invite(t.Context(), Offer{From: "alice", Contact: true, Circle: "Friends", Uses: 2})
	if err != nil {
		t.Fatal(err)
	}
	rec, _, err := a.find(t.Context(), in.Token)
	if err != nil {
		t.Fatal(err)
	}
	rec.Claimed = "carol"
	op, err := a.setInvitation(keyOf(in.Token), &rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.kv.Apply(t.Context(), owner, op); err != nil {
		t.Fatal(err)
	}
	a = open(t, s)
	met, err := a.Meetings(t.Context())
	members, err2 := a.Members(t.Context(), "Friends")
	if err != nil || err2 != nil || len(met) != 2 || !slices.Equal(members, []string{"carol"}) || !a.UsedBy(t.Context(), in.Token, "carol") {
		t.Error(met, members, err, err2)
	}
}

func TestAnOfferThatMakesNoSenseIsRefused(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "x")
	for _, c := range []struct {
		o    Offer
		want error
	}{
		{Offer{Uses: MostUses + 1}, ErrOffer},
		{Offer{Uses: 2, Admin: true}, ErrOffer},
		{Offer{Contact: true}, ErrOffer},
		{Offer{NoAccount: true}, ErrOffer},
		{Offer{From: "nobody"}, ErrNotFound},
		{Offer{Name: "alice"}, ErrExists},
		{Offer{Name: "a1ice"}, ErrLookAlike},
		{Offer{Room: "den@conference.example.org"}, ErrOffer},
		{Offer{Room: "den@conference.example.org", From: "alice", Contact: true}, ErrOffer},
		{Offer{Room: "den@conference.example.org", From: "alice", Admin: true}, ErrOffer},
		{Offer{Room: "den@conference.example.org", From: "alice", NoAccount: true, Name: "dora"}, ErrOffer},
		{Offer{Circle: "a/b"}, ErrCircle},
		{Offer{Circle: "a\u202eb"}, ErrCircle},
		{Offer{Circle: strings.Repeat("x", 65)}, ErrCircle},
	} {
		if _, err := a.Invite(t.Context(), c.o); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

func TestLinksSayWhatTheInvitationIsFor(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "x")
	add(t, a, "مريم", "x")
	for want, o := range map[string]Offer{
		"xmpp:example.org?register;preauth=T":                              {},
		"xmpp:dora@example.org?register;preauth=T":                         {Name: "dora"},
		"xmpp:alice@example.org?roster;preauth=T;ibr=y":                    {From: "alice", Contact: true},
		"xmpp:alice@example.org?roster;preauth=T":                          {From: "alice", Contact: true, NoAccount: true},
		"xmpp:%D9%85%D8%B1%D9%8A%D9%85@example.org?roster;preauth=T;ibr=y": {From: "مريم", Contact: true},
		"xmpp:den@conference.example.org?join":                             {From: "alice", Room: "den@conference.example.org", NoAccount: true},
		"xmpp:%D9%82@conference.example.org?join":                          {From: "alice", Room: "ق@conference.example.org", NoAccount: true},
	} {
		in, err := a.Invite(t.Context(), o)
		if got := strings.ReplaceAll(in.URI, in.Token, "T"); err != nil || got != want || in.Link != "" || in.Room != o.Room {
			t.Error(got, in.Link, err)
		}
	}
	if err := a.SetPublic(t.Context(), "https://chat.example.org"); err != nil {
		t.Fatal(err)
	}
	if in := invite(t, a, false, 0); in.Link != "https://chat.example.org/invite/"+in.Token {
		t.Error(in.Link)
	}
}

func TestAContactTokenIsGoodForItsTimeAndItsInviter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		add(t, a, "alice", "x")
		add(t, a, "bob", "x")
		in, err := a.Invite(t.Context(), Offer{From: "alice", Contact: true, Life: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Befriended(t.Context(), in.Token, "bob", "carol"); !errors.Is(err, ErrInvitation) {
			t.Error("somebody else's token:", err)
		}
		if in, err := a.Invite(t.Context(), Offer{From: "alice", Contact: true, NoAccount: true}); err != nil || a.Invited(t.Context(), in.Token) == nil {
			t.Error("a token for a contact opens registration:", err)
		}
		time.Sleep(time.Hour)
		if err := a.Befriended(t.Context(), in.Token, "alice", "bob"); !errors.Is(err, ErrInvitation) {
			t.Error("after its time:", err)
		}
	})
}

func TestCirclesComeAndGoWithTheirMembers(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "x")
	add(t, a, "bob", "x")
	kicked := 0
	a.OnMeet(func() { kicked++ })
	for circle, name := range map[string]string{" Class  4b ": "alice", "Class 4b": "bob@example.org", "Class": "bob"} {
		if err := a.Join(t.Context(), circle, name); err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.Circles(t.Context())
	if want := []Circle{{"Class", 1}, {"Class 4b", 2}}; err != nil || !slices.Equal(all, want) || kicked != 3 {
		t.Error(all, err, kicked)
	}
	if err := a.Join(t.Context(), "Class", "nobody"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := a.Leave(t.Context(), "Class", "bob"); err != nil {
		t.Error(err)
	}
	if err := a.Leave(t.Context(), "Class", "bob"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := a.ForgetPerson(t.Context(), "bob"); err != nil {
		t.Error(err)
	}
	if members, err := a.Members(t.Context(), "Class 4b"); err != nil || !slices.Equal(members, []string{"alice"}) {
		t.Error(members, err)
	}
}

func TestAnInvitationIsTakenBackByItsWholeID(t *testing.T) {
	a := open(t, memory.New())
	in := invite(t, a, false, 0)
	for _, id := range []string{"", in.ID[:5], "000000000000"} {
		if err := a.Withdraw(t.Context(), id); !errors.Is(err, ErrInvitation) {
			t.Error(id, err)
		}
	}
	if err := a.Withdraw(t.Context(), in.ID); err != nil || a.Invited(t.Context(), in.Token) == nil {
		t.Error(err)
	}
}

func TestLinksOutliveARestart(t *testing.T) {
	s := lastingStore()
	if err := open(t, s).SetPublic(t.Context(), "https://a.example"); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), s, jid.JID{}, testConfig())
	if err != nil {
		t.Fatal(err)
	}
	if in := invite(t, a, false, 0); !strings.HasPrefix(in.Link, "https://a.example/invite/") {
		t.Error(in.Link)
	}
}

func TestAnInvitationIsDeadAfterItsGraceThoughItWasNotSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, memory.New())
		in := invite(t, a, false, time.Hour)
		time.Sleep(time.Hour + graceOfInvitation)
		if _, err := a.Redeem(t.Context(), in.Token, "late", "one good secret"); !errors.Is(err, ErrInvitation) {
			t.Error(err)
		}
	})
}

func TestAContactUsesATokenOnce(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "x")
	in, err := a.Invite(t.Context(), Offer{From: "alice", Contact: true, Uses: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, ErrInvitation} {
		if err := a.Befriended(t.Context(), in.Token, "alice", "bob"); !errors.Is(err, want) {
			t.Error(i, err)
		}
	}
	if err := a.Befriended(t.Context(), in.Token, "alice", "carol"); err != nil {
		t.Error(err)
	}
}

// unsettled is a store that fails every n-th write of keys.
type unsettled struct {
	store.KV
	n, writes int
}

func (u *unsettled) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if u.writes++; u.writes == u.n {
		return errors.New("the disk is full")
	}
	return u.KV.Apply(ctx, owner, ops...)
}

func TestAPromiseThatCouldNotBeNotedIsMadeUpForByTheNextUse(t *testing.T) {
	s := memory.New()
	a := open(t, s)
	in, err := a.Invite(t.Context(), Offer{Circle: "Friends", Uses: 2})
	if err != nil {
		t.Fatal(err)
	}
	a.kv = &unsettled{KV: s, n: 2} // the claim is the first
	for _, name := range []string{"alice", "bob"} {
		if _, err := a.Redeem(t.Context(), in.Token, name, "one good secret"); err != nil {
			t.Fatal(name, err)
		}
	}
	members, err := a.Members(t.Context(), "Friends")
	if err != nil || !slices.Equal(members, []string{"alice", "bob"}) {
		t.Error(members, err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "carol", "one good secret"); !errors.Is(err, ErrInvitation) {
		t.Error(err)
	}
}

func TestWhatAnInvitationCannotBeIsRefusedAndNotMadeSomethingElse(t *testing.T) {
	a := open(t, memory.New())
	for want, offers := range map[string][]Offer{
		"1 to 1000 people": {{Uses: -3}, {Uses: MostUses + 1}},
		"1s to 30d":        {{Life: -time.Hour}, {Life: time.Millisecond}, {Life: MaxInvitation + time.Second}},
	} {
		for _, o := range offers {
			if _, err := a.Invite(t.Context(), o); !errors.Is(err, ErrOffer) || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v", o, err)
			}
		}
	}
	if in, err := a.Invite(t.Context(), Offer{Uses: MostUses, Life: MaxInvitation}); err != nil || in.Uses != MostUses || in.Life != MaxInvitation {
		t.Error(in, err)
	}
}
