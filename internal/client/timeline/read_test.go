package timeline

import (
	"strings"
	"testing"
	"unicode/utf8"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/xtok"
)

func parse(t testing.TB, text string) xtok.Elem {
	t.Helper()
	e, err := xtok.Parse([]byte(strings.Replace(text, "<message", "<message xmlns='jabber:client'", 1)), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func read(t testing.TB, text string) Incoming {
	return Read(parse(t, text), Envelope{Chat: bob, Sender: bob, Real: bob}, own, nil)
}

const reply = `<reply xmlns='urn:xmpp:reply:0' id='r1' to='me@example.org'/>`

func TestWhatAMessageSaysIsRead(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`<message id='1'><body>hello</body></message>`, "1 hello"},
		{`<message id='1'><body>six</body><replace xmlns='urn:xmpp:message-correct:0' id='0'/></message>`, "2 six >0"},
		{`<message id='1'><body>six</body><replace xmlns='urn:xmpp:message-correct:0'/></message>`, "1 six"}, // of nothing: still said
		{`<message id='1'><retract xmlns='urn:xmpp:message-retract:1' id='0'/><body>/me gone</body></message>`, "3  >0"},
		{`<message id='1'><retract xmlns='urn:xmpp:message-retract:1' id='0'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract></message>`, "0 "},
		{`<message><reactions xmlns='urn:xmpp:reactions:0' id='0'><reaction>👋</reaction><reaction>👋</reaction><reaction> 🐢 </reaction></reactions><body>x</body></message>`, "5  >0 👋🐢"},
		{`<message><received xmlns='urn:xmpp:receipts' id='0'/></message>`, "6  >0"},
		{`<message><displayed xmlns='urn:xmpp:chat-markers:0' id='0'/></message>`, "7  >0"},
		{`<message type='error' id='0'><body>x</body><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`, "10  >0"},
		{`<message><body xml:lang='de'>hallo</body><body>hello</body></message>`, "1 hello"},
		{`<message><body>I sent you an OMEMO message</body><encrypted xmlns='urn:xmpp:omemo:2'/></message>`, "0 "},
		{`<message><body>https://h/a%20b.jpg</body><x xmlns='jabber:x:oob'><url>https://h/a%20b.jpg</url></x></message>`, "1  a b.jpg"},
		{`<message><body>https://h/x</body><x xmlns='jabber:x:oob'><url>https://evil/x</url></x></message>`, "1 https://h/x"},
		{`<message><body>file:///etc/passwd</body><x xmlns='jabber:x:oob'><url>file:///etc/passwd</url></x></message>`, "1 file:///etc/passwd"},
		{"<message><body>&gt; é🐢x\nyes</body>" + reply + `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback></message>`, "1 yes ^r1"},
		{"<message><body>all</body>" + reply + `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='-1' end='99999999999999999999'/><body start='3' end='1'/></fallback></message>`, "1 all ^r1"},
		{"<message><body>abcdef</body>" + reply + `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='4' end='900'/><body start='0' end='2'/></fallback></message>`, "1 cd ^r1"},
		{`<message><body>keep</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:example:thing'/></message>`, "1 keep"},
	} {
		in := read(t, c.text)
		got := string(appendKind(in.Kind)) + " " + in.Text
		if in.Ref != "" {
			got += " >" + in.Ref
		}
		got += strings.TrimRight(" "+strings.Join(in.Emoji, ""), " ")
		if in.File != nil {
			got += " " + in.File.Name
		}
		if in.ReplyTo != "" {
			got += " ^" + in.ReplyTo
		}
		if got != c.want {
			t.Errorf("%s\nis %q, not %q", c.text, got, c.want)
		}
	}
}

func appendKind(k Kind) string { return uitoa(uint64(k)) }

func TestOnlyTheRoomSpeaksForItsModerators(t *testing.T) {
	const moderated = `<message><retract xmlns='urn:xmpp:message-retract:1' id='0'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract></message>`
	const plain = `<message><retract xmlns='urn:xmpp:message-retract:1' id='0'/></message>`
	for _, room := range []bool{false, true} {
		for _, text := range []string{moderated, plain} {
			in := Read(parse(t, text), Envelope{Chat: tea, Room: true, FromRoom: room}, tea, nil)
			if taken := in.Kind == Retract; taken != (room == (text == moderated)) {
				t.Errorf("from the room %v: %s is %d", room, text, in.Kind)
			}
		}
	}
}

func TestATombstoneIsAnArchives(t *testing.T) {
	e := parse(t, `<message id='1'><retracted xmlns='urn:xmpp:message-retract:1' stamp='2026-11-22T12:00:00Z'/></message>`)
	for source, want := range map[Source]Kind{Live: Nothing, Carbon: Nothing, Offline: Nothing, Archive: Tombstone} {
		if in := Read(e, Envelope{Chat: bob, Source: source}, own, nil); in.Kind != want {
			t.Errorf("from %d it is %d", source, in.Kind)
		}
	}
}

