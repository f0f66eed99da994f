package main

import (
	"fmt"
	"slices"
	"strings"
)

const head = `// Written by scripts/porttypes from internal/client/port; do not edit.
//
// What a page says to the engine and hears from it: docs/protocol/engine.md.
// Times are RFC 3339 texts; a list that is empty may be null.

`

// generate is the whole file.
func generate(dir string) (string, error) {
	s, err := read(dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(head)
	for _, u := range s.unions {
		fmt.Fprintf(&b, "export type %s = %s;\n\n", u.name, quoted(u.values))
	}
	fmt.Fprintf(&b, "export type FailureCode = %s;\n\n", quoted(s.codes))
	for _, st := range s.structs {
		if err := s.structure(&b, st); err != nil {
			return "", err
		}
	}
	s.tables(&b)
	return b.String(), nil
}

func quoted(values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, "'"+v+"'")
	}
	return strings.Join(out, " | ")
}

func (s *source) structure(b *strings.Builder, st structure) error {
	comment(b, "", st.doc)
	fmt.Fprintf(b, "export interface %s%s {\n", st.name, extends(st))
	command := slices.Contains(s.commands, st.name)
	if command {
		fmt.Fprintf(b, "\tdo: '%s';\n", s.names[st.name])
	} else if slices.Contains(s.events, st.name) {
		fmt.Fprintf(b, "\tevent: '%s';\n", s.names[st.name])
	}
	for _, f := range st.fields {
		if f.ref {
			b.WriteString("\tref?: number;\n")
			continue
		}
		if f.embedded != "" {
			continue
		}
		kind, err := s.kind(st.name, f, command)
		if err != nil {
			return err
		}
		mark := ""
		if f.optional {
			mark = "?"
		}
		comment(b, "\t", f.doc)
		fmt.Fprintf(b, "\t%s%s: %s;\n", f.name, mark, kind)
	}
	b.WriteString("}\n\n")
	return nil
}

// extends names what a structure has embedded.
func extends(st structure) string {
	for _, f := range st.fields {
		if f.embedded != "" && !f.ref {
			return " extends " + f.embedded
		}
	}
	return ""
}

// kind is a field's type. Go writes a list of nothing as null unless it is left out.
func (s *source) kind(owner string, f field, command bool) (string, error) {
	if owner == "Failure" && f.name == "code" {
		return "FailureCode", nil
	}
	if f.kind == "[]byte" {
		return "string", nil // base64
	}
	element, list := strings.CutPrefix(f.kind, "[]")
	kind := s.plain(element)
	if kind == "" {
		return "", fmt.Errorf("%s.%s is a %s, which has no TypeScript", owner, f.name, f.kind)
	}
	if list {
		kind += "[]"
		if !f.optional && !command {
			kind += " | null"
		}
	}
	return kind, nil
}

func (s *source) plain(name string) string {
	switch name {
	case "string", "time.Time":
		return "string"
	case "bool":
		return "boolean"
	case "int", "int64", "uint32", "uint64", "float64":
		return "number"
	}
	known := func(st structure) bool { return st.name == name }
	named := func(u union) bool { return u.name == name }
	if slices.ContainsFunc(s.structs, known) || slices.ContainsFunc(s.unions, named) {
		return name
	}
	return ""
}

// tables says what can be asked, what can be told, and what answers what.
func (s *source) tables(b *strings.Builder) {
	fmt.Fprintf(b, "export type Command =\n\t| %s;\n\n", strings.Join(s.commands, "\n\t| "))
	fmt.Fprintf(b, "export type Event =\n\t| %s;\n\n", strings.Join(s.events, "\n\t| "))
	b.WriteString("/** The event that answers each command. */\nexport interface Answers {\n")
	for _, st := range s.structs {
		if slices.Contains(s.commands, st.name) {
			fmt.Fprintf(b, "\t%s: %s;\n", s.names[st.name], s.answer(st.doc))
		}
	}
	b.WriteString("}\n")
}

func comment(b *strings.Builder, indent, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		fmt.Fprintf(b, "%s/** %s */\n", indent, text)
		return
	}
	fmt.Fprintf(b, "%s/**\n", indent)
	for _, line := range lines {
		fmt.Fprintf(b, "%s * %s\n", indent, line)
	}
	fmt.Fprintf(b, "%s */\n", indent)
}
