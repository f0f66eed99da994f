package invite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

func TestWhoJoinsACircleMeetsEverybodyInItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.add("alice", "bob", "carol")
		s.f.Start()
		defer s.f.Close()
		for _, name := range []string{"alice", "bob", "carol"} {
			if err := s.auth.Join(t.Context(), "Friends", name); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if want := []string{"bob alice Friends", "carol alice Friends", "carol bob Friends"}; !slices.Equal(s.met, want) {
			t.Error(s.met)
		}
	})
}

func TestAnInvitationIntoACircleKeepsWhatItPromises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.add("alice", "bob")
		if err := s.auth.Join(t.Context(), "Friends", "bob"); err != nil {
			t.Fatal(err)
		}
		in := s.invite(auth.Offer{From: "alice", Contact: true, Circle: "Friends"})
		s.post(in.Token, "carol", password)
		// the server may have been stopped in between
		s.f.Start()
		synctest.Wait()
		s.f.Close()
		slices.Sort(s.met)
		// Bob has not met anybody yet either, and finds Carol there
		if want := []string{"bob carol Friends", "carol alice ", "carol bob Friends"}; !slices.Equal(s.met, want) {
			t.Error(s.met)
		}
		if members, err := s.auth.Members(t.Context(), "Friends"); err != nil || !slices.Equal(members, []string{"bob", "carol"}) {
			t.Error(members, err)
		}
	})
}

func TestAMeetingThatWasInterruptedGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		for i := range 60 {
			s.add(fmt.Sprintf("m%02d", i))
			if err := s.auth.Join(t.Context(), "All", fmt.Sprintf("m%02d", i)); err != nil {
				t.Fatal(err)
			}
		}
		s.f.Start()
		synctest.Wait()
		s.f.Close()
		s.add("zoe")
		if err := s.auth.Join(t.Context(), "All", "zoe"); err != nil {
			t.Fatal(err)
		}
		s.met = nil
		made := s.f.cfg.Befriend
		s.f.cfg.Befriend = func(ctx context.Context, a, b jid.JID, group string) error {
			if len(s.met) == 40 {
				return errors.New("the disk is full")
			}
			return made(ctx, a, b, group)
		}
		s.f.meetAll(t.Context())
		s.f.cfg.Befriend = made
		s.f.meetAll(t.Context())
		// 25 were noted, so 15 are met twice, which they do not notice
		if len(s.met) != 60+15 {
			t.Error(len(s.met))
		}
		if all, err := s.auth.Meetings(t.Context()); err != nil || len(all) != 0 {
			t.Error(all, err)
		}
	})
}

func TestOneFullContactListDoesNotHoldUpACircle(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice", "bob", "carol")
	s.f.cfg.Befriend = func(_ context.Context, a, b jid.JID, group string) error {
		if b.Local() == "alice" {
			return stanza.Errorf(stanza.ResourceConstraint, "")
		}
		s.met = append(s.met, a.Local()+" "+b.Local())
		return nil
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		if err := s.auth.Join(t.Context(), "Friends", name); err != nil {
			t.Fatal(err)
		}
	}
	s.f.meetAll(t.Context())
	if !slices.Contains(s.met, "carol bob") {
		t.Error(s.met)
	}
}

