package xtok

import "bytes"

// startTag reads the start tag that begins at d.pos and ends with b.
// XML 1.0 §3.1
func (d *doc) startTag(b []byte) *Error {
	if err := d.roomForNode(); err != nil {
		return err
	}
	q, err := d.readName(b, d.pos+1)
	if err != nil {
		return err
	}
	self := int32(len(d.nodes))
	d.nodes = append(d.nodes, node{
		start: uint32(d.pos), content: uint32(len(b)), attr: uint32(len(d.attrs)),
		parent: d.open, prefix: uint16(q.prefix), local: uint16(q.local),
	})
	empty, err := d.attributes(b, q.end(), self)
	if err != nil {
		return err
	}
	if err := d.resolve(b, self, q); err != nil {
		return err
	}
	d.open = self
	d.depth++
	if empty || d.m == modeHeader || d.m == modeBareHeader {
		d.closeNode(len(b), len(b))
	}
	return d.checkRoot(self, empty)
}

func (d *doc) roomForNode() *Error {
	if d.l.Depth > 0 && d.depth >= d.l.Depth {
		return refuse(policyViolation, "elements nested too deep")
	}
	if d.l.Nodes > 0 && len(d.nodes) >= d.l.Nodes {
		return refuse(policyViolation, "too many elements")
	}
	return nil
}

// checkRoot refuses an empty stream, and a second header inside a stream, whose
// end would never come.
func (d *doc) checkRoot(self int32, empty bool) *Error {
	if self > 0 || d.m == modeAlone {
		return nil
	}
	if d.m != modeStream {
		if empty {
			return refuse(invalidXML, "stream without content")
		}
		return nil
	}
	// RFC 6120 §4.3.3: only a restart, which both sides know of, opens a new one.
	if e := (Elem{d: d}); e.Is(nsStream, "stream") {
		return refuse(invalidXML, "stream header inside a stream")
	}
	return nil
}

// attributes reads what stands between the name and the end of a start tag.
func (d *doc) attributes(b []byte, i int, self int32) (empty bool, err *Error) {
	first := len(d.attrs)
	for {
		j := skipSpace(b, i)
		if b[j] == '>' {
			return false, nil
		}
		if b[j] == '/' {
			if b[j+1] != '>' {
				return false, refuse(notWellFormed, "/ inside a tag")
			}
			return true, nil
		}
		if j == i {
			return false, badTag(b[i:])
		}
		if d.l.Attrs > 0 && len(d.attrs)-first >= d.l.Attrs {
			return false, refuse(policyViolation, "too many attributes")
		}
		if i, err = d.attribute(b, j, self); err != nil {
			return false, err
		}
	}
}

// badTag is the refusal of what may not follow a name or a value.
func badTag(rest []byte) *Error {
	if err := badName(rest); err.Condition == unsupportedEncoding {
		return err
	}
	return refuse(notWellFormed, "malformed tag")
}

// attribute reads one attribute at b[i] and returns the offset behind it.
func (d *doc) attribute(b []byte, i int, self int32) (int, *Error) {
	q, err := d.readName(b, i)
	if err != nil {
		return 0, err
	}
	i = skipSpace(b, q.end())
	if b[i] != '=' {
		return 0, badTag(b[i:])
	}
	i = skipSpace(b, i+1)
	size := -1
	if c := b[i]; c == '"' || c == '\'' {
		i++
		size = bytes.IndexByte(b[i:], c)
	}
	if size < 0 {
		return 0, badTag(b[i:])
	}
	cooked, err := checkValue(b[i : i+size])
	if err != nil {
		return 0, err
	}
	d.attrs = append(d.attrs, attr{
		name: uint32(q.off), prefix: uint16(q.prefix), local: uint16(q.local),
		value: uint32(i), size: uint32(size), bind: bindNone, cooked: cooked,
	})
	return i + size + 1, d.declaration(&d.attrs[len(d.attrs)-1], self)
}

// declaration takes a into scope if it declares a namespace.
// XML-NAMES §3
func (d *doc) declaration(a *attr, self int32) *Error {
	q := a.qname()
	plain := a.prefix == 0 && string(d.localOf(q)) == "xmlns"
	if !plain && string(d.buf[q.off:q.off+q.prefix]) != "xmlns" {
		return nil
	}
	a.bind = bindXMLNS
	k := bind{ns: d.namespace(a), node: self}
	if !plain {
		k.off, k.size = uint32(q.localOff()), uint16(q.local)
	}
	prefix := d.buf[k.off : k.off+uint32(k.size)]
	if string(prefix) == "xml" && k.ns == NSXML {
		return nil
	}
	if !declarable(prefix, k.ns) {
		return refuse(notWellFormed, "forbidden namespace declaration")
	}
	d.scope = append(d.scope, int32(len(d.binds)))
	d.binds = append(d.binds, k)
	if d.l.Prefixes > 0 && len(d.scope) > d.l.Prefixes {
		return refuse(policyViolation, "too many namespace declarations")
	}
	return nil
}

// namespace is the value of a declaration.
func (d *doc) namespace(a *attr) string {
	v := d.buf[a.value : a.value+a.size]
	if a.cooked {
		v = cook(nil, v, true)
	}
	return intern(v)
}

