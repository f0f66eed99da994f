package offline

import (
	"testing"
	"testing/synctest"
)

// A message to one device by its full address is acknowledged to its sender;
// that another device went on must not make it vanish.
func TestWhatADeviceThatIsGoneWasOwedGoesToTheNextOne(t *testing.T) {
	run(t, func(w *world) {
		a, b := w.Bind("bob@example.org/a"), w.Bind("bob@example.org/b")
		a.Send(here)
		b.Send(here)
		synctest.Wait()
		a.Session.EnableSM(false, func([16]byte) []byte { return nil })
		w.sayTo("bob@example.org/a", "owed")
		w.sayTo("bob@example.org/b", "given")
		want(t, a, "owed")
		want(t, b, "given")
		a.Session.Close(nil) // never acknowledged
		b.Session.Close(nil)
		synctest.Wait()
		c := w.Bind("bob@example.org/c")
		c.Send(here)
		want(t, c, "owed")
		w.say("new")
		want(t, c, "new")
		c.Session.Close(nil)
		d := w.Bind("bob@example.org/d")
		d.Send(here)
		want(t, d, "")
	})
}

func TestWhatIsOwedIsOwedUntilItIsAcknowledged(t *testing.T) {
	run(t, func(w *world) {
		for i, name := range []string{"a", "b", "c"} {
			c := w.Bind("bob@example.org/" + name)
			if i < 2 {
				c.Session.EnableSM(false, func([16]byte) []byte { return nil })
			}
			c.Send(here)
			synctest.Wait()
			if i == 0 {
				w.sayTo("bob@example.org/a", "1")
				other := w.Bind("bob@example.org/x")
				other.Send(here)
				other.Got()
				synctest.Wait()
				w.sayTo("bob@example.org/x", "2")
				other.Got()
				other.Session.Close(nil)
			}
			want(t, c, "1")
			c.Session.Close(nil)
			synctest.Wait()
		}
		last := w.Bind("bob@example.org/z")
		last.Send(here)
		want(t, last, "")
	})
}
