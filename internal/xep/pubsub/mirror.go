package pubsub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Mirror is a node that shows the items of another one in an older form: as one
// item, whose payload is made when it is asked for. What is published to it is
// published to the other. It keeps only what the other has no room for, so the two
// cannot disagree.
type Mirror struct {
	Node, Of string
	// Show makes the payload: of what Take kept, nil for nothing, and Of's items
	// by id.
	Show func(own []byte, items iter.Seq2[string, []byte]) []byte
	// Take reads a payload that the owner published: what the mirror itself is to
	// keep, and what it changes among the items that the writer knew. A nil payload removes the item.
	Take func(payload xtok.Elem, items iter.Seq2[string, []byte]) (own []byte, changes iter.Seq2[string, []byte], err error)
}

// current is the id of a mirror's one item.
// XEP-0223 §3
const current = "current"

// Mirror adds a mirror; before start.
func (s *Service) Mirror(m Mirror) {
	s.mirrors[m.Node] = &m
}

// mirror is the mirror of a name, nil where there is none: the service has none.
func (s *Service) mirror(owner jid.JID, name string) *Mirror {
	if s.general(owner) {
		return nil
	}
	return s.mirrors[name]
}

func nothing(func(string, []byte) bool) {}

// ReadMirror is what a mirror shows its owner, who reads it by a session.
func (s *Service) ReadMirror(ctx context.Context, by *core.Session, name string) ([]byte, error) {
	owner := by.JID.Bare()
	defer s.lock(owner)()
	acct, err := s.load(ctx, owner)
	if err != nil {
		return nil, err
	}
	payload, err := s.show(ctx, owner, acct, s.mirrors[name])
	if err == nil {
		s.saw(ctx, owner, acct, s.mirrors[name], by)
	}
	return payload, err
}

// WriteMirror publishes to a mirror as its owner, by a session.
func (s *Service) WriteMirror(ctx context.Context, by *core.Session, name string, payload xtok.Elem) error {
	return s.Change(ctx, by.JID.Bare(), func(d *Draft) error { return d.mirror(by, s.mirrors[name], payload) })
}

// show makes a mirror's payload.
func (s *Service) show(ctx context.Context, owner jid.JID, acct *account, m *Mirror) ([]byte, error) {
	own, err := s.ownOf(ctx, owner, acct, m)
	if err != nil {
		return nil, err
	}
	items, err := s.all(ctx, owner, acct.nodes[m.Of])
	if err != nil {
		return nil, err
	}
	payload := m.Show(own, items)
	if len(payload) > maxAnswer {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "there is too much to be shown in the old form")
	}
	return payload, nil
}

// ownOf is what a mirror itself keeps, nil for nothing.
func (s *Service) ownOf(ctx context.Context, owner jid.JID, acct *account, m *Mirror) ([]byte, error) {
	n := acct.nodes[m.Node]
	if n == nil {
		return nil, nil
	}
	own, _, err := s.kept(ctx, owner, n, current)
	return own, err
}

// all ranges over a node's items in the order of their publication.
func (s *Service) all(ctx context.Context, owner jid.JID, n *node) (iter.Seq2[string, []byte], error) {
	if n == nil {
		return nothing, nil
	}
	entries := n.entries
	payloads, err := s.payloads(ctx, owner, n, entries)
	return func(yield func(string, []byte) bool) {
		for _, e := range entries {
			if p, ok := payloads[e.id]; ok && !yield(e.id, p) {
				return
			}
		}
	}, err
}

// publishMirrored publishes to a mirror. Options are not looked at: the two nodes
// are private whatever is asked for, and keep everything.
// XEP-0402#publishing-legacy
func (s *Service) publishMirrored(r *request, m *Mirror, payload xtok.Elem) ([]byte, error) {
	d := s.draftOf(r)
	if err := d.mirror(r.Session, m, payload); err != nil {
		return nil, err
	}
	if err := d.commit(); err != nil {
		return nil, err
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsPubsub+"'><publish"), "node", m.Node)
	return append(b, "><item id='"+current+"'/></publish></pubsub>"...), nil
}

// empty publishes to a mirror that there is nothing.
func (s *Service) empty(r *request, m *Mirror) error {
	e, err := xtok.Parse(m.Show(nil, nothing), xtok.Limits{})
	if err != nil {
		return fmt.Errorf("empty payload of %q: %w", m.Node, err)
	}
	s.views.set(r.Session, m.Node, nil) // all goes, seen or not
	_, err = s.publishMirrored(r, m, e)
	return err
}

