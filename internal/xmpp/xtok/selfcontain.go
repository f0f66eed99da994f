package xtok

import "slices"

// inherited collects the declarations that e or one inside it uses and that
// stand outside e, in order of first use. bindNone among them says that e
// relies on there being no default namespace.
func (e Elem) inherited(found []int32) []int32 {
	d := e.d
	for i := e.i; i < e.node().next; i++ {
		n := &d.nodes[i]
		found = e.addInherited(found, n.bind)
		for j := range (Elem{d, i}).attrs() {
			if a := &d.attrs[int(n.attr)+j]; a.prefix > 0 {
				found = e.addInherited(found, a.bind)
			}
		}
	}
	return found
}

func (e Elem) addInherited(found []int32, k int32) []int32 {
	if k < bindNone || k >= 0 && e.d.binds[k].node >= e.i || slices.Contains(found, k) {
		return found
	}
	return append(found, k)
}

// Borrowed lists the prefixes that the element or one inside it uses and that
// are declared outside the top-level element: on the stream header. The default
// namespace and xml are not among them. Nil in the common case.
func (e Elem) Borrowed() []Binding {
	if e.d == nil {
		return nil
	}
	var room [8]int32
	var list []Binding
	for _, k := range e.inherited(room[:0]) {
		if k >= 0 && e.d.binds[k].node < 0 && e.d.binds[k].size > 0 {
			list = append(list, e.d.outer[k])
		}
	}
	return list
}

// Declared lists what the element's own start tag declares, the default namespace
// under the prefix "". Nil in the common case.
func (e Elem) Declared() []Binding {
	if e.d == nil {
		return nil
	}
	var list []Binding
	for k := range e.d.binds {
		if e.d.binds[k].node == e.i {
			list = append(list, Binding{string(e.d.prefixOf(int32(k))), e.d.nsOf(int32(k))})
		}
	}
	return list
}

// DefaultNS is the default namespace that the element itself declares, empty when
// it declares none.
func (e Elem) DefaultNS() string {
	if e.d == nil {
		return ""
	}
	for _, b := range e.d.binds {
		if b.node == e.i && b.size == 0 {
			return b.ns
		}
	}
	return ""
}

// AppendTo appends the element so that it means the same in any context: every
// namespace and prefix it inherits, and an inherited xml:lang, is declared on it.
func (e Elem) AppendTo(dst []byte) []byte { return e.appendTo(dst, e.inheritedLang()) }

// AppendUnspoken appends the element as AppendTo does, but without an inherited
// xml:lang: for data that programs write for programs.
func (e Elem) AppendUnspoken(dst []byte) []byte { return e.appendTo(dst, "") }

// inheritedLang is the xml:lang in force that the element does not say itself.
func (e Elem) inheritedLang() string {
	if e.d == nil || e.find(NSXML, "lang") != nil {
		return ""
	}
	return e.Lang()
}

func (e Elem) appendTo(dst []byte, lang string) []byte {
	if e.d == nil {
		return dst
	}
	n := e.node()
	nameEnd := n.qname().end()
	dst = append(dst, e.d.buf[n.start:nameEnd]...)
	var room [8]int32
	for _, k := range e.inherited(room[:0]) {
		dst = e.d.appendDeclaration(dst, k)
	}
	if lang != "" {
		dst = append(dst, " xml:lang='"...)
		dst = append(Escape(dst, lang), '\'')
	}
	return append(dst, e.d.buf[nameEnd:n.end]...)
}

func (d *doc) appendDeclaration(dst []byte, k int32) []byte {
	dst = append(dst, " xmlns"...)
	if k >= 0 && d.binds[k].size > 0 {
		dst = append(dst, ':')
		dst = append(dst, d.prefixOf(k)...)
	}
	dst = append(dst, "='"...)
	return append(Escape(dst, d.nsOf(k)), '\'')
}
