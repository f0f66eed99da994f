package xtok

import "iter"

// Elem is one element of a parsed tree: a small value, to be passed by value.
// The zero Elem is "no such element"; all its methods answer empty.
type Elem struct {
	d *doc
	i int32
}

// OK tells whether there is an element.
func (e Elem) OK() bool { return e.d != nil }

func (e Elem) node() *node { return &e.d.nodes[e.i] }

// attrs are the attributes of e, namespace declarations among them.
func (e Elem) attrs() []attr {
	from, to := e.node().attr, uint32(len(e.d.attrs))
	if int(e.i)+1 < len(e.d.nodes) {
		to = e.d.nodes[e.i+1].attr
	}
	return e.d.attrs[from:to]
}

// Is tells whether the element has this namespace and local name.
func (e Elem) Is(ns, local string) bool {
	return e.d != nil && string(e.d.localOf(e.node().qname())) == local && e.d.nsOf(e.node().bind) == ns
}

// NS is the element's namespace, "" for none. It does not allocate.
func (e Elem) NS() string {
	if e.d == nil {
		return ""
	}
	return e.d.nsOf(e.node().bind)
}

// Local is the element's local name. It does not allocate for common names.
func (e Elem) Local() string {
	if e.d == nil {
		return ""
	}
	return intern(e.d.localOf(e.node().qname()))
}

// find is the attribute with this name, nil if there is none. A namespace of
// "" is none.
func (e Elem) find(ns, local string) *attr {
	if e.d == nil {
		return nil
	}
	attrs := e.attrs()
	for i := range attrs {
		a := &attrs[i]
		if int(a.local) != len(local) || string(e.d.localOf(a.qname())) != local {
			continue
		}
		if a.bind != bindXMLNS && e.d.nsOf(a.bind) == ns && (a.prefix == 0) == (ns == "") {
			return a
		}
	}
	return nil
}

// appendValue appends what a means.
func (d *doc) appendValue(dst []byte, a *attr) []byte {
	raw := d.buf[a.value : a.value+a.size]
	if a.cooked {
		return cook(dst, raw, true)
	}
	return append(dst, raw...)
}

// Attr is the value of the attribute without a namespace, unescaped, or "".
func (e Elem) Attr(local string) string { return e.AttrNS("", local) }

// HasAttr tells whether the attribute without a namespace is there, even empty.
func (e Elem) HasAttr(local string) bool { return e.find("", local) != nil }

// AttrIs compares an attribute without allocating. One that is not there is
// like no value, not even "".
func (e Elem) AttrIs(local, value string) bool {
	a := e.find("", local)
	if a == nil {
		return false
	}
	if !a.cooked {
		return string(e.d.buf[a.value:a.value+a.size]) == value
	}
	var room [128]byte
	return string(e.d.appendValue(room[:0], a)) == value
}

// AttrNS is the value of an attribute in a namespace, unescaped, or "".
func (e Elem) AttrNS(ns, local string) string {
	a := e.find(ns, local)
	if a == nil || a.size == 0 {
		return ""
	}
	if !a.cooked {
		return intern(e.d.buf[a.value : a.value+a.size])
	}
	return string(e.d.appendValue(nil, a))
}

// Lang is the xml:lang in force for the element, the stream header's if none
// is nearer.
// XML 1.0 §2.12
func (e Elem) Lang() string {
	if e.d == nil {
		return ""
	}
	for i := e.i; i >= 0; i = e.d.nodes[i].parent {
		if at := (Elem{e.d, i}); at.find(NSXML, "lang") != nil {
			return at.AttrNS(NSXML, "lang")
		}
	}
	return e.d.lang
}

// Child is the first child element with this name.
func (e Elem) Child(ns, local string) Elem {
	for c := e.First(); c.d != nil; c = c.Next() {
		if c.Is(ns, local) {
			return c
		}
	}
	return Elem{}
}

// First is the first child element, Next the following sibling element.
func (e Elem) First() Elem {
	if e.d == nil || e.node().next <= e.i+1 {
		return Elem{}
	}
	return Elem{e.d, e.i + 1}
}

// Next is the following sibling element.
func (e Elem) Next() Elem {
	if e.d == nil {
		return Elem{}
	}
	n := e.node()
	if int(n.next) >= len(e.d.nodes) || e.d.nodes[n.next].parent != n.parent {
		return Elem{}
	}
	return Elem{e.d, n.next}
}

// Children ranges over the child elements.
func (e Elem) Children() iter.Seq[Elem] {
	return func(yield func(Elem) bool) {
		for c := e.First(); c.d != nil; c = c.Next() {
			if !yield(c) {
				return
			}
		}
	}
}

// texts ranges over the runs of character data directly inside e, as sent.
func (e Elem) texts(yield func([]byte) bool) {
	if e.d == nil {
		return
	}
	n := e.node()
	from := n.content
	for c := e.First(); c.d != nil; c = c.Next() {
		if at := c.node(); from < at.start && !yield(e.d.buf[from:at.start]) {
			return
		}
		from = c.node().end
	}
	if from < n.contentEnd {
		yield(e.d.buf[from:n.contentEnd])
	}
}

// Text is the character data directly inside the element, unescaped. It copies
// at most once when there are no child elements.
func (e Elem) Text() string {
	if e.d == nil {
		return ""
	}
	n := e.node()
	if raw := e.d.buf[n.content:n.contentEnd]; n.next == e.i+1 && !needsCook(raw) {
		return string(raw)
	}
	return string(e.AppendText(nil))
}

// AppendText appends what Text returns.
func (e Elem) AppendText(dst []byte) []byte {
	for raw := range e.texts {
		dst = cook(dst, raw, false)
	}
	return dst
}

// HasText tells whether there is any character data but white space.
func (e Elem) HasText() bool {
	for raw := range e.texts {
		for i := skipSpace(raw, 0); i < len(raw); {
			r, n := rune(raw[i]), 1
			if r == '&' {
				r, n, _ = reference(raw[i:])
			}
			if r > ' ' {
				return true
			}
			i = skipSpace(raw, i+max(n, 1))
		}
	}
	return false
}

// Raw is the element as it was received, a slice of the scanned buffer.
func (e Elem) Raw() []byte {
	if e.d == nil {
		return nil
	}
	return e.d.buf[e.node().start:e.node().end:e.node().end]
}

// Content is what stands between the element's tags, as received, a slice of
// the scanned buffer.
func (e Elem) Content() []byte {
	if e.d == nil {
		return nil
	}
	n := e.node()
	return e.d.buf[n.content:n.contentEnd:n.contentEnd]
}

// Start is the offset of the element in the scanned buffer.
func (e Elem) Start() int {
	if e.d == nil {
		return 0
	}
	return int(e.node().start)
}

// ContentStart is the offset behind the start tag.
func (e Elem) ContentStart() int {
	if e.d == nil {
		return 0
	}
	return int(e.node().content)
}

// ContentEnd is the offset of the end tag; that of End for <a/>.
func (e Elem) ContentEnd() int {
	if e.d == nil {
		return 0
	}
	return int(e.node().contentEnd)
}

// End is the offset behind the element.
func (e Elem) End() int {
	if e.d == nil {
		return 0
	}
	return int(e.node().end)
}

// SelfClosing tells whether the element was sent as <a/>. A stream header,
// whose end tag comes later, looks like one.
func (e Elem) SelfClosing() bool {
	return e.d != nil && e.node().content == e.node().end
}
