package timeline

import (
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// maxRanges bounds the ranges of stand-ins in one message.
const maxRanges = 32

// span is a part of a text in code points: from is in it, to is not.
type span struct{ from, to int }

// spoken is the body without what stands there for clients that do not know what
// is read here from elements.
// XEP-0428#overview
func (r *reader) spoken() string {
	var cut []span
	for c := range r.meant.Children() {
		if c.Is(nsFallback, "fallback") && r.understood(c.Attr("for")) {
			cut = append(cut, ranges(c)...)
		}
	}
	if !r.open {
		cut = quotes(r.body, cut)
	}
	text := without(r.body, cut)
	if r.in.File != nil && strings.TrimSpace(text) == r.in.File.URL {
		return ""
	}
	if len(cut) > 0 {
		return strings.Trim(text, "\n")
	}
	return text
}

// understood tells whether what a stand-in stands for was read.
func (r *reader) understood(ns string) bool {
	switch ns {
	case nsReply:
		return r.in.ReplyTo != ""
	case nsSharing, nsOOB:
		return r.in.File != nil
	}
	return false
}

// ranges are the parts of the body that stand for something: all of it where none
// is named.
func ranges(c xtok.Elem) (out []span) {
	named := false
	for b := range c.Children() {
		if b.Local() != "body" {
			named = named || b.Local() == "subject"
			continue
		}
		named = true
		if !b.HasAttr("start") && !b.HasAttr("end") {
			return []span{{0, maxText + 1}}
		}
		from, err1 := strconv.Atoi(b.Attr("start"))
		to, err2 := strconv.Atoi(b.Attr("end"))
		if err1 == nil && err2 == nil && 0 <= from && from < to && len(out) < maxRanges {
			out = append(out, span{from, to})
		}
	}
	if !named {
		return []span{{0, maxText + 1}}
	}
	return out
}

// quotes are the parts that are a quote at the beginning of a text, and not all of it: whole lines
// that are marked as one. Beside an encrypted text anybody on the way may say what to leave out of it,
// and what its sender has said must not be among that.
func quotes(text string, cut []span) []span {
	runes := []rune(text)
	return slices.DeleteFunc(cut, func(p span) bool {
		if p.from != 0 || p.to >= len(runes) || runes[p.to-1] != '\n' && runes[p.to] != '\n' {
			return true
		}
		lines := strings.Split(strings.TrimSuffix(string(runes[:p.to]), "\n"), "\n")
		return slices.ContainsFunc(lines, func(line string) bool { return !strings.HasPrefix(line, ">") })
	})
}

// without cuts parts out of a text.
// XEP-0426: what is counted are code points, not bytes.
func without(s string, cut []span) string {
	if len(cut) == 0 {
		return s
	}
	slices.SortFunc(cut, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	at, next := 0, 0 // the code point, and the first range that may hold it
	for _, c := range s {
		for next < len(cut) && cut[next].to <= at {
			next++
		}
		if next == len(cut) || !slices.ContainsFunc(cut[next:], func(p span) bool { return p.from <= at && at < p.to }) {
			b.WriteRune(c)
		}
		at++
	}
	return b.String()
}

// quoted is the quote that old clients show before an answer, each line marked.
func quoted(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		b.WriteString("> " + line + "\n")
	}
	return b.String()
}

// appendFallback says that the first n code points of the body stand for something;
// all of it for n < 0.
func appendFallback(b []byte, of string, n int) []byte {
	b = append(b, "<fallback xmlns='"+nsFallback+"' for='"+of+"'>"...)
	if n >= 0 {
		b = append(b, "<body start='0' end='"+strconv.Itoa(n)+"'/>"...)
	}
	return append(b, "</fallback>"...)
}
