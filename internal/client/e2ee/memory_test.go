package e2ee

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// stranger is the n-th of a crowd, with a key that nobody else has.
func (w *world) stranger(n int) *puppet {
	w.t.Helper()
	raw := slices.Clone(stock()[0])
	key := make([]byte, 32)
	if _, err := io.ReadFull(w.rand, key); err != nil {
		w.t.Fatal(err)
	}
	priv, err := ecdh.X25519().NewPrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	// The identity stands behind a shape and a number: private, then public.
	copy(raw[5:], append(key, priv.PublicKey().Bytes()...))
	d := &omemo.Device{}
	if err := d.UnmarshalBinary(raw); err != nil {
		w.t.Fatal(err)
	}
	d.ID = uint32(n + 1)
	return &puppet{w: w, who: jid.MustParse(fmt.Sprintf("stranger%d@example.com", n)), device: d}
}

// crowd has strangers write for the first time, so many a minute; count is told of what each made us ask.
func (w *world) crowd(b *client, strangers, aMinute int, count func(Request)) {
	w.t.Helper()
	w.lie = func(_ jid.JID, r Request) string {
		count(r)
		return ""
	}
	offered := b.own()
	for n := range strangers {
		if n%100 == 0 {
			offered = b.own() // as somebody reads it now
		}
		one := offered
		one.PreKeys = offered.PreKeys[n%100 : n%100+1]
		p := w.stranger(n)
		out, err := b.get(p.who, p.writes("hello", one))
		if err != nil || out.Text != "hello" {
			w.t.Fatalf("stranger %d: %q, %v", n, out.Text, err)
		}
		b.notes = nil
		w.now = w.now.Add(time.Minute / time.Duration(aMinute))
		if due := b.Due(); !due.IsZero() && !w.now.Before(due) {
			b.asked = 0
			b.do(b.Tick())
		}
	}
}

// MIRSAL_STRANGERS says how many; 10,000 take half a minute.
func TestACrowdOfStrangersLeavesMemoryBoundedAndHasUsPublishSeldom(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	strangers, puts := 700, 0
	b.most = 300
	if n, err := strconv.Atoi(os.Getenv("MIRSAL_STRANGERS")); err == nil {
		strangers, b.most = n, maxAccounts
	}
	begin := w.now
	w.crowd(b, strangers, 600, func(r Request) {
		if r.what.kind == putBundle {
			puts++
		}
	})
	if minutes := int(w.now.Sub(begin)/time.Minute) + 1; puts > minutes+1 || puts == 0 {
		t.Errorf("published %d times in %d minutes", puts, minutes)
	}
	for name, n := range map[string][2]int{
		"accounts": {len(b.accounts), b.most}, "sessions": {len(b.sessions), maxLoaded}, "owners": {len(b.owners), maxNames},
		"chats": {len(b.chats), maxNames}, "read": {len(b.read), maxRead}, "poked": {len(b.poked), 2 * maxAsked},
		"lost": {len(b.lost), maxAsked}, "asked": {len(b.Book.asked), 0}, "owed": {len(b.owed), 0}, "spent": {len(b.Book.state.Spent), 200},
	} {
		if n[0] > n[1]+1 { // one more than is put out before it comes
			t.Errorf("%d %s are in memory", n[0], name)
		}
	}
}

func TestWhoWasPutOutOfMemoryIsKnownStill(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	says(t, b, "two", a)
	_, s, err := b.Verify(fmt.Sprintf("xmpp:%s?omemo-sid-%d=%s", alice, a.ID(), a.Fingerprint()))
	if err != nil {
		t.Fatal(err)
	}
	b.do(s)
	b.out(t)
	if !b.Encrypted(alice) || b.owner(a.Fingerprint()) != alice || !b.Compared(alice) {
		t.Error("what was known is not")
	}
	if n := len(b.Decisions()); n != 1 {
		t.Errorf("%d decisions", n)
	}
	b.out(t)
	// Another's account with that key is told from the one it was met with.
	p := w.puppet(carol, 301)
	p.device = a.device
	b.out(t)
	if _, s, err := b.Decrypt(Incoming{From: carol, Element: p.writes("me", b.own())}); err != nil {
		t.Fatal(err)
	} else if b.do(s); b.account(carol).trust(a.Fingerprint()) != Undecided {
		t.Error("another account's key was taken")
	}
	b.out(t)
	says(t, b, "three", a)
	says(t, a, "four", b)
}

