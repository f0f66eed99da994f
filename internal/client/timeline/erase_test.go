package timeline

import (
	"errors"
	"testing"
	"time"

	"mirsal/internal/client/port"
)

func (d *desk) applyAll(all ...Incoming) {
	d.t.Helper()
	for _, in := range all {
		d.apply(in)
	}
}

func (d *desk) idOf(chat, text string) string {
	d.t.Helper()
	page, _, _, err := d.b.Page(chat, "", 200)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range page {
		if m.Text == text {
			return m.ID
		}
	}
	d.t.Fatalf("there is no %q", text)
	return ""
}

func TestWhatIsDeletedHereDoesNotComeBackByAnyWay(t *testing.T) {
	d := newDesk(t)
	d.keep(d.b.Online(own, false))
	first, second := from(bob, "1", "one"), from(bob, "2", "two")
	d.applyAll(first, second, mine(bob, "3", "three"))
	d.keep(d.b.Erase(bob, []string{d.idOf(bob, "two"), d.idOf(bob, "three")}))
	d.want(bob, "bob: one")
	for _, source := range []Source{Live, Carbon, Offline, Archive} {
		second.Source = source
		d.apply(second)
	}
	d.want(bob, "bob: one")
	if known, err := d.b.Known(own, "s-2"); err != nil || !known {
		t.Error("it would be fetched again")
	}
	d.apply(from(bob, "4", "four"))
	d.want(bob, "bob: one", "bob: four")
	var f *port.Failure
	if _, err := d.b.Erase(bob, []string{d.idOf(bob, "one"), "m-none"}); !errors.As(err, &f) {
		t.Error(err)
	}
	d.want(bob, "bob: one", "bob: four")
}

func TestWhatIsDeletedBeforeItIsSentIsNotSent(t *testing.T) {
	d := newDesk(t)
	o := d.compose(Draft{Chat: bob, Text: "oops"})
	d.keep(d.b.Erase(bob, []string{o.Message}))
	if out, err := d.b.Outbox(); err != nil || len(out) > 0 {
		t.Errorf("it is sent: %+v", out)
	}
	d.want(bob)
}

func TestAClearedChatStaysEmptyButForWhatIsNew(t *testing.T) {
	for _, remove := range []bool{false, true} {
		d := newDesk(t)
		d.keep(d.b.Online(own, false))
		d.applyAll(from(bob, "5", "five"), from(bob, "6", "six"))
		d.keep(d.b.Clear(bob, remove))
		d.want(bob)
		if _, listed := d.b.Chat(bob); listed == remove {
			t.Errorf("remove %v: on the list: %v", remove, listed)
		}
		old := from(bob, "1", "one")
		old.Source = Archive
		c := d.b.list[bob]
		s := d.b.begin(d.now)
		if err := s.apply(&old, order{Pos: c.Cleared.Pos - 3}, true); err != nil {
			t.Fatal(err)
		}
		d.keep(s.finish())
		d.want(bob)
		late := from(bob, "7", "seven")
		late.StanzaID = ""
		d.applyAll(late, from(bob, "8", "eight"))
		d.want(bob, "bob: seven", "bob: eight")
		if c := lastChat(t, d, bob); c.Unread != 2 {
			t.Errorf("remove %v: %d are unread", remove, c.Unread)
		}
		if _, _, fetch, err := d.b.Page(bob, "", 50); err != nil || fetch != nil {
			t.Errorf("remove %v: what is older would be fetched: %+v %v", remove, fetch, err)
		}
		d.restart()
		d.want(bob, "bob: seven", "bob: eight")
	}
}

func TestStarredLinesAreListedNewestFirstUntilTheyAreGone(t *testing.T) {
	d := newDesk(t)
	d.keep(d.b.Online(own, false))
	for i, text := range []string{"one", "two", "three"} {
		in := from(bob, text, text)
		in.Time = d.now.Add(time.Duration(i) * time.Minute)
		d.apply(in)
	}
	d.keep(d.b.Star(d.idOf(bob, "one"), true))
	d.keep(d.b.Star(d.idOf(bob, "three"), true))
	d.restart()
	list := func() (out string) {
		found, err := d.b.Starred("", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			out += m.Text + " "
			if !m.Starred {
				t.Error("a line without a star")
			}
		}
		return out
	}
	if got := list(); got != "three one " {
		t.Error(got)
	}
	d.keep(d.b.Star(d.idOf(bob, "three"), false))
	d.keep(d.b.Erase(bob, []string{d.idOf(bob, "one")}))
	if got := list(); got != "" {
		t.Error(got)
	}
}
