package web

import (
	"testing"

	"mirsal/e2e/xmppclient"
)

// XEP-0198 §5: what was not acknowledged on the old connection comes on the new
// one, whatever carries it.
func TestASessionIsResumedOverAnotherTransport(t *testing.T) {
	h := start(t)
	ways := h.ways()
	bob := login(t, ways["tcp"], "bob", "laptop")
	for from := range ways {
		for to := range ways {
			t.Run(from+" to "+to, func(t *testing.T) { resume(t, ways[from], ways[to], bob) })
		}
	}
}

func resume(t *testing.T, from, to xmppclient.Options, bob *xmppclient.Conn) {
	alice := login(t, from, "alice", "phone")
	id, err := alice.EnableSM(soon(t), true)
	if err != nil || id == "" {
		t.Fatalf("%q %v", id, err)
	}
	send(t, alice, "<message to='"+bob.JID+"' type='chat'><body>before</body></message>")
	if got := body(stanza(t, bob)); got != "before" {
		t.Fatal(got)
	}
	send(t, bob, "<message to='"+alice.JID+"' type='chat'><body>taken</body></message>")
	if got := body(stanza(t, alice)); got != "taken" {
		t.Fatal(got)
	}
	send(t, bob, "<message to='"+alice.JID+"' type='chat'><body>lost on the way</body></message>")
	alice.Kill()
	send(t, bob, "<message to='"+alice.JID+"' type='chat'><body>while away</body></message>")

	again := login(t, to, "alice", "")
	handled, err := again.ResumeSM(soon(t), id, 1, 1)
	if err != nil || handled != 1 {
		t.Fatalf("%d of 1 handled, %v", handled, err)
	}
	for _, want := range []string{"lost on the way", "while away"} {
		if got := body(stanza(t, again)); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	send(t, again, "<message to='"+bob.JID+"' type='chat'><body>after</body></message>")
	if got := body(stanza(t, bob)); got != "after" {
		t.Error(got)
	}
	if err := again.Close(soon(t)); err != nil {
		t.Error(err)
	}
}

// XEP-0388: the stream is not restarted, which the ways through HTTP must not
// expect either; XEP-0386 and XEP-0198 ride on the login.
func TestOneRoundTripLoginsWorkOverEveryTransport(t *testing.T) {
	h := start(t)
	for name, o := range h.ways() {
		t.Run(name, func(t *testing.T) {
			c := dial(t, o)
			id := enabled(t, c, "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>")
			send(t, c, "<iq type='get' id='p' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>")
			for n := next(t, c); n.Attr("id") != "p"; n = next(t, c) {
			}
			c.Kill()
			again := dial(t, o)
			if got := enabled(t, again, "<resume xmlns='urn:xmpp:sm:3' h='1' previd='"+id+"'/>"); got != id {
				t.Errorf("resumed as %q", got)
			}
			if err := again.Close(soon(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// enabled logs in with something beside it and returns the session's id.
func enabled(t *testing.T, c *xmppclient.Conn, inline string) string {
	t.Helper()
	if err := c.Authenticate(soon(t), "SCRAM-SHA-256", "alice", password, inline); err != nil {
		t.Fatal(err)
	}
	n := next(t, c)
	if !n.Is(xmppclient.NSSASL2, "success") {
		t.Fatal(n)
	}
	if r := n.Child(xmppclient.NSSM, "resumed"); r != nil {
		return r.Attr("previd")
	}
	e := n.Child("urn:xmpp:bind:0", "bound").Child(xmppclient.NSSM, "enabled")
	if e == nil {
		t.Fatal(n)
	}
	return e.Attr("id")
}
