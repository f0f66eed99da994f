package pubsub

import (
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

// carol and bob share what is not known here; node names what follows from it.
func TestNodesAreOpenedForAnotherReason(t *testing.T) {
	world(t, func(w *parts) {
		carol := jid.MustParse("carol@example.org")
		w.pep.Also = func(owner, asker jid.JID, node string) bool {
			return owner == bob && asker == carol && (node == "devices" || node == "missing")
		}
		w.pep.Beside = func(owner jid.JID, node string) []jid.JID {
			if owner == bob && node == "devices" {
				return []jid.JID{carol}
			}
			return nil
		}
		b := w.online("bob@example.org/b", "none")
		c := w.online("carol@example.org/c", "*")
		a := w.online("alice@example.org/a", "*")
		publish := func(node string) {
			b.Send(iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><publish node='"+node+"'><item id='1'><list xmlns='urn:x'/></item></publish></pubsub>"))
			b.Got()
		}
		publish("devices")
		publish("diary")
		if got := c.Got(); strings.Count(got, "<event") != 1 || !strings.Contains(got, "'devices'") {
			t.Errorf("carol heard %s", got)
		}
		if got := a.Got(); got != "" {
			t.Errorf("alice heard %s", got)
		}
		for node, want := range map[string]string{"devices": "<list", "missing": "<item-not-found", "diary": "<service-unavailable"} {
			ask := iq("get", "bob@example.org", "<pubsub xmlns='"+nsPubsub+"'><items node='"+node+"'/></pubsub>")
			c.Send(ask)
			if got := c.Got(); !strings.Contains(got, want) {
				t.Errorf("%s for carol: %s", node, got)
			}
			a.Send(ask)
			if got := a.Got(); !strings.Contains(got, "<service-unavailable") {
				t.Errorf("%s for alice: %s", node, got)
			}
		}
	})
}
