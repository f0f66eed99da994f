package client

import (
	"fmt"
	"testing"

	"mirsal/internal/client/conn"
)

// TestWhatComesLiveFarAheadOfWhatIsMissingIsRead has more missing than a ratchet may
// skip, and messages that come live while the archive is being read.
func TestWhatComesLiveFarAheadOfWhatIsMissingIsRead(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		p, a := d.peer(bob), d.archive()
		d.befriend(bob)
		const missed, live = 1200, 150
		said, _ := talk(p, 0, missed)
		var after, texts []string
		for i := range live {
			text, id := fmt.Sprint("live ", i), fmt.Sprintf("id='live%d'", i)
			after = append(after, p.says(text, "type='chat' from='"+bob+"/x' to='"+me+"' "+id,
				fmt.Sprintf("<stanza-id xmlns='urn:xmpp:sid:0' by='%s' id='r%d'/>", me, missed+i)))
			texts = append(texts, text)
		}
		asked := false
		d.lie = func(q conn.Request) (string, bool) {
			if e := parse(t, string(q.Payload)); e.Is(nsMAM, "query") && !asked {
				asked = true
				for _, s := range after {
					d.happens(stanzaOf(t, s))
				}
				a.said = append(a.said, after[:live-10]...) // the latest came after the last page
			}
			return a.lie(q)
		}
		d.away(a, said...)
		d.wait()
		lines := d.lines(bob)
		same(t, "the end", lines[len(lines)-live:], texts...)
		if !d.engine.synced || len(d.engine.held) > 0 {
			t.Errorf("synced: %v; %d held", d.engine.synced, len(d.engine.held))
		}
	})
}
