package invite

import (
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
)

func TestTheLogTellsOfInvitationsAndHasNoTokens(t *testing.T) {
	var log strings.Builder
	s := newSite(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	s.add("alice", "bob")
	page, contact := s.invite(auth.Offer{}), s.invite(auth.Offer{From: "alice", Contact: true, NoAccount: true})
	s.post(page.Token, "carol", "x")
	s.f.Vouch(jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org"), request(t, "guess"))
	if log.Len() != 0 {
		t.Error("what was refused:", log.String())
	}
	s.post(page.Token, "Carol", password)
	s.f.Vouch(jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org/phone"), request(t, contact.Token))
	if _, err := command(s, "alice@example.org/phone", s.f.Invite, nil); err != nil {
		t.Fatal(err)
	}
	got := log.String()
	for _, want := range []string{
		`msg="invitation used" jid=carol@example.org invitation=` + page.ID + " way=page", `msg="account made" jid=carol@example.org way=page`,
		`msg="invitation used" jid=bob@example.org invitation=` + contact.ID + " way=in-band", `msg="invitation made" jid=alice@example.org invitation=`,
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, got)
		}
	}
	for _, secret := range []string{page.Token, contact.Token, password} {
		if strings.Contains(got, secret) {
			t.Error("a secret:", got)
		}
	}
}
