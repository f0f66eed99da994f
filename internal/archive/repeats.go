package archive

import (
	"hash/maphash"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// repeats remembers the messages of recent minutes, so that one that a client
// sends again after a lost connection is not kept and shown twice. Two messages
// are one when the account that sent them, to and origin-id are the same; or, without
// an origin-id, sender, to, id and content. Clients reuse ids, hence the content.
//
// What is said in a room is to that room, by whatever nick; what is written to one
// person in it is to the room and that person's account, on whichever device he has
// it. After a restart the first is recognised as long as the room's archive says
// whose it is, the second only in its sender's archive: the other side may get it
// twice, which is the lesser evil.
// XEP-0198#resumption
type repeats struct {
	seeds [2]maphash.Seed
	life  time.Duration
	most  int

	// The rest is guarded by Archive.mu. A key is 128 bits of keyed hashes: nobody
	// can aim at another's message, and chance does not hit one.
	seen map[repeatKey]struct{}
	ring []repeatAt // FIFO by time
	head int
	n    int
}

type repeatKey [2]uint64

type repeatAt struct {
	key repeatKey
	at  int64 // Unix milliseconds
}

func newRepeats(life time.Duration, most int) *repeats {
	return &repeats{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		life:  life, most: most, seen: map[repeatKey]struct{}{},
	}
}

// said is what tells one message from another.
type said struct {
	by         jid.JID // who sent it, bare
	room       jid.JID // through which, bare, zero for none
	to         jid.JID // zero for all in the room
	id, origin string
	content    []byte
}

// keyOf is a transit's key; keyed is false for one that cannot be recognised.
func (r *repeats) keyOf(t *core.Transit) (key repeatKey, keyed bool) {
	if len(t.Owners) == 0 || t.Stanza == nil || t.Session == nil && t.By.IsZero() {
		return key, false
	}
	m := said{by: t.By, to: t.Head.To, id: t.Head.ID, origin: originID(t.Elem), content: t.Stanza.Content()}
	switch {
	case t.Session == nil: // handed on by a room
		m.room, m.to = t.Head.From.Bare(), t.Head.To.Bare()
	case m.to.IsZero():
		m.by, m.room = t.Session.JID.Bare(), t.Head.From.Bare()
	default:
		m.by = t.Session.JID.Bare()
	}
	return r.key(&m)
}

// keyOfRecord is the key of an archived message.
func (r *repeats) keyOfRecord(rec *store.Record) (key repeatKey, keyed bool) {
	s, e, err := stanza.Parse(rec.Body)
	if err != nil {
		return key, false
	}
	m := said{by: s.From.Bare(), to: s.To, id: s.ID, origin: originID(e), content: s.Content()}
	if m.to.IsZero() && len(rec.Entries) > 0 {
		// a room's archive knows who it was
		if m.by, err = jid.Parse(rec.Entries[0].Peer); err != nil {
			return key, false
		}
		m.room = s.From.Bare()
	}
	return r.key(&m)
}

func (r *repeats) key(m *said) (key repeatKey, keyed bool) {
	if m.origin == "" && m.id == "" {
		return key, false
	}
	for i := range key {
		key[i] = r.hash(r.seeds[i], m)
	}
	return key, true
}

func (r *repeats) hash(seed maphash.Seed, m *said) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, j := range [...]jid.JID{m.by, m.room, m.to} {
		h.WriteString(j.String())
		h.WriteByte(0) // is in no address and no id
	}
	if m.origin != "" {
		h.WriteByte('o')
		h.WriteString(m.origin)
		return h.Sum64()
	}
	h.WriteByte('i')
	h.WriteString(m.id)
	h.WriteByte(0)
	h.Write(m.content)
	return h.Sum64()
}

// originID is the message's <origin-id/>, "" when it has none.
// XEP-0359#origin-id
func originID(e xtok.Elem) string { return e.Child(nsSID, "origin-id").Attr("id") }

// again tells whether the key came before, and remembers it.
func (r *repeats) again(key repeatKey, now time.Time) bool {
	r.forget(now.Add(-r.life).UnixMilli())
	if _, ok := r.seen[key]; ok {
		return true
	}
	if r.n == r.most {
		r.drop()
	}
	r.seen[key] = struct{}{}
	r.push(repeatAt{key, now.UnixMilli()})
	return false
}

func (r *repeats) forget(before int64) {
	for r.n > 0 && r.ring[r.head].at < before {
		r.drop()
	}
}

func (r *repeats) drop() {
	delete(r.seen, r.ring[r.head].key)
	r.head = (r.head + 1) % len(r.ring)
	r.n--
}

func (r *repeats) push(e repeatAt) {
	if r.n == len(r.ring) {
		bigger := make([]repeatAt, min(max(64, 2*len(r.ring)), r.most))
		for i := range r.n {
			bigger[i] = r.ring[(r.head+i)%len(r.ring)]
		}
		r.ring, r.head = bigger, 0
	}
	r.ring[(r.head+r.n)%len(r.ring)] = e
	r.n++
}
