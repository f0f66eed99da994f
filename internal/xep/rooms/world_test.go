package rooms

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const host = "conference.example.org"

// world is a server's core with rooms, and a log of its own.
type world struct {
	*coretest.World
	rooms *Rooms
	past  *past
	comp  *core.Site // of a component, and what it was sent last
	heard string
	first *coretest.Client // alice, where a test has her act
}

// past is an archive that is durable at once.
type past struct {
	store.Log
	broken error // what Forget fails by
	mu     sync.Mutex
}

// Append satisfies core.Archive.
func (p *past) Append(t *core.Transit) {
	p.mu.Lock()
	if len(t.Owners) > 0 {
		t.Seq = p.Last() + 1
		var entries []store.Entry
		for _, o := range t.Owners {
			entries = append(entries, store.Entry{Owner: o.JID.String(), Peer: o.Peer.String(), Flags: o.Flags})
		}
		g := store.Group{First: t.Seq, Time: t.Time.UnixMilli(), Records: []store.Record{{Time: t.Time.UnixMilli(), Body: t.Stanza.Raw, Entries: entries}}}
		if err := p.Log.Append(&g); err != nil {
			panic(err)
		}
	}
	p.mu.Unlock()
	t.Release()
}

func (p *past) StanzaID(seq uint64) string { return "id" + strconv.FormatUint(seq, 10) }

func (p *past) ParseStanzaID(id string) (uint64, bool) {
	seq, err := strconv.ParseUint(strings.TrimPrefix(id, "id"), 10, 63)
	return seq, err == nil
}

func (p *past) Replace(ctx context.Context, seq uint64, by *stanza.Stanza) error {
	return p.Log.Replace(ctx, seq, by.Raw)
}

func (p *past) Forget(ctx context.Context, owner string) error {
	if p.broken != nil {
		return p.broken
	}
	return p.Log.Forget(ctx, owner)
}

// lastingStore is a store that several lives of a server may use, one after the other.
type lastingStore struct {
	store.Store
	spaces map[string]*store.Bucket
}

func (l lastingStore) Declare(s store.Space) *store.Bucket {
	if l.spaces[s.Name] == nil {
		l.spaces[s.Name] = l.Store.Declare(s)
	}
	return l.spaces[s.Name]
}

func newLasting() lastingStore { return lastingStore{memory.New(), map[string]*store.Bucket{}} }

// run runs f in a world with rooms at conference.example.org.
func run(t *testing.T, f func(w *world)) { t.Helper(); runOn(t, newLasting(), f) }

func runOn(t *testing.T, kv lastingStore, f func(w *world)) {
	t.Helper()
	w := &world{past: &past{Log: kv}}
	setup := func(cw *coretest.World) {
		w.World = cw
		w.rooms = New(cw.Router, cw.Host.Site(jid.MustParse(host)), kv, w.past, Settings{MaxOccupants: 10_000, MaxRooms: 5, History: 20})
		w.rooms.Register(cw.Host)
		w.comp = cw.Host.Site(jid.MustParse("comp.example.org"))
		w.comp.Any = func(t *core.Transit) error { w.heard = string(t.Stanza.Raw); return nil }
		if err := w.rooms.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	coretest.RunOn(t, w.past, setup, func(*coretest.World) {
		f(w)
		w.rooms.Close()
		w.rooms.Wait()
	})
}

const (
	den   = "den@" + host
	enter = "<x xmlns='http://jabber.org/protocol/muc'/>"
)

// in brings somebody into a room, and drops what he is sent for that.
func (w *world) in(full, address string) *coretest.Client {
	w.T.Helper()
	c := w.Login(full)
	w.again(c, address)
	return c
}

func (w *world) again(c *coretest.Client, address string) {
	w.T.Helper()
	c.Send("<presence to='" + address + "'>" + enter + "</presence>")
	if got := c.Got(); !strings.Contains(got, "<status code='110'/>") {
		w.T.Fatalf("not let in as %s: %s", address, got)
	}
}

// open makes the room "den" with a configuration, owned by alice, who is in it.
func (w *world) open(fields ...string) *coretest.Client {
	w.T.Helper()
	a := w.in("alice@example.org/a", den+"/alice")
	w.configure(a, fields...)
	return a
}

func (w *world) configure(a *coretest.Client, fields ...string) {
	w.T.Helper()
	x := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		x += "<field var='muc#roomconfig_" + name + "'><value>" + value + "</value></field>"
	}
	a.Send("<iq type='set' id='conf' to='" + den + "'><query xmlns='" + nsOwner + "'>" + x + "</x></query></iq>")
	expect(w.T, "alice", a.Got(), "id='conf' type='result'")
}

// admin is a request that changes one person.
func admin(id, item string) string {
	return "<iq type='set' id='" + id + "' to='" + den + "'><query xmlns='" + nsAdmin + "'>" + item + "</query></iq>"
}

// expect checks that a client was sent each of the parts, in this order.
func expect(t *testing.T, who string, got string, parts ...string) {
	t.Helper()
	rest := got
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("%s was not sent %q, in its place, in:\n%.3000s", who, part, got)
			return
		}
		rest = after
	}
}

func silent(t *testing.T, who, got string) {
	t.Helper()
	if got != "" {
		t.Errorf("%s was sent %s", who, got)
	}
}
