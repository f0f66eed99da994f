package server

import (
	"testing"

	"mirsal/internal/config"
	"mirsal/internal/store/memory"
)

// local is a configuration that meets no other server.
func local(t *testing.T) config.Config {
	cfg := config.Default()
	cfg.Data = t.TempDir()
	for _, a := range []*config.Address{&cfg.Listen.C2S, &cfg.Listen.C2STLS, &cfg.Listen.HTTP, &cfg.Listen.HTTPPlain, &cfg.Listen.Ops} {
		*a = "127.0.0.1:0"
	}
	return cfg
}

func TestTwoServersRunInOneProcess(t *testing.T) {
	for range 2 {
		s, err := Start(t.Context(), local(t), Options{Store: memory.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
}

func TestATakenPortIsNamedAndNothingStaysOpen(t *testing.T) {
	first, err := Start(t.Context(), local(t), Options{Store: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	cfg := local(t)
	cfg.Listen.Ops = config.Address(first.Addr("ops"))
	if _, err := Start(t.Context(), cfg, Options{}); err == nil {
		t.Fatal("two listeners on one port")
	}
	cfg.Listen.Ops = "off"
	again, err := Start(t.Context(), cfg, Options{}) // the data directory is free again
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
