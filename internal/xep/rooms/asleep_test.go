package rooms

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core"
)

// What was taken back while sessions sleep is in no queue that is written down, and
// every stanza stays one.
func TestWhatWasTakenBackIsNotWrittenDownWithASleepingSession(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		for i := range 3 {
			b.Send(say(fmt.Sprint("m", i), fmt.Sprintf("<body>potion %d</body><x xmlns='urn:x' y='potion %d'/>", i, i)))
		}
		live := a.Got()
		mam := "<message xmlns='jabber:client' from='" + den + "' to='bob@example.org/b'><result xmlns='urn:xmpp:mam:2' id='id2' queryid='q'><forwarded xmlns='urn:xmpp:forward:0'>" +
			"<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>" + w.archived(2) + "</forwarded></result></message>"
		elsewhere := strings.ReplaceAll(live[:strings.Index(live, "</message>")+len("</message>")], host, "other.example.org")
		a.Send(moderate("x", "id2", ""))
		a.Got()
		b.Send(say("r", "<retract xmlns='"+nsRetract+"' id='id3'/>"))
		var queue []core.FrozenPacket
		for _, p := range append(strings.SplitAfter(strings.TrimSuffix(live, "</message>"), "</message>"), mam, elsewhere, "<presence xmlns='jabber:client' from='"+den+"/bob'/>") {
			if !strings.HasSuffix(p, ">") || strings.HasPrefix(p, "<message") && !strings.HasSuffix(p, "</message>") {
				p += "</message>"
			}
			queue = append(queue, core.FrozenPacket{Bytes: []byte(p)})
		}
		if err := w.rooms.Asleep().Unsay(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]string{
			{"to='alice@example.org/a'", "potion 0", "potion 0"},
			{"to='alice@example.org/a'", "from='" + den + "/bob'", "id='m1'", "<occupant-id", "<retracted", "<stanza-id", "id='id2'", "</message>"},
			{"id='m2'", "<retracted", "id='r'", "id='id3'", "</message>"},
			{"<result", "id='id2'", "<delay", "<message", "id='m1'", "<retracted", "</forwarded></result></message>"},
			{"from='den@other.example.org/bob'", "potion 0"},
			{"<presence"},
		} {
			expect(t, fmt.Sprint("who wakes up, as stanza ", i, ","), string(queue[i].Bytes), want...)
			if s := string(queue[i].Bytes); strings.Contains(s, "potion 1") || strings.Contains(s, "potion 2") {
				t.Errorf("written down: %s", s)
			}
		}
	})
}
