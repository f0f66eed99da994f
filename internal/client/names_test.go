package client

import (
	"strings"
	"testing"

	"mirsal/internal/client/files"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/xtok"
)

func TestAFileIsShownUnderTheNameThatItIsSavedUnder(t *testing.T) {
	for _, name := range []string{
		"cat.jpg", "", "CON.txt", "-rf", ".bashrc", "cat.jpg\u202eexe", "cat.jpg" + strings.Repeat(" ", 300) + ".exe",
		"a:b?.txt", "cat.jpg.. ", "\u3164", strings.Repeat("سلام", 100) + ".pdf",
	} {
		e, err := xtok.Parse([]byte("<message xmlns='jabber:client'><file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>"+
			esc(name)+"</name></file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://h/'/></sources></file-sharing></message>"),
			xtok.Limits{Size: 1 << 16, Depth: 16})
		if err != nil {
			t.Fatal(err)
		}
		in := withFacts(timeline.Read(e, timeline.Envelope{}, "", nil), e)
		if shown := in.File.Name; shown == "" || files.CleanName(shown) != shown {
			t.Errorf("%q is shown as %q and saved as %q", name, shown, files.CleanName(shown))
		}
	}
}

func TestWhoIsOfAnotherHostIsNotShownAsOneOfOurs(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.gets(plainFrom(bob, "1", "it is me"), plainFrom("bob@evil.example", "2", "it is me"))
		if own, other := d.chat(bob).Name, d.chat("bob@evil.example").Name; own != "bob" || other != "bob@evil.example" {
			t.Errorf("they are %q and %q", own, other)
		}
	})
}
