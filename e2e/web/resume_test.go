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
