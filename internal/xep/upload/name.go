package upload

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths of file names in bytes: of what is looked at, of what remains, and of an
// ending that is kept when the rest is shortened.
const (
	maxAsked  = 1024
	maxName   = 200
	maxEnding = 16
)

// cleanName makes a file name that is one: no path, nothing that cannot be seen or
// that turns the rest around, not hidden, not too long. ok is false for what
// is no name at all.
// XEP-0363#request
func cleanName(s string) (name string, ok bool) {
	if s == "" || len(s) > maxAsked || !utf8.ValidString(s) {
		return "", false
	}
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Trim(strings.Map(visible, s), " .")
	if len(s) > maxName {
		s = shorten(s)
	}
	if s == "" {
		s = "file"
	}
	return s, true
}

// visible drops what leaves no ink, but for the joiners of Persian and of emoji.
func visible(r rune) rune {
	switch {
	case r == utf8.RuneError:
		return '_'
	case unicode.IsPrint(r), r == '\u200c', r == '\u200d':
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return -1
}

// shorten keeps the ending, by which programs know what a file is.
func shorten(s string) string {
	ending := path.Ext(s)
	if len(ending) > maxEnding {
		ending = ""
	}
	n := maxName - len(ending)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " .") + ending
}

// escapeName writes a name for a path: all but RFC 3986's unreserved characters
// is percent-encoded.
// RFC 3986 §2.3
func escapeName(name string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// newToken is what makes a link unguessable: 130 random bits.
func newToken() string { return rand.Text() }

// keyOf is what a link is known by here: its token cannot be found from it, and how
// long a look-up takes tells nothing of the tokens that there are.
func keyOf(token, name string) string {
	sum := sha256.Sum256([]byte(token + "/" + name))
	return hex.EncodeToString(sum[:])
}
