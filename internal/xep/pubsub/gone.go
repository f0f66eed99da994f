package pubsub

import (
	"bytes"
	"context"
	"maps"
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

// leave takes an address out of an owner's nodes. Nodes at the service that nobody
// owns then go.
func (s *Service) leave(ctx context.Context, owner, bare jid.JID) error {
	defer s.lock(owner)()
	acct, err := s.load(ctx, owner)
	if err != nil {
		return err
	}
	for _, n := range acct.tied(bare) {
		if err := s.leaveNode(ctx, owner, n, bare.String()); err != nil {
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
	now := maps.Clone(n.Affiliated)
	delete(now, bare)
	if s.general(owner) && !slices.Contains(slices.Collect(maps.Values(now)), affOwner) {
		return s.vanish(s.draft(ctx, owner, n.acct), n, "")
	}
	if len(gone) == 0 && len(now) == len(n.Affiliated) && n.Creator != bare {
		return nil
	}
	return s.update(ctx, owner, n, gone, func(rec *record) {
		rec.Affiliated = now
		if rec.Creator == bare {
			rec.Creator = "" // counts for nobody any more
		}
	})
}