func TestOnlyTheChatsOwnArchiveGivesIDs(t *testing.T) {
	const sid = `<stanza-id xmlns='urn:xmpp:sid:0' by='`
	for text, want := range map[string]string{
		sid + `me@example.org' id='a'/>`:                                     "a",
		sid + `ME@example.org' id='a'/>`:                                     "a",
		sid + `bob@example.org' id='a'/>`:                                    "",
		sid + `' id='a'/>`:                                                   "",
		sid + `me@example.org' id='a'/>` + sid + `me@example.org' id='b'/>`:  "",
		sid + `eve@example.org' id='b'/>` + sid + `me@example.org' id='a'/>`: "a",
	} {
		if got := read(t, `<message><body>x</body>`+text+`</message>`).StanzaID; got != want {
			t.Errorf("%s gives %q, not %q", text, got, want)
		}
	}
}

func TestWhatStandsBesideAnEncryptedBodyGivesNoFile(t *testing.T) {
	e := parse(t, `<message><encrypted xmlns='eu.siacs.conversations.axolotl'/><body>stand-in</body>`+
		`<file-sharing xmlns='urn:xmpp:sfs:0'><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://evil/x'/></sources></file-sharing></message>`)
	in := Read(e, Envelope{Chat: bob}, own, &Plain{Text: "hello"})
	if in.Text != "hello" || in.File != nil {
		t.Errorf("%+v", in)
	}
	in = Read(e, Envelope{Chat: bob}, own, &Plain{Text: "aesgcm://h/f/cat.jpg#0011\ndata:image/jpeg,xx"})
	if in.File == nil || in.File.Name != "cat.jpg" || in.Text != "" || !strings.HasSuffix(in.File.URL, "#0011") {
		t.Errorf("%+v", in.File)
	}
	in = Read(e, Envelope{Chat: bob, Unreadable: "no key", Lock: port.Lock{State: port.Broken}}, own, nil)
	if in.Kind != Text || in.Text != "" || in.Unreadable != "no key" {
		t.Errorf("%+v", in)
	}
}

// Attack: a server says of parts of an encrypted text that they stand for something else.
func TestNothingBesideAnEncryptedTextTakesWordsOutOfItButAQuote(t *testing.T) {
	beside := func(ranges string) xtok.Elem {
		return parse(t, `<message><encrypted xmlns='eu.siacs.conversations.axolotl'/>`+reply+
			`<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>`+ranges+`</fallback></message>`)
	}
	for _, c := range []struct{ ranges, text, want string }{
		{`<body start='2' end='9'/>`, "I do not agree", "I do not agree"},
		{`<body start='0' end='9'/>`, "I do not agree", "I do not agree"},
		{`<body/>`, "I do not agree", "I do not agree"},
		{``, "I do not agree", "I do not agree"},
		{`<body start='0' end='11'/>`, "> agree?\nno, but\nyes", "> agree?\nno, but\nyes"},
		{`<body start='0' end='6'/>`, "> a\n> no", "> a\n> no"},
		{`<body start='0' end='9'/><body start='9' end='17'/>`, "> agree?\nno, but\nyes", "no, but\nyes"},
		{`<body start='0' end='9'/>`, "> agree?\nno", "no"},
		{`<body start='0' end='8'/>`, "> é🐢\n> b\nyes", "yes"},
		{`<body start='0' end='4'/>`, "> a", "> a"},
		{`<body start='0' end='3'/>`, "> a", "> a"},
		{`<body start='0' end='9'/>`, "> é🐢\n> b\nyes", "yes"},
	} {
		in := Read(beside(c.ranges), Envelope{Chat: bob}, own, &Plain{Text: c.text})
		if in.Kind != Text || in.Text != c.want {
			t.Errorf("%s of %q leaves %d %q", c.ranges, c.text, in.Kind, in.Text)
		}
	}
}

func TestAnInvitationBesideAnEncryptedTextIsNotItsSenders(t *testing.T) {
	e := parse(t, `<message from='bob@example.org/x'><encrypted xmlns='eu.siacs.conversations.axolotl'/><x xmlns='jabber:x:conference' jid='trap@conference.example.org'/>`+
		`<x xmlns='http://jabber.org/protocol/muc#user'><invite from='carol@example.org'/></x></message>`)
	in := Read(e, Envelope{Chat: bob, Sender: bob, Real: bob, Lock: port.Lock{State: port.Verified}}, own, &Plain{Text: "hello"})
	if in.Kind != Text || in.Text != "hello" || in.Invite != nil {
		t.Errorf("%+v", in)
	}
}

func TestTheNewProfileIsReadFromInsideOnly(t *testing.T) {
	content := parse(t, `<message><body>in</body></message>`)
	e := parse(t, `<message><encrypted xmlns='urn:xmpp:omemo:2'/><replace xmlns='urn:xmpp:message-correct:0' id='0'/><body>out</body></message>`)
	if in := Read(e, Envelope{Chat: bob}, own, &Plain{Content: content}); in.Kind != Text || in.Text != "in" {
		t.Errorf("%+v", in)
	}
}

