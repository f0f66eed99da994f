package files

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path"
	"strings"
)

// Sizes in bytes of IVs, which are read in any between, and of a thumbnail.
// COMPAT: the draft that XEP-0454 comes from had IVs of 16 bytes.
const (
	ivSize       = 12
	minIV, maxIV = 12, 16
	linkKey      = 32
	maxThumbnail = 64 << 10
)

const linkScheme = "aesgcm://"

// Link is an encrypted file as the text of a message: an aesgcm:// address with IV
// and key in its fragment, and perhaps a thumbnail.
// XEP-0454#aesgcm
type Link struct {
	Source    Source
	Name      string // clean; what the last part of the path hides, or that part
	Thumbnail []byte // bytes that call themselves a JPEG; nil for none
}

// ReadLink reads the text of a message that is such a link, and nothing else. ok is
// false for all other texts, which are shown as they are; links in them open nothing.
// XEP-0454#rules
func ReadLink(text string, p Policy) (l Link, ok bool) {
	line, second, two := strings.Cut(text, "\n")
	rest, found := strings.CutPrefix(line, linkScheme)
	if !found || len(line) > maxURL {
		return l, false
	}
	place, secret, found := strings.Cut(rest, "#")
	if !found || !l.readSecret(secret) || !l.readPlace(place, p) {
		return l, false
	}
	if two {
		l.Thumbnail, ok = thumbnail(second)
		return l, ok
	}
	return l, true
}

// readSecret reads the fragment: the IV and then the key, in hex.
func (l *Link) readSecret(s string) bool {
	b, err := hex.DecodeString(s)
	iv := len(b) - linkKey
	if err != nil || iv != minIV && iv != maxIV {
		return false
	}
	l.Source.Cipher, l.Source.IV, l.Source.Key = AES256, b[:iv:iv], b[iv:]
	return true
}

func (l *Link) readPlace(s string, p Policy) bool {
	u, err := url.Parse("https://" + s)
	if err != nil || p.Allows("https://"+s) != nil {
		return false
	}
	l.Source.URL = p.scheme(u.Hostname()) + "://" + s
	last := path.Base(u.Path)
	l.Name = cmp.Or(openName(last, l.Source), CleanName(last))
	return true
}

// thumbnail reads a data: address of a small JPEG.
// XEP-0454#thumbnails. COMPAT: its example has base64 without saying so.
func thumbnail(s string) ([]byte, bool) {
	data, ok := strings.CutPrefix(s, "data:image/jpeg")
	if !ok || len(data) > maxThumbnail*4/3+16 {
		return nil, false
	}
	data, ok = strings.CutPrefix(strings.TrimPrefix(data, ";base64"), ",")
	b, err := base64.StdEncoding.DecodeString(data)
	if !ok || err != nil || len(b) > maxThumbnail || !bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}) {
		return nil, false
	}
	return b, true
}

// Text is the link as it goes into a message, which has to be encrypted.
func (l Link) Text() string {
	_, place, _ := strings.Cut(l.Source.URL, "://")
	s := linkScheme + place + "#" + hex.EncodeToString(l.Source.IV) + hex.EncodeToString(l.Source.Key)
	if l.Thumbnail != nil {
		s += "\ndata:image/jpeg;base64," + base64.StdEncoding.EncodeToString(l.Thumbnail)
	}
	return s
}
