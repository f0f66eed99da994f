package rooms

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// stuck is a store whose log can be full.
type stuck struct {
	lastingStore
	full *atomic.Bool
}

func (s stuck) Append(g *store.Group) error {
	if s.full.Load() {
		return errors.New("disk full")
	}
	return s.Store.Append(g)
}

// runDurable is run with the archive of a server.
func runDurable(t *testing.T, f func(w *world, disk *atomic.Bool)) {
	t.Helper()
	w, kv := &world{}, stuck{newLasting(), &atomic.Bool{}}
	var a *archive.Archive
	late := &lateArchive{}
	setup := func(cw *coretest.World) {
		var err error
		if a, err = archive.New(t.Context(), kv, kv, archive.Config{}); err != nil {
			t.Fatal(err)
		}
		late.Archive = a
		a.Register(cw.Host, cw.Router)
		w.World = cw
		w.rooms = New(cw.Router, cw.Host.Site(jid.MustParse(host)), kv, a, Settings{MaxOccupants: 10_000, MaxRooms: 5, History: 20})
		w.rooms.Register(cw.Host)
	}
	coretest.RunOn(t, late, setup, func(*coretest.World) {
		f(w, kv.full)
		w.rooms.Close()
		a.Close()
		w.rooms.Wait()
	})
}

// lateArchive is made within the bubble.
type lateArchive struct{ *archive.Archive }

func TestNobodyIsShownWhatIsNotOnDisk(t *testing.T) {
	runDurable(t, func(w *world, full *atomic.Bool) {
		a := w.open()
		b, d := w.in("bob@example.org/b", den+"/bob"), w.in("dora@example.org/d", den+"/dora")
		b.Got()
		full.Store(true)
		a.Send("<message type='groupchat' id='1' to='" + den + "'><body>lost?</body></message>")
		d.Send("<presence to='" + den + "/dora'><show>away</show></presence>")
		silent(t, "bob", b.Got())
		c := w.Login("carol@example.org/c")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		silent(t, "carol", c.Got())
		full.Store(false)
		time.Sleep(10 * time.Second)
		expect(t, "bob", b.Got(), "lost?", "<show>away", "/carol'")
		expect(t, "carol", c.Got(), "<show>away", "/carol'", "lost?", "<subject/>")
	})
}

func TestWhatIsSentAgainIsSaidOnce(t *testing.T) {
	runDurable(t, func(w *world, _ *atomic.Bool) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		for range 2 {
			a.Send("<message type='groupchat' id='1' to='" + den + "'><body>once</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>")
		}
		a.Send("<message type='groupchat' id='2' to='" + den + "'><body>once</body></message>")
		if got := b.Got(); strings.Count(got, "<body>once") != 2 {
			t.Error(got)
		}
	})
}
