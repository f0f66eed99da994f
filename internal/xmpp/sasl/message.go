package sasl

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// clientFirst is the client's first message.
// RFC 5802 §7
type clientFirst struct {
	header  string // the GS2 header as it was sent
	flag    byte   // 'n', 'y' or 'p'
	binding string // type of binding when the flag is 'p'
	authzid string
	bare    string // the message behind the header
	user    string // as sent, not normalised
	nonce   string
}

// readFirst reads the client's first message.
func readFirst(s string) (m clientFirst, err error) {
	flag, rest, ok := strings.Cut(s, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 {
		return m, malformed("incomplete message")
	}
	m.header, m.bare = s[:len(s)-len(bare)], bare
	if err := m.readFlag(flag); err != nil {
		return m, err
	}
	if authzid != "" {
		if m.authzid, err = readName(authzid, 'a'); err != nil {
			return m, err
		}
	}
	return m, m.readBare(bare)
}

func (m *clientFirst) readFlag(flag string) error {
	switch {
	case flag == "n" || flag == "y":
		m.flag = flag[0]
	case strings.HasPrefix(flag, "p=") && isBindingName(flag[2:]):
		m.flag, m.binding = 'p', flag[2:]
	default:
		return malformed("no flag of channel binding")
	}
	return nil
}

// isBindingName tells whether s is a cb-name of RFC 5802 §7.
func isBindingName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlpha(c) && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (m *clientFirst) readBare(bare string) (err error) {
	name, rest, ok := strings.Cut(bare, ",")
	if !ok {
		return malformed("incomplete message")
	}
	// RFC 5802 §5.1: a mandatory extension that is not known is refused. It would
	// stand where the name does, so it fails there.
	if m.user, err = readName(name, 'n'); err != nil {
		return err
	}
	nonce, ext, _ := strings.Cut(rest, ",")
	if m.nonce, err = readNonce(nonce); err != nil {
		return err
	}
	return checkExtensions(ext)
}

// clientFinal is the client's second message.
type clientFinal struct {
	binding []byte // the GS2 header and the binding's data
	nonce   string
	proof   []byte
	without string // the message without its proof
}

// readFinal reads the client's second message.
func readFinal(s string) (m clientFinal, err error) {
	cut := strings.LastIndex(s, ",p=")
	if cut < 0 {
		return m, malformed("no proof")
	}
	m.without = s[:cut]
	if m.proof, err = readBase64(s[cut+1:], 'p'); err != nil {
		return m, err
	}
	binding, rest, _ := strings.Cut(m.without, ",")
	if m.binding, err = readBase64(binding, 'c'); err != nil {
		return m, err
	}
	nonce, ext, _ := strings.Cut(rest, ",")
	if m.nonce, err = readNonce(nonce); err != nil {
		return m, err
	}
	return m, checkExtensions(ext)
}

// readValue is the value of an attribute "k=value", not empty.
func readValue(s string, k byte) (string, error) {
	if len(s) < 3 || s[0] != k || s[1] != '=' {
		return "", malformed("attribute " + string(rune(k)) + " is missing")
	}
	return s[2:], nil
}

// readName reads a saslname: ',' and '=' stand as =2C and =3D, nothing else
// begins with '='.
// RFC 5802 §5.1
func readName(s string, k byte) (string, error) {
	raw, err := readValue(s, k)
	if err != nil {
		return "", err
	}
	if strings.Count(raw, "=") != strings.Count(raw, "=2C")+strings.Count(raw, "=3D") {
		return "", malformed("bad escape in a name")
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(raw), nil
}

// readNonce reads printable ASCII without the comma.
func readNonce(s string) (string, error) {
	nonce, err := readValue(s, 'r')
	if err != nil {
		return "", err
	}
	if len(nonce) > maxNonce {
		return "", malformed("nonce too long")
	}
	for i := 0; i < len(nonce); i++ {
		if nonce[i] <= ' ' || nonce[i] >= 0x7f {
			return "", malformed("bad nonce")
		}
	}
	return nonce, nil
}

func readBase64(s string, k byte) ([]byte, error) {
	raw, err := readValue(s, k)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(raw)
	// the decoder skips line ends; they are no part of base64 here
	if err != nil || strings.ContainsAny(raw, "\r\n") {
		return nil, malformed("bad base64")
	}
	return b, nil
}

// checkExtensions allows what RFC 5802 §7 lets follow, unknown and so ignored.
func checkExtensions(s string) error {
	if s == "" {
		return nil
	}
	for e := range strings.SplitSeq(s, ",") {
		if len(e) < 3 || !isAlpha(e[0]) || e[1] != '=' || e[0] == 'm' {
			return malformed("bad extension")
		}
	}
	return nil
}

// text checks what every message must be.
func text(in []byte, nul bool) (string, error) {
	switch {
	case len(in) > MaxMessage:
		return "", malformed("message too long")
	case !utf8.Valid(in):
		return "", malformed("not UTF-8")
	case !nul && strings.ContainsRune(string(in), 0):
		return "", malformed("NUL in a message")
	}
	return string(in), nil
}
