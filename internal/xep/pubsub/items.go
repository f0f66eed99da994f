package pubsub

import (
	"context"
	"slices"
	"strconv"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
)

// How much one answer holds; the rest is asked for page by page.
const (
	maxAnswer = 1 << 20  // bytes of payloads
	maxDirect = 32 << 10 // above this an answer waits until the queue is short
)

// retrieve answers with items, in the order of their publication.
// XEP-0060#subscriber-retrieve
func (s *Service) retrieve(r *request) ([]byte, error) {
	n, err := s.see(r)
	if err != nil {
		return nil, err
	}
	page, paged, err := r.page(n)
	if err != nil {
		return nil, err
	}
	fits := newest(page, maxAnswer)
	if m := s.mirrors[n.name]; m != nil && len(page) > 0 {
		s.saw(r.Ctx, r.owner, r.acct, m, r.Session)
	}
	b := attr([]byte("<pubsub xmlns='"+nsPubsub+"'><items"), "node", n.name)
	b, err = s.appendItems(append(b, '>'), r, n, fits)
	if err != nil {
		return nil, err
	}
	b = append(b, "</items>"...)
	if paged || len(fits) < len(page) {
		// XEP-0060#subscriber-retrieve-returnsome
		resp := rsm.Response{Count: len(n.entries)}
		if len(fits) > 0 {
			resp.First, resp.Last = fits[0].id, fits[len(fits)-1].id
		}
		b = resp.Append(b)
	}
	b = append(b, "</pubsub>"...)
	if len(b) > maxDirect {
		r.ReplyBehind(b)
		return nil, core.ErrLater
	}
	return b, nil
}

// page are the entries that a request asks for; paged tells that it did so by
// result set management.
func (r *request) page(n *node) (page []entry, paged bool, err error) {
	if r.e.First().OK() {
		page, err = r.byID(n)
		return page, false, err
	}
	set := r.Payload.Child(rsm.NS, "set")
	want, err := rsm.Read(set)
	if err != nil {
		return nil, false, err
	}
	page = n.entries
	if set.OK() {
		page, err = cut(page, want)
		return page, true, err
	}
	// XEP-0060#subscriber-retrieve-requestrecent
	if r.e.HasAttr("max_items") {
		most, err := strconv.ParseUint(r.e.Attr("max_items"), 10, 31)
		if err != nil || most == 0 {
			return nil, false, stanza.Errorf(stanza.BadRequest, "max_items is a positive number")
		}
		page = page[max(0, len(page)-int(most)):]
	}
	return page, false, nil
}

// byID are the entries with the ids that a request names; those not there are
// left out.
// XEP-0060#subscriber-retrieve-requestone
func (r *request) byID(n *node) ([]entry, error) {
	var page []entry
	for item := range r.e.Children() {
		if !item.Is(nsPubsub, "item") || !item.HasAttr("id") {
			return nil, stanza.Errorf(stanza.BadRequest, "an item needs an id")
		}
		i := n.find(item.Attr("id"))
		if i >= 0 && !slices.Contains(page, n.entries[i]) {
			page = append(page, n.entries[i])
		}
	}
	return page, nil
}

// cut takes a page out of all entries.
// XEP-0059#forwards, XEP-0059#backwards
func cut(all []entry, want rsm.Request) ([]entry, error) {
	at := func(id string) int {
		return slices.IndexFunc(all, func(e entry) bool { return e.id == id })
	}
	from, to := 0, len(all)
	if want.After != "" {
		if from = at(want.After) + 1; from == 0 {
			return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such item to continue after")
		}
	}
	if want.Before != "" {
		if to = at(want.Before); to < 0 {
			return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such item to go back from")
		}
	}
	page := all[min(from, to):to]
	if most := want.Limit(maxItems); len(page) > most {
		if want.HasBefore {
			return page[len(page)-most:], nil
		}
		return page[:most], nil
	}
	return page, nil
}

// newest are the last entries that together have at most limit bytes, but at
// least one.
func newest(page []entry, limit int) []entry {
	size := 0
	for i := len(page) - 1; i >= 0; i-- {
		if size += page[i].size; size > limit && i < len(page)-1 {
			return page[i+1:]
		}
	}
	return page
}

// appendItems appends entries with their payloads.
func (s *Service) appendItems(b []byte, r *request, n *node, page []entry) ([]byte, error) {
	payloads, err := s.payloads(r.Ctx, r.owner, n, page)
	if err != nil {
		return nil, err
	}
	for _, e := range page {
		if p, ok := payloads[e.id]; ok {
			b = appendItem(b, n, r.owner, e.id, p)
		}
	}
	return b, nil
}

// fewItems is up to which number items are read one by one.
const fewItems = 16

func (s *Service) payloads(ctx context.Context, owner jid.JID, n *node, page []entry) (map[string][]byte, error) {
	out := make(map[string][]byte, len(page))
	if len(page) > fewItems {
		kept, err := s.items.Scan(ctx, owner.String(), store.Range{Prefix: n.name + separator})
		for _, k := range kept {
			out[k.Key[len(n.name)+len(separator):]] = payloadOf(k.Value)
		}
		return out, err
	}
	for _, e := range page {
		p, ok, err := s.payload(ctx, owner, n, e.id)
		if err != nil {
			return nil, err
		}
		if ok {
			out[e.id] = p
		}
	}
	return out, nil
}

