package terminal

import (
	"strings"

	"mirsal/internal/client/port"
)

// mostFound is how many messages a search shows.
const mostFound = 100

// newSearch looks for words in all that is on this device, while one types.
func newSearch(m *model) sheet {
	p := &pick{name: "Search", hint: "words, at their beginnings · Enter jumps there", filter: m.field(), empty: "Type what to look for. It is looked for on this device; nobody else hears of it."}
	var asked uint64
	p.typed = func(m *model) {
		words := strings.TrimSpace(p.filter.text())
		if words == "" {
			p.rows = nil
			return
		}
		var ref uint64
		ref = m.ask(&port.Search{Query: words, Limit: mostFound}, func(ev port.Event) {
			if ref != asked {
				return // what was typed then is no longer what is looked for
			}
			p.rows, p.at = foundRows(m, ev), 0
			p.empty = "Nothing here has these words."
		})
		asked = ref
	}
	return p
}

func foundRows(m *model, ev port.Event) (rows []row) {
	found, ok := ev.(*port.Found)
	if !ok {
		return nil
	}
	for _, msg := range found.Messages {
		rows = append(rows, row{text: m.messageWords(&msg), aside: m.name(msg.Chat) + " " + shortTime(msg.Time, m.now()), do: act(func(m *model) {
			m.sheets = nil
			m.jump(msg.Chat, msg.ID)
		})})
	}
	return rows
}
