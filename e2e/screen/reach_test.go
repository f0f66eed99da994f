package screen

import (
	"testing"
	"time"
)

func TestWhoIsSpokenToInAGroupSeesItAndIsLedThere(t *testing.T) {
	newHouse(t, "alice", "bob").tell("mentions", nil)
}

func TestADayOfTheLastMonthsIsReachedByACalendar(t *testing.T) {
	h := newHouse(t, "alice", "bob")
	p := &past{house: h, many: 400, each: 12 * time.Hour}
	h.answers = map[string]func(string) (string, error){
		"past":   func(string) (string, error) { return p.begin() },
		"accept": func(string) (string, error) { return "", p.accept() },
	}
	h.tell("dates", map[string]any{"many": p.many})
}
