package jid

import (
	"strings"
	"unicode/utf8"

	"mirsal/internal/xmpp/precis"
)

// forbidden are the characters that no localpart may contain, whatever its
// profile says.
// RFC 7622 §3.3.1
const forbidden = `"&'/:<>@`

// enforceLocal applies UsernameCaseMapped; "" stays "".
// RFC 7622 §3.3
func enforceLocal(s string) (string, error) {
	if !plainLocal(s) {
		var err error
		if s, err = stable(precis.Username, s); err != nil {
			return "", malformed("localpart refused by its profile")
		}
		if strings.ContainsAny(s, forbidden) {
			return "", malformed("forbidden character in the localpart")
		}
	}
	if len(s) > MaxPart {
		return "", malformed("localpart over 1023 bytes")
	}
	return s, nil
}

// plainLocal tells whether the profile would leave s as it is: ASCII that is
// visible, not upper case and not forbidden.
func plainLocal(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		case c <= ' ', c >= 0x7f, 'A' <= c && c <= 'Z', strings.IndexByte(forbidden, c) >= 0:
			return false
		}
	}
	return true
}

// enforceResource applies OpaqueString; "" stays "".
// RFC 7622 §3.4
func enforceResource(s string) (string, error) {
	if !plainResource(s) {
		var err error
		if s, err = stable(precis.Opaque, s); err != nil {
			return "", malformed("resource refused by its profile")
		}
	}
	if len(s) > MaxPart {
		return "", malformed("resource over 1023 bytes")
	}
	return s, nil
}

func plainResource(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// stable applies a profile until nothing changes any more. A string that does
// not settle has no normal form and is refused.
// RFC 8264 §7
func stable(profile func(string) (string, error), s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", malformed("not UTF-8")
	}
	for range 4 {
		next, err := profile(s)
		if err != nil {
			return "", err
		}
		if next == "" {
			return "", malformed("empty after mapping")
		}
		if next == s {
			return s, nil
		}
		s = next
	}
	return "", malformed("no normal form")
}
