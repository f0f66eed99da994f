package auth

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/config"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
)

// shape is what a stranger sees of a name's keys, but the salt itself.
func shape(t *testing.T, a *Auth, name string) string {
	t.Helper()
	c, err := a.Credentials(name)
	if err != nil {
		t.Fatal(err)
	}
	of := func(k sasl.Keys) string { return fmt.Sprint(k.Iterations, len(k.Salt), len(k.StoredKey)) }
	return of(c.SHA1) + "/" + of(c.SHA256) + "/" + strings.Join(a.Lacks(name), ",")
}

func withIterations(t *testing.T, s Store, n int) *Auth {
	t.Helper()
	a, err := New(t.Context(), s, jid.MustParse("example.org"), config.Auth{Iterations: n})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Attack: names with the iterations of today were those without an account,
// where accounts are older.
func TestAStrangersNameLooksLikeSomeAccountAlsoWhenTheIterationsWereChanged(t *testing.T) {
	s := lastingStore()
	a := withIterations(t, s, 4096)
	for i := range 10 {
		add(t, a, fmt.Sprint("old", i), "secret")
	}
	a = withIterations(t, s, 5000)
	for i := range 10 {
		add(t, a, fmt.Sprint("new", i), "secret")
	}
	seen := map[string]int{}
	for i := range 200 {
		seen[shape(t, a, fmt.Sprint("stranger", i))]++
	}
	old, young := shape(t, a, "old1"), shape(t, a, "new1")
	if len(seen) != 2 || seen[old] < 20 || seen[young] < 20 {
		t.Errorf("%v, accounts are %s and %s", seen, old, young)
	}
}

func TestAStrangersNameLooksLikeAnImportedAccountWhereAllAre(t *testing.T) {
	a := open(t, memory.New())
	if _, err := a.Import(t.Context(), strings.NewReader("alice\t"+keysOf(t, "scram-sha-1", "secret", 7)+"\n")); err != nil {
		t.Fatal(err)
	}
	if known, unknown := shape(t, a, "alice"), shape(t, a, "mallory"); known != unknown || !strings.Contains(known, sasl.SCRAMSHA256) {
		t.Error(known, unknown)
	}
}

func TestANameKeepsItsLooksAsOthersComeAndGo(t *testing.T) {
	s := lastingStore()
	a := open(t, s)
	for i := range 20 {
		add(t, a, fmt.Sprint("user", i), "secret")
	}
	before, _ := a.Credentials("mallory")
	add(t, a, "somebody", "secret")
	for i := range 10 {
		if err := a.Remove(t.Context(), fmt.Sprint("user", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, again := range []*Auth{a, open(t, s)} {
		after, _ := again.Credentials("mallory")
		if !bytes.Equal(before.SHA1.Salt, after.SHA1.Salt) || !bytes.Equal(before.SHA256.Salt, after.SHA256.Salt) {
			t.Error("another salt")
		}
	}
}

// reads counts what is read of the store, by kind.
type reads struct {
	store.Store
	seen []string
}

func (r *reads) Account(ctx context.Context, name string) (store.Account, error) {
	acc, err := r.Store.Account(ctx, name)
	r.seen = append(r.seen, fmt.Sprint("account ", err))
	return acc, err
}

func (r *reads) ReadKey(ctx context.Context, owner, space, key string) (store.Item, error) {
	it, err := r.Store.ReadKey(ctx, owner, space, key)
	r.seen = append(r.seen, fmt.Sprint(space, " ", err))
	return it, err
}

// Attack 18: a name without an account is asked of the store what one with an
// account is, and gets the same answers.
func TestKnownAndUnknownNamesReadTheSame(t *testing.T) {
	s := &reads{Store: memory.New()}
	a := open(t, s)
	add(t, a, "alice", "secret")
	if _, _, err := a.IssueToken(t.Context(), "alice", phone(), mech); err != nil {
		t.Fatal(err)
	}
	a.devices = store.NewBucket(s, a.devices.Space)
	var paths [][]string
	for _, name := range []string{"alice", "mallory"} {
		s.seen = nil
		if _, err := a.Credentials(name); err != nil {
			t.Fatal(err)
		}
		// the agent is the attacker's: he does not know alice's
		if tokens, err := a.Tokens(name, laptop(), mech); err != nil || len(tokens) != 0 {
			t.Fatal(err)
		}
		a.Lacks(name)
		paths = append(paths, slices.Clone(s.seen))
	}
	if len(paths[0]) != 4 || !reflect.DeepEqual(paths[0], paths[1]) {
		t.Errorf("%q", paths)
	}
}

func BenchmarkCredentials(b *testing.B) {
	a, _ := benchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Credentials("user7"); err != nil {
			b.Fatal(err)
		}
	}
}
