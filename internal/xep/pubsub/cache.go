package pubsub

import (
	"mirsal/internal/lru"
	"mirsal/internal/xmpp/jid"
)

// cacheBytes is about how much memory cached accounts may take.
const cacheBytes = 32 << 20

// cache holds the accounts lately used. What it holds belongs to who holds the
// account's lock.
type cache struct {
	accounts *lru.Cache[jid.JID, *account]
}

func newCache(most int) *cache { return &cache{lru.New[jid.JID, *account](most)} }

// get is nil for an account that is not held.
func (c *cache) get(owner jid.JID) *account {
	a, _ := c.accounts.Get(owner)
	return a
}

// put holds an account, or counts it anew.
func (c *cache) put(owner jid.JID, a *account) { c.accounts.Put(owner, a, a.memory()) }

func (c *cache) drop(owner jid.JID) { c.accounts.Drop(owner) }