// mirror drafts what a payload, published to a mirror by a session, changes.
func (d *Draft) mirror(by *core.Session, m *Mirror, payload xtok.Elem) error {
	s := d.service
	of, err := d.node(m.Of, nil)
	if err != nil {
		return err
	}
	items, err := s.all(d.ctx, d.owner, of)
	if err != nil {
		return err
	}
	var own []byte
	changes, err := d.wrote(by, m, items, func(seen iter.Seq2[string, []byte]) (changes iter.Seq2[string, []byte], err error) {
		own, changes, err = m.Take(payload, seen)
		return changes, err
	})
	if err != nil {
		return err
	}
	if err := d.takeOver(of, changes); err != nil {
		return err
	}
	was, err := s.ownOf(d.ctx, d.owner, d.acct, m)
	if err != nil || was != nil && bytes.Equal(was, own) {
		return err
	}
	n, err := d.node(m.Node, nil)
	if err != nil {
		return err
	}
	return d.put(n, current, "", own)
}

// takeOver makes the changes in the mirrored node, which from then on is one that
// only its owner reads and that keeps what it is given.
func (d *Draft) takeOver(of *node, changes iter.Seq2[string, []byte]) error {
	if of.Access != whitelist || !of.Persist {
		c := d.of(of)
		rec := of.record
		rec.Access, rec.Persist = whitelist, true
		c.config = &rec
	}
	for id, payload := range changes {
		if payload == nil {
			d.remove(of, id)
			continue
		}
		if len(d.of(of).left) >= of.MaxItems && of.find(id) < 0 {
			return stanza.Errorf(stanza.ResourceConstraint, "the list has more than %d items", of.MaxItems)
		}
		if err := d.put(of, id, "", payload); err != nil {
			return err
		}
	}
	return nil
}

// accompany makes the mirrors of nodes that have got items, so that they are
// found from then on.
func (d *Draft) accompany() error {
	if d.service.general(d.owner) {
		return nil
	}
	for _, m := range d.service.mirrors {
		if d.acct.nodes[m.Node] != nil || !d.moved(m.Of) || d.moved(m.Node) {
			continue
		}
		n, err := d.node(m.Node, nil)
		if err != nil {
			return err
		}
		if err := d.put(n, current, "", m.Show(nil, nothing)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Draft) moved(name string) bool {
	for _, c := range d.changes {
		if c.node.name == name {
			return c.moved
		}
	}
	return false
}

// reflect tells what mirrors show now, where the draft changed that.
// XEP-0402#publishing
func (d *Draft) reflect() {
	s := d.service
	if s.general(d.owner) {
		return
	}
	for _, m := range s.mirrors {
		n := d.acct.nodes[m.Node]
		if n == nil || !n.Deliver || !d.moved(m.Of) && !d.moved(m.Node) {
			continue
		}
		to := s.recipients(d.owner, n, false)
		if to.count() == 0 {
			continue
		}
		payload, err := s.show(d.ctx, d.owner, d.acct, m)
		if err != nil {
			s.log.Error("mirror unreadable", "jid", d.owner.String(), "node", n.name, "err", err)
			continue
		}
		if len(payload) > maxPayload {
			payload = nil // they fetch it
		}
		s.send(to, d.owner, n, itemEvent(n, d.owner, &entry{id: current}, payload))
		s.saw(d.ctx, d.owner, d.acct, m, slices.Collect(maps.Keys(to.sessions))...)
	}
}

// kept reads one item as it is stored; ok is false when it is not there.
func (s *Service) kept(ctx context.Context, owner jid.JID, n *node, id string) (payload []byte, ok bool, err error) {
	it, err := s.items.Get(ctx, owner.String(), itemKey(n.name, id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return payloadOf(it.Value), err == nil, err
}

// payload reads one item; ok is false when it is not there.
func (s *Service) payload(ctx context.Context, owner jid.JID, n *node, id string) (payload []byte, ok bool, err error) {
	if m := s.mirror(owner, n.name); m != nil {
		payload, err = s.show(ctx, owner, n.acct, m)
		return payload, err == nil, err
	}
	return s.kept(ctx, owner, n, id)
}
