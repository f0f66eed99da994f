package pubsub

import (
	"cmp"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// mySubscriptions lists the nodes that the asker subscribed to by a request.
// XEP-0060#entity-subscriptions
func (s *Service) mySubscriptions(r *request) ([]byte, error) {
	var list []byte
	for _, n := range r.acct.tied(r.Asker()) {
		if r.node != "" && n.name != r.node {
			continue
		}
		for _, who := range n.subscribers() {
			if who.Bare() == r.Asker() {
				list = appendSubscription(list, n.name, who, n.subs[who])
			}
		}
	}
	return s.mine(r, "subscriptions", list)
}

func appendSubscription(b []byte, node string, who jid.JID, state string) []byte {
	b = append(b, "<subscription"...)
	if node != "" {
		b = xtok.AppendAttr(b, "node", node)
	}
	b = xtok.AppendAttr(b, "jid", who.String())
	return append(xtok.AppendAttr(b, "subscription", state), "/>"...)
}

// subscribers are the addresses with a subscription, in order.
func (n *node) subscribers() []jid.JID {
	list := make([]jid.JID, 0, len(n.subs))
	for who := range n.subs {
		list = append(list, who)
	}
	slices.SortFunc(list, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// subscriber is the address that a request subscribes: the asker's, bare or full.
// XEP-0060#subscriber-subscribe-error-nomatch
func (r *request) subscriber() (jid.JID, error) {
	j, err := jid.Parse(r.e.Attr("jid"))
	if err != nil || j.Bare() != r.Asker() {
		return j, fail(stanza.BadRequest, "invalid-jid", "one subscribes oneself")
	}
	return j, nil
}

// subscribe notes a subscription and sends the last item; or notes that one is asked
// for, and asks the owners.
// XEP-0060#subscriber-subscribe
func (s *Service) subscribe(r *request) ([]byte, error) {
	state := subscribed
	n, err := s.see(r)
	if n != nil && err != nil && n.asks(r.owner, r.Asker()) {
		state, err = pending, nil
	}
	if err != nil {
		return nil, err
	}
	who, err := r.subscriber()
	if err != nil {
		return nil, err
	}
	if r.Payload.Child(nsPubsub, "options").OK() {
		// XEP-0060#subscriber-configure-error-options
		return nil, unsupported("subscription-options")
	}
	if _, waits := n.waiting(r.Asker()); waits {
		// XEP-0060#subscriber-subscribe-error-pending
		return nil, fail(stanza.NotAuthorized, "pending-subscription", "the owner has not answered yet")
	}
	if n.subs[who] == "" {
		if err := s.enter(r, n, who, state); err != nil {
			return nil, err
		}
	}
	if state == pending {
		s.askOwners(r, n, who.Bare())
	}
	b := appendSubscription([]byte("<pubsub xmlns='"+nsPubsub+"'>"), n.name, who, state)
	r.Reply(append(b, "</pubsub>"...), nil)
	if state == subscribed && n.SendLast != sendNever {
		s.sendLast(r, n, who)
	}
	return nil, core.ErrLater
}

// asks tells whether a node's owners are to be asked whether somebody may subscribe.
// XEP-0060#subscriber-subscribe-approval
func (n *node) asks(owner, asker jid.JID) bool {
	return n.Access == authorize && n.affiliation(owner, asker) == affNone
}

// waiting is what an address, or any of its resources, asked to have subscribed and was
// not answered; there is one at most of each bare address.
func (n *node) waiting(asked jid.JID) (who jid.JID, ok bool) {
	for who, state := range n.subs {
		if state == pending && (who == asked || who.Bare() == asked) {
			return who, true
		}
	}
	return who, false
}

// enter makes a subscription where there is room for one.
// XEP-0060#subscriber-subscribe-error-toomany
func (s *Service) enter(r *request, n *node, who jid.JID, state string) error {
	most := maxAffiliate
	if r.general {
		most = maxSubscribed
	}
	if len(n.subs) >= most {
		return fail(stanza.PolicyViolation, "too-many-subscriptions", "the node has too many subscribers")
	}
	if r.general && r.acct.subscriptionsOf(r.Asker()) >= maxSubscribes {
		return fail(stanza.PolicyViolation, "too-many-subscriptions", "you have too many subscriptions")
	}
	return s.setSubs(r, n, map[jid.JID]string{who: state})
}

// setSubs changes subscriptions, durably.
func (s *Service) setSubs(r *request, n *node, states map[jid.JID]string) error {
	if err := s.apply(r.Ctx, r.owner, s.subOps(n, states)...); err != nil {
		return err
	}
	for who, state := range states {
		had := n.subs[who] != ""
		n.setSub(who, state)
		if has := state != none; has != had {
			r.acct.tie(who.Bare(), n, map[bool]int{true: 1, false: -1}[has])
		}
	}
	s.cache.put(r.owner, r.acct)
	return nil
}

func (s *Service) subOps(n *node, states map[jid.JID]string) (ops []store.Op) {
	for who, state := range states {
		ops = append(ops, s.subOp(n, who, state))
	}
	return ops
}

// sendLast sends a node's last item to one who subscribed.
// XEP-0060#subscriber-subscribe-last
func (s *Service) sendLast(r *request, n *node, who jid.JID) {
	if r.Session == nil {
		if event, ok := s.lastEvent(r.Ctx, r.owner, n); ok {
			s.send(recipients{away: []jid.JID{who}}, r.owner, n, event)
		}
		return
	}
	p, ok := s.last(r.Session, r.owner, n)
	switch to := r.Session; {
	case !ok:
	case r.general:
		s.outbox.put(func() { to.Push(p) }, 1)
	default:
		to.Push(p)
	}
}

// unsubscribe ends a subscription; also one that no longer gives anything.
// XEP-0060#subscriber-unsubscribe
func (s *Service) unsubscribe(r *request) ([]byte, error) {
	who, wrong := r.subscriber()
	n := r.acct.nodes[r.node]
	if wrong != nil || n == nil || n.subs[who] == "" {
		if _, err := s.see(r); err != nil {
			return nil, err
		}
		if wrong != nil {
			return nil, wrong
		}
		return nil, fail(stanza.UnexpectedRequest, "not-subscribed", "there is no such subscription")
	}
	if err := s.setSubs(r, n, map[jid.JID]string{who: none}); err != nil {
		return nil, err
	}
	b := appendSubscription([]byte("<pubsub xmlns='"+nsPubsub+"'>"), n.name, who, none)
	return append(b, "</pubsub>"...), nil
}

// getSubscriptions shows who subscribed to a node by a request.
// XEP-0060#owner-subscriptions-retrieve
func (s *Service) getSubscriptions(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsOwner+"'><subscriptions"), "node", n.name)
	b = append(b, '>')
	for _, who := range n.subscribers() {
		b = appendSubscription(b, "", who, n.subs[who])
	}
	return r.whole(append(b, "</subscriptions></pubsub>"...))
}

// setSubscriptions lets an owner approve and end subscriptions; the error names what
// could not be. Nobody is subscribed who did not ask for it: a node would else be a
// means to send people what they did not want.
// XEP-0060#owner-subscriptions-modify
func (s *Service) setSubscriptions(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	asked, err := r.subscriptions()
	if err != nil {
		return nil, err
	}
	states, bad := map[jid.JID]string{}, refusals{}
	for _, w := range asked {
		is := cmp.Or(n.subs[w.who], none)
		switch {
		case w.what == is:
		case w.what == none || w.what == subscribed && is == pending:
			states[w.who] = w.what
		default:
			bad.add(appendSubscription(nil, "", w.who, is),
				stanza.Errorf(stanza.NotAcceptable, "subscriptions that were asked for can be approved, and be ended"))
		}
	}
	if len(states) > 0 {
		if err := s.decide(r, n, states); err != nil {
			return nil, err
		}
	}
	return nil, bad.err(r, "subscriptions", len(asked))
}

// subscriptions reads what a request says, in its order.
// XEP-0060#owner-subscriptions-multi
func (r *request) subscriptions() (list []wish, err error) {
	seen := map[jid.JID]bool{}
	for e := range r.e.Children() {
		who, err := jid.Parse(e.Attr("jid"))
		if err != nil || !e.Is(nsOwner, "subscription") || seen[who] {
			return nil, stanza.Errorf(stanza.BadRequest, "a subscription needs an address, and an address one subscription")
		}
		seen[who] = true
		if e.HasAttr("subscription") {
			list = append(list, wish{who, e.Attr("subscription")})
		}
	}
	return list, nil
}

// decide changes subscriptions and tells those whose they are.
// XEP-0060#owner-subscriptions-notifysub
func (s *Service) decide(r *request, n *node, states map[jid.JID]string) error {
	if err := s.setSubs(r, n, states); err != nil {
		return err
	}
	for who, state := range states {
		delete(n.asked, who.Bare())
		to := s.reach(r.owner, who)
		b := appendSubscription([]byte("<event xmlns='"+nsEvent+"'>"), n.name, who, state)
		s.send(to, r.owner, n, append(b, "</event>"...))
		if state != subscribed || n.SendLast == sendNever {
			continue
		}
		if event, ok := s.lastEvent(r.Ctx, r.owner, n); ok {
			s.send(to, r.owner, n, event)
		}
	}
	return nil
}
