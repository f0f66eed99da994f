package jingle

import (
	"strconv"

	"mirsal/internal/xmpp/xtok"
)

// writer writes elements. Names and namespaces are those of this package; only
// values are the sender's, and those are escaped.
type writer struct{ b []byte }

// open begins an element; ns is "" where it is that of the parent.
func (w *writer) open(name, ns string) {
	w.b = append(append(w.b, '<'), name...)
	w.attr("xmlns", ns)
}

// attr writes an attribute, and nothing where it is empty.
func (w *writer) attr(name, value string) { w.b = xtok.AppendAttr(w.b, name, value) }

// must writes an attribute even if it is empty.
func (w *writer) must(name, value string) {
	if value != "" {
		w.attr(name, value)
		return
	}
	w.b = append(append(append(w.b, ' '), name...), "=''"...)
}

// number writes an attribute unless it is the one that is meant without it.
func (w *writer) number(name string, n, otherwise int64) {
	if n != otherwise {
		w.attr(name, strconv.FormatInt(n, 10))
	}
}

// leaf ends an element that has nothing in it; inside ends its start tag.
func (w *writer) leaf()   { w.b = append(w.b, "/>"...) }
func (w *writer) inside() { w.b = append(w.b, '>') }

func (w *writer) close(name string) {
	w.b = append(append(append(w.b, "</"...), name...), '>')
}

// empty writes an element with nothing but a namespace.
func (w *writer) empty(name, ns string) {
	w.open(name, ns)
	w.leaf()
}

func (w *writer) bytes(name string, b []byte) {
	w.inside()
	w.b = appendBytes(w.b, b)
	w.close(name)
}
