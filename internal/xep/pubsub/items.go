package pubsub

import (
	"context"
	"slices"
	"strconv"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
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
	page, err := r.page(n)
	if err != nil {
		return nil, err
	}
	if !n.Persist {
		// XEP-0060#subscriber-retrieve-error-persistent
		return nil, unsupported("persistent-items")
	}
	fits := page.within(maxAnswer)
	if m := s.mirror(r.owner, n.name); m != nil && len(page.entries) > 0 && r.Session != nil {
		s.saw(r.Ctx, r.owner, r.acct, m, r.Session)
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsPubsub+"'><items"), "node", n.name)
	b, err = s.appendItems(append(b, '>'), r, n, fits)
	if err != nil {
		return nil, err
	}
	b = append(b, "</items>"...)
	if page.paged || len(fits) < len(page.entries) {
		// XEP-0060#subscriber-retrieve-returnsome
		resp := rsm.Response{Count: len(n.entries)}
		if len(fits) > 0 {
			resp.First, resp.Last = fits[0].id, fits[len(fits)-1].id
		}
		b = resp.Append(b)
	}
	return r.whole(append(b, "</pubsub>"...))
}

// page is what a request asks for.
type page struct {
	entries []entry
	paged   bool // by result set management
	onward  bool // and from the oldest to the newest
}

func (r *request) page(n *node) (p page, err error) {
	if r.e.First().OK() {
		p.entries, err = r.byID(n)
		return p, err
	}
	set := r.Payload.Child(rsm.NS, "set")
	want, err := rsm.Read(set)
	if err != nil {
		return p, err
	}
	if set.OK() {
		p.entries, err = cut(n.entries, want)
		p.paged, p.onward = true, !want.HasBefore
		return p, err
	}
	p.entries = n.entries
	// XEP-0060#subscriber-retrieve-requestrecent
	if r.e.HasAttr("max_items") {
		most, err := strconv.ParseUint(r.e.Attr("max_items"), 10, 31)
		if err != nil || most == 0 {
			return p, stanza.Errorf(stanza.BadRequest, "max_items is a positive number")
		}
		p.entries = p.entries[max(0, len(p.entries)-int(most)):]
	}
	return p, nil
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

// within are the entries, at least one, for which limit bytes are enough: the newest of
// them, or, where the asker goes on from there, the first.
func (p *page) within(limit int) []entry {
	list, size := p.entries, 0
	for i := range list {
		at := len(list) - 1 - i
		if p.onward {
			at = i
		}
		if size += list[at].cost(); size <= limit || i == 0 {
			continue
		}
		if p.onward {
			return list[:at]
		}
		return list[at+1:]
	}
	return list
}

// appendItems appends entries with their payloads.
func (s *Service) appendItems(b []byte, r *request, n *node, page []entry) ([]byte, error) {
	payloads, err := s.payloads(r.Ctx, r.owner, n, page)
	if err != nil {
		return nil, err
	}
	for _, e := range page {
		if p, ok := payloads[e.id]; ok {
			b = appendItem(b, n, r.owner, &e, p)
		}
	}
	return b, nil
}

// fewItems is up to which number items are read one by one; more are where they are
// a small part of the node.
const fewItems = 16

func (s *Service) payloads(ctx context.Context, owner jid.JID, n *node, page []entry) (map[string][]byte, error) {
	out := make(map[string][]byte, len(page))
	if len(page) > fewItems && 4*sum(page) > n.cost {
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
func appendItem(b []byte, n *node, owner jid.JID, e *entry, payload []byte) []byte {
	b = xtok.AppendAttr(append(b, "<item"...), "id", e.id)
	if by := n.publisher(owner, e); by != "" {
		b = xtok.AppendAttr(b, "publisher", by)
	}
	b = append(append(b, '>'), payload...)
	return append(b, "</item>"...)
}

// publisher is whose address an item names, "" for nobody's.
// XEP-0060#impl-association
func (n *node) publisher(owner jid.JID, e *entry) string {
	switch {
	case n.ItemReply == "none", e.by == "" && n.acct.shared():
		return ""
	case e.by == "":
		return owner.String()
	case n.ItemReply == affPublisher:
		return e.by
	}
	if holders := n.holders(); len(holders) > 0 {
		return holders[0]
	}
	return ""
}