// declarable tells whether prefix may stand for ns, the pair of the prefix xml
// excepted.
// XML-NAMES §2.2, §3 (No Prefix Undeclaring, Reserved Prefixes)
func declarable(prefix []byte, ns string) bool {
	if ns == NSXML || ns == nsXMLNS {
		return false
	}
	switch string(prefix) {
	case "":
		return true
	case "xml", "xmlns":
		return false
	}
	return ns != ""
}

// resolve finds the namespaces of an element and its attributes, and refuses
// attributes that are there twice.
// XML-NAMES §5, §6.3
func (d *doc) resolve(b []byte, self int32, q qname) *Error {
	n := &d.nodes[self]
	var err *Error
	if n.bind, err = d.lookup(b[q.off : q.off+q.prefix]); err != nil {
		return err
	}
	attrs := d.attrs[n.attr:]
	for i := range attrs {
		a := &attrs[i]
		if a.prefix > 0 && a.bind != bindXMLNS {
			if a.bind, err = d.lookup(b[a.name : a.name+uint32(a.prefix)]); err != nil {
				return err
			}
		}
		for j := range i {
			if d.sameAttr(a, &attrs[j]) {
				return refuse(notWellFormed, "attribute given twice")
			}
		}
	}
	return nil
}

// sameAttr tells whether two attributes of one element have the same name.
func (d *doc) sameAttr(a, b *attr) bool {
	if a.local != b.local || (a.prefix == 0) != (b.prefix == 0) {
		return false
	}
	if !bytes.Equal(d.localOf(a.qname()), d.localOf(b.qname())) {
		return false
	}
	return a.bind == b.bind || d.nsOf(a.bind) == d.nsOf(b.bind)
}

// lookup finds the declaration in force for a prefix, "" being the default.
func (d *doc) lookup(prefix []byte) (int32, *Error) {
	if string(prefix) == "xml" {
		return bindXML, nil
	}
	for i := len(d.scope) - 1; i >= 0; i-- {
		k := d.scope[i]
		if int(d.binds[k].size) == len(prefix) && d.prefixIs(k, prefix) {
			return k, nil
		}
	}
	if len(prefix) == 0 {
		return bindNone, nil
	}
	// RFC 6120 §4.9.3.2
	return 0, refuse(badNamespacePrefix, "prefix that is not declared")
}

func (d *doc) prefixIs(k int32, prefix []byte) bool {
	b := &d.binds[k]
	if b.node < 0 {
		return d.outer[k].Prefix == string(prefix)
	}
	return bytes.Equal(d.buf[b.off:b.off+uint32(b.size)], prefix)
}

// endTag reads the end tag that begins at d.pos and ends with b.
func (d *doc) endTag(b []byte) *Error {
	inner := b[d.pos+2 : len(b)-1]
	if d.open < 0 {
		if d.m != modeStream || !sameName(inner, []byte(d.streamName)) {
			return refuse(notWellFormed, "end tag without its start tag")
		}
		d.closed = true
		return nil
	}
	if !sameName(inner, d.rawName(&d.nodes[d.open])) {
		return refuse(notWellFormed, "end tag of another element")
	}
	d.closeNode(d.pos, len(b))
	return nil
}

// closeNode ends the innermost open element; its declarations go out of scope.
func (d *doc) closeNode(contentEnd, end int) {
	n := &d.nodes[d.open]
	n.contentEnd, n.end = uint32(contentEnd), uint32(end)
	n.next = int32(len(d.nodes))
	for len(d.scope) > 0 && d.binds[d.scope[len(d.scope)-1]].node == d.open {
		d.scope = d.scope[:len(d.scope)-1]
	}
	d.open = n.parent
	d.depth--
}

// checkDeclaration checks the XML declaration t, brackets included. XMPP is
// UTF-8 whatever it says, so it may say nothing else.
// XML 1.0 §2.8, RFC 6120 §11.6
func checkDeclaration(t []byte) *Error {
	rest, ok := bytes.CutPrefix(t, []byte("<?xml"))
	body, closed := bytes.CutSuffix(rest, []byte("?>"))
	if !ok || !closed {
		return refuse(restrictedXML, "processing instruction")
	}
	version, body, ok := pseudoAttr(body, "version")
	if !ok || string(version) != "1.0" {
		return refuse(notWellFormed, "malformed XML declaration")
	}
	if encoding, after, ok := pseudoAttr(body, "encoding"); ok {
		if !bytes.EqualFold(encoding, []byte("UTF-8")) {
			return refuse(unsupportedEncoding, "not UTF-8")
		}
		body = after
	}
	if alone, after, ok := pseudoAttr(body, "standalone"); ok && (string(alone) == "yes" || string(alone) == "no") {
		body = after
	}
	if skipSpace(body, 0) != len(body) {
		return refuse(notWellFormed, "malformed XML declaration")
	}
	return nil
}

// pseudoAttr reads ` name='value'` at the start of b.
func pseudoAttr(b []byte, name string) (value, rest []byte, ok bool) {
	i := skipSpace(b, 0)
	after, ok := bytes.CutPrefix(b[i:], []byte(name))
	if !ok || i == 0 {
		return nil, b, false
	}
	after, ok = bytes.CutPrefix(after[skipSpace(after, 0):], []byte("="))
	after = after[skipSpace(after, 0):]
	if !ok || len(after) == 0 || after[0] != '\'' && after[0] != '"' {
		return nil, b, false
	}
	end := bytes.IndexByte(after[1:], after[0])
	if end < 0 {
		return nil, b, false
	}
	return after[1 : 1+end], after[end+2:], true
}
