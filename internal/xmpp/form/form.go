// Package form reads and writes data forms (XEP-0004) as programs exchange
// them: a FORM_TYPE and fields with values. It knows no layout,
// media or tables.
package form

import (
	"slices"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// NS is the namespace of data forms.
const NS = "jabber:x:data"

// Kinds of forms and of fields.
// XEP-0004#protocol-formtypes, XEP-0004#protocol-fieldtypes
const (
	Ask    = "form"
	Submit = "submit"
	Cancel = "cancel"
	Result = "result"

	Hidden     = "hidden"
	Fixed      = "fixed" // text for people, no question
	TextSingle = "text-single"
	TextMulti  = "text-multi"
	// TextPrivate is not shown while it is typed.
	TextPrivate = "text-private"
	JIDSingle   = "jid-single"
	JIDMulti    = "jid-multi"
	ListSingle  = "list-single"
	ListMulti   = "list-multi"
	Boolean     = "boolean"
)

// Bounds of a form that is read.
const (
	MostFields = 256
	MostValues = 4096 // in all fields together
)

// Form is a data form. The field FORM_TYPE is Of, not one of Fields.
type Form struct {
	Kind  string
	Of    string // FORM_TYPE, "" for none
	Title string
	// Instructions tell people what to do; written only.
	Instructions string
	Fields       []Field
}

// Field is one field of a form.
type Field struct {
	Var     string
	Kind    string // "" in a submitted form
	Label   string
	Values  []string
	Options []string
	// Names are what people read for the options, in their order; written only. An
	// option that has none is read as it is.
	Names []string
	// Required tells people that a form is not taken without it; written only.
	Required bool
	Extra    []byte // children of another namespace, self-contained XML; written only
}

// Read reads an <x/>. A form that is not one, names a field twice or is over
// the bounds is refused with a *stanza.StanzaError.
func Read(x xtok.Elem) (Form, error) {
	f := Form{Kind: x.Attr("type")}
	if !x.Is(NS, "x") || !slices.Contains([]string{Ask, Submit, Cancel, Result}, f.Kind) {
		return f, stanza.Errorf(stanza.BadRequest, "not a data form")
	}
	values := 0
	for c := range x.Children() {
		if c.Is(NS, "title") {
			f.Title = c.Text()
		}
		if !c.Is(NS, "field") {
			continue
		}
		field := readField(c)
		values += len(field.Values)
		if len(f.Fields) == MostFields || values > MostValues {
			return f, stanza.Errorf(stanza.BadRequest, "the form is too long")
		}
		if err := f.add(field); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (f *Form) add(field Field) error {
	switch {
	case field.Var == "":
		return nil // fixed text for people
	case field.Var == "FORM_TYPE":
		if f.Of != "" || len(field.Values) != 1 {
			return stanza.Errorf(stanza.BadRequest, "FORM_TYPE needs one value")
		}
		f.Of = field.Values[0]
		return nil
	case f.Field(field.Var) != nil:
		return stanza.Errorf(stanza.BadRequest, "a field is there twice")
	}
	f.Fields = append(f.Fields, field)
	return nil
}

func readField(e xtok.Elem) Field {
	f := Field{Var: e.Attr("var"), Kind: e.Attr("type"), Label: e.Attr("label")}
	for c := range e.Children() {
		if c.Is(NS, "value") {
			f.Values = append(f.Values, c.Text())
		}
	}
	return f
}

// Field is the field with a name, or nil.
func (f *Form) Field(name string) *Field {
	for i := range f.Fields {
		if f.Fields[i].Var == name {
			return &f.Fields[i]
		}
	}
	return nil
}

// Value is the first value of a field, "" when there is none.
func (f *Form) Value(name string) string {
	if field := f.Field(name); field != nil && len(field.Values) > 0 {
		return field.Values[0]
	}
	return ""
}

// Bool reads a boolean field; ok is false when it is missing or neither true
// nor false.
// XEP-0004#protocol-fieldtypes
func (f *Form) Bool(name string) (value, ok bool) {
	switch f.Value(name) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

// Append appends the <x/>.
func (f *Form) Append(b []byte) []byte {
	b = append(b, "<x xmlns='"+NS+"'"...)
	b = xtok.AppendAttr(b, "type", f.Kind)
	b = append(b, '>')
	if f.Title != "" {
		b = text(b, "title", f.Title)
	}
	if f.Instructions != "" {
		b = text(b, "instructions", f.Instructions)
	}
	if f.Of != "" {
		of := Field{Var: "FORM_TYPE", Kind: Hidden, Values: []string{f.Of}}
		b = of.append(b)
	}
	for i := range f.Fields {
		b = f.Fields[i].append(b)
	}
	return append(b, "</x>"...)
}

func (f *Field) append(b []byte) []byte {
	b = append(b, "<field"...)
	b = xtok.AppendAttr(b, "var", f.Var)
	b = xtok.AppendAttr(b, "type", f.Kind)
	b = xtok.AppendAttr(b, "label", f.Label)
	b = append(b, '>')
	if f.Required {
		b = append(b, "<required/>"...)
	}
	for _, v := range f.Values {
		b = text(b, "value", v)
	}
	for i, o := range f.Options {
		b = append(b, "<option"...)
		b = xtok.AppendAttr(b, "label", f.name(i))
		b = append(b, '>')
		b = text(b, "value", o)
		b = append(b, "</option>"...)
	}
	b = append(b, f.Extra...)
	return append(b, "</field>"...)
}

// name is that of an option. All have one: there are clients that show nothing
// where it is missing.
// XEP-0004#protocol-field
func (f *Field) name(option int) string {
	if option < len(f.Names) {
		return f.Names[option]
	}
	return f.Options[option]
}

func text(b []byte, name, value string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	b = xtok.Escape(b, value)
	return append(append(append(b, "</"...), name...), '>')
}