// appendItem appends an <item/>, which carries the publisher's address only
// where the node is configured so.
// XEP-0060#publisher-publish-success-publisher
func appendItem(b []byte, n *node, owner jid.JID, id string, payload []byte) []byte {
	b = attr(append(b, "<item"...), "id", id)
	if n.ItemReply != "none" {
		b = attr(b, "publisher", owner.String())
	}
	b = append(append(b, '>'), payload...)
	return append(b, "</item>"...)
}

// mySubscriptions lists the nodes that the asker subscribed to by a request.
// XEP-0060#entity-subscriptions
func (s *Service) mySubscriptions(r *request) ([]byte, error) {
	var list []byte
	for _, n := range r.acct.sorted() {
		if r.node != "" && n.name != r.node {
			continue
		}
		for _, who := range n.Subscribers {
			if j, err := jid.Parse(who); err == nil && j.Bare() == r.Asker() {
				list = appendSubscription(list, n.name, who)
			}
		}
	}
	return s.mine(r, "subscriptions", list)
}

// myAffiliations lists what the asker is to which node.
// XEP-0060#entity-affiliations
func (s *Service) myAffiliations(r *request) ([]byte, error) {
	var list []byte
	for _, n := range r.acct.sorted() {
		a := n.affiliation(r.owner, r.Asker())
		if a == affNone || r.node != "" && n.name != r.node {
			continue
		}
		list = attr(append(list, "<affiliation"...), "node", n.name)
		list = append(attr(list, "affiliation", a), "/>"...)
	}
	return s.mine(r, "affiliations", list)
}

// mine wraps a list of the asker's own; to a stranger who has none the account
// is not there.
func (s *Service) mine(r *request, name string, list []byte) ([]byte, error) {
	if list == nil && !s.knows(r.owner, r.Asker()) {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	b := append([]byte("<pubsub xmlns='"+nsPubsub+"'><"+name+">"), list...)
	return append(b, "</"+name+"></pubsub>"...), nil
}

func appendSubscription(b []byte, node, who string) []byte {
	b = attr(append(b, "<subscription"...), "node", node)
	b = attr(b, "jid", who)
	return append(b, " subscription='subscribed'/>"...)
}

// sorted are the nodes in the order of their names.
func (a *account) sorted() []*node {
	list := make([]*node, 0, len(a.nodes))
	for _, n := range a.nodes {
		list = append(list, n)
	}
	slices.SortFunc(list, func(x, y *node) int {
		if x.name < y.name {
			return -1
		}
		return 1
	})
	return list
}

// subscriber is the address that a request subscribes: the asker's, bare or full.
// XEP-0060#subscriber-subscribe-error-nomatch
func (r *request) subscriber() (string, error) {
	j, err := jid.Parse(r.e.Attr("jid"))
	if err != nil || j != r.Asker() && j != r.Head.From {
		return "", fail(stanza.BadRequest, "invalid-jid", "one subscribes oneself")
	}
	return j.String(), nil
}

// subscribe notes a subscription and sends the last item.
// XEP-0060#subscriber-subscribe
func (s *Service) subscribe(r *request) ([]byte, error) {
	n, err := s.see(r)
	if err != nil {
		return nil, err
	}
	who, err := r.subscriber()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(n.Subscribers, who) {
		if len(n.Subscribers) >= maxAffiliate {
			return nil, fail(stanza.PolicyViolation, "too-many-subscriptions", "the node has too many subscribers")
		}
		if err := s.update(r, n, func(rec *record) { rec.Subscribers = append(slices.Clone(rec.Subscribers), who) }); err != nil {
			return nil, err
		}
	}
	b := append([]byte("<pubsub xmlns='"+nsPubsub+"'>"), appendSubscription(nil, n.name, who)...)
	r.Reply(append(b, "</pubsub>"...), nil)
	if n.SendLast != sendNever {
		if p, ok := s.last(r.Session, r.owner, n); ok {
			r.Session.Push(p)
		}
	}
	return nil, core.ErrLater
}

// unsubscribe ends a subscription.
// XEP-0060#subscriber-unsubscribe
func (s *Service) unsubscribe(r *request) ([]byte, error) {
	n, err := s.see(r)
	if err != nil {
		return nil, err
	}
	who, err := r.subscriber()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(n.Subscribers, who) {
		return nil, fail(stanza.UnexpectedRequest, "not-subscribed", "there is no such subscription")
	}
	return nil, s.update(r, n, func(rec *record) {
		rec.Subscribers = slices.DeleteFunc(slices.Clone(rec.Subscribers), func(o string) bool { return o == who })
	})
}

// update changes a node's record, durably.
func (s *Service) update(r *request, n *node, f func(*record)) error {
	changed := &node{name: n.name, record: n.record}
	f(&changed.record)
	op, err := s.nodeOp(changed)
	if err != nil {
		return err
	}
	if err := s.apply(r.Ctx, r.owner, op); err != nil {
		return err
	}
	n.record = changed.record
	s.cache.put(r.owner, r.acct)
	return nil
}
