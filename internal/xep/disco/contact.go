package disco

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/xtok"
)

// nsServerInfo is the form type of XEP-0157 §2.
const nsServerInfo = "http://jabber.org/network/serverinfo"

// Contact is the list of addresses (URIs) for one purpose, such as "admin" or "abuse".
type Contact struct {
	Purpose   string
	Addresses []string
}

// Contacts adds the contact form to what the server tells. Nothing is added
// when no address is given.
func Contacts(h *core.Host, contacts []Contact) {
	var b []byte
	slices.SortFunc(contacts, func(a, b Contact) int { return cmp.Compare(a.Purpose, b.Purpose) })
	for _, c := range contacts {
		if len(c.Addresses) == 0 {
			continue
		}
		b = append(b, "<field var='"+c.Purpose+"-addresses' type='list-multi'>"...)
		for _, a := range c.Addresses {
			b = append(xtok.Escape(append(b, "<value>"...), a), "</value>"...)
		}
		b = append(b, "</field>"...)
	}
	if b == nil {
		return
	}
	form := slices.Concat([]byte("<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>"+
		nsServerInfo+"</value></field>"), b, []byte("</x>"))
	what := h.DiscoAt(core.Server)
	what.Forms = append(what.Forms, func(*core.Query) []byte { return form })
}

// formPart is a form's part of the verification string, by the form's type.
type formPart struct{ of, fields string }

// part makes it: fields by their names, values in order.
// XEP-0115 §5.1
func part(form []byte) (p formPart) {
	e, err := xtok.Parse(form, xtok.Limits{})
	if err != nil {
		return p
	}
	fields := map[string]string{}
	for f := range e.Children() {
		var values []string
		for v := range f.Children() {
			values = append(values, v.Text())
		}
		slices.Sort(values)
		fields[f.Attr("var")] = strings.Join(values, "<") + "<"
	}
	p.of = strings.TrimSuffix(fields["FORM_TYPE"], "<")
	delete(fields, "FORM_TYPE")
	for _, name := range slices.Sorted(maps.Keys(fields)) { // not with what stands behind them
		p.fields += name + "<" + fields[name]
	}
	return p
}
