package mirsal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

func TestAServerStartsStopsAndStartsAgainOnItsData(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t)})
	s.Accounts("secret", "alice")
	for range 2 {
		login(t, s)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	s.Kill()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	login(t, s)
	if status, body, err := s.Get(t.Context(), "/readyz"); err != nil || status != 200 {
		t.Errorf("/readyz: %d %s %v", status, body, err)
	}
	if n, err := s.Metric(t.Context(), "go_memstats_heap_inuse_bytes"); err != nil || n == 0 {
		t.Error(n, err)
	}
	if n, err := s.Resident(); err != nil || n == 0 {
		t.Error(n, err)
	}
	if !strings.Contains(s.Log(), "ready ") {
		t.Error("the log is lost")
	}
}

func login(t *testing.T, s *mirsal.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(ctx, "alice", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
}
