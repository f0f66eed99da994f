package jid

import (
	"net/netip"
	"strings"

	"mirsal/internal/xmpp/precis"
)

// enforceDomain normalises a domain: an address literal, or labels in lower
// case with A-labels turned into U-labels. One trailing dot is dropped.
// RFC 7622 §3.2
func enforceDomain(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	if s == "" {
		return "", malformed("no domain")
	}
	var err error
	switch {
	case s[0] == '[':
		s, err = enforceIPv6(s)
	case !plainDomain(s):
		s, err = enforceLabels(s)
	}
	if err != nil {
		return "", err
	}
	if len(s) > MaxPart {
		return "", malformed("domain over 1023 bytes")
	}
	return s, nil
}

// enforceIPv6 gives an address in brackets its canonical form. Zones mean
// nothing to another host and are refused.
func enforceIPv6(s string) (string, error) {
	if s[len(s)-1] != ']' {
		return "", malformed("unclosed address literal")
	}
	a, err := netip.ParseAddr(s[1 : len(s)-1])
	if err != nil || !a.Is6() || a.Zone() != "" {
		return "", malformed("bad address literal")
	}
	return "[" + a.String() + "]", nil
}

// plainDomain tells whether s is lower-case ASCII in well-formed labels of
// which none is an A-label.
func plainDomain(s string) bool {
	start := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		case c == '.':
			if !plainLabel(s[start:i]) {
				return false
			}
			start = i + 1
		default:
			return false
		}
	}
	return plainLabel(s[start:])
}

func plainLabel(l string) bool {
	return l != "" && l[0] != '-' && l[len(l)-1] != '-' && !strings.HasPrefix(l, acePrefix)
}

func enforceLabels(s string) (string, error) {
	labels := strings.Split(s, ".")
	for i, l := range labels {
		l, err := enforceLabel(l)
		if err != nil {
			return "", err
		}
		labels[i] = l
	}
	return strings.Join(labels, "."), nil
}

// enforceLabel maps one label to lower case, narrow width and NFC, and turns an
// A-label into its U-label. The identifier class of PRECIS is the repertoire of
// IDNA2008 plus visible ASCII, and that plus is taken away again here.
// RFC 5895 §2, RFC 8264 §4.2
func enforceLabel(l string) (string, error) {
	l, err := stable(precis.Username, l)
	if err != nil {
		return "", malformed("domain label refused")
	}
	if !ldh(l) {
		return "", malformed("forbidden character in the domain")
	}
	if !strings.HasPrefix(l, acePrefix) {
		return l, nil
	}
	return fromALabel(l)
}

// fromALabel takes only the one A-label that the U-label itself has: other
// spellings of the same name would be look-alikes.
// RFC 5890 §2.3.2.1
func fromALabel(l string) (string, error) {
	u, ok := punycodeDecode(l[len(acePrefix):])
	if !ok || isASCII(u) {
		return "", malformed("bad A-label")
	}
	back, err := stable(precis.Username, u)
	if err != nil || back != u || !ldh(u) || strings.HasPrefix(u, acePrefix) {
		return "", malformed("A-label of no valid U-label")
	}
	if enc, ok := punycodeEncode(u); !ok || acePrefix+enc != l {
		return "", malformed("A-label is not canonical")
	}
	return u, nil
}

// ldh tells whether the ASCII part of a label is letters, digits and hyphens,
// with no hyphen at either end.
func ldh(l string) bool {
	for i := 0; i < len(l); i++ {
		c := l[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c >= 0x80) {
			return false
		}
	}
	return l != "" && l[0] != '-' && l[len(l)-1] != '-'
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
