package messages

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// row is one line of the table, as it is written there.
type row struct {
	xml, kind                                    string
	archive, copies, away, push, inactive, place string
}

// table reads the page.
func table(t *testing.T) (all []row) {
	t.Helper()
	page, err := os.ReadFile("../../docs/protocol/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| `<message") {
			continue
		}
		if len(cells) == 7 && strings.Contains(cells[1], "call") {
			continue // who may ring decides before what kind it is: e2e/calls, internal/call
		}
		if len(cells) != 7 {
			t.Fatalf("%d columns: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		all = append(all, row{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], fmt.Sprint(len(all))})
	}
	if len(all) < 20 {
		t.Fatalf("a table of %d rows", len(all))
	}
	return all
}

// to is the example as it is sent: addressed, and with an id that names the play
// and the row.
func (r row) to(address, play string) string {
	return strings.Replace(r.xml, "<message", "<message to='"+address+"' id='"+play+r.place+"'", 1)
}

// check holds what happened against a column.
func (r row) check(t *testing.T, column, want string, happened bool, yes string) {
	t.Helper()
	if happened != (want == yes) {
		t.Errorf("%s: the table says %q of %s, and it is otherwise\n%s", r.kind, want, column, r.xml)
	}
}
