package control

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/auth"
)

func TestTheLogTellsWhatWasChangedAndNoSecret(t *testing.T) {
	var log strings.Builder
	j, ctx := journal{accounts(t), slog.New(slog.NewTextHandler(&log, nil))}, t.Context()
	_, added := j.Add(ctx, "Alice", "hush")
	_, forced := j.AddAnyway(ctx, "a1ice", "hush")
	_, imported := j.Import(ctx, strings.NewReader("bob\thush\n"))
	inv, invited := j.Invite(ctx, auth.Offer{From: "alice", Contact: true})
	err := errors.Join(added, forced, imported, invited, j.Passwd(ctx, "alice@example.org", "hush2"), j.Join(ctx, "Class", "alice"),
		j.Disable(ctx, "alice"), j.Enable(ctx, "alice"), j.SetAdmin(ctx, "alice", true),
		j.Leave(ctx, "Class", "alice"), j.Withdraw(ctx, inv.ID), j.Remove(ctx, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	if j.Remove(ctx, "alice") == nil || j.Withdraw(ctx, inv.ID) == nil {
		t.Error("done twice")
	}
	got := log.String()
	for _, want := range []string{
		`msg="account made" jid=alice@example.org way=command`, `msg="account made" jid=a1ice@example.org`, `msg="accounts imported" count=1`,
		`msg="password changed" jid=alice@example.org`, `msg="circle joined" jid=alice@example.org circle=Class`, `msg="circle left" jid=alice@example.org circle=Class`,
		`msg="account disabled" jid=alice@example.org`, `msg="account enabled" jid=alice@example.org`, `msg="administrator changed" jid=alice@example.org admin=true`,
		`msg="invitation made" invitation=` + inv.ID, `msg="invitation revoked" invitation=` + inv.ID, `msg="account removed" jid=alice@example.org`,
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hush") || strings.Contains(got, inv.Token) {
		t.Error("a secret:", got)
	}
}
