// Package rsm reads and writes <set/>, by which clients ask for one page of a
// long list (XEP-0059). It does no paging itself.
package rsm

import (
	"strconv"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// NS is the namespace of <set/>.
const NS = "http://jabber.org/protocol/rsm"

// Request is what a client asks for. The zero Request is not "everything": use
// Read, also where there is no <set/>.
type Request struct {
	Max    int // items at most, -1 when the client set no bound
	After  string
	Before string
	// HasAfter and HasBefore tell whether the elements were there. An empty
	// <before/> asks for the last page, an empty <after/> for the first.
	HasAfter, HasBefore bool
}

// Read reads a <set/>; that there is none is a request without bounds. Errors
// are *stanza.StanzaError: a max that is no number, or an index, which would
// need counting what a cursor finds at once.
// XEP-0059#jump
func Read(set xtok.Elem) (Request, error) {
	r := Request{Max: -1}
	for c := range set.Children() {
		switch {
		case c.Is(NS, "max"):
			n, err := strconv.ParseUint(c.Text(), 10, 31)
			if err != nil {
				return r, stanza.Errorf(stanza.BadRequest, "max is not a number of items")
			}
			r.Max = int(n)
		case c.Is(NS, "after"):
			r.After, r.HasAfter = c.Text(), true
		case c.Is(NS, "before"):
			r.Before, r.HasBefore = c.Text(), true
		case c.Is(NS, "index"):
			return r, stanza.Errorf(stanza.FeatureNotImplemented, "pages are found by before and after, not by index")
		}
	}
	return r, nil
}

// Limit is how many items to send: what was asked for, but at most most.
func (r Request) Limit(most int) int {
	if r.Max < 0 || r.Max > most {
		return most
	}
	return r.Max
}

// Response describes the page that is sent.
type Response struct {
	First, Last string // ids; both "" for an empty page
	Count       int    // items in the whole list, -1 when not counted
}

// Append appends the <set/>.
func (r Response) Append(b []byte) []byte {
	b = append(b, "<set xmlns='"+NS+"'>"...)
	if r.First != "" {
		b = appendText(b, "first", r.First)
		b = appendText(b, "last", r.Last)
	}
	if r.Count >= 0 {
		b = appendText(b, "count", strconv.Itoa(r.Count))
	}
	return append(b, "</set>"...)
}

func appendText(b []byte, name, text string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	b = xtok.Escape(b, text)
	return append(append(append(b, "</"...), name...), '>')
}
