package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// The limits of a roster.
const (
	maxItems    = 10_000
	maxBytes    = 4 << 20 // of all items, about; so that a result stays one stanza
	maxRequests = 1_000   // of strangers, unanswered
	maxText     = 1023    // bytes of a name or a group
	maxGroups   = 50      // of one item
)

// roster is one account's items in memory. The items are never changed, only
// replaced.
type roster struct {
	mu       sync.RWMutex // guards all below, held for single operations
	items    map[jid.JID]*Item
	size     int    // of the items, bytes
	listed   int    // items that clients see
	hidden   int    // items that they do not
	ver      string // what clients know the roster by
	revision uint64 // the store's version of the version: what a change builds on
}

func (r *roster) get(contact jid.JID) Item {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if i := r.items[contact]; i != nil {
		return *i
	}
	return Item{JID: contact}
}

func (r *roster) list(want func(*Item) bool) []Item {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]Item, 0, len(r.items))
	for _, i := range r.items {
		if want(i) {
			out = append(out, *i)
		}
	}
	return out
}

// who are the contacts in a state that want accepts.
func (r *roster) who(want func(State) bool) []jid.JID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []jid.JID
	for _, i := range r.items {
		if want(i.State) {
			out = append(out, i.JID)
		}
	}
	return out
}

func (r *roster) bytes() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return 256 + r.size
}

func (r *roster) version() (ver string, revision uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ver, r.revision
}

// set replaces an item; an empty one goes.
func (r *roster) set(now Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was := r.items[now.JID]; was != nil {
		r.count(was, -1)
		delete(r.items, now.JID)
	}
	if !now.empty() {
		r.items[now.JID] = &now
		r.count(&now, 1)
	}
}

// count is called under mu.
func (r *roster) count(i *Item, n int) {
	r.size += n * i.size()
	if i.Listed {
		r.listed += n
	} else {
		r.hidden += n
	}
}

func (r *roster) setVersion(ver string, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ver, r.revision = ver, revision
}

// room refuses a change that would make the roster too large.
func (r *roster) room(was, now *Item) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case now.size() > was.size() && r.size+now.size() > maxBytes:
		return stanza.Errorf(stanza.ResourceConstraint, "the roster may not take more than %d MiB", maxBytes>>20)
	case now.Listed && !was.Listed && r.listed >= maxItems:
		return stanza.Errorf(stanza.ResourceConstraint, "a roster has at most %d items", maxItems)
	case !now.Listed && was.empty() && r.hidden >= maxRequests:
		return stanza.Errorf(stanza.ResourceConstraint, "too many requests are unanswered")
	}
	return nil
}

// load returns an account's roster, from the cache or the store.
func (p *People) load(ctx context.Context, owner jid.JID) (*roster, error) {
	if r := p.cache.get(owner); r != nil {
		return r, nil
	}
	loading := p.cache.loading.of(owner)
	loading.Lock()
	defer loading.Unlock()
	if r := p.cache.get(owner); r != nil {
		return r, nil
	}
	r, err := p.read(ctx, owner)
	if err != nil {
		return nil, err
	}
	p.cache.put(owner, r)
	return r, nil
}

// read reads a roster from the store. The version is read first: a change that
// comes between makes the next write a conflict, not a loss.
func (p *People) read(ctx context.Context, owner jid.JID) (*roster, error) {
	r := &roster{items: map[jid.JID]*Item{}}
	v, err := p.state.Get(ctx, owner.String(), verKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("roster version: %w", err)
	}
	ver, _, written := strings.Cut(string(v.Value), " ")
	if !written {
		ver = unwritten
	}
	r.setVersion(ver, v.Version)
	kept, err := p.roster.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	for _, k := range kept {
		contact, err := jid.Parse(k.Key)
		if err != nil {
			return nil, fmt.Errorf("roster key %q: %w", k.Key, err)
		}
		i, err := decodeItem(contact, k.Value)
		if err != nil {
			return nil, err
		}
		r.set(*i)
	}
	return r, nil
}

// verKey is the one key of the version's space. The value is the version and,
// behind a blank, a word that every write changes.
const verKey = "ver"

// unwritten is the version of a roster that nobody has changed yet.
const unwritten = "0"

// change is an edit of one item that became durable.
type change struct {
	was, now Item
	ver      string
}

// visible tells whether clients see a difference.
func (c *change) visible() bool {
	if !c.was.Listed || !c.now.Listed {
		return c.was.Listed != c.now.Listed
	}
	return !bytes.Equal(c.was.append(nil), c.now.append(nil)) // a request that waits for an answer is not shown
}

// edit makes one change to owner's item of contact durable. f may add ops to the
// batch; it is called again when someone else was faster. The caller holds
// owner's lock.
func (p *People) edit(ctx context.Context, owner, contact jid.JID, f func(i *Item) ([]store.Op, error)) (change, error) {
	for range 5 {
		r, err := p.load(ctx, owner)
		if err != nil {
			return change{}, err
		}
		c := change{was: r.get(contact), now: r.get(contact)}
		ops, err := f(&c.now)
		if err != nil {
			return change{}, err
		}
		c.ver, _ = r.version()
		if c.was.equal(&c.now) && len(ops) == 0 {
			return c, nil
		}
		if err := r.room(&c.was, &c.now); err != nil {
			return change{}, err
		}
		err = p.commit(ctx, owner, r, &c, ops)
		if !errors.Is(err, store.ErrConflict) {
			return c, err
		}
	}
	return change{}, fmt.Errorf("roster of %s: too many changes at once", owner)
}

// commit writes a change and, when that is durable, puts it into r. On an error
// the cache forgets the roster: the store knows better.
func (p *People) commit(ctx context.Context, owner jid.JID, r *roster, c *change, ops []store.Op) error {
	_, revision := r.version()
	if c.visible() {
		c.ver = rand.Text()[:16]
	}
	mark := []byte(c.ver + " " + rand.Text())
	item, err := p.itemOp(&c.now)
	if err != nil {
		return err
	}
	ver := p.state.Set(verKey, mark)
	ver.If = &revision
	err = p.kv.Apply(ctx, owner.String(), append([]store.Op{ver, item}, ops...)...)
	if err != nil {
		p.cache.drop(owner)
		return err
	}
	v, err := p.state.Get(ctx, owner.String(), verKey)
	if err != nil || string(v.Value) != string(mark) {
		p.cache.drop(owner) // changed again, elsewhere: read it anew next time
		return nil
	}
	r.set(c.now)
	r.setVersion(c.ver, v.Version)
	loading := p.cache.loading.of(owner)
	loading.Lock()
	defer loading.Unlock()
	p.cache.put(owner, r)
	return nil
}

func (p *People) itemOp(i *Item) (store.Op, error) {
	if i.empty() {
		return p.roster.Unset(i.JID.String()), nil
	}
	value, err := i.encode()
	if err != nil {
		return store.Op{}, err
	}
	return p.roster.Set(i.JID.String(), value), nil
}
