package people

import (
	"container/list"
	"hash/maphash"
	"sync"

	"mirsal/internal/xmpp/jid"
)

// cacheBytes is about how much memory cached rosters may take.
const cacheBytes = 64 << 20

// stripes are locks by account. Two accounts may share one.
type stripes struct {
	seed maphash.Seed
	mu   [256]sync.Mutex
}

func (s *stripes) of(bare jid.JID) *sync.Mutex {
	return &s.mu[maphash.String(s.seed, bare.String())%uint64(len(s.mu))]
}

// cache holds rosters lately used. A roster over the whole budget stays alone.
type cache struct {
	// loading is held while a roster is read and put here, so that what was read
	// before a change never replaces what was written after it.
	loading stripes

	mu    sync.Mutex // guards all below, held for single operations
	most  int
	used  int
	order *list.List // of *cached, the latest used in front
	at    map[jid.JID]*list.Element
}

type cached struct {
	owner  jid.JID
	roster *roster
	size   int // as it was counted into used
}

func newCache(most int) *cache {
	return &cache{loading: stripes{seed: maphash.MakeSeed()}, most: most, order: list.New(), at: map[jid.JID]*list.Element{}}
}

func (c *cache) get(owner jid.JID) *roster {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[owner]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).roster
}

// put holds a roster, in place of another of the same owner, and lets go of
// those longest unused.
func (c *cache) put(owner jid.JID, r *roster) {
	size := r.bytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[owner])
	c.at[owner] = c.order.PushFront(&cached{owner, r, size})
	c.used += size
	for c.used > c.most && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

func (c *cache) drop(owner jid.JID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[owner])
}

func (c *cache) remove(e *list.Element) {
	if e == nil {
		return
	}
	held := c.order.Remove(e).(*cached)
	c.used -= held.size
	delete(c.at, held.owner)
}
