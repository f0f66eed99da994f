package xtok

import (
	"bytes"
	"math"
	"sync"
)

// doc is one element being read, then read: flat tables of offsets into buf.
// The buffer may move while the element is incomplete, so nothing in a doc
// points into it but buf itself.
type doc struct {
	buf   []byte
	nodes []node // in document order
	attrs []attr // of all nodes, in document order
	binds []bind // namespace declarations: the stream header's, then the element's
	scope []int32

	// What stands around the element.
	outer      []Binding // the stream header's declarations, for binds of node -1
	lang       string    // xml:lang of the stream header
	streamName string

	l       Limits
	m       mode
	open    int32 // the innermost open element, -1 for none
	depth   int
	pos     int  // all before it is read
	seen    int  // all between pos and seen was searched for the end of the token
	quote   byte // the quote that is open at seen
	closed  bool // the stream's end tag was read
	scanned int  // bytes looked at, for the test of linearity
}

// mode is what a doc is read as.
type mode uint8

const (
	modeAlone      mode = iota // a document of its own, no declaration
	modeHeader                 // a stream header, a declaration may precede it
	modeBareHeader             // a stream header
	modeStream                 // a top-level element or the end of the stream
)

// node is an element. Offsets count from the start of buf.
type node struct {
	start      uint32 // of its start tag
	content    uint32 // behind its start tag
	contentEnd uint32 // before its end tag
	end        uint32 // behind its end tag
	attr       uint32 // its first attribute in attrs
	next       int32  // the first node that is not inside it
	parent     int32  // -1 for the top-level element
	bind       int32  // the declaration that gives its namespace
	prefix     uint16 // bytes
	local      uint16 // bytes
}

// attr is an attribute or a namespace declaration.
type attr struct {
	name   uint32
	value  uint32
	size   uint32 // of the value
	bind   int32
	prefix uint16
	local  uint16
	cooked bool // the value must be unescaped
}

// bind is a namespace declaration.
type bind struct {
	ns   string
	node int32  // where it stands, -1 for the stream header
	off  uint32 // of the prefix, for a node that is not -1
	size uint16 // of the prefix, 0 for the default namespace
}

// Values of bind that are no declaration.
const (
	bindNone  = -1 // no namespace
	bindXML   = -2 // the prefix xml
	bindXMLNS = -3 // the attribute is a declaration
)

const (
	maxName  = math.MaxUint16 // bytes; sizes of names are 16 bits wide
	keepRows = 512            // a doc whose tables grew beyond it is not reused
)

// docs are reused between all streams, so that an idle one holds none.
var docs = sync.Pool{New: func() any {
	return &doc{
		nodes: make([]node, 0, 16),
		attrs: make([]attr, 0, 32),
		binds: make([]bind, 0, 8),
		scope: make([]int32, 0, 8),
	}
}}

func newDoc() *doc { return docs.Get().(*doc) }

// free gives d back. Nobody may hold an Elem of it any more.
func (d *doc) free() {
	if cap(d.nodes) > keepRows || cap(d.attrs) > 2*keepRows || cap(d.binds) > keepRows {
		return
	}
	clear(d.binds[:cap(d.binds)])
	*d = doc{nodes: d.nodes[:0], attrs: d.attrs[:0], binds: d.binds[:0], scope: d.scope[:0]}
	docs.Put(d)
}

// begin makes d ready to read an element under the stream header's declarations.
func (d *doc) begin(m mode, l Limits, outer []Binding, lang string) {
	*d = doc{
		nodes: d.nodes[:0], attrs: d.attrs[:0], binds: d.binds[:0], scope: d.scope[:0],
		outer: outer, lang: lang, l: l, m: m, open: -1,
	}
	for i, b := range outer {
		d.binds = append(d.binds, bind{ns: b.NS, node: -1, size: uint16(len(b.Prefix))})
		d.scope = append(d.scope, int32(i))
	}
}

// run reads on. It is done when the element is complete; otherwise, without a
// refusal, it needs more bytes behind b.
func (d *doc) run(b []byte) (done bool, err *Error) {
	for d.pos < len(b) {
		var whole bool
		if b[d.pos] == '<' {
			whole, err = d.tag(b)
		} else {
			whole, err = d.text(b)
		}
		if err != nil || !whole {
			return false, err
		}
		if d.closed || len(d.nodes) > 0 && d.open < 0 {
			return true, nil
		}
	}
	return false, nil
}

// text reads character data up to the next tag.
func (d *doc) text(b []byte) (whole bool, err *Error) {
	from := max(d.seen, d.pos)
	n := bytes.IndexByte(b[from:], '<')
	if n < 0 {
		d.scanned += len(b) - from
		d.seen = len(b)
		return false, nil
	}
	run := b[d.pos : from+n]
	d.scanned += n + len(run)
	if d.open >= 0 {
		err = checkText(run)
	} else if skipSpace(run, 0) != len(run) {
		err = refuse(notWellFormed, "text outside an element")
	}
	d.pos = from + n
	return true, err
}

// tag reads a start tag, an end tag or the XML declaration.
func (d *doc) tag(b []byte) (whole bool, err *Error) {
	if len(b) < d.pos+2 {
		return false, nil
	}
	kind := b[d.pos+1]
	if kind == '!' || kind == '?' && (d.m != modeHeader || d.pos > 0) {
		return false, forbiddenMarkup()
	}
	end := d.tagEnd(b)
	if end == 0 {
		return false, nil
	}
	t := b[:end]
	d.scanned += end - d.pos
	switch kind {
	case '?':
		err = checkDeclaration(t[d.pos:])
	case '/':
		err = d.endTag(t)
	default:
		err = d.startTag(t)
	}
	d.pos = end
	return true, err
}

// tagEnd searches for the end of the tag at d.pos and returns the offset behind
// it, 0 if it is not in b. It goes on where it stopped the last time.
func (d *doc) tagEnd(b []byte) int {
	i := max(d.seen, d.pos)
	from, q := i, d.quote
	for i < len(b) {
		if q != 0 {
			n := bytes.IndexByte(b[i:], q)
			if n < 0 {
				break
			}
			i += n + 1
			q = 0
			continue
		}
		c := b[i]
		i++
		if c == '>' {
			d.scanned += i - from
			d.seen, d.quote = i, 0
			return i
		}
		if c == '"' || c == '\'' {
			q = c
		}
	}
	d.scanned += len(b) - from
	d.seen, d.quote = len(b), q
	return 0
}

// rawName is the name of n as it was sent.
func (d *doc) rawName(n *node) []byte {
	q := n.qname()
	return d.buf[q.off:q.end()]
}

func (n *node) qname() qname {
	return qname{off: int(n.start) + 1, prefix: int(n.prefix), local: int(n.local)}
}

func (a *attr) qname() qname {
	return qname{off: int(a.name), prefix: int(a.prefix), local: int(a.local)}
}

func (d *doc) localOf(q qname) []byte { return d.buf[q.localOff():q.end()] }

// prefixOf is the prefix that the declaration k declares.
func (d *doc) prefixOf(k int32) []byte {
	b := &d.binds[k]
	if b.node < 0 {
		return []byte(d.outer[k].Prefix)
	}
	return d.buf[b.off : b.off+uint32(b.size)]
}

// nsOf is the namespace that a bind stands for.
func (d *doc) nsOf(k int32) string {
	switch k {
	case bindNone:
		return ""
	case bindXML:
		return NSXML
	case bindXMLNS:
		return nsXMLNS
	}
	return d.binds[k].ns
}
