package rooms

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mirsal/internal/store"
)

// kept is how many messages there are under the den's name.
func (w *world) kept() int {
	w.T.Helper()
	n, err := w.past.Count(w.T.Context(), store.Query{Owner: den})
	if err != nil {
		w.T.Fatal(err)
	}
	return n
}

// noted tells whether the den's archive is to be forgotten at the next start.
func (w *world) noted() bool {
	w.T.Helper()
	items, err := w.rooms.notes.Scan(w.T.Context(), "", store.Range{})
	if err != nil {
		w.T.Fatal(err)
	}
	return len(items) > 0
}

// Who takes the name of a room next reads nothing of what was said there, however the
// server ended.
func TestWhatWasSaidInARoomThatDoesNotStayDoesNotOutliveAStart(t *testing.T) {
	for name, row := range map[string]struct {
		config []string
		before func(w *world)
		want   int
	}{
		"temporary":         {nil, func(w *world) {}, 0},
		"persistent":        {[]string{"persistentroom=1"}, func(w *world) {}, 1},
		"became temporary":  {[]string{"persistentroom=1"}, func(w *world) { w.send(owner(persistent("0"))) }, 0},
		"became persistent": {nil, func(w *world) { w.send(owner(persistent("1"))) }, 1},
		"destroyed":         {[]string{"persistentroom=1"}, func(w *world) { w.send(owner("<destroy/>")) }, 0},
		"destroyed, and stopped before the archive went": {[]string{"persistentroom=1"}, func(w *world) {
			w.past.broken = errors.New("stopped")
			w.send(owner("<destroy/>"))
		}, 0},
		"temporary, left, and stopped before the archive went": {nil, func(w *world) {
			w.past.broken = errors.New("stopped")
			w.send("<presence type='unavailable' to='" + den + "'/>")
		}, 0},
		"became persistent, and stopped before that was noted": {[]string{"persistentroom=1"}, func(w *world) {
			if err := w.rooms.notes.Put(context.Background(), "", den, nil); err != nil {
				w.T.Fatal(err)
			}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			kv := newLasting()
			runOn(t, kv, func(w *world) {
				w.first = w.open(row.config...)
				w.send(say("m1", "<body>between us</body>"))
				if w.kept() != 1 {
					t.Fatal("nothing is kept")
				}
				row.before(w)
				w.past.broken = errors.New("stopped") // as the last one's leaving is none
			})
			runOn(t, kv, func(w *world) {
				if got := w.kept(); got != row.want || w.noted() {
					t.Errorf("%d messages are kept, not %d; noted: %v", got, row.want, w.noted())
				}
			})
		})
	}
}

// Should the archive not go when its room does, it goes before anybody has the name.
func TestWhoTakesANameWhoseArchiveIsThereStillReadsNothing(t *testing.T) {
	run(t, func(w *world) {
		w.first = w.open()
		w.send(say("m1", "<body>between us</body>"))
		w.past.broken = errors.New("disk full")
		w.send("<presence type='unavailable' to='" + den + "'/>")
		m := w.Login("mallory@example.org/m")
		m.Send("<presence to='" + den + "/mallory'>" + enter + "</presence>")
		expect(t, "mallory", m.Got(), "type='error'")
		w.past.broken = nil
		w.again(m, den+"/mallory")
		if n := w.kept(); n > 0 {
			t.Errorf("%d messages are kept", n)
		}
	})
}

func TestNothingIsNotedOfARoomThatLeftNothing(t *testing.T) {
	run(t, func(w *world) {
		w.first = w.open()
		if w.noted() {
			t.Error("a room where nothing was said is noted")
		}
		w.send(say("m1", "<body>between us</body>"))
		if !w.noted() {
			t.Error("what was said in a temporary room is not noted")
		}
		w.send("<presence type='unavailable' to='" + den + "'/>")
		if w.noted() || w.kept() > 0 {
			t.Error("something is left")
		}
	})
}

// send sends something of alice's.
func (w *world) send(raw string) {
	w.first.Send(raw)
	if got := w.first.Got(); strings.Contains(got, "type='error'") {
		w.T.Error(got)
	}
}

func owner(content string) string {
	return "<iq type='set' id='o' to='" + den + "'><query xmlns='" + nsOwner + "'>" + content + "</query></iq>"
}

func persistent(value string) string {
	return "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
		"<field var='muc#roomconfig_persistentroom'><value>" + value + "</value></field></x>"
}
