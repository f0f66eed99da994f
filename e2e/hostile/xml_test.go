package hostile

import (
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	restricted   = "restricted-xml"
	notWell      = "not-well-formed"
	policy       = "policy-violation"
	badEncoding  = "unsupported-encoding"
	badPrefix    = "bad-namespace-prefix"
	invalid      = "invalid-xml"
	notAllowed   = "not-authorized"
	billionLaugh = "<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
)

// everywhere sends something as a stranger and as somebody who is logged in.
func (v *victim) everywhere(t *testing.T, bytes string, conditions ...string) {
	t.Helper()
	if v.via != "" {
		v.throughHTTP(t, bytes, conditions)
		return
	}
	c := v.stranger(t)
	write(c, bytes)
	refused(t, "as a stranger: "+bytes, c, conditions...)
	in := v.connect(t, "mallory").Net()
	write(in, bytes)
	refused(t, "logged in: "+bytes, in, conditions...)
}

// first sends something as the first bytes of a connection.
func (v *victim) first(t *testing.T, bytes string, conditions ...string) {
	t.Helper()
	c := v.dial(t)
	write(c, bytes)
	refused(t, "first bytes: "+bytes, c, conditions...)
}

func testDTD(t *testing.T, v *victim) {
	v.first(t, billionLaugh+header, restricted)
	v.first(t, "<?xml version='1.0'?>"+billionLaugh+header, restricted)
	v.everywhere(t, billionLaugh+"<message><body>&c;</body></message>", restricted)
	v.everywhere(t, "<message><body>&c;</body></message>", restricted)
	v.everywhere(t, "<message><!ENTITY a 'x'></message>", restricted)
}

func numbered(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}

func testSmallInputLargeMemory(t *testing.T, v *victim) {
	v.everywhere(t, "<message "+numbered(1000, "a%d='' ")+"/>", policy)
	v.everywhere(t, "<message "+numbered(500, "xmlns:p%d='urn:x' ")+"/>", policy)
	v.everywhere(t, "<message><"+strings.Repeat("q", 5000)+"/></message>", policy)
	v.everywhere(t, "<message><p:"+strings.Repeat("q", 5000)+" xmlns:p='urn:x'/></message>", policy)
	v.first(t, "<stream:stream "+numbered(1000, "xmlns:p%d='urn:x' "), policy)
	v.first(t, "<stream:stream "+numbered(300, "xmlns:p%d='urn:x' ")+">", policy)
	// many at once, each stopping short of its end
	v.bounded(t, 64<<20, 0, func() {
		var all []net.Conn
		for range 500 {
			c := v.stranger(t)
			write(c, "<message "+numbered(15, "a%d='' ")+"><"+strings.Repeat("b", 60)+" x='"+strings.Repeat("y", 14000))
			all = append(all, c)
		}
		for _, c := range all {
			c.Close()
		}
	})
}

func testDepthAndSize(t *testing.T, v *victim) {
	v.everywhere(t, "<message>"+strings.Repeat("<a>", 100_000), policy)
	v.everywhere(t, "<message a='"+strings.Repeat("x", 1<<20), policy)
	v.everywhere(t, "<message><body>"+strings.Repeat("x", 10<<20), policy)
	v.everywhere(t, "<"+strings.Repeat("x", 10<<20), policy)
	v.first(t, "<stream:stream a='"+strings.Repeat("x", 1<<20), policy)
	// 16 KiB is for those who are logged in only
	c := v.stranger(t)
	write(c, "<message><body>"+strings.Repeat("x", 17<<10)+"</body></message>")
	refused(t, "17 KiB", c, policy)
}

