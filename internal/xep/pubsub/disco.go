package pubsub

import (
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
)

// features are what an account can do; each is a word of XEP-0060 §10.
var features = []string{
	"access-open", "access-presence", "access-roster", "access-whitelist", "auto-create", "auto-subscribe",
	"config-node", "config-node-max", "create-and-configure", "create-nodes", "delete-items", "delete-nodes",
	"filtered-notifications", "instant-nodes", "item-ids", "last-published", "member-affiliation", "meta-data",
	"modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "presence-subscribe", "publish",
	"publish-options", "purge-nodes", "retract-items", "retrieve-affiliations", "retrieve-default",
	"retrieve-items", "retrieve-subscriptions", "rsm", "subscribe",
}

// describe tells of the service: at the account's own address, for there is
// where it is.
// XEP-0163#support-owner
func (s *Service) describe(d *core.Disco) {
	d.Identities = append(d.Identities, core.Identity{Category: "pubsub", Type: "pep"})
	d.Features = append(d.Features, nsPubsub)
	for _, f := range features {
		d.Features = append(d.Features, nsPubsub+"#"+f)
	}
	d.Items = append(d.Items, s.discoItems)
	d.Nodes = append(d.Nodes, s.discoNode)
}

// visible calls f, under the account's lock, with the nodes that the asker may
// retrieve from: all of them, or the one with a name.
// XEP-0163#support-contact
func (s *Service) visible(q *core.Query, name string, f func(owner jid.JID, n *node)) error {
	owner := q.Head.To.Bare()
	defer s.lock(owner)()
	acct, err := s.load(q.Ctx, owner)
	if err != nil {
		return err
	}
	for _, n := range acct.sorted() {
		if (name == "" || name == n.name) && s.may(owner, q.Asker(), n) == nil {
			f(owner, n)
		}
	}
	return nil
}

// maxListed is how many items of a node discovery names.
const maxListed = 1_000

// discoItems lists the nodes of an account, or the items of a node.
// XEP-0060#entity-nodes, XEP-0060#entity-discoveritems
func (s *Service) discoItems(q *core.Query, name string) (items []core.Item, err error) {
	err = s.visible(q, name, func(owner jid.JID, n *node) {
		if name == "" {
			items = append(items, core.Item{JID: owner, Node: n.name, Name: n.Title})
			return
		}
		for _, e := range n.entries[max(0, len(n.entries)-maxListed):] {
			items = append(items, core.Item{JID: owner, Name: e.id})
		}
	})
	return items, err
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
		f := n.form(form.Result, nsMeta)
		created := time.Unix(n.Created, 0).UTC().Format(time.RFC3339)
		f.Fields = append(f.Fields,
			form.Field{Var: "pubsub#creation_date", Kind: form.TextSingle, Values: []string{created}},
			form.Field{Var: "pubsub#creator", Kind: form.JIDSingle, Values: []string{owner.String()}},
			form.Field{Var: "pubsub#owner", Kind: form.JIDMulti, Values: []string{owner.String()}},
			form.Field{Var: "pubsub#publisher", Kind: form.JIDMulti, Values: []string{owner.String()}},
		)
		for i := range f.Fields {
			f.Fields[i].Options = nil
			f.Fields[i].Label = ""
		}
		if !q.Own() {
			hide(&f, "pubsub#roster_groups_allowed") // names of groups are the owner's
		}
		info = f.Append(info)
	})
	return info, ok, err
}

// hide empties a field.
func hide(f *form.Form, name string) {
	if field := f.Field(name); field != nil {
		field.Values = nil
	}
}
