package e2ee

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// state is all that a Book knows, as bytes; what is not kept is not in it.
func (c *client) state() map[string]string {
	c.w.t.Helper()
	out := map[string]string{"own": string(encode(c.Book.state))}
	raw, err := c.device.MarshalBinary()
	if err != nil {
		c.w.t.Fatal(err)
	}
	out["device"] = string(raw)
	for _, a := range c.everybody() {
		who := a.who
		if text := string(encode(a)); text != "{}" {
			out["account "+who.String()] = text
		}
		for id, d := range a.Devices {
			for p, numbers := range d.Sessions {
				for _, n := range numbers {
					k := sessionKey{who, id, p, n}
					s, err := c.session(k)
					if err != nil || s == nil {
						c.w.t.Fatalf("session %v: %v", k, err)
					}
					raw, _ := s.MarshalBinary()
					out["session "+k.String()] = string(raw)
				}
			}
		}
	}
	for _, chat := range c.encrypted() {
		out["chat "+chat] = ""
	}
	return out
}

// reopened is the same account opened from the same store.
func (c *client) reopened() *client {
	n := c.w.open(c.who, c.disk, len(c.profiles) > 1)
	n.alerts, n.notes, n.asked = c.alerts, c.notes, c.asked
	for i, old := range c.w.clients {
		if old == c {
			c.w.clients[i] = n
		}
	}
	return n
}

// wire is a message under way.
type wire struct {
	from, to jid.JID
	text     string
	e        xtok.Elem
}

func TestAfterEveryStepAReopenedBookIsTheSame(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomLife(t, seed) })
	}
}

// randomLife has four devices write, lose, double and reorder messages, restart, catch up and
// change their minds. Every message that is delivered is read exactly once.
func randomLife(t *testing.T, seed uint64) {
	w := newWorld(t)
	if seed == 2 {
		w.only = omemo.Two
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, who := range []jid.JID{alice, bob, bob, carol} {
		w.start(who, false)
	}
	var way []wire
	read := map[string]int{}
	for step := range 120 {
		i := r.IntN(len(w.clients))
		c := w.clients[i]
		switch r.IntN(9) {
		case 0, 1, 2:
			text := fmt.Sprintf("message %d", step)
			if e, _, err := c.writeIn(room, text, alice, bob, carol); err == nil {
				for j, to := range w.clients {
					if j != i {
						way = append(way, wire{c.who, to.who, fmt.Sprint(j, " ", text), e})
					}
				}
			} else if !errors.Is(err, ErrUndecided) {
				t.Fatal(err)
			}
		case 3, 4, 5, 6:
			if len(way) > 0 {
				k := r.IntN(len(way))
				deliver(t, w, way[k], read)
				if r.IntN(5) > 0 {
					way = append(way[:k:k], way[k+1:]...)
				}
			}
		case 7:
			c.takeNotes()
			w.now = w.now.Add(time.Duration(r.IntN(3)) * time.Hour)
		case 8:
			c.do(c.CatchUp(r.IntN(2) == 0))
		}
		n := c.reopened()
		if before, after := c.state(), n.state(); !maps.Equal(before, after) {
			t.Fatalf("step %d: the reopened book is another", step)
		}
		if r.IntN(4) > 0 { // most of the time the old one lives on
			w.clients[i] = c
		} else {
			n.do(n.Online())
			n.do(n.CatchUp(false))
		}
	}
	for _, m := range way {
		deliver(t, w, m, read)
	}
	for text, n := range read {
		if n != 1 {
			t.Errorf("%q was read %d times", text, n)
		}
	}
	if len(read) < 20 {
		t.Errorf("only %d messages were read", len(read))
	}
}

func deliver(t *testing.T, w *world, m wire, read map[string]int) {
	t.Helper()
	var j int
	fmt.Sscan(m.text, &j)
	c := w.clients[j]
	out, s, err := c.Decrypt(Incoming{From: m.from, Room: room, Element: m.e})
	c.do(s)
	switch {
	case err != nil:
		t.Errorf("%q to %s: %v", m.text, m.to, err)
	case !out.Duplicate:
		read[m.text]++
		if got := fmt.Sprint(j, " ", out.Text); got != m.text {
			t.Errorf("%q reads %q", m.text, got)
		}
	}
}

func TestACrashBeforeTheBatchForksNoRatchet(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	says(t, b, "two", a)
	// Encrypted, and the program ends before the batch is stored: nothing has left.
	if _, _, err := a.Encrypt(Outgoing{To: []jid.JID{bob}, Text: "never sent"}); err != nil {
		t.Fatal(err)
	}
	a = a.reopened()
	says(t, a, "sent instead", b)
	// Read, and the program ends before the batch is stored: it comes again, and is read.
	e, _, _ := a.write("again", bob)
	if out, _, err := b.Decrypt(Incoming{From: alice, Element: e}); err != nil || out.Text != "again" {
		t.Fatal(out, err)
	}
	b = b.reopened()
	mustRead(t, b, alice, "again", func() (Opened, error) { return b.get(alice, e) })
	says(t, b, "go on", a)
}

func TestNothingIsUsedTwiceToEncrypt(t *testing.T) {
	w := newWorld(t)
	a, _ := w.client(alice), w.client(bob)
	seen := map[string]bool{}
	for i := range 20 {
		e, _, err := a.write("the same text", bob)
		if err != nil {
			t.Fatal(err)
		}
		key := e.First().First().Text()
		if seen[key] {
			t.Fatal("a ratchet state was used twice")
		}
		seen[key] = true
		if i%3 == 0 {
			a = a.reopened()
			a.do(a.Online())
		}
	}
}

// failing is a store that breaks.
type failing struct {
	keep.Store
	broken bool
}

var errDisk = errors.New("disk")

func (f *failing) Get(t keep.Table, key string) ([]byte, error) {
	if f.broken {
		return nil, errDisk
	}
	return f.Store.Get(t, key)
}

func TestAStoreThatFailsMakesNoMessageAndNoLock(t *testing.T) {
	w := newWorld(t)
	disk := &failing{Store: keep.NewMemory()}
	a := w.open(alice, disk, false)
	w.clients = append(w.clients, a)
	a.do(a.Online())
	b := w.client(bob)
	says(t, a, "fine", b)
	a = a.reopened() // its sessions are on disk only
	disk.broken = true
	if _, batch, err := a.Encrypt(Outgoing{To: []jid.JID{bob}, Text: "x"}); !errors.Is(err, errDisk) || batch != nil {
		t.Errorf("%v", err)
	}
	if got := a.Lock([]jid.JID{bob}, jid.JID{}); got.State != port.Broken {
		t.Errorf("%+v", got)
	}
}
