package pubsub

import (
	"slices"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
)

// features are what an account and the service for all can do, personal what only
// an account can, shared what only the service; each is a word of XEP-0060 §10.
var (
	features = []string{
		"access-open", "access-presence", "access-roster", "access-whitelist", "auto-create", "config-node",
		"config-node-max", "create-and-configure", "create-nodes", "delete-items", "delete-nodes", "instant-nodes",
		"item-ids", "manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations", "multi-items",
		"outcast-affiliation", "persistent-items", "publish", "publish-options", "purge-nodes", "retract-items",
		"retrieve-affiliations", "retrieve-default", "retrieve-items", "retrieve-subscriptions", "rsm", "subscribe",
		"subscription-notifications",
	}
	personal = []string{"auto-subscribe", "filtered-notifications", "last-published", "presence-subscribe"}
	shared   = []string{"access-authorize", "publish-only-affiliation", "publisher-affiliation"}
)

// describe tells of the service: at the account's own address, for there is
// where it is.
// XEP-0163#support-owner
func (s *Service) describe(d *core.Disco, what core.Identity, more []string) {
	d.Identities = append(d.Identities, what)
	d.Features = append(d.Features, nsPubsub)
	for _, f := range slices.Concat(features, more) {
		d.Features = append(d.Features, nsPubsub+"#"+f)
	}
	d.Items = append(d.Items, s.discoItems)
	d.Nodes = append(d.Nodes, s.discoNode)
}

// visible calls f, under the owner's lock, with the nodes that the asker may
// retrieve from, or may ask to be let in: all of them, or the one with a name.
// XEP-0163#support-contact
func (s *Service) visible(q *core.Query, name string, f func(owner jid.JID, n *node)) error {
	owner := q.Head.To.Bare()
	defer s.lock(owner)()
	acct, err := s.load(q.Ctx, owner)
	if err != nil {
		return err
	}
	list := acct.sorted()
	if name != "" {
		list = nil
		if n := acct.nodes[name]; n != nil {
			list = []*node{n}
		}
	}
	for _, n := range list {
		if s.may(owner, q.Asker(), n) == nil || n.asks(owner, q.Asker()) {
			f(owner, n)
		}
	}
	return nil
}

// How many nodes, or items of a node, discovery names, and how long all names may
// be together, in bytes: an answer must have room in the asker's queue.
const (
	maxListed = 1_000
	maxNames  = 96 << 10
)

// listing is a list for discovery that ends where there is no more room.
type listing struct {
	items []core.Item
	size  int
}

func (l *listing) add(i core.Item) {
	if l.size += len(i.Node) + len(i.Name) + 32; l.size <= maxNames && len(l.items) < maxListed {
		l.items = append(l.items, i)
	}
}

// discoItems lists the nodes of an account, or the items of a node.
// XEP-0060#entity-nodes, XEP-0060#entity-discoveritems
func (s *Service) discoItems(q *core.Query, name string) (items []core.Item, err error) {
	var list listing
	err = s.visible(q, name, func(owner jid.JID, n *node) {
		switch {
		case name == "":
			list.add(core.Item{JID: owner, Node: n.name, Name: n.Title})
		case s.may(owner, q.Asker(), n) == nil:
			fresh := n.fresh(time.Now())
			for _, e := range fresh[max(0, len(fresh)-maxListed):] {
				list.add(core.Item{JID: owner, Name: e.id})
			}
		}
	})
	return list.items, err
}

// discoNode describes one node.
// XEP-0060#entity-info, XEP-0060#entity-metadata
func (s *Service) discoNode(q *core.Query, name string) (info []byte, ok bool, err error) {
	if name == "" {
		return nil, false, nil
	}
	err = s.visible(q, name, func(owner jid.JID, n *node) {
		ok = true
		info = []byte("<identity category='pubsub' type='leaf'/><feature var='" + nsPubsub + "'/>")
		f := n.form(s.general(owner), form.Result, nsMeta)
		f.Fields = append(f.Fields, n.people(owner)...)
		plain(&f)
		if n.affiliation(owner, q.Asker()) != affOwner {
			hide(&f, "pubsub#roster_groups_allowed") // names of groups are the owner's
		}
		info = f.Append(info)
	})
	return info, ok, err
}

// people are the fields that tell whose a node is, and since when. Who else may
// publish is between them and the owners.
func (n *node) people(owner jid.JID) []form.Field {
	creator, owners := owner.String(), []string{owner.String()}
	if n.Creator != "" {
		creator, owners = n.Creator, n.holders()
	}
	created := time.Unix(n.Created, 0).UTC().Format(time.RFC3339)
	return []form.Field{
		{Var: "pubsub#creation_date", Kind: form.TextSingle, Values: []string{created}},
		{Var: "pubsub#creator", Kind: form.JIDSingle, Values: []string{creator}},
		{Var: "pubsub#owner", Kind: form.JIDMulti, Values: owners},
		{Var: "pubsub#publisher", Kind: form.JIDMulti, Values: owners},
	}
}

// plain takes out of a form what only those need who fill it in.
func plain(f *form.Form) {
	for i := range f.Fields {
		f.Fields[i].Options = nil
		f.Fields[i].Label = ""
	}
}

// hide empties a field.
func hide(f *form.Form, name string) {
	if field := f.Field(name); field != nil {
		field.Values = nil
	}
}
