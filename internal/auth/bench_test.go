package auth

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/config"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
)

// benchWorld is a hundred accounts on the store that the server uses, and a
// device with a token of user7.
func benchWorld(b *testing.B) (a *Auth, secret string) {
	b.Helper()
	s, err := sqlite.Open(b.TempDir()+"/db", sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	a, err = New(b.Context(), s, jid.MustParse("example.org"), config.Auth{Iterations: MinIterations})
	if err != nil {
		b.Fatal(err)
	}
	var list strings.Builder
	keys := keysOf(b, "scram-sha-1", "secret", 16) + "\t" + keysOf(b, "scram-sha-256", "secret", 16)
	for i := range 100 {
		fmt.Fprintf(&list, "user%d\t%s\n", i, keys)
	}
	if _, err := a.Import(b.Context(), strings.NewReader(list.String())); err != nil {
		b.Fatal(err)
	}
	if secret, _, err = a.IssueToken(b.Context(), "user7", phone(), mech); err != nil {
		b.Fatal(err)
	}
	return a, secret
}

func BenchmarkTokens(b *testing.B) {
	a, _ := benchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Tokens("user7", phone(), mech); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignedIn(b *testing.B) {
	a, _ := benchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.SignedIn(b.Context(), "user7", phone(), "password"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUseToken is with a count, which is written, and without.
func BenchmarkUseToken(b *testing.B) {
	for _, counted := range []bool{false, true} {
		b.Run(fmt.Sprint("counted=", counted), func(b *testing.B) {
			a, _ := benchWorld(b)
			tokens, err := a.Tokens("user7", phone(), mech)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				n++
				if _, err := a.UseToken(b.Context(), "user7", phone(), tokens[0].ID, n, counted, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
