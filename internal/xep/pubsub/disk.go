package pubsub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// separator stands between the parts of a key; XML cannot carry it.
const separator = "\x00"

func orderKey(name string, seq uint64) string { return fmt.Sprintf("%s%s%016x", name, separator, seq) }

func itemKey(name, id string) string { return name + separator + id }

func subKey(name string, who jid.JID) string { return name + separator + who.String() }

// load returns an owner's index, from the cache or the store. Under its lock.
func (s *Service) load(ctx context.Context, owner jid.JID) (*account, error) {
	if a := s.cache.get(owner); a != nil {
		return a, nil
	}
	a := newAccount(s.general(owner))
	kept, err := s.readNodes(ctx, owner, a)
	if err != nil {
		return nil, fmt.Errorf("pubsub nodes: %w", err)
	}
	if len(kept) > 0 {
		if err := errors.Join(s.readOrder(ctx, owner, kept, a), s.readSubs(ctx, owner, kept)); err != nil {
			return nil, fmt.Errorf("pubsub items and subscriptions: %w", err)
		}
	}
	for _, n := range kept {
		a.add(n)
	}
	s.cache.put(owner, a)
	return a, nil
}

func (s *Service) readNodes(ctx context.Context, owner jid.JID, a *account) (map[string]*node, error) {
	list, err := s.nodes.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]*node, len(list))
	for _, k := range list {
		n := &node{name: k.Key, acct: a}
		if err := json.Unmarshal(k.Value, &n.record); err != nil {
			return nil, fmt.Errorf("node %q: %w", k.Key, err)
		}
		nodes[k.Key] = n
	}
	return nodes, nil
}

func (s *Service) readOrder(ctx context.Context, owner jid.JID, nodes map[string]*node, a *account) error {
	kept, err := s.order.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return err
	}
	for _, k := range kept {
		name, place, _ := strings.Cut(k.Key, separator)
		e, err := readEntry(place, string(k.Value))
		if err != nil {
			return fmt.Errorf("key %q: %w", k.Key, err)
		}
		if n := nodes[name]; n != nil {
			n.entries = append(n.entries, e)
			n.cost += e.cost()
			a.total += e.cost()
			a.seq = max(a.seq, e.seq)
		}
	}
	return nil
}

func (s *Service) readSubs(ctx context.Context, owner jid.JID, nodes map[string]*node) error {
	kept, err := s.subs.Scan(ctx, owner.String(), store.Range{})
	if err != nil {
		return err
	}
	for _, k := range kept {
		name, who, _ := strings.Cut(k.Key, separator)
		j, err := jid.Parse(who)
		if err != nil {
			return fmt.Errorf("key %q: %w", k.Key, err)
		}
		if n := nodes[name]; n != nil {
			n.setSub(j, string(k.Value))
		}
	}
	return nil
}

// setSub notes a subscription's state, none for its end; ties are the caller's.
func (n *node) setSub(who jid.JID, state string) {
	if state == none {
		delete(n.subs, who)
		return
	}
	if n.subs == nil {
		n.subs = map[jid.JID]string{}
	}
	n.subs[who] = state
}

// value is an entry as it is kept: "size id", or "size@time@publisher id". Neither
// numbers nor bare addresses have blanks.
func (e *entry) value() []byte {
	return fmt.Appendf(nil, "%d@%d@%s %s", e.size, e.at, e.by, e.id)
}

func readEntry(place, value string) (e entry, err error) {
	head, id, _ := strings.Cut(value, " ")
	e.id = id
	parts := strings.SplitN(head, "@", 3)
	var errs [3]error
	e.seq, errs[0] = strconv.ParseUint(place, 16, 64)
	e.size, errs[1] = strconv.Atoi(parts[0])
	if len(parts) == 3 {
		e.at, errs[2] = strconv.ParseInt(parts[1], 10, 64)
		e.by = parts[2]
	}
	return e, errors.Join(errs[:]...)
}

// apply makes ops durable. After an error the cache forgets the owner: the
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
		s.order.Set(orderKey(n.name, e.seq), e.value()),
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

// subOp writes one subscription's state.
func (s *Service) subOp(n *node, who jid.JID, state string) store.Op {
	if state == none {
		return s.subs.Unset(subKey(n.name, who))
	}
	return s.subs.Set(subKey(n.name, who), []byte(state))
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
	mirror := s.mirror(owner, n.name) != nil
	if n.last != nil && !mirror {
		return e, n.last, true, nil
	}
	payload, ok, err = s.payload(ctx, owner, n, e.id)
	if ok && !mirror && len(payload) <= smallPayload {
		n.last = payload
	}
	return e, payload, ok, err
}
