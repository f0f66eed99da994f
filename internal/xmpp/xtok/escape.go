package xtok

import "unicode/utf8"

// Escape appends s as character data that is safe in text and in an attribute
// value under either quote. Bytes that XML cannot carry become U+FFFD. White
// space other than the space is written as references, so that it survives in
// an attribute value.
func Escape(dst []byte, s string) []byte {
	done := 0 // s[:done] is written
	for i := 0; i < len(s); {
		repl, n := escapeAt(s, i)
		if repl != "" {
			dst = append(dst, s[done:i]...)
			dst = append(dst, repl...)
			done = i + n
		}
		i += n
	}
	return append(dst, s[done:]...)
}

// AppendAttr appends an attribute with its value escaped, and nothing where the value
// is empty. name is written as it is.
func AppendAttr(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, ' '), name...), "='"...)
	return append(Escape(dst, value), '\'')
}

// AppendElement appends an element with a text, escaped, and nothing where the text is
// empty. name is written as it is.
func AppendElement(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(append(append(dst, '<'), name...), '>')
	dst = append(Escape(dst, text), "</"...)
	return append(append(dst, name...), '>')
}

// escapeAt returns what to write for the character at s[i], "" for itself, and
// its size in s.
func escapeAt(s string, i int) (repl string, n int) {
	const replacement = "\uFFFD"
	switch c := s[i]; {
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return replacement, n
		}
		return "", n
	case c < ' ':
		return escapeControl(c), 1
	case c == '&':
		return "&amp;", 1
	case c == '<':
		return "&lt;", 1
	case c == '>':
		return "&gt;", 1
	case c == '\'':
		return "&apos;", 1
	case c == '"':
		return "&quot;", 1
	}
	return "", 1
}

func escapeControl(c byte) string {
	switch c {
	case '\t':
		return "&#9;"
	case '\n':
		return "&#10;"
	case '\r':
		return "&#13;"
	}
	return "\uFFFD"
}
