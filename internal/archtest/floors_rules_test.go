package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestEachRuleCatchesWhatItForbids feeds the rules one import at a time.
func TestEachRuleCatchesWhatItForbids(t *testing.T) {
	for _, c := range []struct {
		dir, imports string
		refused      string // a word of the reason, "" when allowed
	}{
		{"internal/core", "mirsal/internal/xmpp/jid", ""},
		{"internal/core", "mirsal/internal/obs", ""},
		{"internal/core", "mirsal/internal/store", "declares the interfaces"},
		{"internal/core", "mirsal/internal/c2s", "lower floors"},
		{"internal/auth", "mirsal/internal/core", "lower floors"},
		{"internal/xmpp/stanza", "mirsal/internal/xmpp/jid", ""},
		{"internal/store/sqlite", "mirsal/internal/store", ""},
		{"internal/store/sqlite", "modernc.org/sqlite", ""},
		{"internal/archive", "modernc.org/sqlite", "only below store"},
		{"cmd/mirsal", "database/sql", "only below store"},
		{"internal/config", "mirsal/internal/obs", "lower floors"},
		{"internal/xep/mam", "mirsal/internal/xep/carbons", "one feature"},
		{"internal/xep/mam", "mirsal/internal/archive", ""},
		{"internal/archive", "mirsal/internal/xep/mam", "lower floors"},
		{"internal/client", "mirsal/internal/core", "never the server"},
		{"internal/client/wasm", "mirsal/internal/client", ""},
		{"internal/client", "mirsal/internal/client/wasm", "lower floors"},
		{"internal/client", "mirsal/internal/client/conn", ""},
		{"internal/client/conn", "mirsal/internal/client/keep", ""},
		{"internal/client/conn", "mirsal/internal/client", "no other part"},
		{"internal/client/conn", "mirsal/internal/client/timeline", "no other part"},
		{"internal/client/keep/sqlite", "mirsal/internal/client/keep", ""},
		{"internal/client/keep/sqlite", "modernc.org/sqlite", ""},
		{"internal/client/keep", "modernc.org/sqlite", "only below store"},
		{"internal/client/port", "mirsal/internal/client/keep", "stand below"},
		{"internal/client/conn", "mirsal/internal/core", "never the server"},
		{"internal/c2s", "github.com/nats-io/nats.go", "only below bus/nats"},
		{"internal/bus/nats", "github.com/nats-io/nats.go", ""},
		{"internal/client", "github.com/pion/sdp/v3", "only in the terminal's seat"},
		{"internal/client/seat", "github.com/pion/webrtc/v4", ""},
		{"internal/client", "mirsal/internal/client/seat", "only in the terminal's seat"},
		{"internal/core", "mirsal/internal/foreign", "tests and tools"},
		{"cmd/mirsal", "mirsal/internal/server", ""},
		{"e2e/crash", "mirsal/internal/server", ""},
	} {
		t.Run(c.dir+" imports "+c.imports, func(t *testing.T) {
			got := importViolations(parse(t, c.dir, fmt.Sprintf("package p\nimport _ %q\n", c.imports)), nil, nil)
			hit := func(s string) bool { return strings.Contains(s, c.refused) }
			if c.refused == "" && len(got) > 0 || c.refused != "" && !slices.ContainsFunc(got, hit) {
				t.Errorf("violations %q, want one with %q", got, c.refused)
			}
		})
	}
}

func TestAnExceptionSilencesOneImportAndIsNotedAsUsed(t *testing.T) {
	used := map[string]bool{}
	tr := parse(t, "internal/auth", "package p\nimport _ \"mirsal/internal/core\"\nimport _ \"mirsal/internal/c2s\"\n")
	got := importViolations(tr, map[string]string{"auth -> core": "a reason"}, used)
	if len(got) != 1 || !strings.HasPrefix(got[0], "auth -> c2s") || !used["auth -> core"] {
		t.Errorf("violations %q, used %v", got, used)
	}
}

func TestAFolderNobodyPlacedHasNoFloor(t *testing.T) {
	for name, want := range map[string]int{"newthing": 0, "xep/ping": 4, "client": 3, "client/conn": 3, "client/keep/sqlite": 3, "client/wasm": 5, "client/terminal": 5, "store": 1, "cmd/mirsal": 6} {
		if got := floorOf(name); got != want {
			t.Errorf("floorOf(%q) = %d, want %d", name, got, want)
		}
	}
}

func parse(t *testing.T, dir, src string) *tree {
	t.Helper()
	tr, err := load(fstest.MapFS{dir + "/p.go": {Data: []byte(src)}})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
