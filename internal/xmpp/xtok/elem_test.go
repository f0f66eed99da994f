package xtok

import (
	"testing"
)

func parse(t *testing.T, s string) Elem {
	t.Helper()
	e, err := Parse([]byte(s), testLimits)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return e
}

// inStreamElem is the first element of a stream whose header declares p and q.
func inStreamElem(t *testing.T, s string) Elem {
	t.Helper()
	sc := New(testLimits)
	h := []byte("<stream:stream xmlns='jabber:client' xmlns:stream='" + nsStream + "' xmlns:p='urn:p' xmlns:q='urn:q&amp;' xml:lang='en'>" + s)
	_, n, err := sc.Next(h)
	if err == nil {
		_, _, err = sc.Next(h[n:])
	}
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return sc.Root()
}

func TestTheCursorReadsWhatIsThere(t *testing.T) {
	e := parse(t, `<m xmlns='u' xmlns:p='v' a='1&amp;2' p:a="x
y" b=''>t1<c>in</c>t&#50;<p:c d='&lt;'/>`+"\r\n"+`</m>`)
	if !e.Is("u", "m") || e.NS() != "u" || e.Local() != "m" || e.Attr("a") != "1&2" || e.AttrNS("v", "a") != "x y" {
		t.Error("start tag misread")
	}
	if !e.HasAttr("b") || e.HasAttr("xmlns") || e.HasAttr("p") || e.HasAttr("c") || !e.AttrIs("a", "1&2") || !e.AttrIs("b", "") || e.AttrIs("c", "") {
		t.Error("attributes misread")
	}
	if e.Text() != "t1t2\n" || !e.HasText() {
		t.Errorf("text %q", e.Text())
	}
	c := e.Child("v", "c")
	if !c.OK() || c.Attr("d") != "<" || !c.SelfClosing() || c.ContentStart() != c.End() || c.ContentEnd() != c.End() || c.Next().OK() || c.First().OK() {
		t.Error("child misread")
	}
	if string(e.First().Content()) != "in" || string(e.First().Raw()) != "<c>in</c>" || e.First().Text() != "in" || e.First().Next() != c {
		t.Error("first child misread")
	}
	n := 0
	for range e.Children() {
		n++
	}
	if n != 2 || e.Child("u", "d").OK() || e.Child("", "c").OK() {
		t.Error("children misread")
	}
}

func TestTheZeroElemAnswersEmpty(t *testing.T) {
	var z Elem
	for range z.Children() {
		t.Error("a child")
	}
	if z.OK() || z.Is("", "") || z.NS()+z.Local()+z.Attr("a")+z.AttrNS("a", "b")+z.Text()+z.Lang() != "" || z.HasAttr("a") ||
		z.AttrIs("a", "") || z.First().OK() || z.Next().OK() || z.Child("", "").OK() || z.HasText() || z.Raw() != nil || z.Content() != nil ||
		z.Borrowed() != nil || len(z.AppendTo(nil)) != 0 || z.Start()+z.End()+z.ContentStart()+z.ContentEnd() != 0 || z.SelfClosing() || z.AppendText(nil) != nil {
		t.Error("the zero Elem is not empty")
	}
}

