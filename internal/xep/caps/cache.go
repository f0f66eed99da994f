package caps

import "container/list"

// How much is shared: hashes, and bytes of their features.
const (
	maxShared      = 10_000
	maxSharedBytes = 32 << 20
)

// cache holds verified features by their hash, those lately used. Its owner locks.
type cache struct {
	order *list.List // of *verified, the latest used in front
	at    map[string]*list.Element
	bytes int
}

type verified struct {
	ver  string
	info *info
}

func newCache() *cache {
	return &cache{order: list.New(), at: map[string]*list.Element{}}
}

func (c *cache) get(ver string) *info {
	e := c.at[ver]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*verified).info
}

func (c *cache) put(ver string, i *info) {
	if c.at[ver] != nil {
		return
	}
	c.at[ver] = c.order.PushFront(&verified{ver, i})
	c.bytes += i.size
	for c.order.Len() > maxShared || c.bytes > maxSharedBytes {
		last := c.order.Remove(c.order.Back()).(*verified)
		delete(c.at, last.ver)
		c.bytes -= last.info.size
	}
}
