package omemo

import "testing"

var key48 = make([]byte, 48) // what Two's messages carry

func eachProfile(b *testing.B, f func(b *testing.B, p Profile)) {
	for _, p := range both {
		b.Run(p.Namespace(), func(b *testing.B) { f(b, p) })
	}
}

// BenchmarkEncrypt is the next message on one chain.
func BenchmarkEncrypt(b *testing.B) {
	eachProfile(b, func(b *testing.B, p Profile) {
		alice, _ := talking(b, p)
		for b.Loop() {
			if _, _, err := alice.sessions[0].Encrypt(alice.rand, key48); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecrypt is the next message on one chain.
func BenchmarkDecrypt(b *testing.B) {
	eachProfile(b, func(b *testing.B, p Profile) {
		alice, bob := talking(b, p)
		bob.mustRead(alice.say("x"), "x")
		benchmarkRead(b, bob, alice.say("y"))
	})
}

// BenchmarkDecryptStep is a message that begins a chain: two agreements and a new key.
func BenchmarkDecryptStep(b *testing.B) {
	eachProfile(b, func(b *testing.B, p Profile) {
		alice, bob := talking(b, p)
		benchmarkRead(b, bob, alice.say("y"))
	})
}

func benchmarkRead(b *testing.B, a *party, m Message) {
	for b.Loop() {
		if _, _, err := a.sessions[0].Decrypt(a.rand, m.Data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is the key agreement with a bundle that was read.
func BenchmarkStart(b *testing.B) {
	eachProfile(b, func(b *testing.B, p Profile) {
		alice, bob := newParty(b, p, 1), newParty(b, p, 2)
		bundle := bob.dev.Bundle(p)
		for b.Loop() {
			if _, err := Start(alice.rand, alice.dev, p, bundle); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStore is a session into its bytes and back.
func BenchmarkStore(b *testing.B) {
	eachProfile(b, func(b *testing.B, p Profile) {
		_, bob := talking(b, p)
		for b.Loop() {
			stored1(b, bob.sessions[0])
		}
	})
}
