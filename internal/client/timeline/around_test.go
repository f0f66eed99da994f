package timeline

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

func texts(list []port.Message) (out []string) {
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

func TestAJumpIsOnePageAndIsReadOnInBothDirections(t *testing.T) {
	d := online(t, own)
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprint("line ", i))
		d.apply(from(bob, fmt.Sprint(i), all[i]))
		d.apply(from(eve, fmt.Sprint("e", i), "aside"))
	}
	found, err := d.b.Search("line 15", bob, 1)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	page, more, newer, err := d.b.Around(bob, found[0].ID, 7)
	if got := texts(page); err != nil || !more || !newer || !slices.Equal(got, all[12:19]) {
		t.Fatal(got, more, newer, err)
	}
	for newer {
		var list []port.Message
		if list, newer, _, err = d.b.PageAfter(bob, page[len(page)-1].ID, 10); err != nil {
			t.Fatal(err)
		}
		page = append(page, list...)
	}
	older, _, _, err := d.b.Page(bob, page[0].ID, 200)
	if got := append(texts(older), texts(page)...); err != nil || !slices.Equal(got, all) {
		t.Error(got, err)
	}
}

func TestAJumpToWhatIsNotThereSaysSo(t *testing.T) {
	d := online(t, own)
	d.apply(from(bob, "1", "hello"))
	d.apply(from(eve, "2", "hello"))
	page, _, _, _ := d.b.Page(eve, "", 1)
	for chat, id := range map[string]string{bob: page[0].ID, eve: "nothing", "kim@example.org": page[0].ID} {
		var f *port.Failure
		if _, _, _, err := d.b.Around(chat, id, 5); !errors.As(err, &f) {
			t.Errorf("around %s in %s: %v", id, chat, err)
		}
		if _, _, _, err := d.b.PageAfter(chat, id, 5); !errors.As(err, &f) {
			t.Errorf("after %s in %s: %v", id, chat, err)
		}
	}
}

func TestAPageAroundAMessageEndsWhereSomethingIsMissing(t *testing.T) {
	at := func(list ...uint64) (rows []*record) {
		for _, p := range list {
			rows = append(rows, &record{at: order{Pos: p}})
		}
		return rows
	}
	rows, behind, newer := cutAt(50, 60, at(40, 49, 50, 60), at(61), false)
	if len(rows) != 2 || len(behind) != 1 || newer {
		t.Error(len(rows), len(behind), newer)
	}
	rows, behind, newer = cutAt(50, 40, at(30, 40), at(45, 50, 61), false)
	if len(rows) != 2 || len(behind) != 1 || !newer {
		t.Error(len(rows), len(behind), newer)
	}
}

// jumps checks, for some messages of a chat, that what is around and behind it is what a person
// sees by scrolling.
func (p *play) jumps(chat string) {
	var all []string
	for before, more := "", true; more; {
		var page []port.Message
		var err error
		if page, more, _, err = p.b.Page(chat, before, 200); err != nil {
			p.t.Fatal(err)
		}
		all = append(ids(page), all...)
		if len(page) == 0 {
			break
		}
		before = page[0].ID
	}
	for i := 0; i < len(all); i += 1 + len(all)/4 {
		id := all[i]
		page, more, newer, err := p.b.Around(chat, id, 5)
		got := ids(page)
		from := slices.Index(got, id)
		if err != nil || from < 0 || i < from || !slices.Equal(got, all[i-from:i-from+len(got)]) || more != (i > from) || newer != (i-from+len(got) < len(all)) {
			p.t.Fatalf("around %d of %d: %d, %v %v %v", i, len(all), len(got), more, newer, err)
		}
		behind, newer, fetch, err := p.b.PageAfter(chat, id, 3)
		if err != nil || fetch != nil || !slices.Equal(ids(behind), all[i+1:min(i+4, len(all))]) || newer != (i+4 < len(all)) {
			p.t.Fatalf("after %d of %d: %d, %v %v", i, len(all), len(behind), newer, err)
		}
	}
}

func ids(list []port.Message) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

func TestTheFirstMessageOfATimeIsFound(t *testing.T) {
	d := online(t, own)
	page, _, _, err := d.b.Page(bob, "", 1)
	if _, _, none := d.b.AtTime(bob, time.Now(), 5); none == nil || len(page) > 0 || err == nil {
		t.Error("a chat that is not there")
	}
	var times []time.Time
	for i := range 30 {
		in := from(bob, fmt.Sprint(i), fmt.Sprint("line ", i))
		in.Time = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Hour)
		times = append(times, in.Time)
		d.apply(in)
	}
	for i, at := range times {
		for ahead, want := range map[time.Duration]int{0: i, -time.Minute: i, time.Minute: min(i+1, 29)} {
			f, _, err := d.b.AtTime(bob, at.Add(ahead), 5)
			at := slices.IndexFunc(f.Messages, func(m port.Message) bool { return m.ID == f.ID })
			if err != nil || at < 0 || f.Messages[at].Text != fmt.Sprint("line ", want) {
				t.Fatalf("%d, %v: %+v, %v", i, ahead, texts(f.Messages), err)
			}
		}
	}
}
