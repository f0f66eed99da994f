package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/call/filter"
)

func TestCallRulesAreSignedWithTheirKey(t *testing.T) {
	dir := t.TempDir()
	key, rules := filepath.Join(dir, "key"), filepath.Join(dir, "rules")
	public, err := base64.StdEncoding.DecodeString(strings.TrimSpace(fine(t, dir, "", "call-rules", "key", key)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rules, []byte("refuse young-video propose media=video age<7d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	signed := fine(t, dir, "", "call-rules", "sign", "--key", key, rules)
	if r, err := filter.Open(signed, []ed25519.PublicKey{public}, 0, time.Now()); err != nil || len(r.List) != 1 {
		t.Errorf("%+v %v", r, err)
	}
}
