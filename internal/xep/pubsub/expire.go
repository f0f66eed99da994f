package pubsub

import (
	"context"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// expireEvery is how long an expired item may stay on the disk. Nobody is shown it
// once its time is over.
const expireEvery = 10 * time.Minute

// expired tells whether an item's time is over.
// XEP-0060#registrar-formtypes-config
func (n *node) expired(e *entry, now time.Time) bool {
	return n.Expire > 0 && e.at+n.Expire <= now.Unix()
}

// fresh are the entries whose time is not over.
func (n *node) fresh(now time.Time) []entry {
	for i := range n.entries {
		if !n.expired(&n.entries[i], now) {
			return n.entries[i:]
		}
	}
	return nil
}

// expire removes what has expired from the node that a request is about.
func (s *Service) expire(r *request) error {
	n := r.acct.nodes[r.node]
	if n == nil || n.Expire == 0 {
		return nil
	}
	names, err := s.expireIn(s.draft(r.Ctx, r.owner, r.acct), n)
	r.after = append(r.after, func() { s.tell(r.owner, names) })
	return err
}

// expireIn removes the expired items of nodes, of which nobody is told: everybody knew
// when they would go. It returns the names of the nodes that changed.
func (s *Service) expireIn(d *Draft, nodes ...*node) ([]string, error) {
	now := time.Now()
	for _, n := range nodes {
		if gone := n.entries[:len(n.entries)-len(n.fresh(now))]; len(gone) > 0 {
			d.of(n).drop(s, gone)
		}
	}
	return d.names(), d.commit()
}

// expires notes that an owner has a node whose items expire, before it has.
func (s *Service) expires(ctx context.Context, owner jid.JID, rec *record) error {
	if rec.Expire == 0 {
		return nil
	}
	return s.clock.Put(ctx, "", owner.String(), nil)
}

// expireAll removes what has expired, of all owners.
func (s *Service) expireAll(time.Time) {
	ctx := context.Background()
	owners, err := s.clock.Scan(ctx, "", store.Range{})
	if err != nil {
		s.log.Error("owners of expiring items unreadable", "err", err)
	}
	for _, o := range owners {
		owner, err := jid.Parse(o.Key)
		if err == nil {
			err = s.expireOf(ctx, owner)
		}
		if err != nil {
			s.log.Error("items not expired", "jid", o.Key, "err", err)
		}
	}
}

// expireOf removes what has expired of one owner, and forgets him when he has no
// node with items that expire.
func (s *Service) expireOf(ctx context.Context, owner jid.JID) error {
	names, err := s.expireUnder(ctx, owner)
	if err == nil {
		s.tell(owner, names)
	}
	return err
}

func (s *Service) expireUnder(ctx context.Context, owner jid.JID) ([]string, error) {
	defer s.lock(owner)()
	acct, err := s.load(ctx, owner)
	if err != nil {
		return nil, err
	}
	var nodes []*node
	for _, n := range acct.nodes {
		if n.Expire > 0 {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, s.clock.Delete(ctx, "", owner.String())
	}
	return s.expireIn(s.draft(ctx, owner, acct), nodes...)
}
