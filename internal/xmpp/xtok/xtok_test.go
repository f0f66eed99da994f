package xtok

import (
	"strings"
	"testing"
)

func TestWhatRFC6120ForbidsIsRefusedWithItsCondition(t *testing.T) {
	in := func(s string) string { return header + s }
	for _, c := range []struct{ input, want string }{
		// Legal.
		{header, ""},
		{strings.Replace(header, "?>", " encoding='UTF-8'?>", 1), ""},
		{strings.Replace(header, "?>", ` encoding="utf-8" standalone='yes' ?>`, 1), ""},
		{strings.TrimPrefix(header, "<?xml version='1.0'?>"), ""},
		{" " + strings.TrimPrefix(header, "<?xml version='1.0'?>"), ""},
		{strings.Replace(header, "?>", "?>\r\n ", 1), ""},
		{in("<message/>"), ""},
		{in("<message></message >  <iq\n/></stream:stream>"), ""},
		{in("<message a = 'x>y' b=\"'\"><body>&lt;&#x41;&#65;&amp;&quot;&apos;&gt; ]] &gt; > \u00e9\U0001F600\ufeff\ufffd\x7f\u0085</body></message>"), ""},
		{in("<message xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>"), ""},
		{in("<a xmlns:p='u' p:x='1' x='2'/>"), ""},
		{in("<p:a xmlns:p='u'><p:b xmlns:p='v'/></p:a>"), ""},
		{in("<a xmlns=''><b/></a>"), ""},
		{in("<\u00e9l\u00e9ment/>"), ""},
		{in("<_a.b-c/>"), ""},

		// Forbidden features. RFC 6120 §11.1
		{"<!DOCTYPE a [<!ENTITY x 'y'>]>", restrictedXML},
		{"<?xml version='1.0'?><!DOCTYPE a>", restrictedXML},
		{in("<!DOCTYPE a>"), restrictedXML},
		{in("<!-- x -->"), restrictedXML},
		{in("<message><!-- x --></message>"), restrictedXML},
		{in("<message><![CDATA[x]]></message>"), restrictedXML},
		{in("<message><?php x?></message>"), restrictedXML},
		{in("<?xml version='1.0'?>"), restrictedXML},
		{in("<message><?xml version='1.0'?></message>"), restrictedXML},
		{"<?php echo?>" + header, restrictedXML},
		{"<?xml version='1.0'?><?xml version='1.0'?>", restrictedXML},
		{" " + header, restrictedXML},
		{in("<a>&x;</a>"), restrictedXML},
		{in("<a>&nbsp;</a>"), restrictedXML},
		{in("<a b='&lol;'/>"), restrictedXML},

		// Encoding.
		{"<?xml version='1.0' encoding='ISO-8859-1'?>" + header, unsupportedEncoding},
		{"\xfe\xff\x00<", unsupportedEncoding},
		{"\xff\xfe<\x00", unsupportedEncoding},
		{in("<a>\xff</a>"), unsupportedEncoding},
		{in("<a>\xc0\xaf</a>"), unsupportedEncoding},
		{in("<a>\xe0\x80\xaf</a>"), unsupportedEncoding},
		{in("<a>\xf0\x80\x80\xaf</a>"), unsupportedEncoding},
		{in("<a>\xed\xa0\x80</a>"), unsupportedEncoding},
		{in("<a>\xed\xa0\xbd\xed\xb8\x80</a>"), unsupportedEncoding},
		{in("<a>\xf4\x90\x80\x80</a>"), unsupportedEncoding},
		{in("<a>\xe2\x82</a>"), unsupportedEncoding},
		{in("<a b='\x80'/>"), unsupportedEncoding},
		{in("<a\xff/>"), unsupportedEncoding},
		{in("<a b\xff='1'/>"), unsupportedEncoding},

		// Characters.
		{in("<a>\x00</a>"), notWellFormed},
		{in("<a>\x1f</a>"), notWellFormed},
		{in("<a>\ufffe</a>"), notWellFormed},
		{in("<a>\uffff</a>"), notWellFormed},
		{in("<a b='\x00'/>"), notWellFormed},
		{in("<a>&#0;</a>"), notWellFormed},
		{in("<a>&#x1;</a>"), notWellFormed},
		{in("<a>&#xd800;</a>"), notWellFormed},
		{in("<a>&#xfffe;</a>"), notWellFormed},
		{in("<a>&#x110000;</a>"), notWellFormed},
		{in("<a>&#99999999999999999999;</a>"), notWellFormed},
		{in("<a>&#X41;</a>"), notWellFormed},
		{in("<a>&#;</a>"), notWellFormed},
		{in("<a>&#x;</a>"), notWellFormed},
		{in("<a>&#4 1;</a>"), notWellFormed},
		{in("<a>&</a>"), notWellFormed},
		{in("<a>&;</a>"), notWellFormed},
		{in("<a>&amp</a>"), notWellFormed},
		{in("<a>& amp;</a>"), notWellFormed},
		{in("<a>x]]>y</a>"), notWellFormed},
		{in("<a b='<'/>"), notWellFormed},
		{"\ufeff" + header, notWellFormed},

		// Tags.
		{"GET / HTTP/1.1\r\n", notWellFormed},
		{"\x16\x03\x01", notWellFormed},
		{"</stream:stream>", notWellFormed},
		{in("< a/>"), notWellFormed},
		{in("<>"), notWellFormed},
		{in("</>"), notWellFormed},
		{in("<1a/>"), notWellFormed},
		{in("<-a/>"), notWellFormed},
		{in("<:a/>"), notWellFormed},
		{in("<a:/>"), notWellFormed},
		{in("<a:b:c xmlns:a='u'/>"), notWellFormed},
		{in("<a:1 xmlns:a='u'/>"), notWellFormed},
		{in("<a / >"), notWellFormed},
		{in("<a b/>"), notWellFormed},
		{in("<a b=c/>"), notWellFormed},
		{in("<a b='1'c='2'/>"), notWellFormed},
		{in("<a b='1' b='2'/>"), notWellFormed},
		{in("<a b='1'' />"), ""}, // the quote is still open
		{in("<a b='1'' ' />"), notWellFormed},
		{in("<a></b>"), notWellFormed},
		{in("<a></ a>"), notWellFormed},
		{in("<a></a b='c'>"), notWellFormed},
		{in("<a></a/>"), notWellFormed},
		{in("<a><b></a></b>"), notWellFormed},
		{in("</a>"), notWellFormed},
		{in("</stream>"), notWellFormed},
		{in("</stream:stream><a/>"), notWellFormed},
		{in("</stream:stream>x"), notWellFormed},
		{in("<\U00010000/>"), notWellFormed},
		{in("<a\u00d7/>"), notWellFormed},
		{"<?xml version='1.1'?>", notWellFormed},
		{"<?xml encoding='UTF-8'?>", notWellFormed},
		{"<?xml version='1.0' standalone='maybe'?>", notWellFormed},
		{"<?xml version='1.0'?>x" + header, notWellFormed},

		// Namespaces.
		{in("<p:a/>"), badNamespacePrefix},
		{in("<a p:b='1'/>"), badNamespacePrefix},
		{in("<a xmlns:p='u'/><p:a/>"), badNamespacePrefix},
		{in("<a><b xmlns:p='u'/><p:c/></a>"), badNamespacePrefix},
		{in("<xmlns:a/>"), badNamespacePrefix},
		{"<stream:stream>", badNamespacePrefix},
		{in("<a xmlns:p=''/>"), notWellFormed},
		{in("<a xmlns:xmlns='u'/>"), notWellFormed},
		{in("<a xmlns:xml='u'/>"), notWellFormed},
		{in("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>"), notWellFormed},
		{in("<a xmlns='http://www.w3.org/XML/1998/namespace'/>"), notWellFormed},
		{in("<a xmlns='http://www.w3.org/2000/xmlns/'/>"), notWellFormed},
		{in("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>"), notWellFormed},
		{in("<a xmlns:p='http://www.w3.org/2000/xmlns&#x2f;'/>"), notWellFormed},
		{in("<a xmlns='u' xmlns='v'/>"), notWellFormed},
		{in("<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>"), notWellFormed},
		{in("<a xmlns:p='u' xmlns:q='&#117;' p:x='1' q:x='2'/>"), notWellFormed},

		// Streams.
		{in("text"), invalidXML},
		{in("<a/>text"), invalidXML},
		{in("&#32;"), invalidXML},
		{in(strings.TrimPrefix(header, "<?xml version='1.0'?>")), invalidXML},
		{in("<s:stream xmlns:s='http://etherx.jabber.org/streams'>"), invalidXML},
		{"<stream xmlns='http://etherx.jabber.org/streams'/>", invalidXML},

		// Limits.
		{in(strings.Repeat("<a>", 32)), ""},
		{in(strings.Repeat("<a>", 33)), policyViolation},
		{in("<a>" + strings.Repeat("x", 64<<10)), policyViolation},
		{in("<a b='" + strings.Repeat(">", 64<<10)), policyViolation},
		{in("<a" + strings.Repeat(" ", 64<<10)), policyViolation},
		{"<stream:stream " + strings.Repeat("a", 64<<10), policyViolation},
		{in("<" + strings.Repeat("a", 256) + "/>"), ""},
		{in("<" + strings.Repeat("a", 257) + "/>"), policyViolation},
		{in("<a " + strings.Repeat("a", 257) + "=''/>"), policyViolation},
		{in("<a " + repeat(32, "a%d='' ") + "/>"), ""},
		{in("<a " + repeat(33, "a%d='' ") + "/>"), policyViolation},
		{in("<a " + repeat(31, "xmlns:a%d='u' ") + "><b " + repeat(31, "xmlns:b%d='u' ") + "/></a>"), ""},
		{in("<a " + repeat(32, "xmlns:a%d='u' ") + "><b " + repeat(31, "xmlns:b%d='u' ") + "/></a>"), policyViolation},
	} {
		if got := condition(testLimits, c.input); got != c.want {
			t.Errorf("%.150q: %q, not %q", strings.TrimPrefix(c.input, header), got, c.want)
		}
	}
}

