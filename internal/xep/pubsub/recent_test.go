package pubsub

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/xmpp/jid"
)

const bigItem = 120_000 // bytes; ten of them are more than a queue may hold

// fill makes alice, whom bob watches, publish ten large items on as many nodes,
// and small ones between them.
func (w *parts) fill() {
	w.befriend(alice, bob)
	a := w.online("alice@example.org/phone", "")
	for i := range 10 {
		ask(a, publish(fmt.Sprintf("n%d", i), "current", "<big xmlns='urn:x'>"+strings.Repeat("x", bigItem)+"</big>"))
		ask(a, publish(fmt.Sprintf("n%d-small", i), "current", tune))
	}
}

func TestLargeItemsOfAContactDoNotLockAnybodyOut(t *testing.T) {
	world(t, func(w *parts) {
		w.fill()
		w.wants["b"] = "*"
		b := w.Bind("bob@example.org/b")
		b.Send("<presence/>")
		var nodes []string
		for i := range 10 {
			nodes = append(nodes, fmt.Sprintf("n%d", i))
		}
		b.Got()
		w.pep.Known(b.Session, nodes)
		got := b.Got()
		for _, n := range nodes {
			if !strings.Contains(got, "<items node='"+n+"'>") {
				t.Errorf("%s did not come", n)
			}
		}
		if n := strings.Count(got, "</big>"); n != 10 || b.Ended != "" {
			t.Errorf("%d of 10 items came; closed: %q", n, b.Ended)
		}
	})
}

func TestAPortionOfLastItemsIsBounded(t *testing.T) {
	world(t, func(w *parts) {
		w.fill()
		b := w.online("bob@example.org/b", "*")
		r := &recent{service: w.pep, to: b.Session, want: func(string) bool { return true }, owners: []jid.JID{bob, alice, bob}}
		var order []string
		for packets := r.Next(); packets != nil; packets = r.Next() {
			size := 0
			for i := range packets {
				size += packets[i].Size()
				_, name, _ := strings.Cut(string(packets[i].Segments[1]), "node='")
				name, _, _ = strings.Cut(name, "'")
				order = append(order, name)
			}
			if len(packets) > 1 && size > recentBytes+len(packets)*512 {
				t.Errorf("%d packets of %d bytes at a time", len(packets), size)
			}
		}
		if len(order) != 20 || order[0] != "n0" || order[1] != "n0-small" || order[19] != "n9-small" {
			t.Errorf("%d items came: %v", len(order), order)
		}
	})
}
