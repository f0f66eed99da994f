package web

import (
	"testing"

	"mirsal/e2e/xmppclient"
)

func body(n *xmppclient.Node) string {
	if b := n.Child(xmppclient.NSClient, "body"); b != nil {
		return b.Text
	}
	return n.String()
}

func TestPeopleTalkWhicheverWayTheyCame(t *testing.T) {
	h := start(t)
	for name, o := range h.ways() {
		t.Run(name, func(t *testing.T) {
			alice := login(t, o, "alice", "phone")
			bob := login(t, h.ways()["tcp"], "bob", "laptop")
			send(t, alice, "<message to='"+bob.JID+"' type='chat'><body>Hello &amp; welcome</body></message>")
			if got := body(stanza(t, bob)); got != "Hello & welcome" {
				t.Error(got)
			}
			for i := range 3 { // one write on our side, three frames
				send(t, bob, "<message to='"+alice.JID+"' type='chat'><body>"+string(rune('a'+i))+"</body></message>")
			}
			for i := range 3 {
				if got := body(stanza(t, alice)); got != string(rune('a'+i)) {
					t.Error(got)
				}
			}
			if err := alice.Close(soon(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
