package command

import (
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/xtok"
)

// Kinds of notes.
// XEP-0050#desc-note
const (
	Info  = "info"
	Warn  = "warn"
	Error = "error" // it was not done, or not wholly
)

// Note is a sentence for people about what came of a command.
type Note struct{ Kind, Text string }

// Result is what a command answers.
type Result struct {
	Notes []Note
	// Form is what was found out; Kind "" for nothing. Its Kind is form.Result else.
	Form form.Form
	// Table is a list of things with the same fields, instead of Form's fields.
	Table *Table
	// List is what Form tells, as rows: where a protocol wants several values in one
	// field. For those who read no forms; never sent.
	List *Table
}

// Rows are those of a result that is a list, in either way; nil for another.
func (r *Result) Rows() *Table {
	if r.Table != nil {
		return r.Table
	}
	return r.List
}

// Table is rows of single values.
// XEP-0004#protocol-results
type Table struct {
	Columns []form.Field // Var and Label
	Rows    [][]string   // as many values as there are columns
}

// Said is a result of one sentence.
func Said(text string) Result { return Result{Notes: []Note{{Info, text}}} }

// Append appends the notes, and the form where there is one.
func (r *Result) Append(b []byte) []byte {
	for _, n := range r.Notes {
		b = append(b, "<note type='"+n.Kind+"'>"...)
		b = append(xtok.Escape(b, n.Text), "</note>"...)
	}
	switch {
	case r.Table != nil:
		return r.Table.append(b, &r.Form)
	case r.Form.Kind != "":
		return r.Form.Append(b)
	}
	return b
}

func (t *Table) append(b []byte, f *form.Form) []byte {
	b = append(b, "<x xmlns='"+form.NS+"' type='"+form.Result+"'>"...)
	b = xtok.AppendElement(b, "title", f.Title)
	if f.Of != "" {
		b = append(b, "<field var='FORM_TYPE' type='hidden'>"...)
		b = append(value(b, f.Of), "</field>"...)
	}
	b = append(b, "<reported>"...)
	for _, c := range t.Columns {
		b = append(xtok.Escape(append(b, "<field var='"...), c.Var), "' label='"...)
		b = append(xtok.Escape(b, c.Label), "'/>"...)
	}
	b = append(b, "</reported>"...)
	for _, row := range t.Rows {
		b = append(b, "<item>"...)
		for i, v := range row {
			b = append(xtok.Escape(append(b, "<field var='"...), t.Columns[i].Var), "'>"...)
			b = append(value(b, v), "</field>"...)
		}
		b = append(b, "</item>"...)
	}
	return append(b, "</x>"...)
}

// value may be empty.
func value(b []byte, text string) []byte {
	return append(xtok.Escape(append(b, "<value>"...), text), "</value>"...)
}
