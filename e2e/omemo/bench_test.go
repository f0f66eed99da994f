package omemo

import (
	"crypto/rand"
	"strings"
	"testing"

	ours "mirsal/internal/omemo"
)

// BenchmarkMessage is what one message costs, encrypted and decrypted, here and in
// libsignal: in one chain, and with a step of the ratchet for each message; with the
// session as it is, and written to bytes and read again by both sides after each.
// libsignal measures itself in its own process: no time of the pipe is in it.
func BenchmarkMessage(b *testing.B) {
	for _, kind := range []string{"chain", "turns", "chain stored", "turns stored"} {
		b.Run(kind+"/mirsal", func(b *testing.B) { measure(b, kind) })
		b.Run(kind+"/libsignal", func(b *testing.B) { measureLibsignal(b, kind) })
	}
}

func measureLibsignal(b *testing.B, kind string) {
	o := libsignal(b)
	b.ReportAllocs()
	a := o.must(question{Do: "measure", Kind: kind, Rounds: b.N, Plain: make([]byte, 32)})
	n := float64(b.N)
	b.ReportMetric(float64(a.Nanoseconds)/n, "ns/op")
	b.ReportMetric(float64(a.Allocations)/n, "allocs/op")
	b.ReportMetric(float64(a.Bytes)/n, "B/op")
}

func measure(b *testing.B, kind string) {
	keep := func(s *ours.Session) *ours.Session { return s }
	if strings.HasSuffix(kind, "stored") {
		keep = func(s *ours.Session) *ours.Session { return (&own{t: b}).kept(s) }
	}
	from, to := acquaintedOwn(b)
	plain := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		next, m, err := from.Encrypt(rand.Reader, plain)
		if err != nil {
			b.Fatal(err)
		}
		read, _, err := to.Decrypt(rand.Reader, m.Data)
		if err != nil {
			b.Fatal(err)
		}
		from, to = keep(next), keep(read)
		if strings.HasPrefix(kind, "turns") {
			from, to = to, from
		}
	}
}

func acquaintedOwn(b *testing.B) (from, to *ours.Session) {
	alice, bob := newOwn(b, "alice", ours.Legacy), newOwn(b, "bob", ours.Legacy)
	m, err := alice.start("bob", bob.bundle(), make([]byte, 32))
	if err == nil {
		_, err = bob.decrypt("alice", m)
	}
	if err == nil {
		m, err = bob.encrypt("alice", make([]byte, 32))
	}
	if err == nil {
		_, err = alice.decrypt("bob", m)
	}
	if err != nil {
		b.Fatal(err)
	}
	return alice.sessions["bob"][0], bob.sessions["alice"][0]
}

// TestBothAreMeasuredOnTheSame keeps the benchmark honest: the oracle does as many
// rounds as it is asked for.
func TestBothAreMeasuredOnTheSame(t *testing.T) {
	o := libsignal(t)
	for _, kind := range []string{"chain", "turns", "chain stored", "turns stored"} {
		few := o.must(question{Do: "measure", Kind: kind, Rounds: 10, Plain: make([]byte, 32)})
		many := o.must(question{Do: "measure", Kind: kind, Rounds: 100, Plain: make([]byte, 32)})
		if few.Allocations <= 0 || many.Allocations < 5*few.Allocations {
			t.Errorf("%s: %d allocations in 10 rounds, %d in 100", kind, few.Allocations, many.Allocations)
		}
	}
}
