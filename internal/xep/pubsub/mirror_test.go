package pubsub

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xep/bookmarks"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

func mirrored(t *testing.T, f func(w *parts)) {
	t.Helper()
	mirroredOn(t, memory.New(), f)
}

func mirroredOn(t *testing.T, kv store.KV, f func(w *parts)) {
	t.Helper()
	worldOn(t, kv, func(w *parts) {
		w.pep.Mirror(Mirror{Node: bookmarks.Old, Of: bookmarks.Node, Show: bookmarks.Show, Take: bookmarks.Take})
		f(w)
	})
}

func conference(name string) string {
	return "<conference xmlns='urn:xmpp:bookmarks:1' name='" + name + "' autojoin='true'><extensions><e xmlns='urn:e'/></extensions></conference>"
}

func old(rooms ...string) string {
	b := "<storage xmlns='storage:bookmarks'>"
	for _, r := range rooms {
		b += "<conference jid='" + r + "' name='" + r + "' autojoin='true'/>"
	}
	return b + "</storage>"
}

const (
	oldNode = bookmarks.Old
	newNode = bookmarks.Node
)

func TestTheOldNodeShowsTheNewOne(t *testing.T) {
	mirrored(t, func(w *parts) {
		a := w.online("alice@example.org/a", oldNode)
		expect(t, "empty", ask(a, iq("get", "", get(oldNode, ""))), "<item-not-found ")
		a.Send(publish(newNode, "r@c", conference("R")))
		shown := "<item id='current'><storage xmlns='storage:bookmarks'><conference jid='r@c' name='R' autojoin='true'><e xmlns='urn:e'/></conference></storage></item>"
		got := a.Got()
		expect(t, "event", got, "<items node='storage:bookmarks'>"+shown)
		refuse(t, "event", got, "node='urn:xmpp:bookmarks:1'><item id='r@c'><conf")
		expect(t, "get", ask(a, iq("get", "", get(oldNode, ""))), shown)
		expect(t, "get one", ask(a, iq("get", "", get(oldNode, "<item id='current'/>"))), shown)
		// as a device hears that comes later
		b := w.online("alice@example.org/b", "")
		w.pep.Known(b.Session, []string{oldNode})
		expect(t, "last", b.Got(), shown)
		expect(t, "retract", ask(a, iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><retract node='"+newNode+"'><item id='r@c'/></retract></pubsub>")),
			"<item id='current'><storage xmlns='storage:bookmarks'></storage></item>")
	})
}

func refuse(t *testing.T, what, got string, bad ...string) {
	t.Helper()
	for _, b := range bad {
		if strings.Contains(got, b) {
			t.Errorf("%s: %s is in %s", what, b, got)
		}
	}
}

func TestPublishingToTheOldNodeChangesTheNewOne(t *testing.T) {
	mirrored(t, func(w *parts) {
		a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", "*")
		ask(a, publish(newNode, "keep@c", conference("keep@c")))
		ask(a, publish(newNode, "go@c", conference("go@c")))
		b.Got()
		// options that the mirror would not meet
		got := ask(a, publish(oldNode, "whatever", old("keep@c", "new@c"), "access_model", "open", "max_items", "7"))
		expect(t, "result", got, "type='result'", "<publish node='storage:bookmarks'><item id='current'/>")
		got = b.Got()
		expect(t, "events", got, "<retract id='go@c'/>", "<item id='new@c'><conference xmlns='urn:xmpp:bookmarks:1' name='new@c' autojoin='true'></conference></item>",
			"<items node='storage:bookmarks'><item id='current'><storage xmlns='storage:bookmarks'><conference jid='keep@c'")
		refuse(t, "events", got, "<item id='keep@c'>", "<retract id='keep@c'/>")
		if n := strings.Count(got, "<items node='storage:bookmarks'>"); n != 1 {
			t.Errorf("%d events of the old node", n)
		}
		got = ask(a, iq("get", "", get(newNode, "")))
		expect(t, "new node", got, "<item id='keep@c'>"+conference("keep@c"), "<item id='new@c'>")
		refuse(t, "new node", got, "go@c")
		// the same again
		b.Got()
		ask(a, publish(oldNode, "current", old("new@c", "keep@c")))
		if got := b.Got(); got != "" {
			t.Error("nothing changed:", got)
		}
	})
}

func TestEmptyingTheOldNodeEmptiesTheNewOne(t *testing.T) {
	for what, request := range map[string]string{
		"retract": "<pubsub xmlns='" + nsPubsub + "'><retract node='" + oldNode + "'><item id='current'/></retract></pubsub>",
		"purge":   owner("<purge node='" + oldNode + "'/>"),
		"delete":  owner("<delete node='" + oldNode + "'/>"),
	} {
		mirrored(t, func(w *parts) {
			a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", newNode)
			ask(a, publish(oldNode, "current", old("a@c", "b@c")))
			b.Got()
			expect(t, what, ask(a, iq("set", "", request)), "type='result'")
			expect(t, what, b.Got(), "<retract id='a@c'/>", "<retract id='b@c'/>")
			expect(t, what, ask(a, iq("get", "", get(newNode, ""))), "<items node='urn:xmpp:bookmarks:1'></items>")
			expect(t, what, ask(a, iq("get", "", get(oldNode, ""))), "<storage xmlns='storage:bookmarks'></storage>")
		})
	}
}

func TestTheOldNodeIsAsPrivateAsTheNewOne(t *testing.T) {
	mirrored(t, func(w *parts) {
		w.befriend(alice, bob)
		a, b := w.online("alice@example.org/a", ""), w.online("bob@example.org/b", "*")
		ask(a, publish(newNode, "r@c", conference("R")))
		config := owner("<configure node='%s'>" + submit(nsConfig, "access_model", "open", "persist_items", "0") + "</configure>")
		ask(a, iq("set", "", fmt.Sprintf(config, oldNode)))
		ask(a, publish(newNode, "s@c", conference("S")))
		refuse(t, "event", b.Got(), "R")
		expect(t, "get", ask(b, iq("get", "alice@example.org", get(oldNode, ""))), "<closed-node ")
		expect(t, "kept", ask(a, iq("get", "", get(oldNode, ""))), "jid='s@c'")
		// and what is published to it makes the new one private
		ask(a, iq("set", "", fmt.Sprintf(config, newNode)))
		ask(a, publish(oldNode, "current", old("t@c")))
		refuse(t, "event", b.Got(), "t@c")
		expect(t, "get", ask(b, iq("get", "alice@example.org", get(newNode, ""))), "<closed-node ")
		expect(t, "kept", ask(a, iq("get", "", get(newNode, ""))), "<item id='t@c'>")
	})
}

func TestWhatTheOldNodeRefusesChangesNothing(t *testing.T) {
	mirrored(t, func(w *parts) {
		a := w.online("alice@example.org/a", "")
		ask(a, publish(newNode, "r@c", conference("R"), "max_items", "2"))
		expect(t, "no list", ask(a, publish(oldNode, "current", "<x xmlns='urn:x'/>")), "<bad-request ")
		expect(t, "too many", ask(a, publish(oldNode, "current", old("r@c", "s@c", "t@c"))), "<resource-constraint ")
		expect(t, "as before", ask(a, iq("get", "", get(newNode, ""))), conference("R"))
		refuse(t, "as before", ask(a, iq("get", "", get(oldNode, ""))), "s@c")
	})
}

func TestAListIsTakenAsAWholeOrNotAtAll(t *testing.T) {
	kv := &failing{Store: memory.New()}
	mirroredOn(t, kv, func(w *parts) {
		a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", "*")
		ask(a, publish(oldNode, "current", old("a@c", "b@c")))
		b.Got()
		kv.fail = true
		expect(t, "failed", ask(a, publish(oldNode, "current", old("c@c"))), "type='error'")
		kv.fail = false
		if got := b.Got(); got != "" {
			t.Error("told of what is not kept:", got)
		}
		expect(t, "as before", ask(a, iq("get", "", get(oldNode, ""))), old("a@c", "b@c")[:60], "b@c")
	})
}

func TestDevicesAtOnceLoseNoItemOfTheNewForm(t *testing.T) {
	mirrored(t, func(w *parts) {
		a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", "")
		var run sync.WaitGroup
		for _, c := range []struct {
			room string
			send func(string)
		}{{"a", a.Send}, {"b", b.Send}} {
			run.Go(func() {
				for i := range 20 {
					c.send(publish(newNode, fmt.Sprintf("%s%d@c", c.room, i), conference("x")))
				}
			})
		}
		run.Wait()
		got := ask(a, iq("get", "", get(oldNode, "")))
		if n := strings.Count(got, "<conference "); n != 40 {
			t.Errorf("%d of 40 rooms", n)
		}
	})
}

// A program of the old form writes its whole list, which is as old as its last look.
func TestAListThatIsNotUpToDateUndoesNothing(t *testing.T) {
	mirrored(t, func(w *parts) {
		a, b := w.online("alice@example.org/a", ""), w.online("alice@example.org/b", "")
		for _, r := range []string{"stays@c", "goes@c", "unloved@c"} {
			ask(a, publish(newNode, r, conference(r)))
		}
		ask(b, iq("get", "", get(oldNode, ""))) // b's view
		ask(a, publish(newNode, "added@c", conference("added@c")))
		ask(a, publish(newNode, "stays@c", conference("renamed")))
		ask(a, iq("set", "", "<pubsub xmlns='"+nsPubsub+"'><retract node='"+newNode+"'><item id='goes@c'/></retract></pubsub>"))
		for range 2 {
			ask(b, publish(oldNode, "current", old("stays@c", "goes@c", "new@c")))
			got := ask(a, iq("get", "", get(newNode, "")))
			expect(t, "list", got, "<item id='added@c'>", "<item id='stays@c'>"+conference("renamed"), "<item id='new@c'>")
			refuse(t, "list", got, "goes@c", "unloved@c")
		}
		// what b has seen since, it removes
		ask(b, iq("get", "", get(oldNode, "")))
		ask(b, publish(oldNode, "current", old("new@c")))
		refuse(t, "list", ask(a, iq("get", "", get(newNode, ""))), "added@c", "stays@c")
	})
}

func TestWhatASessionSawIsForgottenWithIt(t *testing.T) {
	mirrored(t, func(w *parts) {
		a := w.online("alice@example.org/a", oldNode)
		ask(a, publish(newNode, "r@c", conference("R")))
		if len(w.pep.views.by) != 1 {
			t.Error(len(w.pep.views.by), "views")
		}
		a.Session.Close(nil)
		a.Got()
		w.pep.views.set(a.Session, oldNode, &view{})
		if len(w.pep.views.by) != 0 {
			t.Error(len(w.pep.views.by), "views")
		}
	})
}

func TestTheServerItselfReadsAndWritesAMirror(t *testing.T) {
	mirrored(t, func(w *parts) {
		ctx, by := context.Background(), w.online("alice@example.org/a", "").Session
		if b, err := w.pep.ReadMirror(ctx, by, oldNode); err != nil || string(b) != old() {
			t.Errorf("%s %v", b, err)
		}
		e, _ := xtok.Parse([]byte(old("r@c")), xtok.Limits{})
		if err := w.pep.WriteMirror(ctx, by, oldNode, e); err != nil {
			t.Fatal(err)
		}
		if b, err := w.pep.ReadMirror(ctx, by, oldNode); err != nil || !strings.Contains(string(b), "jid='r@c'") {
			t.Errorf("%s %v", b, err)
		}
	})
}

func TestChangesAreToldOfUnderNoLock(t *testing.T) {
	mirrored(t, func(w *parts) {
		var told []string
		w.pep.OnChange = append(w.pep.OnChange, func(owner jid.JID, node string) {
			if err := w.pep.Change(context.Background(), owner, func(d *Draft) error { _ = d.Place(node); return nil }); err != nil {
				t.Error(err)
			}
			told = append(told, node)
		})
		a := w.online("alice@example.org/a", "")
		ask(a, publish(newNode, "r@c", conference("R")))
		ask(a, publish(oldNode, "current", "<x xmlns='urn:x'/>"))
		ask(a, iq("set", "", owner("<delete node='"+newNode+"'/>")))
		if got := strings.Join(told, " "); got != newNode+" "+oldNode+" "+newNode {
			t.Error(got)
		}
	})
}
