package files

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths in bytes: of a name that is looked at, of one that remains, of an ending
// that is kept when the rest is shortened, of a media type.
const (
	maxAsked  = 4096
	maxName   = 180
	maxEnding = 16
	maxType   = 100
)

// Octets is the media type of what no more is known of.
const Octets = "application/octet-stream"

// CleanName makes of what somebody calls a file a name that is safe to show and to
// save under, on every system: never a path, hidden, a device, or an option of a
// command; nothing that cannot be seen or turns the rest around, at most 180 bytes.
// Of what is no name it makes "file".
// XEP-0446#security
func CleanName(s string) string {
	if len(s) > maxAsked {
		s = s[len(s)-maxAsked:]
	}
	s = strings.ToValidUTF8(s, "_")
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Trim(strings.Map(visible, s), " .")
	if len(s) > maxName {
		s = shortened(s, maxName)
	}
	switch {
	case s == "":
		return "file"
	case device(s) || s[0] == '-' || s[0] == '~':
		return "_" + s
	}
	return s
}

// visible drops what leaves no ink, but for the joiners of Persian and of emoji, and
// replaces what some system gives a meaning.
func visible(r rune) rune {
	switch {
	case r == utf8.RuneError || strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	case slices.Contains(blank(), r):
		return -1
	case unicode.IsPrint(r), r == '\u200c', r == '\u200d':
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return -1
}

// blank are letters and marks by Unicode's tables that are not seen.
func blank() []rune {
	return []rune{'\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0'}
}

// shortened is at most so many bytes of a name. It keeps the ending, by which programs know
// what a file is.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	ending := path.Ext(s)
	if len(ending) > maxEnding {
		ending = ""
	}
	n := most - len(ending)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " .") + ending
}

// device tells whether Windows takes a name for a device, whatever its ending.
func device(s string) bool {
	s, _, _ = strings.Cut(strings.ToUpper(s), ".")
	s = strings.TrimRight(s, " ")
	switch s {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, numbered := strings.CutPrefix(s, "COM")
	if !numbered {
		number, numbered = strings.CutPrefix(s, "LPT")
	}
	return numbered && slices.Contains(strings.Split("0 1 2 3 4 5 6 7 8 9 ¹ ² ³", " "), number)
}

// CleanType makes of what somebody declares a media type without parameters, in
// lower case; Octets of what is none.
func CleanType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	s = strings.ToLower(strings.Trim(s, " \t"))
	major, minor, two := strings.Cut(s, "/")
	if !two || len(s) > maxType || !token(major) || !token(minor) {
		return Octets
	}
	return s
}

// token tells whether s is one of HTTP's.
// RFC 9110 §5.6.2
func token(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// ending is that of a name, with its dot, when it is a plain one.
func ending(name string) string {
	e := strings.ToLower(path.Ext(name))
	if len(e) < 2 || len(e) > maxEnding || strings.Trim(e[1:], "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return ""
	}
	return e
}
