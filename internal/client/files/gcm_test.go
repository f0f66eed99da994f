package files

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// random is the same bytes in every run.
func random(seed uint64, n int) []byte {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(s).Read(b)
	return b
}

// reference is what crypto/cipher makes of the whole.
func reference(t testing.TB, key, iv, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		t.Fatal(err)
	}
	return a.Seal(nil, iv, plain, nil)
}

// inSteps encrypts with pieces of varying sizes.
func inSteps(t testing.TB, key, iv, plain []byte, step int) []byte {
	t.Helper()
	g, err := newGCM(key, iv)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(plain)
	for rest := out; len(rest) > 0; {
		n := min(step, len(rest))
		g.seal(rest[:n])
		rest = rest[n:]
	}
	tag := g.sum()
	return append(out, tag[:]...)
}

func TestTheStreamIsWhatCryptoCipherMakesOfTheWhole(t *testing.T) {
	for _, keySize := range []int{16, 32} {
		for _, ivSize := range []int{1, 12, 15, 16, 17, 100} {
			for _, size := range []int{0, 1, 15, 16, 17, 1000, chunk - 1, chunk, chunk + 1, 3*chunk - 16, 3*chunk + 33} {
				key, iv, plain := random(1, keySize), random(2, ivSize), random(3, size)
				want := reference(t, key, iv, plain)
				for _, step := range []int{7, 4096, chunk, 1 << 20} {
					if size > 5000 && step == 7 {
						step = 777
					}
					if got := inSteps(t, key, iv, plain, step); !bytes.Equal(got, want) {
						t.Fatalf("key %d, IV %d, size %d, step %d: differs", keySize, ivSize, size, step)
					}
				}
			}
		}
	}
}

// wrapping makes an IV, for the key of zeros, whose counter comes around after 1487
// blocks; it was searched for.
const wrapping = 709726

// TestTheCounterComesAroundIn32Bits takes an IV of 16 bytes whose first counter
// is so near the end that the text passes it.
func TestTheCounterComesAroundIn32Bits(t *testing.T) {
	key := make([]byte, 32)
	iv := make([]byte, 16)
	binary.BigEndian.PutUint64(iv, wrapping)
	g, err := newGCM(key, iv)
	if err != nil {
		t.Fatal(err)
	}
	size := 2 * chunk
	if left := g.until; left >= uint64(size) {
		t.Fatalf("this IV comes around only after %d bytes", left)
	}
	plain := random(4, size)
	for _, step := range []int{1000, size} {
		if !bytes.Equal(inSteps(t, key, iv, plain, step), reference(t, key, iv, plain)) {
			t.Errorf("step %d: differs", step)
		}
	}
}

func FuzzTheStreamIsWhatCryptoCipherMakesOfTheWhole(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("0123456789ab"), []byte("plain"), uint(3), uint(1))
	f.Fuzz(func(t *testing.T, key, iv, plain []byte, step, times uint) {
		if len(key) != 32 || len(iv) == 0 || len(plain) == 0 {
			return
		}
		plain = bytes.Repeat(plain, int(times%5000)%(1+(1<<18)/len(plain))+1)
		if !bytes.Equal(inSteps(t, key, iv, plain, int(step%100_000)+1), reference(t, key, iv, plain)) {
			t.Error("differs")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	g, err := newGCM(make([]byte, 32), make([]byte, 12))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, chunk)
	b.SetBytes(chunk)
	for b.Loop() {
		g.seal(buf)
	}
}
