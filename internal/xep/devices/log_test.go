package devices

import (
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

func TestTheLogTellsOfARevokedDevice(t *testing.T) {
	var log strings.Builder
	var a *auth.Auth
	coretest.Run(t, func(w *coretest.World) {
		var err error
		a, err = auth.New(t.Context(), memory.New(), jid.MustParse("example.org"), config.Auth{Iterations: auth.MinIterations})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Add(t.Context(), "alice", "secret"); err != nil {
			t.Fatal(err)
		}
		New(w.Router, a, slog.New(slog.NewTextHandler(&log, nil))).Register(w.Host)
	}, func(w *coretest.World) {
		laptop, phone := connect(t, w, a, "alice@example.org/laptop", "token"), connect(t, w, a, "alice@example.org/phone", "token")
		id := phone.Session.Device
		laptop.Send(revoke("nothing"))
		laptop.Send(revoke(id))
		laptop.Got()
		want := `msg="device revoked" jid=alice@example.org device=` + id
		if strings.Count(log.String(), want) != 1 || strings.Count(log.String(), "revoked") != 1 {
			t.Error(log.String())
		}
	})
}
