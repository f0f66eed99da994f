package files

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// The namespaces of what is read here.
const (
	NSShare     = "urn:xmpp:sfs:0"  // XEP-0447
	nsEncrypted = "urn:xmpp:esfs:0" // XEP-0448
	nsMetadata  = "urn:xmpp:file:metadata:0"
	nsHashes    = "urn:xmpp:hashes:2"
	nsURLData   = "http://jabber.org/protocol/url-data"
)

// Bounds of what is read.
const (
	maxSources = 8
	maxSums    = 8
	maxDesc    = 2000 // bytes
	maxID      = 256  // bytes
	maxPixels  = 1 << 20
)

// Share is a file that a message shares: what the sender says of it, cleaned, and where
// it lies.
// XEP-0447#file-sharing
type Share struct {
	ID      string // tells several of one message apart, may be empty
	Inline  bool   // it is meant to be seen in the message, and may be fetched for that
	Name    string // clean
	Type    string // media type, Octets when unknown; nothing trusts it
	Desc    string
	Size    int64 // of the file itself in bytes, -1 unknown
	Date    time.Time
	Width   int // pixels, 0 unknown
	Height  int
	Length  time.Duration // of sound and video, 0 unknown
	Sums    []Sum         // of the file itself
	Sources []Source      // those that can be read here, may be none
}

// ReadShare reads a <file-sharing/>; ok is false for what is none. Sources that lie
// elsewhere than on the web, or are encrypted otherwise, are left out.
func ReadShare(e xtok.Elem) (s Share, ok bool) {
	file := e.Child(nsMetadata, "file")
	if !e.Is(NSShare, "file-sharing") || !file.OK() {
		return s, false
	}
	s = readMetadata(file)
	s.ID = short(e.Attr("id"), maxID)
	s.Inline = e.AttrIs("disposition", "inline")
	s.Sources = readSources(e.Child(NSShare, "sources"), Source{})
	return s, true
}

// ReadSources reads the <sources/> of a message that adds some to an earlier
// share, and the share's id.
// XEP-0447#attach-source
func ReadSources(e xtok.Elem) (id string, sources []Source, ok bool) {
	if !e.Is(NSShare, "sources") {
		return "", nil, false
	}
	return short(e.Attr("id"), maxID), readSources(e, Source{}), true
}

// readMetadata reads what a file is said to be.
// XEP-0446#format
func readMetadata(e xtok.Elem) Share {
	text := func(name string) string { return e.Child(nsMetadata, name).Text() }
	s := Share{
		Name: CleanName(text("name")), Type: CleanType(text("media-type")), Desc: short(text("desc"), maxDesc),
		Size:  number(text("size"), 1<<62),
		Width: int(max(0, number(text("width"), maxPixels))), Height: int(max(0, number(text("height"), maxPixels))),
		Length: time.Duration(max(0, number(text("length"), 1<<40))) * time.Millisecond,
	}
	s.Date, _ = stanza.ParseTime(text("date"))
	for c := range e.Children() {
		if c.Is(nsHashes, "hash") && len(s.Sums) < maxSums {
			s.Sums = addSum(s.Sums, c)
		}
	}
	return s
}

// addSum adds a hash that could be checked here.
// XEP-0300#format
func addSum(sums []Sum, e xtok.Elem) []Sum {
	h := newHash(e.Attr("algo"))
	if h == nil {
		return sums
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Text()))
	if err != nil || len(b) != h.Size() {
		return sums
	}
	return append(sums, Sum{Algo: e.Attr("algo"), Value: b})
}

// readSources lists where a file lies, encrypted as with says. What is encrypted has
// sources of its own, which are not encrypted again.
// XEP-0448#file-sharing
func readSources(e xtok.Elem, with Source) (out []Source) {
	for c := range e.Children() {
		switch {
		case len(out) >= maxSources:
			return out[:maxSources]
		case c.Is(nsURLData, "url-data") && c.Attr("target") != "" && len(c.Attr("target")) <= maxURL:
			at := with
			at.URL = c.Attr("target")
			out = append(out, at)
		case c.Is(nsEncrypted, "encrypted") && with.Cipher == Clear:
			if inner, ok := readEncrypted(c); ok {
				out = append(out, readSources(c.Child(NSShare, "sources"), inner)...)
			}
		}
	}
	return out
}

// readEncrypted reads a cipher with key and IV; ok is false for one that is not known.
func readEncrypted(e xtok.Elem) (s Source, ok bool) {
	bin := func(name string) []byte {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Child(nsEncrypted, name).Text()))
		if err != nil {
			return nil
		}
		return b
	}
	s = Source{Cipher: Cipher(e.Attr("cipher")), Key: bin("key"), IV: bin("iv")}
	return s, s.Cipher.keySize() > 0 && len(s.Key) == s.Cipher.keySize() && len(s.IV) >= minIV && len(s.IV) <= maxIV
}

// Best is the source to fetch a share from: one that is encrypted before any that is
// not. The error is a Failure.
func (s *Share) Best(p Policy) (Source, error) {
	var why error = fail(Gone, nil, "the file is not there yet")
	var found *Source
	for i := range s.Sources {
		at := &s.Sources[i]
		if err := at.usable(p); err != nil {
			why = err
		} else if found == nil || found.Cipher == Clear && at.Cipher != Clear {
			found = at
		}
	}
	if found == nil {
		return Source{}, why
	}
	return *found, nil
}

// number reads a decimal number up to most; -1 for what is none.
func number(s string, most int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 || n > most {
		return -1
	}
	return n
}

// short cuts a text to so many bytes, between characters.
func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