func TestHasTextLooksThroughReferences(t *testing.T) {
	for s, want := range map[string]bool{
		"<a/>": false, "<a> \n</a>": false, "<a>&#32;&#x9;</a>": false, "<a>&#65;</a>": true,
		"<a><b>x</b></a>": false, "<a><b/>x</a>": true, "<a> &amp;</a>": true, "<a>\u00e9</a>": true,
	} {
		if got := parse(t, s).HasText(); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestAppendToDeclaresWhatIsInherited(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<a/>", "<a xmlns='jabber:client' xml:lang='en'/>"},
		{"<a xml:lang='de' xmlns='u'><b/></a>", "<a xml:lang='de' xmlns='u'><b/></a>"},
		{"<a xmlns='u' x='1'/>", "<a xml:lang='en' xmlns='u' x='1'/>"},
		{"<p:a/>", "<p:a xmlns:p='urn:p' xml:lang='en'/>"},
		{"<p:a><b/></p:a>", "<p:a xmlns:p='urn:p' xmlns='jabber:client' xml:lang='en'><b/></p:a>"},
		{"<a q:x='1'><p:b/></a>", "<a xmlns='jabber:client' xmlns:q='urn:q&amp;' xmlns:p='urn:p' xml:lang='en' q:x='1'><p:b/></a>"},
		{"<a xmlns:p='w'><p:b/></a>", "<a xmlns='jabber:client' xml:lang='en' xmlns:p='w'><p:b/></a>"},
		{"<a xmlns='u'><b xmlns:p='w'><p:c/></b><p:d/></a>", "<a xmlns:p='urn:p' xml:lang='en' xmlns='u'><b xmlns:p='w'><p:c/></b><p:d/></a>"},
	} {
		if got := string(inStreamElem(t, c.in).AppendTo(nil)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
	if got := string(inStreamElem(t, "<a><p:b/></a>").AppendUnspoken(nil)); got != "<a xmlns='jabber:client' xmlns:p='urn:p'><p:b/></a>" {
		t.Error(got)
	}
	e := parse(t, "<w xml:lang='fr'><a xmlns:p='u'><b p:c=''/></a></w>")
	if got := string(e.First().First().AppendTo([]byte("-"))); got != "-<b xmlns='' xmlns:p='u' xml:lang='fr' p:c=''/>" {
		t.Error(got)
	}
}

func TestAnAppendedElementIsTheSameTreeAnywhere(t *testing.T) {
	for _, in := range []string{"<a/>", "<p:a q:b='&lt;'>x<c xmlns='u'><p:d/></c><e/></p:a>", "<a xmlns=''><b/></a>"} {
		e := inStreamElem(t, in)
		around := parse(t, "<z xmlns='z' xmlns:p='z' xmlns:q='z'>"+string(e.AppendTo(nil))+"</z>").First()
		if around.Lang() != e.Lang() || around.Lang() != "en" {
			t.Error("language lost")
		}
		if got, want := tree(around), tree(e); got != withLang(want) {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// withLang adds to a dumped tree, which has no attribute that sorts before, the
// xml:lang that AppendTo writes out.
func withLang(tree string) string {
	for i, items := 0, 0; i < len(tree); i++ {
		if tree[i] == 'N' {
			items++
		}
		if items == 1 && (tree[i] == 'A' || tree[i] == 'T' || tree[i] == 'E' || tree[i] == 'S' && i > 0) {
			return tree[:i] + item('A', NSXML) + item('B', "lang") + item('V', "en") + tree[i:]
		}
	}
	return tree
}

func TestBorrowedListsThePrefixesOfTheStreamHeader(t *testing.T) {
	if b := inStreamElem(t, "<a xmlns:s='u'><s:b xml:lang='de'/></a>").Borrowed(); b != nil {
		t.Error(b)
	}
	b := inStreamElem(t, "<a q:x='1'><p:b/><p:c/></a>").Borrowed()
	if len(b) != 2 || b[0] != (Binding{"q", "urn:q&"}) || b[1] != (Binding{"p", "urn:p"}) {
		t.Error(b)
	}
}

func TestEscapedTextComesBack(t *testing.T) {
	s := "a&b<c>d'e\"f\t\n\r\u00e9\U0001F600]]>"
	x := Escape(nil, s)
	e := parse(t, "<a b='"+string(x)+"' c=\""+string(x)+"\">"+string(x)+"</a>")
	if e.Attr("b") != s || e.Attr("c") != s || e.Text() != s {
		t.Errorf("%q %q %q", e.Attr("b"), e.Attr("c"), e.Text())
	}
	if got := string(Escape(nil, "\x00\xff\ufffe\xed\xa0\x80a")); got != "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffda" {
		t.Errorf("%q", got)
	}
}