func repeat(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(pattern, "%d", "n"+string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	return b.String()
}

func TestTheSizeLimitStrikesAtTheFirstByteOver(t *testing.T) {
	for _, start := range []string{"<a>xxxxxxxx", "<a b='>>>>>", "<aaaaaaaaaa", "<a><b/><b/>"} {
		s := New(Limits{Size: 10})
		s.at = inStream
		if ev, _, err := s.Next([]byte(start[:10])); ev != More || err != nil {
			t.Errorf("%q: %v %v", start[:10], ev, err)
		}
		if _, _, err := s.Next([]byte(start)); err == nil || err.(*Error).Condition != policyViolation {
			t.Errorf("%q: %v", start, err)
		}
	}
	s := New(Limits{Size: 10})
	s.at = inStream
	if ev, n, err := s.Next([]byte("<aaaaaaa/><b/>")); ev != Element || n != 10 || err != nil {
		t.Error("an element of exactly the limit:", ev, n, err)
	}
}

func TestTheNodesLimitCountsAllElements(t *testing.T) {
	l := Limits{Nodes: 3}
	if _, err := Parse([]byte("<a><b/><b/></a>"), l); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte("<a><b/><b/><b/></a>"), l); err == nil {
		t.Error("one more accepted")
	}
}

func TestParseTakesOneElementAndNothingElse(t *testing.T) {
	for _, ok := range []string{"<a/>", " <a/>\n", "<a><b/></a>"} {
		if _, err := Parse([]byte(ok), testLimits); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"", " ", "<a>", "<a", "<a/><b/>", "<a/>x", "x<a/>", "</a>", "<?xml version='1.0'?><a/>", "<!-- --><a/>", "<p:a/>"} {
		if e, err := Parse([]byte(bad), testLimits); err == nil || e.OK() {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestEventsOfAStream(t *testing.T) {
	in := header + " <message to='a'/><iq><ping xmlns='urn:xmpp:ping'/></iq>\n</stream:stream > "
	got := trace(testLimits, []byte(in), whole)
	for _, want := range []string{"1 0+", "space 1", "2 ", "urn:xmpp:ping", "close 17"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestARestartedStreamMayDeclareItselfBehindWhiteSpace(t *testing.T) {
	s := New(testLimits)
	next := func(in string, want Event) {
		t.Helper()
		if ev, _, err := s.Next([]byte(in)); ev != want || err != nil {
			t.Fatal(ev, err)
		}
	}
	next(header, Open)
	if s.Root().Lang() != "en" || !s.Root().Is(nsStream, "stream") || s.Root().Attr("to") != "example.com" {
		t.Error("wrong header")
	}
	s.Restart()
	next("\n", Space)
	next(header, Open)
	s.Restart()
	if ev, _, err := s.Next([]byte("<message>")); err != nil || ev != Open {
		t.Error("the caller judges what the header is", ev, err)
	}
}

func TestAnErrorIsFinal(t *testing.T) {
	s := New(testLimits)
	_, _, first := s.Next([]byte("x"))
	if ev, n, err := s.Next([]byte(header)); ev != More || n != 0 || err != first || first == nil {
		t.Error(ev, n, err)
	}
	if s.Root().OK() {
		t.Error("a root after an error")
	}
}
