package port

import (
	"os"
	"strings"
	"testing"
)

func TestTheReferenceNamesEveryCommandAndEvent(t *testing.T) {
	page, err := os.ReadFile("../../../docs/protocol/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range Commands() {
		names = append(names, c.command())
	}
	for _, e := range Events() {
		names = append(names, e.event())
	}
	rows := 0
	for _, n := range names {
		if !strings.Contains(string(page), "\n| `"+n+"` | ") {
			t.Errorf("docs/protocol/engine.md has no row for %s", n)
		}
		rows++
	}
	if got := strings.Count(string(page), "\n| `"); got != rows {
		t.Errorf("docs/protocol/engine.md has %d rows, there are %d commands and events", got, rows)
	}
}
