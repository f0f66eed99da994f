package files

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/url"
	"path"
	"strings"
)

// This file is names, and what else is said of files, that only those can read who have the link. A link of XEP-0454 has no place for a
// name but its address, and that the server sees. So the server is asked for a slot under the
// name encrypted, which it puts at the end of the address: whoever has the link's key
// reads it, and all others, other programs too, see letters without a meaning and the
// ending. An address from a server that changes names shows what it gives, as it always did.

// Sizes in bytes: names are filled up to whole blocks, so that their length tells little.
const (
	nameBlock  = 32
	mostHidden = 3*nameBlock - 1
	factsBlock = 512
	mostFacts  = 16 * factsBlock
)

// nameMark is the first letter of a hidden name, which may otherwise begin with a sign that no
// file may begin with.
const nameMark = "n"

// Purposes for which keys are made of a file's.
const (
	forName  = "mirsal: the name of a file\x00"
	forFacts = "mirsal: what a file is\x00"
)

// cipherFor is for one purpose, by a key that comes of a file's. The one for a name seals one name
// only: a file's key is used for one slot.
func cipherFor(purpose string, s Source) cipher.AEAD {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(append([]byte(purpose), s.IV...))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil // not with 32 bytes
	}
	c, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return c
}

// hideName is a clean name for the server, that openName reads again.
func hideName(name string, s Source) string {
	c := cipherFor(forName, s)
	if c == nil {
		return nameMark + ending(name)
	}
	hidden := shortened(name, mostHidden)
	plain := append([]byte{byte(len(hidden))}, hidden...)
	plain = append(plain, make([]byte, (nameBlock-len(plain)%nameBlock)%nameBlock)...)
	box := c.Seal(nil, make([]byte, c.NonceSize()), plain, nil)
	return nameMark + base64.RawURLEncoding.EncodeToString(box) + ending(name)
}

// openName is the name that an address's last part hides; "" where it hides none. It is clean.
func openName(last string, s Source) string {
	stem, marked := strings.CutPrefix(strings.TrimSuffix(last, path.Ext(last)), nameMark)
	box, err := base64.RawURLEncoding.DecodeString(stem)
	if !marked || err != nil || len(box) > mostHidden+1+tagSize {
		return ""
	}
	c := cipherFor(forName, s)
	if c == nil {
		return ""
	}
	plain, err := c.Open(nil, make([]byte, c.NonceSize()), box, nil)
	if err != nil || len(plain) == 0 || int(plain[0]) >= len(plain) {
		return ""
	}
	return CleanName(string(plain[1 : 1+plain[0]]))
}

// NameIn is the name to show for a file, and to save it under: the one that its link hides, or the
// one it was said to have. It is clean.
func NameIn(link, said string) string {
	if place, s, ok := secretOf(link); ok {
		if u, err := url.Parse("https://" + place); err == nil {
			said = cmp.Or(openName(path.Base(u.Path), s), said)
		}
	}
	return CleanName(said)
}

// secretOf is where a link leads, and its key; ok is false for links without one.
func secretOf(link string) (place string, s Source, ok bool) {
	rest, ok := strings.CutPrefix(link, linkScheme)
	if !ok || len(link) > maxURL {
		return "", s, false
	}
	var l Link
	place, secret, _ := strings.Cut(rest, "#")
	ok = l.readSecret(secret)
	return place, l.Source, ok
}

// SealFacts hides what is said of a linked file (its size, a small picture) so that only who
// has the link reads it: in the form of OMEMO that encrypts a text alone it goes beside
// the text. It is filled up to whole blocks of spaces; nil where the link has no key or there are
// more than 8 KiB of it.
func SealFacts(rand io.Reader, link string, facts []byte) []byte {
	_, s, ok := secretOf(link)
	if !ok || len(facts) == 0 || len(facts) > mostFacts {
		return nil
	}
	c := cipherFor(forFacts, s)
	if c == nil {
		return nil
	}
	nonce := make([]byte, c.NonceSize())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil
	}
	fill := (factsBlock - len(facts)%factsBlock) % factsBlock
	return c.Seal(nonce, nonce, append(bytes.Clone(facts), bytes.Repeat([]byte{' '}, fill)...), nil)
}

// OpenFacts is what SealFacts hid, nil for all else.
func OpenFacts(link string, box []byte) []byte {
	_, s, ok := secretOf(link)
	if !ok || len(box) > mostFacts+2*tagSize {
		return nil
	}
	c := cipherFor(forFacts, s)
	if c == nil || len(box) < c.NonceSize() {
		return nil
	}
	facts, err := c.Open(nil, box[:c.NonceSize()], box[c.NonceSize():], nil)
	if err != nil {
		return nil
	}
	return bytes.TrimRight(facts, " ")
}
