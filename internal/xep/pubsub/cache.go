package pubsub

import (
	"container/list"
	"sync"

	"mirsal/internal/xmpp/jid"
)

// cacheBytes is about how much memory cached accounts may take.
const cacheBytes = 32 << 20

// cache holds the accounts lately used. What it holds belongs to who holds the
// account's lock.
type cache struct {
	mu    sync.Mutex // held for single operations
	most  int
	used  int
	order *list.List // of *cached, the latest used in front
	at    map[jid.JID]*list.Element
}

type cached struct {
	owner jid.JID
	acct  *account
	size  int // as it was counted into used
}

func newCache(most int) *cache {
	return &cache{most: most, order: list.New(), at: map[jid.JID]*list.Element{}}
}

func (c *cache) get(owner jid.JID) *account {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[owner]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).acct
}

// put holds an account, or counts it anew, and lets go of those longest unused.
func (c *cache) put(owner jid.JID, a *account) {
	size := a.memory()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[owner])
	c.at[owner] = c.order.PushFront(&cached{owner, a, size})
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