func TestARemovedAccountLeavesNoInvitationAndNoCircle(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice", "bob")
	if err := s.auth.Join(t.Context(), "Friends", "alice"); err != nil {
		t.Fatal(err)
	}
	in := s.invite(auth.Offer{From: "alice", Contact: true})
	kept := s.invite(auth.Offer{From: "bob", Contact: true})
	s.auth.OnRemove(auth.Removal{Gone: s.f.gone})
	if err := s.auth.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if w := s.get("/invite/" + in.Token); w.Code != 404 {
		t.Error(w.Code)
	}
	if w := s.get("/invite/" + kept.Token); w.Code != 200 {
		t.Error(w.Code)
	}
	if all, err := s.auth.Circles(t.Context()); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

// request parses a subscription request.
func request(t *testing.T, token string) xtok.Elem {
	t.Helper()
	_, e, err := stanza.Parse([]byte("<presence xmlns='jabber:client' type='subscribe'><preauth xmlns='" + nsPars + "' token='" + token + "'/></presence>"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestATokenIsVouchedForAsOftenAsItIsGoodAndForItsOwnerOnly(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice", "bob", "carol", "mallory")
	in := s.invite(auth.Offer{From: "alice", Contact: true, NoAccount: true, Uses: 1})
	other := s.invite(auth.Offer{})
	alice, bob, carol := jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org"), jid.MustParse("carol@example.org")
	for _, c := range []struct {
		owner, asker jid.JID
		token        string
		want         bool
	}{
		{jid.MustParse("mallory@example.org"), bob, in.Token, false},
		{alice, bob, "guess", false},
		{alice, bob, "", false},
		{alice, bob, other.Token, false},
		{alice, bob, in.Token, true},
		{alice, bob, in.Token, false}, // alice may have had reasons to part from him
		{alice, carol, in.Token, false},
	} {
		if got := s.f.Vouch(c.owner, c.asker, request(t, c.token)); got != c.want {
			t.Errorf("%s asks %s: %v", c.asker, c.owner, got)
		}
	}
}

// command runs a command as somebody.
func command(s *site, who string, run func(*core.Query, *form.Form) (form.Form, error), answer *form.Form) (form.Form, error) {
	q := &core.Query{Ctx: s.t.Context()}
	q.Head.From = jid.MustParse(who + "@example.org/phone")
	return run(q, answer)
}

func TestPeopleInviteContactsAndAdministratorsInvitePeople(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice")
	s.post(s.invite(auth.Offer{Admin: true}).Token, "root", password)
	out, err := command(s, "alice", s.f.Invite, nil)
	if uri := out.Value("uri"); err != nil || !strings.HasPrefix(uri, "xmpp:alice@example.org?roster;preauth=") || strings.Contains(uri, "ibr") {
		t.Error(uri, err)
	}
	if link := out.Value("landing-url"); !strings.HasPrefix(link, "https://example.org/invite/") || out.Value("expire") == "" {
		t.Error(link)
	}
	out, err = command(s, "root", s.f.Invite, nil)
	if uri := out.Value("uri"); err != nil || !strings.HasSuffix(uri, ";ibr=y") {
		t.Error(uri, err)
	}
	if s.f.MayCreate(jid.MustParse("alice@example.org")) || !s.f.MayCreate(jid.MustParse("root@example.org")) {
		t.Error("who may create accounts is wrong")
	}
	out, err = command(s, "root", s.f.CreateAccount, nil)
	if err != nil || out.Kind != form.Ask {
		t.Error(out, err)
	}
	answer := &form.Form{Kind: form.Submit, Fields: []form.Field{{Var: "username", Values: []string{"dora"}}, {Var: "roster-subscription", Values: []string{"0"}}}}
	out, err = command(s, "root", s.f.CreateAccount, answer)
	if uri := out.Value("uri"); err != nil || !strings.HasPrefix(uri, "xmpp:dora@example.org?register;preauth=") {
		t.Error(uri, err)
	}
	answer.Fields[0].Values[0] = "a1ice"
	if _, err = command(s, "root", s.f.CreateAccount, answer); stanza.AsError(err).Condition != stanza.Conflict {
		t.Error(err)
	}
}

func TestWithUsersMayInviteEverybodyInvitesPeople(t *testing.T) {
	s := newSite(t, func(c *Config) { c.UsersMayInvite = true })
	s.add("alice")
	out, err := command(s, "alice", s.f.Invite, nil)
	if uri := out.Value("uri"); err != nil || !strings.HasSuffix(uri, ";ibr=y") {
		t.Error(uri, err)
	}
}

func TestOpenInvitationsOfOnePersonAreBounded(t *testing.T) {
	s := newSite(t, nil)
	s.add("alice")
	var err error
	for range auth.MostOpen + 1 {
		_, err = command(s, "alice", s.f.Invite, nil)
	}
	if stanza.AsError(err).Condition != stanza.ResourceConstraint {
		t.Error(err)
	}
}
