package pubsub

import (
	"context"
	"maps"
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// myAffiliations lists what the asker is to which node.
// XEP-0060#entity-affiliations
func (s *Service) myAffiliations(r *request) ([]byte, error) {
	var list []byte
	for _, n := range r.acct.tied(r.Asker()) {
		a := n.affiliation(r.owner, r.Asker())
		if a == affNone || r.node != "" && n.name != r.node {
			continue
		}
		list = xtok.AppendAttr(append(list, "<affiliation"...), "node", n.name)
		list = append(xtok.AppendAttr(list, "affiliation", a), "/>"...)
	}
	return s.mine(r, "affiliations", list)
}

// mine wraps a list of the asker's own; to a stranger who has none an account
// is not there.
func (s *Service) mine(r *request, name string, list []byte) ([]byte, error) {
	if list == nil && s.stranger(r) {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	b := append([]byte("<pubsub xmlns='"+nsPubsub+"'><"+name+">"), list...)
	return r.whole(append(b, "</"+name+"></pubsub>"...))
}

// whole answers with a list of any length.
func (r *request) whole(b []byte) ([]byte, error) {
	if len(b) <= maxDirect || r.Session == nil {
		return b, nil
	}
	r.ReplyBehind(b)
	return nil, core.ErrLater
}

// getAffiliations shows who is what to a node.
// XEP-0060#owner-affiliations-retrieve
func (s *Service) getAffiliations(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsOwner+"'><affiliations"), "node", n.name)
	b = append(b, '>')
	if !r.general {
		b = appendAffiliation(b, r.owner.String(), affOwner)
	}
	for _, who := range slices.Sorted(maps.Keys(n.Affiliated)) {
		b = appendAffiliation(b, who, n.Affiliated[who])
	}
	return r.whole(append(b, "</affiliations></pubsub>"...))
}

func appendAffiliation(b []byte, who, what string) []byte {
	b = xtok.AppendAttr(append(b, "<affiliation"...), "jid", who)
	return append(xtok.AppendAttr(b, "affiliation", what), "/>"...)
}

// setAffiliations changes who is what, as far as that can be; the error names the rest.
// Who becomes an outcast loses his subscriptions.
// XEP-0060#owner-affiliations-modify
func (s *Service) setAffiliations(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	asked, err := r.affiliations()
	if err != nil {
		return nil, err
	}
	now, bad := s.affiliate(r, n, asked)
	out := map[jid.JID]string{}
	for who := range n.subs {
		if now[who.Bare().String()] == affOutcast {
			out[who] = none
		}
	}
	err = s.update(r.Ctx, r.owner, n, out, func(rec *record) {
		if r.general {
			rec.Tenures = rec.tenures(now, r.Asker())
		}
		rec.Affiliated = now
	})
	if err != nil {
		return nil, err
	}
	return nil, bad.err(r, "affiliations", len(asked))
}

// wish is one entry of a request: what an address is to become.
type wish struct {
	who  jid.JID
	what string
}

// affiliations reads what a request says, in its order.
// XEP-0060#owner-affiliations-multi
func (r *request) affiliations() (list []wish, err error) {
	seen := map[jid.JID]bool{}
	for a := range r.e.Children() {
		who, err := jid.Parse(a.Attr("jid"))
		if err != nil || !a.Is(nsOwner, "affiliation") || who.IsFull() || seen[who] {
			return nil, stanza.Errorf(stanza.BadRequest, "an affiliation needs a bare address, and an address one affiliation")
		}
		seen[who] = true
		if a.HasAttr("affiliation") {
			list = append(list, wish{who, a.Attr("affiliation")})
		}
	}
	return list, nil
}

// affiliate is a node's affiliations with what can be of the wishes, and the rest. An
// owner goes only where another one is left.
func (s *Service) affiliate(r *request, n *node, asked []wish) (now map[string]string, bad refusals) {
	now = maps.Clone(n.Affiliated)
	if now == nil {
		now = map[string]string{}
	}
	refuse := func(w wish, why error) {
		bad.add(appendAffiliation(nil, w.who.String(), n.affiliation(r.owner, w.who)), why)
	}
	var losing []wish
	for _, w := range asked {
		was := now[w.who.String()]
		switch err := s.possible(r, w.who, w.what); {
		case err != nil:
			refuse(w, err)
			continue
		case !r.general && w.who == r.owner: // stays what he is
			continue
		case was == "" && w.what != affNone && len(now) >= maxAffiliate:
			refuse(w, stanza.Errorf(stanza.ResourceConstraint, "a node has at most %d affiliations", maxAffiliate))
			continue
		case w.what == affNone:
			delete(now, w.who.String())
		default:
			now[w.who.String()] = w.what
		}
		if was == affOwner && w.what != affOwner {
			losing = append(losing, w)
		}
	}
	if r.general && !slices.Contains(slices.Collect(maps.Values(now)), affOwner) {
		// XEP-0060#owner-affiliations-multi
		for _, w := range losing {
			now[w.who.String()] = affOwner
			refuse(w, stanza.Errorf(stanza.NotAcceptable, "a node needs an owner"))
		}
	}
	return now, bad
}

// possible tells whether an address can be that. An account's own nodes stay its
// own; a node at the service belongs to people here, so that it goes when they go. The
// answer does not tell who is here.
// XEP-0060#owner-affiliations-nosuchaffil
func (s *Service) possible(r *request, who jid.JID, what string) error {
	switch what {
	case affMember, affOutcast, affNone:
		if !r.general && who == r.owner {
			return stanza.Errorf(stanza.NotAcceptable, "the owner stays the owner")
		}
		return nil
	case affPublisher, affPublishOnly:
		if r.general {
			return nil
		}
	case affOwner:
		if r.general && s.router.Local(who) && who.Local() != "" || !r.general && who == r.owner {
			return nil
		}
		return stanza.Errorf(stanza.NotAcceptable, "that cannot be an owner")
	default:
		return stanza.Errorf(stanza.BadRequest, "there is no such affiliation")
	}
	return unsupported(what + "-affiliation")
}

// update changes a node's record and subscriptions, durably; subs are the new states,
// none for one that ends.
func (s *Service) update(ctx context.Context, owner jid.JID, n *node, subs map[jid.JID]string, f func(*record)) error {
	changed := &node{name: n.name, record: n.record}
	f(&changed.record)
	op, err := s.nodeOp(changed)
	if err != nil {
		return err
	}
	ops := append(s.subOps(n, subs), op)
	if err := s.apply(ctx, owner, ops...); err != nil {
		return err
	}
	n.acct.tieAll(n, -1)
	n.record = changed.record
	for who, state := range subs {
		n.setSub(who, state)
	}
	n.acct.tieAll(n, 1)
	s.cache.put(owner, n.acct)
	return nil
}
