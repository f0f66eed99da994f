package pubsub

import (
	"mirsal/internal/lru"
	"mirsal/internal/xmpp/jid"
)

// cacheBytes is about how much memory cached accounts may take.
const cacheBytes = 32 << 20

// cache holds the accounts lately used, and always the service's nodes, which are
// of everybody's requests. What it holds belongs to who holds the owner's lock.
type cache struct {
	accounts *lru.Cache[jid.JID, *account]
	always   jid.JID // the service; set before start
	service  *account
}

func newCache(most int) *cache { return &cache{accounts: lru.New[jid.JID, *account](most)} }

// get is nil for an account that is not held.
func (c *cache) get(owner jid.JID) *account {
	if owner == c.always {
		return c.service
	}
	a, _ := c.accounts.Get(owner)
	return a
}

// put holds an account, or counts it anew.
func (c *cache) put(owner jid.JID, a *account) {
	if owner == c.always {
		c.service = a
		return
	}
	c.accounts.Put(owner, a, a.memory())
}

func (c *cache) drop(owner jid.JID) {
	if owner == c.always {
		c.service = nil
		return
	}
	c.accounts.Drop(owner)
}
