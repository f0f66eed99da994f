package sqlite

import "sync"

// nameLimit bounds each side of the cache of names. Peers choose their names, so
// a full cache is emptied instead of growing.
const nameLimit = 1 << 17

// names caches the table name, which gives addresses numbers. Only committed
// rows get into it.
type names struct {
	mu  sync.RWMutex // guards both maps for single look-ups
	ids map[string]int64
	jid map[int64]string
}

func (n *names) add(jid string, id int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil || len(n.ids) >= nameLimit {
		n.ids, n.jid = make(map[string]int64), make(map[int64]string)
	}
	n.ids[jid], n.jid[id] = id, jid
}

func (n *names) cachedID(jid string) (int64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	id, ok := n.ids[jid]
	return id, ok
}

func (n *names) cachedJID(id int64) (string, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	jid, ok := n.jid[id]
	return jid, ok
}

// id looks a name up; 0 when nobody has it.
func (n *names) id(c *conn, jid string) (int64, error) {
	if id, ok := n.cachedID(jid); ok {
		return id, nil
	}
	id, err := storedID(c, jid)
	if err == nil && id != 0 {
		n.add(jid, id)
	}
	return id, err
}

// name returns the address of an id that a row names.
func (n *names) name(c *conn, id int64) (string, error) {
	if jid, ok := n.cachedJID(id); ok {
		return jid, nil
	}
	r, err := c.one(`SELECT jid FROM name WHERE id = ?`, id)
	if err != nil || r == nil {
		return "", err
	}
	jid := r.text(0)
	n.add(jid, id)
	return jid, nil
}

func storedID(c *conn, jid string) (int64, error) {
	r, err := c.one(`SELECT id FROM name WHERE jid = ?`, jid)
	if err != nil || r == nil {
		return 0, err
	}
	return r.int(0), nil
}

// interner numbers the names of one transaction. fresh holds those that are not
// in the cache yet, and is emptied when something of the transaction is undone.
type interner struct {
	cache *names
	fresh map[string]int64
}

// intern returns the number of a name, which it takes the first time.
func (in *interner) intern(c *conn, jid string) (int64, error) {
	if id, ok := in.cache.cachedID(jid); ok {
		return id, nil
	}
	if id, ok := in.fresh[jid]; ok {
		return id, nil
	}
	id, err := storedID(c, jid)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		r, err := c.one(`INSERT INTO name(jid) VALUES (?) RETURNING id`, jid)
		if err != nil {
			return 0, err
		}
		id = r.int(0)
	}
	if in.fresh == nil {
		in.fresh = make(map[string]int64)
	}
	in.fresh[jid] = id
	return id, nil
}

// committed moves the fresh names to the cache.
func (in *interner) committed() {
	for jid, id := range in.fresh {
		in.cache.add(jid, id)
	}
	in.undone()
}

func (in *interner) undone() { clear(in.fresh) }
