package files

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// chunk is how much is encrypted, and hashed, at a time.
	chunk   = 64 << 10
	tagSize = 16
	// maxPlain is what GCM can encrypt under one key and IV: 64 GiB, all but.
	// NIST SP 800-38D §5.2.1.1
	maxPlain = 1<<36 - 32
)

var errTag = errors.New("files: the authentication tag is wrong")

// gcm is AES-GCM (NIST SP 800-38D) in a stream, which crypto/cipher offers for
// whole messages only. Nothing of the block cipher or of the hash's inner loop is
// done here: the counter mode is crypto/cipher's, and GHASH over a chunk is read off the tag
// that its GCM gives for no text with the chunk as associated data. What is left
// is to join the chunks: one multiplication for each, in constant time.
//
// With Y the GHASH so far, z holds Y·H, because that is what a tag yields: for a chunk A
// of m blocks with length block L, tag ⊕ E(J) = (GHASH(A) ⊕ L)·H, so that
// z' = z·H^m ⊕ (tag ⊕ E(J)) ⊕ L·H.
type gcm struct {
	block cipher.Block
	whole cipher.AEAD // of the same key, used as said above
	ej    element     // E(J) of its zero nonce
	h     element     // H
	hm    element     // H to the number of blocks of a full chunk

	j0    [16]byte
	ctr   cipher.Stream
	until uint64   // bytes that ctr may give before its last 32 bits come around
	next  [16]byte // the counter then

	z    element
	rest []byte // ciphertext that is not hashed yet, less than a chunk
	n    uint64 // bytes of ciphertext
	tag  []byte // room
}

// newGCM begins a text. Keys have 16, 24 or 32 bytes, IVs at least 1.
func newGCM(key, iv []byte) (*gcm, error) {
	if len(iv) == 0 {
		return nil, errors.New("files: no initialisation vector")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	whole, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	g := &gcm{block: block, whole: whole, rest: make([]byte, 0, chunk), tag: make([]byte, 0, tagSize)}
	var b [16]byte
	block.Encrypt(b[:], b[:])
	g.h = load(b[:])
	g.hm = g.h.power(chunk / 16)
	b = [16]byte{15: 1}
	block.Encrypt(b[:], b[:])
	g.ej = load(b[:])
	g.start(iv)
	return g, nil
}

// start makes the first counter.
// NIST SP 800-38D §7.1
func (g *gcm) start(iv []byte) {
	if len(iv) == 12 {
		copy(g.j0[:], iv)
		g.j0[15] = 1
	} else {
		g.absorb(iv)
		g.finish(uint64(len(iv))).store(g.j0[:])
		g.z, g.n, g.rest = element{}, 0, g.rest[:0]
	}
	g.next = g.j0
	binary.BigEndian.PutUint32(g.next[12:], binary.BigEndian.Uint32(g.j0[12:])+1)
	g.counter()
}

// counter begins counting at next. crypto/cipher carries beyond the last 32 bits,
// GCM does not: there counting begins again.
func (g *gcm) counter() {
	low := binary.BigEndian.Uint32(g.next[12:])
	g.ctr = cipher.NewCTR(g.block, g.next[:])
	g.until = (1<<32 - uint64(low)) * 16
	binary.BigEndian.PutUint32(g.next[12:], 0)
}

// stream encrypts, or decrypts, in place.
func (g *gcm) stream(b []byte) {
	for len(b) > 0 {
		if g.until == 0 {
			g.counter()
		}
		n := min(uint64(len(b)), g.until)
		g.ctr.XORKeyStream(b[:n], b[:n])
		b, g.until = b[n:], g.until-n
	}
}

// seal encrypts the next bytes in place, open decrypts them.
func (g *gcm) seal(b []byte) {
	g.stream(b)
	g.absorb(b)
}

func (g *gcm) open(b []byte) {
	g.absorb(b)
	g.stream(b)
}

// absorb hashes ciphertext, a chunk at a time.
func (g *gcm) absorb(b []byte) {
	g.n += uint64(len(b))
	for len(b) > 0 {
		n := copy(g.rest[len(g.rest):chunk], b)
		g.rest, b = g.rest[:len(g.rest)+n], b[n:]
		if len(g.rest) == chunk {
			g.join(g.hm)
		}
	}
}

// join hashes what is in rest, whose blocks are the exponent of power.
func (g *gcm) join(power element) {
	var nonce [12]byte
	t := load(g.whole.Seal(g.tag[:0], nonce[:], nil, g.rest))
	long := element{hi: uint64(len(g.rest)) * 8}
	g.z = g.z.times(power).plus(t).plus(g.ej).plus(long.times(g.h))
	g.rest = g.rest[:0]
}

// finish is GHASH of all so far and of a block with its length.
func (g *gcm) finish(n uint64) element {
	if len(g.rest) > 0 {
		g.join(g.h.power((len(g.rest) + 15) / 16))
	}
	return g.z.plus(element{lo: n * 8}.times(g.h))
}

// sum is the tag. The text has ended.
func (g *gcm) sum() (tag [tagSize]byte) {
	s := g.finish(g.n)
	g.block.Encrypt(tag[:], g.j0[:])
	s.plus(load(tag[:])).store(tag[:])
	return tag
}

// verify compares the tag in constant time.
func (g *gcm) verify(tag []byte) error {
	want := g.sum()
	if subtle.ConstantTimeCompare(want[:], tag) != 1 {
		return errTag
	}
	return nil
}

// element is one of GF(2^128) as GCM writes them: the first bit is that of x^0.
// NIST SP 800-38D §6.3
type element struct{ hi, lo uint64 }

func load(b []byte) element {
	return element{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (e element) store(b []byte) {
	binary.BigEndian.PutUint64(b, e.hi)
	binary.BigEndian.PutUint64(b[8:], e.lo)
}

func (e element) plus(o element) element { return element{e.hi ^ o.hi, e.lo ^ o.lo} }

// times multiplies bit by bit, in a time that does not depend on the bits.
func (e element) times(o element) (z element) {
	for _, word := range [2]uint64{e.hi, e.lo} {
		for i := 63; i >= 0; i-- {
			take := -(word >> i & 1)
			z.hi ^= o.hi & take
			z.lo ^= o.lo & take
			carry := -(o.lo & 1)
			o.lo = o.lo>>1 | o.hi<<63
			o.hi = o.hi>>1 ^ carry&(0xe1<<56)
		}
	}
	return z
}

// power is e to the n; n is no secret, and at least 1.
func (e element) power(n int) element {
	z := element{hi: 1 << 63}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z = z.times(e)
		}
		e = e.times(e)
	}
	return z
}