func testHeaderThatNeverEnds(t *testing.T, v *victim) {
	c := v.dial(t)
	write(c, "<stream:stream")
	gone := make(chan struct{})
	defer func() { c.Close(); <-gone }()
	go func() {
		defer close(gone)
		for {
			if _, err := c.Write([]byte{' '}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	refused(t, "a header that never ends", c, "connection-timeout")
}

func testForbiddenMarkup(t *testing.T, v *victim) {
	for _, bad := range []string{
		"<!-- x -->", "<?php x?>", "<![CDATA[x]]>", "<?xml version='1.0'?>",
		"<message><!-- x --></message>", "<message><?php x?></message>", "<message><body><![CDATA[x]]></body></message>",
		"<message><body>&nbsp;</body></message>", "<message a='&x;'/>", "<message><?xml version='1.0'?></message>",
	} {
		v.everywhere(t, bad, restricted)
	}
	v.first(t, "<!-- x -->"+header, restricted)
	v.first(t, "<?php x?>"+header, restricted)
}

// Bad bytes are refused, and nothing of them reaches anybody.
func testBadCharacters(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	for _, bad := range []string{
		"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82",
		"\x00", "\x0b", "\ufffe", "\uffff", "&#0;", "&#x1;", "&#xd800;", "&#xfffe;", "&#x110000;",
	} {
		v.everywhere(t, "<message to='witness@"+mirsal.Domain+"' type='chat'><body>"+bad+"</body></message>", badEncoding, notWell)
		v.everywhere(t, "<message to='witness@"+mirsal.Domain+"' id='"+bad+"'><body>x</body></message>", badEncoding, notWell)
	}
	v.first(t, "\xfe\xff\x00<\x00?\x00x", badEncoding)
	v.first(t, "\xff\xfe<\x00?\x00x\x00", badEncoding)
	v.first(t, "<?xml version='1.0' encoding='ISO-8859-1'?>"+header, badEncoding)
	v.first(t, "\xef\xbb\xbf"+header, notWell, badEncoding)
	v.witnessed(t, witness)
}

// witnessed checks that the next thing to reach the witness is a good message
// sent now: nothing came before it.
func (v *victim) witnessed(t *testing.T, witness *xmppclient.Conn) {
	t.Helper()
	mallory := v.connect(t, "mallory")
	if err := mallory.Send("<message to='" + witness.JID + "' type='chat'><body>the good one</body></message>"); err != nil {
		t.Fatal(err)
	}
	n := next(t, witness)
	if body := n.Child(xmppclient.NSClient, "body"); body == nil || body.Text != "the good one" {
		t.Errorf("this reached the witness: %s", n)
	}
}

// Whatever is accepted and handed on is the same tree for another parser.
func testSameTree(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	mallory := v.connect(t, "mallory")
	for _, content := range []string{
		"<body>&lt;&gt;&amp;&quot;&apos; &#x41;&#65; ]] &gt; \u00e9\U0001F600</body>",
		"<body xml:lang='ar'>\u0645\u0631\u062d\u0628\u0627</body><body>x</body>",
		"<a xmlns='urn:a' c='3' b='2' a='1'><b xmlns='urn:b'/><c/></a>",
		"<p:a xmlns:p='urn:p' p:x='1' x='2'><q:b xmlns:q='urn:p'/><p:c xmlns:p='urn:q'/></p:a>",
		"<a xmlns='urn:a'><b xmlns=''><c/></b></a>",
		"<a xmlns='urn:a' b=' x\ty\nz ' c='&#9;&#10;'>\r\n\ttext </a>",
		"<body>x</body ><empty xmlns='urn:e'></empty><empty xmlns=\"urn:e\"/>",
		"<stream:x xmlns:stream='urn:x'/>",
		"<a xmlns='urn:&amp;&lt;' b=\"it's\" c='\"'/>",
	} {
		want, err := xmppclient.Parse("<message xmlns='jabber:client'>"+content+"</message>", "")
		if err != nil {
			t.Fatal(content, err)
		}
		if err := mallory.Send("<message to='" + witness.JID + "'><store xmlns='urn:xmpp:hints'/>" + content + "</message>"); err != nil {
			t.Fatal(err)
		}
		got := next(t, witness)
		got.Children = without(got.Children, "urn:xmpp:hints", "urn:xmpp:sid:0")
		if !reflect.DeepEqual(got.Children, want[0].Children) {
			t.Errorf("%s came as\n%s\nwant\n%s", content, got, want[0])
		}
	}
	for _, bad := range []string{
		"<a b='1' b='2'/>", "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", "<a:b:c xmlns:a='u'/>", "<:a/>", "<a:/>", "<a xmlns:p=''/>",
		"<a xmlns:xmlns='u'/>", "<a xmlns:xml='u'/>", "<a b=c/>", "<a b/>", "<a></b>", "<a>]]></a>", "<a b='<'/>",
	} {
		v.everywhere(t, "<message>"+bad+"</message>", notWell)
	}
	v.everywhere(t, "<message><p:x/></message>", badPrefix)
	v.everywhere(t, "<message p:x='1'/>", badPrefix)
	v.witnessed(t, witness)
}

func without(all []*xmppclient.Node, spaces ...string) []*xmppclient.Node {
	var kept []*xmppclient.Node
next:
	for _, n := range all {
		for _, s := range spaces {
			if n.Name.Space == s {
				continue next
			}
		}
		kept = append(kept, n)
	}
	return kept
}
