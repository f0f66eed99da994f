package people

import (
	"hash/maphash"
	"sync"

	"mirsal/internal/lru"
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

// cache holds rosters lately used.
type cache struct {
	// loading is held while a roster is read and put here, so that what was read
	// before a change never replaces what was written after it.
	loading stripes
	rosters *lru.Cache[jid.JID, *roster]
}

func newCache(most int) *cache {
	return &cache{loading: stripes{seed: maphash.MakeSeed()}, rosters: lru.New[jid.JID, *roster](most)}
}

// get is nil for a roster that is not held.
func (c *cache) get(owner jid.JID) *roster {
	r, _ := c.rosters.Get(owner)
	return r
}

func (c *cache) put(owner jid.JID, r *roster) { c.rosters.Put(owner, r, r.bytes()) }

func (c *cache) drop(owner jid.JID) { c.rosters.Drop(owner) }
