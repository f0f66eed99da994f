package register

import (
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/core/coretest"
)

func TestTheLogTellsOfAccountsAndHasNoSecrets(t *testing.T) {
	var log strings.Builder
	to := slog.New(slog.NewTextHandler(&log, nil))
	h, v := newHouse(t, Config{Log: to}), newVisit()
	token := h.invitation()
	h.show(v, token)
	h.register(v, "carol", "x")
	if log.Len() != 0 {
		t.Error("what was refused:", log.String())
	}
	h.register(v, "Carol", secret)
	loggedIn(t, func(h *house, _ *coretest.World, c *coretest.Client) {
		h.f.cfg.Log = to
		c.Send("<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>alice</username><password>" + secret + "</password></query></iq>")
		c.Got()
		c.Send("<iq type='set' id='2'><query xmlns='jabber:iq:register'><remove/></query></iq>")
		c.Got()
	})
	got := log.String()
	for _, want := range []string{
		`msg="invitation used" jid=carol@example.org invitation=` + auth.InvitationID(token), `msg="account made" jid=carol@example.org way=in-band`,
		`msg="password changed" jid=alice@example.org way=in-band`, `msg="account removed" jid=alice@example.org way=in-band`,
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, got)
		}
	}
	if strings.Contains(got, secret) || strings.Contains(got, token) {
		t.Error("a secret:", got)
	}
}
