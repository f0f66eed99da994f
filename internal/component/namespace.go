package component

import (
	"bytes"
	"strings"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// owned is an element with a client's namespace wherever it declares that of a
// component: some libraries say it again on a stanza and on its children.
func owned(e xtok.Elem) (xtok.Elem, error) {
	if !bytes.Contains(e.Raw(), []byte(NS)) {
		return e, nil
	}
	whole, err := xtok.Parse(e.AppendTo(nil), xtok.Limits{})
	if err != nil {
		return e, err
	}
	var m mapped
	m.element(whole)
	return xtok.Parse(m.out, xtok.Limits{})
}

// mapped is what is rewritten so far.
type mapped struct{ out []byte }

// element writes an element: its tags, and between them its children and text.
func (m *mapped) element(e xtok.Elem) {
	raw, base := e.Raw(), e.Start()
	head := e.ContentStart() - base
	m.tag(raw[:head])
	at := head
	for c := range e.Children() {
		m.out = append(m.out, raw[at:c.Start()-base]...)
		m.element(c)
		at = c.End() - base
	}
	m.out = append(m.out, raw[at:]...)
}

// tag writes a start tag, which is well-formed.
func (m *mapped) tag(b []byte) {
	for {
		quote := bytes.IndexAny(b, `'"`)
		if quote < 0 {
			m.out = append(m.out, b...)
			return
		}
		end := quote + 1 + bytes.IndexByte(b[quote+1:], b[quote])
		value := b[quote+1 : end]
		if declares(b[:quote]) && string(value) == NS {
			value = []byte(stanza.NSClient)
		}
		m.out = append(append(append(m.out, b[:quote+1]...), value...), b[end])
		b = b[end+1:]
	}
}

// declares tells whether what stands before a value ends in the name of a namespace
// declaration.
func declares(before []byte) bool {
	const space = " \t\r\n"
	name := strings.TrimRight(strings.TrimSuffix(strings.TrimRight(string(before), space), "="), space)
	name = name[strings.LastIndexAny(name, space)+1:]
	return name == "xmlns" || strings.HasPrefix(name, "xmlns:")
}
