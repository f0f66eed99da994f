// Package blocking lets people block addresses: Blocking Command, XEP-0191
// version 1.3. It holds the lists, refuses messages and requests both ways, and
// answers core.Host.Blocked, by which people and pubsub keep presence and events
// apart. Reports of abuse within an item (XEP-0377 version 0.4.1) it hands over, when the block is durable.
//
// To one who is blocked, the account looks like one that is offline where
// presence is concerned, and like one that is not there where he writes or asks.
//
// Invariants, each with a test: a block that was acknowledged is durable, and
// nothing that its address sends afterwards reaches the account's devices or its
// archive; nobody is blocked from his own account or from the server; asking
// whether somebody is blocked costs a look into memory.
//
// Locks. The stripe of an account is held from reading its list to pushing the
// change, which gives pushes their order; people's lock may be taken under it.
// mu is held for single look-ups.
package blocking

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// The limits of one account's list.
const (
	maxItems = 10_000
	maxBytes = 1 << 20 // of addresses
)

// Blocking is the feature.
type Blocking struct {
	// OnReport takes a report about an address that its owner, a bare JID, has just
	// blocked; report is valid during the call. It may block. Set before start; nil
	// where reports are not taken.
	OnReport func(ctx context.Context, owner, about jid.JID, report xtok.Elem)

	router *core.Router
	people *people.People
	kv     store.KV
	bucket *store.Bucket

	seed    maphash.Seed
	stripes [64]sync.Mutex

	mu    sync.RWMutex
	lists map[jid.JID]list // of those who have blocked somebody
}

// New makes the feature over its storage. Load is to be called before start.
func New(r *core.Router, kv store.KV, p *people.People) *Blocking {
	return &Blocking{
		router: r, people: p, kv: kv, seed: maphash.MakeSeed(), lists: map[jid.JID]list{},
		bucket: kv.Declare(store.Space{
			Name: "blocked", Fields: "blocked address -> nothing",
			Purpose: "keep out those whom an account has blocked (XEP-0191)", Export: true,
		}),
	}
}

// Register attaches the feature.
func (b *Blocking) Register(h *core.Host) {
	h.Screen = append(h.Screen, b.screen)
	h.Blocked = b.Blocks
	h.Bound = append(h.Bound, b.bound)
	h.IQ(core.Account, ns, "blocklist", b.get)
	h.IQ(core.Account, ns, "block", b.block)
	h.IQ(core.Account, ns, "unblock", b.unblock)
	h.AccountGone = append(h.AccountGone, func(bare jid.JID) { b.put(bare, nil) })
	// XEP-0191#disco
	h.Disco(core.Server, ns)
}

// Load reads all lists: from then on nobody waits for the disk to know whether
// an address is blocked.
func (b *Blocking) Load(ctx context.Context) error {
	owners, err := b.bucket.Owners(ctx)
	if err != nil {
		return fmt.Errorf("block lists: %w", err)
	}
	for _, owner := range owners {
		if err := b.load(ctx, owner); err != nil {
			return fmt.Errorf("block list of %s: %w", owner, err)
		}
	}
	return nil
}

func (b *Blocking) load(ctx context.Context, owner string) error {
	bare, err := jid.Parse(owner)
	if err != nil {
		return err
	}
	kept, err := b.bucket.Scan(ctx, owner, store.Range{})
	if err != nil {
		return err
	}
	l := make(list, len(kept))
	for _, k := range kept {
		j, err := jid.Parse(k.Key)
		if err != nil {
			return fmt.Errorf("key %q: %w", k.Key, err)
		}
		l[j] = struct{}{}
	}
	b.put(bare, l)
	return nil
}

// Blocks tells whether owner, a bare JID, has blocked an address. His own
// devices and the server itself are never blocked, whatever the list says.
// XEP-0191#privacy
func (b *Blocking) Blocks(owner, other jid.JID) bool {
	l := b.of(owner)
	if l == nil || other.Bare() == owner || other.Bare() == b.router.Domain {
		return false
	}
	return l.match(other)
}

// of is an account's list, nil when nobody is blocked.
func (b *Blocking) of(owner jid.JID) list {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.lists[owner]
}

func (b *Blocking) put(owner jid.JID, l list) {
	b.mu.Lock()
	if len(l) == 0 {
		delete(b.lists, owner)
	} else {
		b.lists[owner] = l
	}
	b.mu.Unlock()
	for _, s := range b.router.Directory().Sessions(owner) {
		s.SetFlag(core.Blocks, len(l) > 0)
	}
}

// bound marks a new session of one who has blocked somebody. It is in the directory
// already: a list that is put after mu was given back marks it itself.
func (b *Blocking) bound(s *core.Session) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s.SetFlag(core.Blocks, b.lists[s.JID.Bare()] != nil)
}

// lock takes the lock of one account; the result gives it back.
func (b *Blocking) lock(owner jid.JID) (unlock func()) {
	m := &b.stripes[maphash.String(b.seed, owner.String())%uint64(len(b.stripes))]
	m.Lock()
	return m.Unlock
}
