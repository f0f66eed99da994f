package pubsub

import (
	"crypto/rand"
	"slices"

	"mirsal/internal/xmpp/form"
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
	n, err := s.newNode(r, name, &form.Form{})
	if err == nil && r.acct.nodes[name] != nil {
		err = stanza.Errorf(stanza.Conflict, "the node is there already")
	}
	if err != nil {
		return nil, err
	}
	if x := r.Payload.Child(nsPubsub, "configure").First(); x.OK() {
		if _, err := r.configure(&n.Config, x); err != nil {
			return nil, err
		}
	}
	op, err := s.nodeOp(n)
	if err != nil {
		return nil, err
	}
	if err := s.expires(r.Ctx, r.owner, &n.record); err != nil {
		return nil, err
	}
	if err := s.apply(r.Ctx, r.owner, op); err != nil {
		return nil, err
	}
	r.acct.add(n)
	s.cache.put(r.owner, r.acct)
	if r.node != "" {
		return nil, nil
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsPubsub+"'><create"), "node", name)
	return append(b, "/></pubsub>"...), nil
}

// configure applies a submitted form; cancelled tells that it says to leave all
// as it is.
func (r *request) configure(c *Config, x xtok.Elem) (cancelled bool, err error) {
	f, err := form.Read(x)
	switch {
	case err != nil:
		return false, err
	case f.Kind == form.Cancel:
		return true, nil
	case f.Kind != form.Submit || f.Of != "" && f.Of != nsConfig:
		return false, stanza.Errorf(stanza.BadRequest, "this is no node configuration")
	}
	return false, c.apply(r.general, &f)
}

// getConfig shows a node's configuration.
// XEP-0060#owner-configure-request
func (s *Service) getConfig(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	f := n.form(r.general, form.Ask, nsConfig)
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsOwner+"'><configure"), "node", n.name)
	b = f.Append(append(b, '>'))
	return append(b, "</configure></pubsub>"...), nil
}

// getDefault shows the configuration of a new node.
// XEP-0060#owner-default
func (s *Service) getDefault(r *request) ([]byte, error) {
	c := defaults("")
	if r.general {
		c = serviceDefaults()
	}
	f := c.form(r.general, form.Ask, nsConfig)
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
	if cancelled, err := r.configure(&changed.Config, r.e.First()); err != nil || cancelled {
		return nil, err
	}
	if s.mirror(r.owner, n.name) != nil {
		changed.Persist = true
	}
	if r.general && (changed.Access != n.Access || !slices.Equal(changed.Groups, n.Groups)) {
		changed.Reads = r.Asker().String()
	}
	op, err := s.nodeOp(changed)
	if err != nil {
		return nil, err
	}
	if err := s.expires(r.Ctx, r.owner, &changed.record); err != nil {
		return nil, err
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
		s.notify(r.owner, n, r.configEvent(n))
	}
	return nil, nil
}

// configEvent tells of a new configuration; the names of groups are their owner's.
// XEP-0060#owner-configure-process-notify
func (r *request) configEvent(n *node) []byte {
	b := xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><configuration"), "node", n.name)
	if !n.Payloads {
		return append(b, "/></event>"...)
	}
	f := n.form(r.general, form.Result, nsConfig)
	plain(&f)
	hide(&f, "pubsub#roster_groups_allowed")
	b = f.Append(append(b, '>'))
	return append(b, "</configuration></event>"...)
}

// delete removes a node with all its items and subscriptions, and tells also those
// whose subscriptions wait.
// XEP-0060#owner-delete-success
func (s *Service) delete(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	uri := r.e.Child(nsOwner, "redirect").Attr("uri")
	if len(uri) > maxLabel {
		return nil, stanza.Errorf(stanza.NotAcceptable, "the address of the new node is too long")
	}
	if m := s.mirror(r.owner, n.name); m != nil {
		return nil, s.empty(r, m) // it stays, with nothing in it
	}
	return nil, s.vanish(s.draftOf(r), n, uri)
}

// vanish removes a node; uri says where its successor is, "" for nowhere.
func (s *Service) vanish(d *Draft, n *node, uri string) error {
	d.also = append(d.also, s.nodes.Unset(n.name))
	for who := range n.subs {
		d.also = append(d.also, s.subOp(n, who, none))
	}
	d.of(n).drop(s, n.entries)
	if err := d.commit(); err != nil {
		return err
	}
	d.acct.remove(n)
	s.cache.put(d.owner, d.acct)
	if n.OnDelete && n.Deliver {
		s.send(s.recipients(d.owner, n, true), d.owner, n, deleteEvent(n, uri))
	}
	return nil
}

func deleteEvent(n *node, uri string) []byte {
	b := xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><delete"), "node", n.name)
	if uri == "" {
		return append(b, "/></event>"...)
	}
	b = xtok.AppendAttr(append(b, "><redirect"...), "uri", uri)
	return append(b, "/></delete></event>"...)
}

// purge removes a node's items.
// XEP-0060#owner-purge
func (s *Service) purge(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	if !n.Persist {
		// XEP-0060#owner-purge-error-nopersist
		return nil, unsupported("persistent-items")
	}
	if m := s.mirror(r.owner, n.name); m != nil {
		return nil, s.empty(r, m)
	}
	if err := s.drop(r, n, n.entries); err != nil {
		return nil, err
	}
	if n.OnRetract {
		b := xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><purge"), "node", n.name)
		s.notify(r.owner, n, append(b, "/></event>"...))
	}
	return nil, nil
}
