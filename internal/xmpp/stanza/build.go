package stanza

import (
	"mirsal/internal/xmpp/xtok"
)

// Edit is what the Stamp phase changes in a stanza: direct children that are
// left out and bytes that are appended to the content.
type Edit struct {
	Cut    []xtok.Elem // direct children, in document order
	Append []byte      // self-contained elements
}

// Make copies a parsed element into a Stanza of its own, with the start tag
// written anew from the head. This is the one copy a stanza gets on its way.
func Make(h Head, e xtok.Elem, edit Edit) *Stanza {
	s := &Stanza{Head: h}
	content := e.Content()
	b := make([]byte, 0, len(content)+len(edit.Append)+headRoom(&h))
	b = appendStart(b, &h, h.From.String(), append(e.Borrowed(), e.Declared()...))
	s.open = len(b)
	b = appendContent(b, e, content, edit.Cut)
	b = append(b, edit.Append...)
	s.end = len(b)
	s.Raw = appendEnd(b, h.Kind)
	return s
}

// New makes a stanza of our own from a head and its content, which must be
// self-contained XML.
func New(h Head, content []byte) *Stanza { return from(h, h.From.String(), content) }

// from is New with a sender that need not be an address.
func from(h Head, sender string, content []byte) *Stanza {
	s := &Stanza{Head: h}
	b := appendStart(make([]byte, 0, len(content)+len(sender)+headRoom(&h)), &h, sender, nil)
	s.open = len(b)
	b = append(b, content...)
	s.end = len(b)
	s.Raw = appendEnd(b, h.Kind)
	return s
}

// Parse reads a stanza from bytes that were Raw once (out of an archive, from
// another node). Raw is kept, not copied.
func Parse(raw []byte) (*Stanza, xtok.Elem, error) {
	e, err := xtok.Parse(raw, xtok.Limits{})
	if err != nil {
		return nil, xtok.Elem{}, err
	}
	h, err := ReadHead(e)
	if err != nil {
		return nil, xtok.Elem{}, err
	}
	return &Stanza{Head: h, Raw: raw, open: e.ContentStart(), end: e.ContentEnd()}, e, nil
}

// appendContent copies the content without the cut children.
func appendContent(b []byte, e xtok.Elem, content []byte, cut []xtok.Elem) []byte {
	base, at := e.ContentStart(), 0
	for _, c := range cut {
		b = append(b, content[at:c.Start()-base]...)
		at = c.End() - base
	}
	return append(b, content[at:]...)
}

// headRoom is at least what the tags of a stanza with this head take, but for
// escapes and borrowed prefixes, which may make the slice grow.
func headRoom(h *Head) int {
	return 96 + len(h.ID) + len(h.Type) + len(h.Lang) + len(h.From.String()) + len(h.To.String())
}

func appendStart(b []byte, h *Head, sender string, prefixes []xtok.Binding) []byte {
	b = append(b, '<')
	b = append(b, h.Kind.String()...)
	b = append(b, " xmlns='jabber:client'"...)
	for _, p := range prefixes {
		if p.Prefix != "" {
			b = appendAttr(b, "xmlns:"+p.Prefix, p.NS)
		}
	}
	b = appendAttr(b, "from", sender)
	b = appendAttr(b, "to", h.To.String())
	b = appendAttr(b, "id", h.ID)
	if h.Type != Normal {
		b = appendAttr(b, "type", h.Type)
	}
	b = appendAttr(b, "xml:lang", h.Lang)
	return append(b, '>')
}

func appendAttr(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '\'')
	b = xtok.Escape(b, value)
	return append(b, '\'')
}

func appendEnd(b []byte, k Kind) []byte {
	b = append(b, '<', '/')
	b = append(b, k.String()...)
	return append(b, '>')
}
