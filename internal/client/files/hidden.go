package files

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"path"
	"strings"
)

// This file is names that only those can read who have the link. A link of XEP-0454 has no place for a
// name but its address, and that the server sees. So the server is asked for a slot under the
// name encrypted, which it puts at the end of the address: whoever has the link's key
// reads it, and all others, other programs too, see letters without a meaning and the
// ending. An address from a server that changes names shows what it gives, as it always did.

// Sizes in bytes: names are filled up to whole blocks, so that their length tells little.
const (
	nameBlock  = 32
	mostHidden = 3*nameBlock - 1
)

// nameMark is the first letter of a hidden name, which may otherwise begin with a sign that no
// file may begin with.
const nameMark = "n"

// nameCipher is for one name only: its key comes of a file's, which is used once.
func nameCipher(s Source) cipher.AEAD {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(append([]byte("mirsal: the name of a file\x00"), s.IV...))
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
	c := nameCipher(s)
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
	c := nameCipher(s)
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
	if rest, ok := strings.CutPrefix(link, linkScheme); ok && len(link) <= maxURL {
		var l Link
		place, secret, _ := strings.Cut(rest, "#")
		if u, err := url.Parse("https://" + place); err == nil && l.readSecret(secret) {
			said = cmp.Or(openName(path.Base(u.Path), l.Source), said)
		}
	}
	return CleanName(said)
}
