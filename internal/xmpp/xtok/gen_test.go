package xtok

import (
	"strings"

	"pgregory.net/rapid"
)

// fragments are put together into documents that are nearly XML.
var fragments = []string{
	"<a>", "</a>", "<a", "</a", ">", "/>", "<b/>", "<p:c xmlns:p='urn:p'>", "</p:c>", " ", "\n", "\t", "\r\n", "\r",
	" a='1'", ` b="2"`, " xmlns='u'", " xmlns=''", " xmlns:p='v'", " xmlns:q='v'", " p:x='1'", " q:x='2'", " xml:lang='de'",
	" xmlns:xml='" + NSXML + "'", " xmlns:r='" + NSXML + "'", "<", "&", "&amp;", "&lt;", "&#65;", "&#x1F600;", "&#0;", "&#13;", "&#10;",
	"&x;", "]]>", "]]", "]", "<!--", "-->", "<![CDATA[", "<?xml version='1.0'?>", "<?x?>", "<!DOCTYPE a>", "text", "'", `"`, "=", "/", ":", ";",
	"\u00e9", "\u4e00", "\U0001F600", "\ufeff", "\ufffe", "\x00", "\x1f", "\x7f", "\u0085", "\u2028", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82",
	"<stream:stream>", "</stream:stream>", "<\u00e9\u0301/>", "<xmlns:a/>", " xmlns='" + nsXMLNS + "'", "<message>", "</message>", "x\u00b7", "\u0300",
}

// element draws a legal element.
func element(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{"a", "b", "message", "p:c", "\u00e9", "x.y-z"}).Draw(t, "name")
		s := "<" + name
		if strings.HasPrefix(name, "p:") || rapid.Bool().Draw(t, "declare") {
			s += rapid.SampledFrom([]string{" xmlns:p='urn:p'", " xmlns:p='v'", " xmlns:p = \"a&amp;b\""}).Draw(t, "prefix") +
				rapid.SampledFrom([]string{"", " p:k='1'", "\np:k='a\tb&#9;c'"}).Draw(t, "prefixed")
		}
		s += rapid.SampledFrom([]string{"", " xmlns='u'", " xmlns=''", " xmlns='jabber:client'"}).Draw(t, "default")
		s += rapid.SampledFrom([]string{"", " k='1'", " k=\"'&lt;>\"", " xml:lang='de'", " k='\u00e9\U0001F600'"}).Draw(t, "attribute")
		if rapid.IntRange(0, 3).Draw(t, "empty") == 0 {
			return s + "/>"
		}
		s += ">"
		for range rapid.IntRange(0, 3).Draw(t, "parts") {
			if depth > 0 && rapid.Bool().Draw(t, "child") {
				s += element(depth-1).Draw(t, "element")
			} else {
				s += rapid.SampledFrom([]string{"text", " ", "&amp;", "\r\n", "\r", "]]", "&#13;", "\u00e9\u4e00", ">"}).Draw(t, "text")
			}
		}
		return s + "</" + name + ">"
	})
}

// document draws a legal element, mostly with something broken in it.
func document() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := element(3).Draw(t, "element")
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			at := rapid.IntRange(0, len(s)).Draw(t, "at")
			to := min(len(s), at+rapid.IntRange(0, 3).Draw(t, "drop"))
			s = s[:at] + rapid.SampledFrom(append(fragments, "")).Draw(t, "put") + s[to:]
		}
		return s
	})
}

// stream draws the bytes of a stream.
func stream() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{header, header, header, " " + header, "<?xml version='1.0'?>", ""}).Draw(t, "header")
		s += strings.Join(rapid.SliceOfN(document(), 0, 4).Draw(t, "elements"), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between"))
		return s + rapid.SampledFrom([]string{"", "</stream:stream>", "</stream:stream>\n", "<a"}).Draw(t, "end")
	})
}
