package auth

import (
	"slices"
	"testing"

	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

func TestAPasswordThatLeavesDevicesInEndsThoseWithoutAToken(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	tablet := Agent{ID: "tablet", Software: "Other"}
	phoneID, laptopID, tabletID := signIn(t, a, "alice", phone(), "password"), signIn(t, a, "alice", laptop(), "password"), signIn(t, a, "alice", tablet, "password")
	for _, g := range []Agent{phone(), laptop()} {
		if _, _, err := a.IssueToken(t.Context(), "alice", g, "M"); err != nil {
			t.Fatal(err)
		}
	}
	var ended []string
	a.OnRevoke(func(_ jid.JID, device string) { ended = append(ended, device) })
	a.OnPassword(func(jid.JID, any) { t.Error("all sessions are told to end") })
	if err := a.ChangePassword(t.Context(), "alice", "another secret", Changer{Device: phoneID, Session: "its session", Keep: true}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ended, []string{tabletID}) {
		t.Errorf("these ended: %q", ended)
	}
	for _, g := range []Agent{phone(), laptop()} {
		if tokens, _ := a.Tokens("alice", g, "M"); len(tokens) != 1 || tokens[0].Refuse != "" {
			t.Errorf("the token of %+v is %+v", g, tokens)
		}
	}
	for _, d := range devices(t, a, "alice") {
		if d.Password != (d.ID == phoneID) || d.Token != (d.ID == phoneID || d.ID == laptopID) {
			t.Errorf("%+v", d)
		}
	}
}

func TestADeviceThatWasRevokedStaysOutWhenOthersStayIn(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "alice", "secret")
	phoneID, laptopID := signIn(t, a, "alice", phone(), "password"), signIn(t, a, "alice", laptop(), "password")
	for _, g := range []Agent{phone(), laptop()} {
		if _, _, err := a.IssueToken(t.Context(), "alice", g, "M"); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Revoke(t.Context(), "alice", laptopID); err != nil {
		t.Fatal(err)
	}
	if err := a.ChangePassword(t.Context(), "alice", "another secret", Changer{Device: phoneID, Keep: true}); err != nil {
		t.Fatal(err)
	}
	if tokens, _ := a.Tokens("alice", laptop(), "M"); len(tokens) != 1 || tokens[0].Refuse != sasl.CredentialsExpired {
		t.Errorf("it is let in again: %+v", tokens)
	}
}
