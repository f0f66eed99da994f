package config

import (
	"strings"
	"testing"
)

func TestTheRelaysKeysAreChecked(t *testing.T) {
	for set, want := range map[string]string{
		"turn.relay_address=here": "turn.relay_address", "turn.relay_address=0.0.0.0": "turn.relay_address", "turn.relay_address=198.51.100.1,198.51.100.2": "one of each",
		"turn.host=a b": "turn.host", "turn.min_port=80": "turn.min_port", "turn.max_port=49000": "turn.max_port", "turn.per_account=0": "turn.per_account",
		"turn.byte_rate=1": "turn.byte_rate", "turn.volume=1": "turn.volume", "turn.lifetime=1m": "turn.lifetime", "turn.password=30d": "turn.password",
	} {
		if _, err := Load("", []string{set}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
	cfg, err := Load("", []string{"turn.relay_address=::ffff:198.51.100.1,2001:db8::1", "turn.host=turn.example.org", "listen.turns=:5349"})
	if err != nil || len(cfg.Turn.Addresses()) != 2 || !cfg.Turn.Addresses()[0].Is4() || !cfg.Listen.Wanted() {
		t.Error(cfg.Turn, err)
	}
	if none := Default(); none.Listen.Wanted() {
		t.Error("there is a relay that nobody has asked for")
	}
}
