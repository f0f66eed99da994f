package archive

import (
	"hash/maphash"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// repeats remembers the messages of recent minutes, so that one that a client
// sends again after a lost connection is not kept and shown twice. Two messages
// are one when sender (bare), to and origin-id are the same; or, without an
// origin-id, sender, to, id and content. Clients reuse ids, hence the content.
// What a room says is to nobody, and its senders are full addresses.
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

// keyOf is a transit's key; keyed is false for one that cannot be recognised.
func (r *repeats) keyOf(t *core.Transit) (key repeatKey, keyed bool) {
	if len(t.Owners) == 0 || t.Session == nil || t.Stanza == nil {
		return key, false
	}
	return r.key(&t.Head, originID(t.Elem), t.Stanza.Content())
}

// keyOfRaw is the key of an archived stanza.
func (r *repeats) keyOfRaw(raw []byte) (key repeatKey, keyed bool) {
	s, e, err := stanza.Parse(raw)
	if err != nil {
		return key, false
	}
	return r.key(&s.Head, originID(e), s.Content())
}

func (r *repeats) key(h *stanza.Head, origin string, content []byte) (key repeatKey, keyed bool) {
	if origin == "" && h.ID == "" {
		return key, false
	}
	from := h.From.Bare()
	if h.To.IsZero() {
		from = h.From
	}
	for i := range key {
		key[i] = r.hash(r.seeds[i], from, h, origin, content)
	}
	return key, true
}

func (r *repeats) hash(seed maphash.Seed, from jid.JID, head *stanza.Head, origin string, content []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(from.String())
	h.WriteByte(0) // is in no address and no id
	h.WriteString(head.To.String())
	h.WriteByte(0)
	if origin != "" {
		h.WriteByte('o')
		h.WriteString(origin)
		return h.Sum64()
	}
	h.WriteByte('i')
	h.WriteString(head.ID)
	h.WriteByte(0)
	h.Write(content)
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
