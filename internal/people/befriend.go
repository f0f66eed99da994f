package people

import (
	"context"
	"slices"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// Befriend gives two accounts each other's presence, as when both had asked and
// approved. It is durable for both on return; an error after the first leaves
// that one changed, and calling again mends it.
func (p *People) Befriend(ctx context.Context, a, b jid.JID) error {
	return p.BefriendIn(ctx, a, b, "")
}

// BefriendIn is Befriend, and puts each into a group of the other's roster; "" for
// none. Who is in as many groups as can be stays out of this one. What two people
// have already is not told again.
func (p *People) BefriendIn(ctx context.Context, a, b jid.JID, group string) error {
	if a == b {
		return nil
	}
	news := false
	for _, side := range [][2]jid.JID{{a, b}, {b, a}} {
		c, err := p.join(ctx, side[0], side[1], group)
		if err != nil {
			return err
		}
		news = news || c.was.State != Both
	}
	if news {
		p.introduce(a, b)
		p.introduce(b, a)
	}
	return nil
}

func (p *People) join(ctx context.Context, owner, contact jid.JID, group string) (change, error) {
	defer p.lock(owner)()
	c, err := p.edit(ctx, owner, contact, func(i *Item) ([]store.Op, error) {
		before := i.State
		i.State, i.Approved, i.Listed = Both, false, true
		if group != "" && len(i.Groups) < maxGroups && !slices.Contains(i.Groups, group) {
			i.Groups = append(slices.Clone(i.Groups), group)
		}
		return p.settled(before, i), nil
	})
	if err == nil {
		p.push(owner, &c)
	}
	return c, err
}

// vouched tells whether a request was promised to be granted.
func (p *People) vouched(owner, asker jid.JID, request xtok.Elem) bool {
	if !p.router.Exists(owner) {
		return false
	}
	for _, f := range p.Vouch {
		if f(owner, asker, request) {
			return true
		}
	}
	return false
}

// welcome answers a request for owner, and asks and answers it the other way round.
// XEP-0379 §3.5
func (p *People) welcome(ctx context.Context, owner, asker jid.JID) error {
	if err := p.arrive(ctx, asker, owner, subscribed, plain(subscribed, owner, asker)); err != nil {
		return err
	}
	return p.Befriend(ctx, owner, asker)
}
