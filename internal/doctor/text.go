package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// How wide text becomes, and where a finding's sentence begins.
const (
	width  = 100
	indent = 11
)

// WriteText writes the report for people; colour marks the levels, for terminals.
func (r *Report) WriteText(w io.Writer, colour bool) error {
	var b strings.Builder
	if r.Domain != "" {
		fmt.Fprintf(&b, "What Mirsal needs for %s\n", r.Domain)
	}
	group := ""
	for _, f := range r.Findings {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n%s\n", group)
		}
		fmt.Fprintf(&b, "  %s%s\n", mark(f.Level, colour), wrap(f.Text, ""))
		if f.Remedy != "" {
			fmt.Fprintf(&b, "%s%s\n", strings.Repeat(" ", indent), wrap(f.Remedy, "→ "))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary is the report in a sentence.
func (r *Report) Summary() string {
	if r.Problems+r.Warnings == 0 {
		return "Everything that was looked at is in order."
	}
	s := fmt.Sprintf("%s and %s.", count(r.Problems, "problem"), count(r.Warnings, "warning"))
	return strings.ToUpper(s[:1]) + s[1:]
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func mark(l Level, colour bool) string {
	word := fmt.Sprintf("%-*s", indent-2, l)
	if !colour {
		return word
	}
	code := map[Level]string{OK: "32", Notice: "36", Warning: "33", Problem: "1;31"}[l]
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// wrap breaks a sentence into lines behind the indent. What came from the network
// or a file cannot steer the terminal.
func wrap(s, first string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	var b strings.Builder
	b.WriteString(first)
	begin := strings.Repeat(" ", indent+utf8.RuneCountInString(first))
	at := indent + utf8.RuneCountInString(first)
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		if i > 0 && at+1+n > width {
			b.WriteString("\n" + begin)
			at = len(begin)
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