// out puts everything out of memory.
func (c *client) out(t *testing.T) {
	t.Helper()
	for _, a := range c.accounts {
		if c.dirty[a] {
			t.Fatal("not stored")
		}
	}
	own := c.account(c.who)
	clear(c.accounts)
	c.accounts[c.who] = own
	clear(c.owners)
	clear(c.chats)
	clear(c.Book.read)
	clear(c.sessions)
	clear(c.turns)
}

func TestWhatIsNotStoredYetStaysInMemory(t *testing.T) {
	w := newWorld(t)
	b := w.client(bob)
	waiting := &keep.Batch{}
	for n := range maxAccounts + 10 {
		who := jid.MustParse(fmt.Sprintf("s%d@example.com", n))
		b.touch(b.account(who))
		b.account(who).setTrust(fmt.Sprintf("%064x", n), Refused)
	}
	waiting.Add(b.flush())
	waiting.Add(b.flush())
	if len(b.accounts) < maxAccounts+10 {
		t.Fatal("what is not stored was forgotten")
	}
	for n := range maxNames + 10 {
		b.claim(carol, fmt.Sprintf("%064x", n))
		b.began(jid.MustParse(fmt.Sprintf("s%d@example.com", n)))
	}
	b.apply(waiting)
	b.apply(b.flush())
	if len(b.owners) < maxNames || len(b.chats) < maxNames {
		t.Fatal("names that are not stored were forgotten")
	}
	b.apply(b.flush())
	if len(b.accounts) > maxAccounts || len(b.owners) > maxNames || len(b.chats) > maxNames {
		t.Errorf("%d accounts, %d owners, %d chats are in memory", len(b.accounts), len(b.owners), len(b.chats))
	}
	if !b.Encrypted(jid.MustParse("s7@example.com")) || b.owner(fmt.Sprintf("%064x", 7)) != carol {
		t.Error("a name is gone")
	}
	if a := b.known(jid.MustParse("s1@example.com")); a == nil || a.trust(fmt.Sprintf("%064x", 1)) != Refused {
		t.Error("a decision is gone")
	}
}

// deaf is a store that stops reading.
type deaf struct {
	keep.Store
	off bool
}

var errDeaf = errors.New("deaf")

func (d *deaf) Get(t keep.Table, key string) ([]byte, error) {
	if d.off && t == accountTable {
		return nil, errDeaf
	}
	return d.Store.Get(t, key)
}

func TestWhatCannotBeReadIsNotWrittenOver(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	says(t, b, "two", a)
	b.out(t)
	store := &deaf{Store: b.disk, off: true}
	b.store = store
	e, _, err := a.write("three", bob)
	if err != nil {
		t.Fatal(err)
	}
	first := w.puppet(carol, 7).writes("first", b.own())
	for who, e := range map[jid.JID]xtok.Elem{carol: first, alice: e} {
		b.failed = nil
		out, s, err := b.Decrypt(Incoming{From: who, Element: e})
		if !errors.Is(err, errDeaf) || out.Text != "" || s.Batch.Len() > 0 || len(s.Send)+len(s.Ask) > 0 {
			t.Errorf("%s: %+v, %+v, %v", who, out, s, err)
		}
	}
	if _, batch, err := b.Encrypt(Outgoing{To: []jid.JID{alice}, Text: "x"}); !errors.Is(err, errDeaf) || batch.Len() > 0 {
		t.Errorf("encrypted with %v", err)
	}
	b = b.reopened()
	mustRead(t, b, alice, "three", func() (Opened, error) { return b.get(alice, e) })
	mustRead(t, b, carol, "first", func() (Opened, error) { return b.get(carol, first) })
}

func TestAStoreOfAnOlderProgramIsIndexed(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(alice), w.client(bob)
	says(t, a, "one", b)
	b.do(b.CatchUp(true))
	says(t, b, "two", a)
	p := w.puppet(carol, 7)
	mustRead(t, b, carol, "owed", func() (Opened, error) { return b.get(carol, p.writes("owed", b.own())) })
	old := &keep.Batch{}
	for _, table := range []keep.Table{ownerTable, owedTable} {
		_ = b.disk.Scan(table, keep.Range{}, func(key string, _ []byte) bool {
			old.Delete(table, key)
			return true
		})
	}
	b.Book.state.Indexed = false
	old.Put(ownTable, "state", encode(b.Book.state))
	b.apply(old)
	b.notes = nil
	b = b.reopened()
	if b.owner(a.Fingerprint()) != alice || b.owner(p.key()) != carol {
		t.Error("whose the keys are is not known")
	}
	b.do(b.CatchUp(false))
	if len(b.notes) == 0 {
		t.Error("what was owed is not paid")
	}
}
