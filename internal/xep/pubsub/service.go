package pubsub

import (
	"context"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// General is how the service for all is.
type General struct {
	Name jid.JID // its host name
	// Create tells whether a local account may make nodes.
	Create func(ctx context.Context, bare jid.JID) (bool, error)
}

// Serve adds the service for all, a site of its own; after Register, before start.
func (s *Service) Serve(h *core.Host, g General) {
	s.site, s.creates, s.cache.always = g.Name, g.Create, g.Name
	site := h.Site(g.Name)
	h.IQ(site.Host, nsPubsub, "pubsub", s.pubsubIQ)
	h.IQ(site.Host, nsOwner, "pubsub", s.ownerIQ)
	s.describe(h.DiscoAt(site.Host), core.Identity{Category: "pubsub", Type: "service", Name: "Publish-subscribe"}, shared)
	site.Message = s.answered
	s.people.OnAvailable = append(s.people.OnAvailable, s.arrived)
}

// newServiceNode makes a node of the asker's that is not yet kept.
// XEP-0060#owner-create-general
func (s *Service) newServiceNode(r *request, name string) (*node, error) {
	who := r.Asker()
	ok := s.router.Exists(who)
	if ok {
		var err error
		if ok, err = s.creates(r.Ctx, who); err != nil {
			return nil, err
		}
	}
	owned, _ := r.acct.heldBy(who.String())
	switch {
	case !ok:
		return nil, stanza.Errorf(stanza.Forbidden, "you may not make nodes here")
	case owned >= serviceOwned:
		return nil, fail(stanza.ResourceConstraint, "max-nodes-exceeded", "an account makes at most 100 nodes here")
	case len(r.acct.nodes) >= serviceNodes:
		return nil, fail(stanza.ResourceConstraint, "max-nodes-exceeded", "the service has no room for more nodes")
	}
	return &node{name: name, acct: r.acct, record: record{
		Config: serviceDefaults(), Created: time.Now().Unix(), Creator: who.String(), Reads: who.String(),
		Affiliated: map[string]string{who.String(): affOwner}, Tenures: map[string]tenure{who.String(): {Used: true}},
	}}, nil
}

// nsAuthorization is the form by which owners let others subscribe.
const nsAuthorization = nsPubsub + "#subscribe_authorization"

// askOwners asks those owners who are here whether somebody, bare, may subscribe; the
// others are asked when they come. Who asks again before he was answered is no new
// question.
// XEP-0060#owner-subreq
func (s *Service) askOwners(r *request, n *node, who jid.JID) {
	if _, asked := n.asked[who]; asked || len(n.asked) >= maxSubscribed {
		return
	}
	var to recipients
	for _, h := range n.holders() {
		if o, err := jid.Parse(h); err == nil && s.owes(n, o, who) {
			s.reachTo(r.owner, o, &to)
		}
	}
	if to.count() == 0 {
		return
	}
	if n.asked == nil {
		n.asked = map[jid.JID]struct{}{}
	}
	n.asked[who] = struct{}{}
	question := question(n, who)
	s.outbox.put(func() {
		for sess := range to.sessions {
			sess.Push(packet(sess, s.site, stanza.Normal, "a"+who.String(), question))
		}
	}, to.count())
}

// question asks whether an address, bare, may subscribe to a node: resources are what
// people write there, and not for owners to read.
func question(n *node, who jid.JID) []byte {
	f := form.Form{Kind: form.Ask, Of: nsAuthorization, Title: "Subscription to " + n.name, Fields: []form.Field{
		{Var: "pubsub#node", Kind: form.TextSingle, Label: "Node", Values: []string{n.name}},
		{Var: "pubsub#subscriber_jid", Kind: form.JIDSingle, Label: "Who asks", Values: []string{who.String()}},
		{Var: "pubsub#allow", Kind: form.Boolean, Label: "Let this address subscribe?", Values: []string{"0"}},
	}}
	return f.Append(nil)
}

// answered takes an owner's answer.
// XEP-0060#owner-subreq
func (s *Service) answered(t *core.Transit) error {
	if t.Head.Type == stanza.Error {
		return nil
	}
	f, err := form.Read(t.Elem.Child(form.NS, "x"))
	if err != nil || f.Of != nsAuthorization || f.Kind != form.Submit && f.Kind != form.Cancel {
		return stanza.Errorf(stanza.ServiceUnavailable, "this address takes answers to its questions only")
	}
	if f.Kind == form.Cancel {
		return nil // the subscription goes on waiting
	}
	who, err := jid.Parse(f.Value("pubsub#subscriber_jid"))
	allow, ok := f.Bool("pubsub#allow")
	if err != nil || !ok {
		return stanza.Errorf(stanza.BadRequest, "the answer is incomplete")
	}
	q := &core.Query{Ctx: context.Background(), Head: t.Head}
	r := &request{Query: q, owner: s.site, general: true, node: f.Value("pubsub#node")}
	state := none
	if allow {
		state = subscribed
	}
	_, err = s.perform(r, action{set: true, by: nodeOwner, do: func(s *Service, r *request) ([]byte, error) {
		n := r.acct.nodes[r.node]
		waiting, ok := n.waiting(who)
		if !ok {
			return nil, stanza.Errorf(stanza.ItemNotFound, "nobody is waiting for that answer")
		}
		return nil, s.decide(r, n, map[jid.JID]string{waiting: state})
	}})
	return err
}

// arrived sends a session that has become available the last items of the nodes to
// which it is subscribed, and the questions to which its account owes an answer.
// XEP-0060#impl-presence
func (s *Service) arrived(to *core.Session) { to.Feed(&arrival{service: s, to: to}) }

// arrival is a source of last items and of questions.
type arrival struct {
	service *Service
	to      *core.Session
	names   []string // the nodes to look at, nil before the first portion
	looked  bool
}

// Next satisfies core.Source. What is published later is pushed or waits in the
// outbox, behind what is handed out here.
func (a *arrival) Next() []core.Packet {
	s, me := a.service, a.to.JID.Bare()
	if s.router.Apart(s.site, a.to.JID) {
		return nil
	}
	defer s.lock(s.site)()
	acct, err := s.load(context.Background(), s.site)
	if err != nil {
		s.log.Error("nodes unreadable", "jid", s.site.String(), "err", err)
		return nil
	}
	if !a.looked {
		a.looked = true
		for _, n := range acct.tied(me) {
			a.names = append(a.names, n.name)
		}
	}
	packets, size := []core.Packet{}, 0
	for ; len(a.names) > 0 && size < recentBytes; a.names = a.names[1:] {
		if n := acct.nodes[a.names[0]]; n != nil {
			packets = s.owed(packets, n, a.to)
			size = total(packets)
		}
	}
	if len(packets) == 0 && len(a.names) == 0 {
		return nil
	}
	return packets
}

func total(packets []core.Packet) (size int) {
	for i := range packets {
		size += packets[i].Size()
	}
	return size
}

// owed appends what a session is sent of one node on its arrival.
func (s *Service) owed(packets []core.Packet, n *node, to *core.Session) []core.Packet {
	me := to.JID.Bare()
	wants := n.subs[me] == subscribed && to.Online() || n.subs[to.JID] == subscribed
	if wants && n.SendLast == sendPresence && s.may(s.site, me, n) == nil {
		if p, ok := s.last(to, s.site, n); ok {
			packets = append(packets, p)
		}
	}
	if !n.took(me.String()) || !to.Online() {
		return packets
	}
	for full, state := range n.subs {
		if who := full.Bare(); state == pending && len(packets) < maxQuestions && s.owes(n, me, who) {
			packets = append(packets, packet(to, s.site, stanza.Normal, "a"+who.String(), question(n, who)))
		}
	}
	return packets
}

// maxQuestions bounds one portion of questions; the list of subscriptions has all.
const maxQuestions = 100
