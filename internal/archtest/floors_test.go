package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// floors says on which floor a package lives; a package imports lower floors
// only. Names are folders below internal/, but for cmd and web; "x/*" means x
// and everything below it. ARCHITECTURE.md shows the same table and
// TestArchitectureShowsTheFloors compares the two.
var floors = []struct {
	floor int
	names string
}{
	{6, "cmd/*"},
	{5, "server doctor conformance client/wasm client/terminal"},
	{4, "xep/* httpd transparency client/profile client/caller"},
	{3, "archive people bus/* c2s component s2s call control live watch register client/*"},
	{2, "core auth certs ledger omemo call/filter turn"},
	{1, "xmpp/* store/* assets config limits lru obs web webpush"},
}

// outside lists what stands beside the building: tests and tools, which may
// import anything and which nothing imports but a test.
const outside = "core/coretest certs/acmetest webpush/pushtest client/keep/keeptest xmpp/jingle/jingletest archtest foreign spec changelog e2e/* bench/* scripts/*"

// importExceptions allows an import that a rule forbids: "from -> to" and why.
var importExceptions = map[string]string{}

// A rule forbids some imports of our own packages or of others'. from is a name
// as in floors; to is a name as in floors for our packages, else an import path.
type rule struct {
	reason string
	broken func(from, to string, ours bool) bool
}

var rules = []rule{
	{
		"a package imports lower floors only: what is below must be readable, testable and replaceable without what is above",
		func(from, to string, ours bool) bool {
			return ours && !is(to, outside) && !is(from, outside) && floorOf(to) >= floorOf(from) && !siblings(from, to)
		},
	},
	{
		"one feature does not import another: it must be possible to take any of them out of the list in server/features.go",
		func(from, to string, ours bool) bool { return ours && is(from, "xep/*") && is(to, "xep/*") },
	},
	{
		"core imports xmpp and obs and nothing else: it declares the interfaces that archive, people and bus satisfy",
		func(from, to string, ours bool) bool { return ours && from == "core" && !is(to, "xmpp/* obs") },
	},
	{
		"client knows the protocol and end-to-end encryption, never the server: it is built for the browser too",
		func(from, to string, ours bool) bool {
			return ours && is(from, "client/*") && !is(to, "client/* xmpp/* omemo")
		},
	},
	{
		"a part of the client knows its store and its port, no other part and not the engine: each is tested alone and the engine ties them together",
		func(from, to string, ours bool) bool {
			part := is(from, "client/*") && !is(from, "client client/profile client/caller client/wasm client/terminal")
			return ours && part && is(to, "client/*") && !is(to, "client/keep/* client/port") && !is(to, from+"/*")
		},
	},
	{
		"the client's store and its port stand below its parts",
		func(from, to string, ours bool) bool {
			return ours && is(from, "client/keep/* client/port") && is(to, "client/*") && !(is(from, "client/keep/*") && is(to, "client/keep/*"))
		},
	},
	{
		"databases are known only below store, and the client's below client/keep: every engine passes one contract suite and features touch no SQL",
		func(from, to string, _ bool) bool {
			return !is(from, "store/* client/keep/sqlite") && under(to, "database/sql", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/mattn/go-sqlite3")
		},
	},
	{
		"what reads media, SDP, ICE, DTLS and RTP is known only in the terminal's seat, and STUN and TURN in the relay: a call that was not accepted reaches none of it",
		func(from, to string, ours bool) bool {
			return !ours && under(to, "github.com/pion") && !is(from, "client/seat turn") || ours && to == "client/seat" && !is(from, "cmd/* bench/calls")
		},
	},
	{
		"the bus client is known only below bus/nats: a node alone pays nothing for clustering",
		func(from, to string, _ bool) bool { return !is(from, "bus/nats") && under(to, "github.com/nats-io") },
	},
	{
		"tests and tools are imported by nothing that reaches the binary",
		func(from, to string, ours bool) bool { return ours && is(to, outside) && !is(from, outside) },
	},
}

// forbiddenNames say nothing about what is inside, and so collect everything.
var forbiddenNames = []string{"util", "utils", "common", "types", "helper", "helpers", "misc"}

func TestImportsPointDown(t *testing.T) {
	used := map[string]bool{}
	for _, v := range importViolations(loadModule(t), importExceptions, used) {
		t.Error(v)
	}
	for ex := range importExceptions {
		if !used[ex] {
			t.Errorf("the exception %q is no longer needed: remove it", ex)
		}
	}
}

func TestEveryPackageHasAFloor(t *testing.T) {
	for _, p := range loadModule(t).sorted() {
		if n := short(p.dir); !is(n, outside) && floorOf(n) == 0 {
			t.Errorf("%s has no floor: give it one in internal/archtest/floors_test.go and in ARCHITECTURE.md", p.dir)
		}
	}
}

func TestNoPackageIsNamedForNothing(t *testing.T) {
	for _, p := range loadModule(t).sorted() {
		if slices.Contains(forbiddenNames, path.Base(p.dir)) {
			t.Errorf("%s: name a package for the thing it holds; this name fits everything", p.dir)
		}
	}
}

// importViolations lists the imports that break a rule; the exceptions that
// were called on are noted in used.
func importViolations(tr *tree, exceptions map[string]string, used map[string]bool) []string {
	var out []string
	for _, p := range tr.sorted() {
		for _, im := range p.imports() {
			to, ours := strings.CutPrefix(im, module+"/")
			from := short(p.dir)
			if ours {
				to = short(to)
			}
			for _, r := range rules {
				if !r.broken(from, to, ours) {
					continue
				}
				key := from + " -> " + to
				if _, ok := exceptions[key]; ok {
					used[key] = true
					continue
				}
				out = append(out, fmt.Sprintf("%s: %s", key, r.reason))
			}
		}
	}
	return out
}

// short is the name of a folder as the tables write it.
func short(dir string) string { return strings.TrimPrefix(dir, "internal/") }

// is says whether the name is one of the space-separated patterns.
func is(name, patterns string) bool {
	for _, p := range strings.Fields(patterns) {
		if base, below := strings.CutSuffix(p, "/*"); name == base && below || name == p || below && strings.HasPrefix(name, base+"/") {
			return true
		}
	}
	return false
}

// floorOf returns 0 for a package without a floor. A name beats a pattern.
func floorOf(name string) int {
	found := 0
	for _, f := range floors {
		if slices.Contains(strings.Fields(f.names), name) {
			return f.floor
		}
		if is(name, f.names) {
			found = f.floor
		}
	}
	return found
}

// siblings may import each other: the protocol's packages, a store's shape and
// its engines, and the client's parts as far as the sharper rules allow.
func siblings(a, b string) bool {
	for _, family := range []string{"xmpp/*", "store/*", "client/*"} {
		if is(a, family) && is(b, family) {
			return floorOf(b) <= floorOf(a)
		}
	}
	return false
}

func under(importPath string, roots ...string) bool {
	for _, r := range roots {
		if importPath == r || strings.HasPrefix(importPath, r+"/") {
			return true
		}
	}
	return false
}
