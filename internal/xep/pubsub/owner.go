package pubsub

import (
	"crypto/rand"
	"maps"
	"slices"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// create makes a node, which may be named by us and configured at once.
// XEP-0060#owner-create
func (s *Service) create(r *request) ([]byte, error) {
	name := r.node
	if name == "" {
		name = rand.Text()[:20]
	}
	if r.acct.nodes[name] != nil {
		return nil, stanza.Errorf(stanza.Conflict, "the node is there already")
	}
	n, err := r.newNode(name, &form.Form{})
	if err != nil {
		return nil, err
	}
	if x := r.Payload.Child(nsPubsub, "configure").First(); x.OK() {
		if _, err := configure(&n.Config, x); err != nil {
			return nil, err
		}
	}
	op, err := s.nodeOp(n)
	if err != nil {
		return nil, err
	}
	if err := s.apply(r.Ctx, r.owner, op); err != nil {
		return nil, err
	}
	r.acct.nodes[name] = n
	s.cache.put(r.owner, r.acct)
	if r.node != "" {
		return nil, nil
	}
	b := attr([]byte("<pubsub xmlns='"+nsPubsub+"'><create"), "node", name)
	return append(b, "/></pubsub>"...), nil
}

// configure applies a submitted form; cancelled tells that it says to leave all
// as it is.
func configure(c *Config, x xtok.Elem) (cancelled bool, err error) {
	f, err := form.Read(x)
	switch {
	case err != nil:
		return false, err
	case f.Kind == form.Cancel:
		return true, nil
	case f.Kind != form.Submit || f.Of != "" && f.Of != nsConfig:
		return false, stanza.Errorf(stanza.BadRequest, "this is no node configuration")
	}
	return false, c.apply(&f)
}

// getConfig shows a node's configuration.
// XEP-0060#owner-configure-request
func (s *Service) getConfig(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	f := n.form(form.Ask, nsConfig)
	b := attr([]byte("<pubsub xmlns='"+nsOwner+"'><configure"), "node", n.name)
	b = f.Append(append(b, '>'))
	return append(b, "</configure></pubsub>"...), nil
}

// getDefault shows the configuration of a new node.
// XEP-0060#owner-default
func (s *Service) getDefault(*request) ([]byte, error) {
	c := defaults("")
	f := c.form(form.Ask, nsConfig)
	b := f.Append([]byte("<pubsub xmlns='" + nsOwner + "'><default>"))
	return append(b, "</default></pubsub>"...), nil
}

// setConfig changes a node's configuration; items that the new one has no room
// for go.
// XEP-0060#owner-configure-submit
func (s *Service) setConfig(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	changed := &node{name: n.name, record: n.record}
	if cancelled, err := configure(&changed.Config, r.e.First()); err != nil || cancelled {
		return nil, err
	}
	op, err := s.nodeOp(changed)
	if err != nil {
		return nil, err
	}
	if s.mirrors[n.name] != nil {
		changed.Persist = true
	}
	gone := n.entries[:max(0, len(n.entries)-changed.MaxItems)]
	if !changed.Persist {
		gone = n.entries
	}
	if err := s.drop(r, n, gone, op); err != nil {
		return nil, err
	}
	n.record = changed.record
	if n.OnConfig {
		b := attr([]byte("<event xmlns='"+nsEvent+"'><configuration"), "node", n.name)
		s.notify(r.owner, n, append(b, "/></event>"...))
	}
	return nil, nil
}

// delete removes a node with all its items.
// XEP-0060#owner-delete
func (s *Service) delete(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	if m := s.mirrors[n.name]; m != nil {
		return nil, s.empty(r, m) // it stays, with nothing in it
	}
	if err := s.drop(r, n, n.entries, s.nodes.Unset(n.name)); err != nil {
		return nil, err
	}
	delete(r.acct.nodes, n.name)
	s.cache.put(r.owner, r.acct)
	if n.OnDelete {
		b := attr([]byte("<event xmlns='"+nsEvent+"'><delete"), "node", n.name)
		s.notify(r.owner, n, append(b, "/></event>"...))
	}
	return nil, nil
}

// purge removes a node's items.
// XEP-0060#owner-purge
func (s *Service) purge(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	if m := s.mirrors[n.name]; m != nil {
		return nil, s.empty(r, m)
	}
	if err := s.drop(r, n, n.entries); err != nil {
		return nil, err
	}
	if n.OnRetract {
		b := attr([]byte("<event xmlns='"+nsEvent+"'><purge"), "node", n.name)
		s.notify(r.owner, n, append(b, "/></event>"...))
	}
	return nil, nil
}

// getAffiliations shows who is what to a node.
// XEP-0060#owner-affiliations-retrieve
func (s *Service) getAffiliations(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	b := attr([]byte("<pubsub xmlns='"+nsOwner+"'><affiliations"), "node", n.name)
	b = appendAffiliation(append(b, '>'), r.owner.String(), affOwner)
	for _, who := range slices.Sorted(maps.Keys(n.Affiliated)) {
		b = appendAffiliation(b, who, n.Affiliated[who])
	}
	return append(b, "</affiliations></pubsub>"...), nil
}

func appendAffiliation(b []byte, who, what string) []byte {
	b = attr(append(b, "<affiliation"...), "jid", who)
	return append(attr(b, "affiliation", what), "/>"...)
}

// setAffiliations changes who is what. The owner stays the owner and nobody
// else publishes.
// XEP-0060#owner-affiliations-modify
func (s *Service) setAffiliations(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	now := maps.Clone(n.Affiliated)
	if now == nil {
		now = map[string]string{}
	}
	for a := range r.e.Children() {
		who, err := jid.Parse(a.Attr("jid"))
		what := a.Attr("affiliation")
		switch {
		case err != nil || !a.Is(nsOwner, "affiliation") || who.IsFull():
			return nil, stanza.Errorf(stanza.BadRequest, "an affiliation needs a bare address")
		case who == r.owner && what != affOwner || who != r.owner && !slices.Contains([]string{affMember, affOutcast, affNone}, what):
			return nil, stanza.Errorf(stanza.NotAcceptable, "others may be member, outcast or none; the owner stays the owner")
		case what == affNone:
			delete(now, who.String())
		case who != r.owner:
			now[who.String()] = what
		}
	}
	if len(now) > maxAffiliate {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "a node has at most %d affiliations", maxAffiliate)
	}
	return nil, s.update(r, n, func(rec *record) { rec.Affiliated = now })
}

// getSubscriptions shows who subscribed to a node by a request.
// XEP-0060#owner-subscriptions-retrieve
func (s *Service) getSubscriptions(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	b := attr([]byte("<pubsub xmlns='"+nsOwner+"'><subscriptions"), "node", n.name)
	b = append(b, '>')
	for _, who := range n.Subscribers {
		b = attr(append(b, "<subscription"...), "jid", who)
		b = append(b, " subscription='subscribed'/>"...)
	}
	return append(b, "</subscriptions></pubsub>"...), nil
}
