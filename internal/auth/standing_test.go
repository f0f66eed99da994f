package auth

import (
	"errors"
	"testing"

	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func TestADisabledAccountLetsNobodyInAndKeepsEverything(t *testing.T) {
	a, ctx := open(t, memory.New()), t.Context()
	add(t, a, "alice", "secret")
	if err := a.SetAdmin(ctx, "alice", true); err != nil {
		t.Fatal(err)
	}
	var ended []jid.JID
	a.OnDisable(func(bare jid.JID) { ended = append(ended, bare) })
	during := Agent{ID: "x", Since: a.Epoch()}
	for range 2 {
		if err := a.Disable(ctx, "Alice@example.org"); err != nil {
			t.Fatal(err)
		}
	}
	if len(ended) != 1 || ended[0].String() != "alice@example.org" {
		t.Error(ended)
	}
	if !a.Changed("alice", during) {
		t.Error("a sign-in that was under way is not caught")
	}
	if logIn(t, a, "alice", "secret") == nil {
		t.Error("it is let in")
	}
	if admin, err := a.Admin(ctx, "alice"); admin || err != nil {
		t.Error("a disabled administrator is one", err)
	}
	if s, err := a.Standing(ctx, "alice"); err != nil || !s.Disabled || !s.Admin || s.Created.IsZero() || !a.Exists("alice") {
		t.Errorf("%+v %v", s, err)
	}
	if err := a.Enable(ctx, "alice"); err != nil || logIn(t, a, "alice", "secret") != nil {
		t.Error("it is not let in again", err)
	}
}

func TestStandingsAreThoseWanted(t *testing.T) {
	a, ctx := open(t, memory.New()), t.Context()
	for _, name := range []string{"carol", "alice", "bob"} {
		add(t, a, name, "secret")
	}
	if err := errors.Join(a.SetAdmin(ctx, "carol", true), a.SetAdmin(ctx, "alice", true), a.SetAdmin(ctx, "alice", false)); err != nil {
		t.Fatal(err)
	}
	admins, err := a.Standings(ctx, func(s Standing) bool { return s.Admin })
	if err != nil || len(admins) != 1 || admins[0].Name != "carol" {
		t.Error(admins, err)
	}
	if err := a.SetAdmin(ctx, "nobody", true); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
