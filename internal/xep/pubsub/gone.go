package pubsub

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// accountGone takes a removed account, whose own nodes are gone already, out of the
// nodes of all others, so that the next of its name is nothing to them.
func (s *Service) accountGone(bare jid.JID) {
	s.cache.drop(bare)
	ctx := context.Background()
	owners, err := s.concerned(ctx, bare)
	if err != nil {
		s.log.Error("nodes of others not searched for a removed account", "jid", bare.String(), "err", err)
	}
	for _, owner := range owners {
		if err := s.leave(ctx, owner, bare); err != nil {
			s.log.Error("a removed account was left in a node", "jid", bare.String(), "owner", owner.String(), "err", err)
		}
	}
}

// concerned are the owners of nodes to which an address is something: read off the
// disk, not to load everybody's.
func (s *Service) concerned(ctx context.Context, bare jid.JID) (list []jid.JID, err error) {
	owners, err := s.nodes.Owners(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		owner, err := jid.Parse(o)
		if err != nil || owner == bare {
			continue
		}
		named := s.general(owner)
		if !named {
			if named, err = s.names(ctx, o, bare.String()); err != nil {
				return list, err
			}
		}
		if named {
			list = append(list, owner)
		}
	}
	return list, nil
}

// names tells whether an owner's nodes name an address.
func (s *Service) names(ctx context.Context, owner, bare string) (bool, error) {
	nodes, err := s.nodes.Scan(ctx, owner, store.Range{})
	if err != nil {
		return false, err
	}
	quoted := []byte(`"` + bare + `"`)
	if slices.ContainsFunc(nodes, func(n store.Item) bool { return bytes.Contains(n.Value, quoted) }) {
		return true, nil
	}
	subs, err := s.subs.Scan(ctx, owner, store.Range{})
	return slices.ContainsFunc(subs, func(n store.Item) bool { return strings.Contains(n.Key, separator+bare) }), err
}

// leave takes an address out of an owner's nodes: of the service's, what it published
// as well. A node there goes with its last owner who took it up.
func (s *Service) leave(ctx context.Context, owner, bare jid.JID) error {
	defer s.lock(owner)()
	acct, err := s.load(ctx, owner)
	if err != nil {
		return err
	}
	for _, n := range slices.Clone(acct.sorted()) {
		delete(n.asked, bare)
		if err := s.leaveNode(ctx, owner, n, bare.String()); err != nil {
			return err
		}
		if err := s.disown(ctx, owner, n, bare.String()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) leaveNode(ctx context.Context, owner jid.JID, n *node, bare string) error {
	gone := map[jid.JID]string{}
	for who := range n.subs {
		if who.Bare().String() == bare {
			gone[who] = none
		}
	}
	heir := s.heir(n, bare)
	if s.general(owner) && heir == "" && (n.Affiliated[bare] == affOwner || n.Creator == bare) {
		return s.vanish(s.draft(ctx, owner, n.acct), n, "")
	}
	left, changed := n.without(bare, heir)
	if len(gone) == 0 && !changed {
		return nil
	}
	return s.update(ctx, owner, n, gone, func(rec *record) { *rec = left })
}

// heir is an account besides one that owns a node and has taken it up, "" for none:
// the node then counts for it. Owners who know nothing of that keep no node alive.
func (s *Service) heir(n *node, bare string) string {
	for _, who := range n.holders() {
		if j, err := jid.Parse(who); err == nil && who != bare && s.router.Exists(j) {
			return who
		}
	}
	return ""
}

// disown makes what an address published nobody's: the next of its name has not
// published it.
func (s *Service) disown(ctx context.Context, owner jid.JID, n *node, bare string) error {
	if !s.general(owner) || n.acct.nodes[n.name] != n {
		return nil
	}
	var ops []store.Op
	entries := slices.Clone(n.entries)
	for i := range entries {
		if e := &entries[i]; e.by == bare {
			e.by = ""
			ops = append(ops, s.order.Set(orderKey(n.name, e.seq), e.value()))
		}
	}
	if len(ops) == 0 {
		return nil
	}
	if err := s.apply(ctx, owner, ops...); err != nil {
		return err
	}
	n.entries = entries
	return nil
}
