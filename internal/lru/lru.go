// Package lru is a cache with a budget: it keeps what was used last and lets
// go of what was not used for longest. It loads nothing by itself.
package lru

import (
	"container/list"
	"sync"
)

// Cache holds values by key. Its methods may be called from any goroutine; what
// it holds is the callers' to guard.
type Cache[K comparable, V any] struct {
	mu    sync.Mutex // held for single operations
	most  int
	used  int
	order *list.List // of *entry[K, V], the latest used in front
	at    map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
	size  int // as it was counted into used
}

// New returns an empty cache for values of most bytes in all.
func New[K comparable, V any](most int) *Cache[K, V] {
	return &Cache[K, V]{most: most, order: list.New(), at: map[K]*list.Element{}}
}

// Get returns a value and uses it; ok is false where there is none.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[key]
	if e == nil {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// Put holds a value of size bytes in place of another of the same key, or
// counts it anew, and lets go of others over the budget. A value over the whole
// budget stays alone.
func (c *Cache[K, V]) Put(key K, value V, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[key])
	c.at[key] = c.order.PushFront(&entry[K, V]{key, value, size})
	c.used += size
	for c.used > c.most && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

// Drop forgets a key.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.at[key])
}

// Len is the number of values.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}

func (c *Cache[K, V]) remove(e *list.Element) {
	if e == nil {
		return
	}
	held := c.order.Remove(e).(*entry[K, V])
	c.used -= held.size
	delete(c.at, held.key)
}
