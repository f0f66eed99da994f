package stanza

import (
	"bytes"
	"testing"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:p' xml:lang='uk'>"

// receive reads one element as if it came on a stream.
func receive(t testing.TB, xml string) (xtok.Elem, error) {
	t.Helper()
	scan := xtok.New(xtok.Limits{Size: 1 << 20, Depth: 100, Attrs: 50, Name: 100, Prefixes: 50})
	buf := []byte(header + xml)
	_, n, err := scan.Next(buf)
	if err != nil {
		t.Fatal(err)
	}
	ev, _, err := scan.Next(buf[n:])
	if err == nil && ev != xtok.Element {
		err = &xtok.Error{Condition: "incomplete"}
	}
	return scan.Root(), err
}

func mustMake(t testing.TB, xml string, edit func(xtok.Elem) Edit) *Stanza {
	t.Helper()
	e, err := receive(t, xml)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHead(e)
	if err != nil {
		t.Fatal(err)
	}
	var ed Edit
	if edit != nil {
		ed = edit(e)
	}
	return Make(h, e, ed)
}

func TestRawIsSelfContained(t *testing.T) {
	s := mustMake(t, `<message to="bob@example.org" type="chat" id="a'b"><p:x>1</p:x><body>&lt;</body></message>`, nil)
	want := `<message xmlns='jabber:client' xmlns:p='urn:p' to='bob@example.org' id='a&apos;b' type='chat'><p:x>1</p:x><body>&lt;</body></message>`
	if string(s.Raw) != want {
		t.Errorf("got  %s\nwant %s", s.Raw, want)
	}
}

func TestPrefixesThatAStanzaDeclaresAreKept(t *testing.T) {
	s := mustMake(t, "<presence xmlns:q='urn:q'><q:x/><p:y/></presence>", nil)
	for range 2 {
		again, e, err := Parse(s.Raw)
		if err != nil || !e.Child("urn:q", "x").OK() || !e.Child("urn:p", "y").OK() {
			t.Fatalf("%s: %v", s.Raw, err)
		}
		s = Make(again.Head, e, Edit{})
	}
}

func TestAStanzaUnderAnotherDefaultNamespaceIsNone(t *testing.T) {
	for _, ns := range []string{"urn:x", ""} {
		e, err := receive(t, "<c:message xmlns:c='jabber:client' xmlns='"+ns+"'><body>x</body></c:message>")
		if err != nil {
			t.Fatal(err)
		}
		if h, _ := ReadHead(e); h.Kind != None {
			t.Errorf("%q: a %s", ns, h.Kind)
		}
	}
}

func TestCutAndAppendChangeOnlyThat(t *testing.T) {
	s := mustMake(t, "<message><a xmlns='x'/>1<b xmlns='x'>y</b>2<c xmlns='x'/></message>", func(e xtok.Elem) Edit {
		return Edit{Cut: []xtok.Elem{e.First(), e.Child("x", "c")}, Append: []byte("<d/>")}
	})
	if got := string(s.Content()); got != "1<b xmlns='x'>y</b>2<d/>" {
		t.Error(got)
	}
	if got := string(s.Opening()) + string(s.Closing()); got != string(s.Raw) {
		t.Error(got)
	}
}

func TestHeadOfEachKind(t *testing.T) {
	for _, c := range []struct{ xml, kind, typ, fault string }{
		{"<message/>", "message", Normal, ""},
		{"<message type='nonsense'/>", "message", Normal, ""},
		{"<message type='groupchat'/>", "message", Groupchat, ""},
		{"<presence/>", "presence", Available, ""},
		{"<presence type='nonsense'/>", "presence", "", "bad-request"},
		{"<iq type='get' id='1'><q xmlns='x'/></iq>", "iq", Get, ""},
		{"<iq type='get'><q xmlns='x'/></iq>", "iq", Get, "bad-request"},
		{"<iq type='get' id='1'/>", "iq", Get, "bad-request"},
		{"<iq type='set' id='1'><q xmlns='x'/><r xmlns='x'/></iq>", "iq", Set, "bad-request"},
		{"<iq type='result' id='1'/>", "iq", Result, ""},
		{"<iq id='1'><q xmlns='x'/></iq>", "iq", "", "bad-request"},
		{"<message to='a@@b'/>", "message", Normal, "jid-malformed"},
		{"<message xmlns='jabber:server'/>", "", "", ""},
		{"<other/>", "", "", ""},
	} {
		e, err := receive(t, c.xml)
		if err != nil {
			t.Fatal(c.xml, err)
		}
		h, err := ReadHead(e)
		fault := ""
		if err != nil {
			fault = string(AsError(err).Condition)
		}
		if h.Kind.String() != c.kind || h.Type != c.typ || fault != c.fault {
			t.Errorf("%s: %s %q %q", c.xml, h.Kind, h.Type, fault)
		}
	}
}

func TestFactsOfAMessage(t *testing.T) {
	for xml, want := range map[string]Facts{
		"<body/>":                         0,
		"<body> </body>":                  0,
		"<body>x</body>":                  HasBody,
		"<body>x</body><subject/>":        HasBody | HasSubject,
		"<body xmlns='other'>x</body>":    OtherChild,
		"<x xmlns='jabber:x:encrypted'/>": Encrypted,
		"<encrypted xmlns='eu.siacs.conversations.axolotl'><payload/></encrypted>":                 Encrypted,
		"<encrypted xmlns='urn:xmpp:omemo:2'><payload/></encrypted>":                               Encrypted,
		"<encrypted xmlns='urn:xmpp:omemo:2'/>":                                                    Encrypted | KeysOnly,
		"<encrypted xmlns='urn:xmpp:omemo:2'/><body>x</body>":                                      Encrypted | HasBody,
		"<fallback xmlns='urn:xmpp:fallback:0'/>":                                                  Fallback,
		"<fallback xmlns='urn:xmpp:fallback:0'/><body>x</body>":                                    Fallback | StandIn | HasBody,
		"<body>x</body><fallback xmlns='urn:xmpp:fallback:0'><body/></fallback>":                   Fallback | StandIn | HasBody,
		"<body>x</body><fallback xmlns='urn:xmpp:fallback:0'><body start='0' end='1'/></fallback>": Fallback | HasBody,
		"<body>x</body><fallback xmlns='urn:xmpp:fallback:0'><subject/></fallback>":                Fallback | HasBody,
		"<x xmlns='http://jabber.org/protocol/muc#user'/>":                                         RoomUser,
		"<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>":                             RoomUser | RoomInvite,
		"<composing xmlns='http://jabber.org/protocol/chatstates'/>":                               ChatState,
		"<no-store xmlns='urn:xmpp:hints'/>":                                                       NoStore,
		"<origin-id xmlns='urn:xmpp:sid:0' id='1'/>":                                               0,
	} {
		if s := mustMake(t, "<message>"+xml+"</message>", nil); s.Facts != want {
			t.Errorf("%s: %b, want %b", xml, s.Facts, want)
		}
	}
}

// XEP-0086 §3: clients without the modern conditions know the code.
func TestErrorsCarryTheLegacyCode(t *testing.T) {
	e := Errorf(ItemNotFound, "no <such> thing").WithApp("urn:x", "y")
	want := "<error type='cancel' code='404'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no &lt;such&gt; thing</text><y xmlns='urn:x'/></error>"
	if got := string(e.Append(nil)); got != want {
		t.Errorf("got %s", got)
	}
	for c := range kinds {
		if kinds[c].kind == "" || kinds[c].code == "" {
			t.Errorf("%s has no type or code", c)
		}
	}
}

func TestMakeAllocatesLittle(t *testing.T) {
	e, err := receive(t, "<message to='bob@example.org' type='chat' id='1'><body>x</body></message>")
	if err != nil {
		t.Fatal(err)
	}
	h, _ := ReadHead(e)
	h.From = jid.MustParse("alice@example.org/a")
	if n := testing.AllocsPerRun(100, func() { Make(h, e, Edit{}) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever is accepted means the same when it is read again.
func FuzzRawReadsBackTheSame(f *testing.F) {
	f.Add("<message to='bob@example.org' type='chat' id='1'><body>x &amp; y</body></message>")
	f.Add("<presence type='subscribe' xml:lang='ar'><p:q p:a=\"'\"/></presence>")
	f.Add("<iq type='get' id='&lt;'><q xmlns='urn:x'/></iq>")
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := receive(t, xml)
		if err != nil {
			return
		}
		h, err := ReadHead(e)
		if err != nil || h.Kind == None {
			return
		}
		s := Make(h, e, Edit{})
		again, _, err := Parse(s.Raw)
		if err != nil {
			t.Fatalf("%s -> %s: %v", xml, s.Raw, err)
		}
		if again.Head != s.Head || !bytes.Equal(again.Content(), s.Content()) {
			t.Errorf("%s -> %+v, not %+v", xml, again.Head, s.Head)
		}
	})
}
