// Package jingletest makes calls that are none: recorded exchanges of programs that make calls over XMPP, and
// what comes of them when one thing or another is changed, by the grammar or byte by byte. It is for tests, of the
// grammar and of whoever is called.
//
// Invariants: the same seed makes the same calls; nothing is said of whether what was changed is still a call.
package jingletest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

// Stanza is one of a recorded exchange.
type Stanza struct {
	Name    string
	Refused string // the reason; "" if it must be read
	XML     []byte
}

// Exchanges are the recorded ones in a folder: testdata/exchanges beside the grammar, whose
// files say where they are from.
func Exchanges(t testing.TB, folder string) (out []Stanza) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded exchanges", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(b), "\n-- ")[1:] {
			head, xml, _ := strings.Cut(part, "\n")
			name, want, ok := strings.Cut(head, ": ")
			if !ok {
				t.Fatalf("%s: %q says not what must become of it", f, head)
			}
			refused := strings.TrimPrefix(want, "refused ")
			if want == "read" {
				refused = ""
			}
			out = append(out, Stanza{filepath.Base(f) + ": " + name, refused, []byte(xml)})
		}
	}
	return out
}

// Payload is the element of a stanza that is about a call.
func Payload(e xtok.Elem) xtok.Elem {
	if c := e.Child(jingle.NS, "jingle"); c.OK() {
		return c
	}
	for c := range e.Children() {
		if c.NS() == jingle.NSInvite {
			return c
		}
	}
	return e
}

// el is an element that can be changed.
type el struct {
	ns, name string
	attrs    [][2]string
	kids     []*el
	text     string
}

func tree(e xtok.Elem, names []string) *el {
	out := &el{ns: e.NS(), name: e.Local(), text: e.Text()}
	for _, n := range names {
		if e.HasAttr(n) {
			out.attrs = append(out.attrs, [2]string{n, e.Attr(n)})
		}
	}
	for c := range e.Children() {
		out.kids = append(out.kids, tree(c, names))
	}
	return out
}

func (e *el) clone() *el {
	out := &el{ns: e.ns, name: e.name, text: e.text, attrs: append([][2]string(nil), e.attrs...)}
	for _, k := range e.kids {
		out.kids = append(out.kids, k.clone())
	}
	return out
}

func (e *el) all(out []*el) []*el {
	out = append(out, e)
	for _, k := range e.kids {
		out = k.all(out)
	}
	return out
}

func (e *el) append(b []byte, outer string) []byte {
	b = append(append(b, '<'), e.name...)
	if e.ns != outer {
		b = xtok.AppendAttr(b, "xmlns", e.ns)
	}
	for _, a := range e.attrs {
		b = append(append(append(b, ' '), a[0]...), `="`...)
		b = append(xtok.Escape(b, a[1]), '"')
	}
	b = xtok.Escape(append(b, '>'), e.text)
	for _, k := range e.kids {
		b = k.append(b, e.ns)
	}
	return append(append(append(b, "</"...), e.name...), '>')
}

// Plain writes an element that Payload has found, by itself.
func Plain(e xtok.Elem) []byte { return tree(e, attributeNames()).append(nil, "") }

// Mutator makes bad calls of good ones, the same ones for the same seed.
type Mutator struct {
	*rand.Rand
	calls  []*el    // what is begun with: invitations, then sessions
	raw    [][]byte // the same, as bytes
	pieces []*el    // every element of them
	values []string
	names  []string // of attributes
	buf    []byte
	// invites is how many of calls are invitations: half of what is mutated is one.
	invites int
}

