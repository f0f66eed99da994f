package xtok

import (
	"fmt"
	"sort"
	"strings"
)

const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0' xml:lang='en'>`

var testLimits = Limits{Size: 64 << 10, Depth: 32, Attrs: 32, Name: 256, Prefixes: 64}

// item is one fact of a tree in a form that no content can forge.
func item(kind byte, s string) string { return fmt.Sprintf("%c%d:%s", kind, len(s), s) }

// dump writes a tree as its facts in order: S namespace, N local name, then for
// each attribute sorted by name A namespace, B local name, V value; T text; E end.
func dump(b *strings.Builder, e Elem) {
	b.WriteString(item('S', e.NS()) + item('N', e.Local()))
	var attrs []string
	for i := range e.attrs() {
		a := &e.attrs()[i]
		if a.bind == bindXMLNS {
			continue
		}
		ns, local := e.d.nsOf(a.bind), string(e.d.localOf(a.qname()))
		attrs = append(attrs, item('A', ns)+item('B', local)+item('V', e.AttrNS(ns, local)))
	}
	sort.Strings(attrs)
	b.WriteString(strings.Join(attrs, ""))
	n := e.node()
	from := n.content
	var text []byte
	flush := func() {
		if len(text) > 0 {
			b.WriteString(item('T', string(text)))
		}
		text = nil
	}
	for c := range e.Children() {
		text = cook(text, e.d.buf[from:c.node().start], false)
		flush()
		dump(b, c)
		from = c.node().end
	}
	text = cook(text, e.d.buf[from:n.contentEnd], false)
	flush()
	b.WriteString(item('E', ""))
}

func tree(e Elem) string {
	var b strings.Builder
	dump(&b, e)
	return b.String()
}

// trace scans input, given in pieces that end at cuts, and tells every event
// with its range and tree, then the refusal if there is one.
func trace(l Limits, input []byte, cuts func(at int) int) string {
	var b strings.Builder
	s := New(l)
	given, base := 0, 0
	spaces := 0
	flush := func() {
		if spaces > 0 {
			fmt.Fprintf(&b, "space %d\n", spaces)
		}
		spaces = 0
	}
	for {
		// A new array each time: nothing may point into the last one.
		ev, n, err := s.Next(append([]byte(nil), input[base:given]...))
		if ev != Space && (ev != More || err != nil) {
			flush()
		}
		switch {
		case err != nil:
			fmt.Fprintf(&b, "refused at %d: %v\n", base, err)
			return b.String()
		case ev == More && given == len(input):
			flush()
			return b.String()
		case ev == More:
			given = min(len(input), given+max(1, cuts(given)))
		case ev == Space:
			spaces += n
		case ev == Close:
			fmt.Fprintf(&b, "close %d\n", n)
		default:
			r := s.Root()
			fmt.Fprintf(&b, "%d %d+%d [%d %d %d %d] %s\n", ev, base, n, r.Start(), r.ContentStart(), r.ContentEnd(), r.End(), tree(r))
		}
		base += n
	}
}

func whole(int) int   { return 1 << 30 }
func oneByte(int) int { return 1 }

// condition is that of the refusal of input, "" if it is accepted so far.
func condition(l Limits, input string) string {
	s := New(l)
	b := []byte(input)
	for {
		ev, n, err := s.Next(b)
		if err != nil {
			return err.(*Error).Condition
		}
		if ev == More {
			return ""
		}
		b = b[n:]
	}
}