func TestAnEncryptedFileIsReadWithItsKey(t *testing.T) {
	in := read(t, `<message><file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>../../`+"\u202e"+`gpj.exe</name><size>7</size><media-type>image/png</media-type></file>`+
		`<sources><encrypted xmlns='urn:xmpp:esfs:0' cipher='urn:xmpp:ciphers:aes-256-gcm-nopadding:0'><key>AAEC</key><iv>AwQF</iv><sources xmlns='urn:xmpp:sfs:0'>`+
		`<url-data xmlns='http://jabber.org/protocol/url-data' target='https://h/x'/></sources></encrypted></sources></file-sharing><body>https://h/x</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback></message>`)
	f := in.File
	if f == nil || f.Name != "gpj.exe" || f.Size != 7 || len(f.Key) != 3 || len(f.IV) != 3 || f.URL != "https://h/x" || in.Text != "" {
		t.Errorf("%+v %q", f, in.Text)
	}
}

func TestInvitationsAreRead(t *testing.T) {
	in := read(t, `<message from='bob@example.org/x'><x xmlns='jabber:x:conference' jid='tea@conference.example.org' reason='tea'/></message>`)
	if in.Kind != Invite || in.Invite.Room != tea || in.Invite.By != bob {
		t.Errorf("%+v", in.Invite)
	}
	in = Read(parse(t, `<message from='tea@conference.example.org'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='eve@example.org/x'><reason>r</reason></invite><password>p</password></x></message>`),
		Envelope{Chat: tea, Room: true, FromRoom: true}, tea, nil)
	if in.Kind != Invite || in.Invite.Room != tea || in.Invite.By != eve || in.Invite.Password != "p" {
		t.Errorf("%+v", in.Invite)
	}
}

func TestNamesDoNotTurnWhatFollows(t *testing.T) {
	if got := CleanName("\u202eevil\u2066 bob\n\u200b"); got != "evil bob" {
		t.Errorf("%q", got)
	}
	if got := CleanName(strings.Repeat("é", 1000)); utf8.RuneCountInString(got) != maxName {
		t.Error("a name has no end")
	}
}

func TestGiantsAreCut(t *testing.T) {
	in := read(t, `<message id='`+strings.Repeat("i", 1000)+`'><body>`+strings.Repeat("é", maxText)+`</body></message>`)
	if in.ID != "" || len(in.Text) > maxText+3 || !utf8.ValidString(in.Text) {
		t.Errorf("%d bytes of id, %d of text", len(in.ID), len(in.Text))
	}
}

func TestWhatIsSentIsReadAsItWasMeant(t *testing.T) {
	for _, o := range []Outgoing{
		{OriginID: "o", Kind: Text, Text: "yes <&>", ReplyTo: "r", ReplyOf: bob, Quote: "a 🐢\nb"},
		{OriginID: "o", Kind: Text, Text: "yes"},
		{OriginID: "o", Kind: Edit, Text: "six", Ref: "r"},
		{OriginID: "o", Kind: Retract, Ref: "r"},
		{OriginID: "o", Kind: React, Ref: "r", Emoji: []string{"👋"}},
	} {
		b := []byte("<message id='o'>")
		if text := o.Body(); text != "" {
			b = AppendBody(b, text)
		}
		in := read(t, string(append(o.AppendExtras(b), "</message>"...)))
		if in.Kind != o.Kind || in.Text != o.Text || in.Ref != o.Ref || in.ReplyTo != o.ReplyTo || in.OriginID != "o" || strings.Join(in.Emoji, "") != strings.Join(o.Emoji, "") {
			t.Errorf("%+v\nwas read as\n%+v", o, in)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`<message id='1'><body>&gt; é x</body>`+reply+`<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='6'/></fallback></message>`, "plain")
	f.Add(`<message><reactions xmlns='urn:xmpp:reactions:0' id='0'><reaction>x</reaction></reactions></message>`, "")
	f.Add(`<message><encrypted xmlns='urn:xmpp:omemo:2'/></message>`, "aesgcm://h/x#00")
	f.Fuzz(func(t *testing.T, text, plain string) {
		e, err := xtok.Parse([]byte(strings.Replace(text, "<message", "<message xmlns='jabber:client'", 1)), xtok.Limits{Size: 1 << 20, Depth: 50})
		if err != nil {
			return
		}
		var p *Plain
		if plain != "" {
			p = &Plain{Text: plain}
		}
		in := Read(e, Envelope{Chat: bob, Sender: bob, Real: bob}, own, p)
		if !utf8.ValidString(in.Text) || len(in.Text) > maxText+3 || len(in.Emoji) > maxEmoji {
			t.Errorf("%q", in.Text)
		}
		if (in.Kind == Edit || in.Kind == Retract || in.Kind == React) && in.Ref == "" {
			t.Error("a change of nothing")
		}
		d := newDesk(t)
		d.apply(in)
		d.apply(in)
	})
}
