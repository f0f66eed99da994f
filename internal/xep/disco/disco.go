// Package disco is service discovery, XEP-0030 version 2.5, with the contact
// addresses of XEP-0157 and the server's own capabilities of XEP-0115, and of
// XEP-0390 version 0.3.2, in the stream features. It tells what features declared
// to the host and knows none itself.
package disco

import (
	"slices"
	"strings"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of discovery.
const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	nsCaps  = "http://jabber.org/protocol/caps"
)

// Disco is the feature.
type Disco struct {
	router *core.Router
	node   string // of our capabilities: an address of the software
	own    func() own
}

// New returns the feature; node is the URI that our capabilities name.
func New(r *core.Router, node string) *Disco {
	d := &Disco{router: r, node: node}
	d.own = sync.OnceValue(d.hashes)
	return d
}

// Register attaches the feature.
func (d *Disco) Register(h *core.Host) {
	for _, at := range []core.Target{core.Server, core.Account} {
		h.IQ(at, nsInfo, "query", func(q *core.Query) ([]byte, error) { return d.info(at, q) })
		h.IQ(at, nsItems, "query", func(q *core.Query) ([]byte, error) { return d.items(at, q) })
	}
	h.SiteIQ(nsInfo, "query", d.info)
	h.SiteIQ(nsItems, "query", d.items)
	srv := h.DiscoAt(core.Server)
	srv.Identities = append(srv.Identities, core.Identity{Category: "server", Type: "im", Name: "Mirsal"})
	acc := h.DiscoAt(core.Account)
	acc.Identities = append(acc.Identities, core.Identity{Category: "account", Type: "registered"})
	h.Disco(core.Server, ecaps2.NS)
	h.Stream(core.StreamFeature{Offer: d.offer})
	srv.Nodes = append(srv.Nodes, d.ownNode)
	srv.Items = append(srv.Items, d.sites)
}

func (d *Disco) info(at core.Target, q *core.Query) ([]byte, error) {
	what := d.router.Host().DiscoAt(at)
	if err := may(what, q); err != nil {
		return nil, err
	}
	node := q.Payload.Attr("node")
	body, err := nodeInfo(what, q, node)
	if err != nil {
		return nil, err
	}
	return envelope(nsInfo, node, body), nil
}

func nodeInfo(what *core.Disco, q *core.Query, node string) ([]byte, error) {
	if node == "" {
		return describe(what, q), nil
	}
	for _, f := range what.Nodes {
		if b, ok, err := f(q, node); ok || err != nil {
			return b, err
		}
	}
	return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such node")
}

// sites lists the host names beside the domain.
// XEP-0030 §4
func (d *Disco) sites(_ *core.Query, node string) (items []core.Item, _ error) {
	if node != "" {
		return nil, nil
	}
	d.router.Host().Sites(func(s *core.Site) {
		item := core.Item{JID: s.Name}
		if who := d.router.Host().DiscoAt(s.Host).Identities; len(who) > 0 {
			item.Name = who[0].Name
		}
		items = append(items, item)
	})
	slices.SortFunc(items, func(a, b core.Item) int { return strings.Compare(a.JID.String(), b.JID.String()) })
	return items, nil
}

func (d *Disco) items(at core.Target, q *core.Query) ([]byte, error) {
	what := d.router.Host().DiscoAt(at)
	if err := may(what, q); err != nil {
		return nil, err
	}
	node := q.Payload.Attr("node")
	var b []byte
	for _, f := range what.Items {
		items, err := f(q, node)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			b = append(b, "<item"...)
			b = xtok.AppendAttr(b, "jid", i.JID.String())
			b = xtok.AppendAttr(b, "node", i.Node)
			b = append(xtok.AppendAttr(b, "name", i.Name), "/>"...)
		}
	}
	return envelope(nsItems, node, b), nil
}

// may applies what features say about who may look.
func may(what *core.Disco, q *core.Query) error {
	for _, f := range what.Allow {
		if err := f(q); err != nil {
			return err
		}
	}
	if q.Set() {
		return stanza.Errorf(stanza.NotAllowed, "")
	}
	return nil
}

// lang is the language of names. It is said of each identity, or else whatever
// the stream says would count for it, and for the hashes.
const lang = "en"

// describe is the content of disco#info (XEP-0030 §3.1).
func describe(what *core.Disco, q *core.Query) []byte {
	var b []byte
	for _, i := range what.Identities {
		b = append(b, "<identity xml:lang='"+lang+"'"...)
		b = xtok.AppendAttr(b, "category", i.Category)
		b = xtok.AppendAttr(b, "type", i.Type)
		b = append(xtok.AppendAttr(b, "name", i.Name), "/>"...)
	}
	for _, f := range features(what) {
		b = append(xtok.AppendAttr(append(b, "<feature"...), "var", f), "/>"...)
	}
	for _, f := range what.Forms {
		b = append(b, f(q)...)
	}
	return b
}

func features(what *core.Disco) []string {
	list := append([]string{nsInfo, nsItems}, what.Features...)
	slices.Sort(list)
	return slices.Compact(list)
}

func envelope(ns, node string, content []byte) []byte {
	b := xtok.AppendAttr([]byte("<query xmlns='"+ns+"'"), "node", node)
	b = append(append(b, '>'), content...)
	return append(b, "</query>"...)
}
