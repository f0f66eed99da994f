package httpd

import (
	"bytes"
	"errors"

	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// errPartial is a broken promise of c2s: its writes are whole elements.
var errPartial = errors.New("httpd: a write that ends inside an element")

// cutter divides what c2s writes, the bytes of one stream, into its events. It
// holds next to nothing between writes.
type cutter struct{ scan *xtok.Scanner }

func newCutter() cutter { return cutter{xtok.New(xtok.Limits{})} }

// cut hands each event of b to f; e is good until f returns.
func (c cutter) cut(b []byte, f func(ev xtok.Event, e xtok.Elem) error) error {
	if bytes.HasPrefix(b, []byte("<?xml")) {
		c.scan.Restart() // RFC 6120 §4.3.3: a new header without an end of the old stream
	}
	defer c.scan.Release()
	for len(b) > 0 {
		ev, n, err := c.scan.Next(b)
		if err != nil {
			return err
		}
		if ev == xtok.More {
			return errPartial
		}
		if ev != xtok.Space {
			if err := f(ev, c.scan.Root()); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

// appendHeader appends the stream header that stands for e: <open/> of a
// WebSocket, or <body/> of BOSH with the version given.
func appendHeader(b []byte, e xtok.Elem, version string) []byte {
	b = append(b, "<stream:stream xmlns='jabber:client' xmlns:stream='"+stream.NS+"'"...)
	b = appendAttr(b, "to", e.Attr("to"))
	b = appendAttr(b, "from", e.Attr("from"))
	b = appendAttr(b, "xml:lang", e.AttrNS(xtok.NSXML, "lang"))
	b = appendAttr(b, "version", version)
	return append(b, '>')
}

// appendAttr appends an attribute unless it is empty.
func appendAttr(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(append(append(b, ' '), name...), "='"...)
	return append(xtok.Escape(b, value), '\'')
}
