package pubsub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// account is the index of one account's nodes: everything but the payloads.
type account struct {
	nodes map[string]*node
	seq   uint64 // the highest place ever given, as far as this process knows
	total int    // bytes of all items
}

// node is one node. The embedded record is what is kept.
type node struct {
	record
	name    string
	entries []entry // in the order of publication
	last    []byte  // payload of the last entry, nil when not at hand
	acct    *account
}

// record is a node on disk.
type record struct {
	Config
	Created int64 `json:"created"` // Unix seconds
	// Affiliated are those with an affiliation, but for the owner; Subscribers are
	// those who subscribed by a request, bare or full. Keys are addresses.
	Affiliated  map[string]string `json:"affiliated,omitempty"`
	Subscribers []string          `json:"subscribers,omitempty"`
}

// entry is one item's place in a node.
type entry struct {
	seq  uint64
	id   string
	size int // bytes of the payload
}

// smallPayload is up to which size a last item is kept in memory.
const smallPayload = 4 << 10

// memory is about what the index takes, in bytes.
func (a *account) memory() int {
	size := 128
	for name, n := range a.nodes {
		size += 512 + len(name) + 64*(len(n.Affiliated)+len(n.Subscribers)) + len(n.last)
		for i := range n.entries {
			size += 40 + len(n.entries[i].id)
		}
	}
	return size
}

func (n *node) find(id string) int {
	return slices.IndexFunc(n.entries, func(e entry) bool { return e.id == id })
}

func (n *node) bytes() int {
	size := 0
	for i := range n.entries {
		size += n.entries[i].size
	}
	return size
}

// lastSize is the size of the last entry's payload.
func (n *node) lastSize() int {
	if len(n.entries) == 0 {
		return 0
	}
	return n.entries[len(n.entries)-1].size
}

// separator stands between the parts of a key; XML cannot carry it.
const separator = "\x00"

func orderKey(name string, seq uint64) string { return fmt.Sprintf("%s%s%016x", name, separator, seq) }

func itemKey(name, id string) string { return name + separator + id }

// load returns an account's index, from the cache or the store. Under its lock.
func (s *Service) load(ctx context.Context, owner jid.JID) (*account, error) {
	if a := s.cache.get(owner); a != nil {
		return a, nil
	}
	a := &account{nodes: map[string]*node{}}
	if err := s.readNodes(ctx, owner, a); err != nil {
		return nil, fmt.Errorf("pubsub nodes: %w", err)
	}
	if len(a.nodes) > 0 {
		if err := s.readOrder(ctx, owner, a); err != nil {
			return nil, fmt.Errorf("pubsub order: %w", err)
		}
	}
	s.cache.put(owner, a)
	return a, nil
}

func (s *Service) readNodes(ctx context.Context, owner jid.JID, a *account) error {
	kept, err := s.nodes.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return err
	}
	for _, k := range kept {
		n := &node{name: k.Key, acct: a}
		if err := json.Unmarshal(k.Value, &n.record); err != nil {
			return fmt.Errorf("node %q: %w", k.Key, err)
		}
		a.nodes[k.Key] = n
	}
	return nil
}

func (s *Service) readOrder(ctx context.Context, owner jid.JID, a *account) error {
	kept, err := s.order.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return err
	}
	for _, k := range kept {
		name, place, _ := strings.Cut(k.Key, separator)
		size, id, _ := strings.Cut(string(k.Value), " ")
		seq, err := strconv.ParseUint(place, 16, 64)
		bytes, err2 := strconv.Atoi(size)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("key %q: %w", k.Key, err)
		}
		if n := a.nodes[name]; n != nil {
			n.entries = append(n.entries, entry{seq, id, bytes})
			a.total += bytes
			a.seq = max(a.seq, seq)
		}
	}
	return nil
}

// apply makes ops durable. After an error the cache forgets the account: the
// store knows better.
func (s *Service) apply(ctx context.Context, owner jid.JID, ops ...store.Op) error {
	err := s.kv.Apply(ctx, owner.String(), ops...)
	if err != nil {
		s.cache.drop(owner)
	}
	return err
}

func (s *Service) nodeOp(n *node) (store.Op, error) {
	value, err := json.Marshal(n.record)
	return s.nodes.Set(n.name, value), err
}

// putOps write an item, removeOps take items out.
func (s *Service) putOps(n *node, e entry, payload []byte) []store.Op {
	value := append(strconv.AppendUint(nil, e.seq, 10), '\n')
	return []store.Op{
		s.order.Set(orderKey(n.name, e.seq), []byte(strconv.Itoa(e.size)+" "+e.id)),
		s.items.Set(itemKey(n.name, e.id), append(value, payload...)),
	}
}

func (s *Service) removeOps(n *node, gone []entry) []store.Op {
	ops := make([]store.Op, 0, 2*len(gone))
	for _, e := range gone {
		ops = append(ops, s.order.Unset(orderKey(n.name, e.seq)), s.items.Unset(itemKey(n.name, e.id)))
	}
	return ops
}

// payloadOf cuts the place off an item's value.
func payloadOf(value []byte) []byte {
	_, payload, _ := strings.Cut(string(value), "\n")
	return []byte(payload)
}

// lastItem is a node's last item with its payload; ok is false when it has none.
func (s *Service) lastItem(ctx context.Context, owner jid.JID, n *node) (e entry, payload []byte, ok bool, err error) {
	if len(n.entries) == 0 {
		return e, nil, false, nil
	}
	e = n.entries[len(n.entries)-1]
	mirror := s.mirrors[n.name] != nil
	if n.last != nil && !mirror {
		return e, n.last, true, nil
	}
	payload, ok, err = s.payload(ctx, owner, n, e.id)
	if ok && !mirror && len(payload) <= smallPayload {
		n.last = payload
	}
	return e, payload, ok, err
}