// New makes one of the exchanges in a folder.
func New(t testing.TB, folder string, seed uint64) *Mutator {
	m := &Mutator{Rand: rand.New(rand.NewPCG(seed, seed)), values: nasty(), names: attributeNames()}
	var sessions []*el
	for _, s := range Exchanges(t, folder) {
		e, err := xtok.Parse(s.XML, xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if c := tree(Payload(e), m.names); c.ns == jingle.NSInvite {
			m.calls = append(m.calls, c)
		} else {
			sessions = append(sessions, c)
		}
	}
	m.invites = len(m.calls)
	m.calls = append(m.calls, sessions...)
	for _, c := range m.calls {
		m.raw = append(m.raw, c.append(nil, ""))
		m.pieces = c.all(m.pieces)
	}
	for _, p := range m.pieces {
		for _, a := range p.attrs {
			m.values = append(m.values, a[1])
		}
	}
	return m
}

func attributeNames() []string {
	return strings.Fields("id media action sid initiator responder creator name senders disposition ssrc clockrate channels ptime maxptime value type subtype uri semantics " +
		"ufrag pwd hash setup component foundation generation ip port priority protocol tcptype rel-addr rel-port network rid prekey to required tag crypto-suite key-params")
}

// nasty are values that some program has fallen over.
func nasty() []string {
	return append(strings.Split("|0|00|-1|+1|1e9|127|128|255|256|65535|65536|4294967295|4294967296|9999999999|99999999999|0x10|NaN|both|none|actpass|active|holdconn|sha-1|sha-256|md5|"+
		"127.0.0.1|0.0.0.0|::1|::|::ffff:10.0.0.1|fe80::1%eth0|224.0.0.1|255.255.255.255|10.1|x.local|1.2.3.4:5|[::1]|audio|video|text|'|\"|<x/>|&amp;|]]>| a|a | |a b|é|\u202e|\u0000", "|"),
		"a\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host", "a\tb", "\n", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 129), strings.Repeat("a", 257),
		strings.Repeat("'", 256), strings.Repeat("\u00e9", 200), strings.Repeat("A", 5000), strings.Repeat("aa:", 32), strings.Repeat("QUJD", 300))
}

// Next is a mutated call, valid until the next one.
func (m *Mutator) Next() []byte {
	i := m.IntN(m.invites)
	if m.IntN(2) == 0 {
		i = m.invites + m.IntN(len(m.calls)-m.invites)
	}
	if m.IntN(4) == 0 {
		return m.bytewise(m.raw[i])
	}
	c := m.calls[i].clone()
	for range 1 + m.IntN(3) {
		m.change(c)
	}
	m.buf = c.append(m.buf[:0], "")
	if m.IntN(8) == 0 {
		return m.bytewise(m.buf)
	}
	return m.buf
}

func (m *Mutator) value() string { return m.values[m.IntN(len(m.values))] }

// change changes one thing.
func (m *Mutator) change(c *el) {
	nodes := c.all(nil)
	n := nodes[m.IntN(len(nodes))]
	switch m.IntN(12) {
	case 0, 1, 2:
		if len(n.attrs) > 0 {
			n.attrs[m.IntN(len(n.attrs))][1] = m.value()
		}
	case 3:
		if len(n.attrs) > 0 {
			i := m.IntN(len(n.attrs))
			n.attrs = append(n.attrs[:i], n.attrs[i+1:]...)
		}
	case 4:
		n.attrs = append(n.attrs, [2]string{m.names[m.IntN(len(m.names))], m.value()})
	case 5:
		n.kids = append(n.kids, m.pieces[m.IntN(len(m.pieces))].clone())
	case 6:
		if len(n.kids) > 0 {
			k := n.kids[m.IntN(len(n.kids))]
			for range 1 + m.IntN(3)*m.IntN(30) {
				n.kids = append(n.kids, k)
			}
		}
	case 7:
		if len(n.kids) > 0 {
			i := m.IntN(len(n.kids))
			n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
		}
	case 8:
		m.Shuffle(len(n.kids), func(i, j int) { n.kids[i], n.kids[j] = n.kids[j], n.kids[i] })
	case 9:
		n.text = m.value()
	case 10:
		n.ns = m.pieces[m.IntN(len(m.pieces))].ns
	case 11:
		n.kids = append(n.kids, &el{ns: "urn:evil", name: "evil", text: m.value(), kids: slices.Clone(n.kids)})
	}
}

// bytewise changes bytes.
func (m *Mutator) bytewise(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + m.IntN(4) {
		i := m.IntN(len(b))
		switch m.IntN(4) {
		case 0:
			b[i] ^= 1 << m.IntN(8)
		case 1:
			b = append(b[:i], b[min(i+1+m.IntN(6), len(b)):]...)
		case 2:
			b = append(b[:i:i], append([]byte(m.value()), b[i:]...)...)
		case 3:
			j := min(i+m.IntN(40), len(b))
			b = append(b[:j:j], b[i:]...)
		}
		if len(b) == 0 {
			return []byte("<x/>")
		}
	}
	return b
}
