package pubsub

import (
	"crypto/rand"
	"slices"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// publish adds an item to a node, which is made when it is not there, and
// notifies. The last of two publications of one id stays.
// XEP-0060#publisher-publish
func (s *Service) publish(r *request) ([]byte, error) {
	if r.node == "" {
		return nil, needNode()
	}
	item, err := readItem(r.e)
	if err != nil {
		return nil, err
	}
	if m := s.mirror(r.owner, r.node); m != nil {
		if !item.payload.OK() {
			return nil, fail(stanza.BadRequest, "payload-required", "the item is empty")
		}
		if err := checkPayload(r.node, item.payload); err != nil {
			return nil, err
		}
		return s.publishMirrored(r, m, item.payload)
	}
	n, err := s.target(r)
	if err != nil {
		return nil, err
	}
	if err := r.suits(n, item); err != nil {
		return nil, err
	}
	d := s.draftOf(r)
	if err := d.publish(r, n, item); err != nil {
		return nil, err
	}
	if err := d.commit(); err != nil {
		return nil, err
	}
	b := xtok.AppendAttr([]byte("<pubsub xmlns='"+nsPubsub+"'><publish"), "node", r.node)
	b = append(b, '>')
	if item.there {
		b = append(xtok.AppendAttr(append(b, "<item"...), "id", item.id), "/>"...)
	}
	return append(b, "</publish></pubsub>"...), nil
}

// publish drafts a publication that suits the node.
func (d *Draft) publish(r *request, n *node, item item) error {
	if !item.there {
		d.event(n, append(xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><items"), "node", n.name), "/></event>"...))
		return nil
	}
	var raw []byte
	if item.payload.OK() {
		// COMPAT: python-oldmemo checks OMEMO's payloads against a schema that has no
		// xml:lang, which slixmpp puts on every stream
		raw = item.payload.AppendUnspoken(nil)
	}
	by := ""
	if r.general {
		by = r.Asker().String()
	}
	return d.put(n, item.id, by, raw)
}

// item is what is published.
type item struct {
	there   bool // false for a publication without one
	id      string
	payload xtok.Elem // not OK for an empty item
}

// readItem reads the item of a publication; without an id it gets one.
// XEP-0060#publisher-publish-error
func readItem(publish xtok.Elem) (it item, err error) {
	e := publish.First()
	if !e.OK() {
		return it, nil
	}
	if !e.Is(nsPubsub, "item") {
		return it, fail(stanza.BadRequest, "item-required", "there is no item to publish")
	}
	if e.Next().OK() {
		return it, stanza.Errorf(stanza.BadRequest, "one item at a time")
	}
	it = item{there: true, id: e.Attr("id"), payload: e.First()}
	if it.payload.OK() && it.payload.Next().OK() {
		return it, fail(stanza.BadRequest, "invalid-payload", "an item has one payload")
	}
	if it.id == "" {
		it.id = rand.Text()[:20]
	}
	if len(it.id) > maxID {
		return it, stanza.Errorf(stanza.NotAcceptable, "the item's id has more than %d bytes", maxID)
	}
	return it, nil
}

// suits tells whether an item is what a node takes, and the asker may put it there.
// A node's type is not held against the payload's namespace. COMPAT: Movim, as
// XEP-0277 says, gives nodes a type that is none of the payload's.
// XEP-0060#publisher-publish-error-badrequest
func (r *request) suits(n *node, it item) error {
	switch {
	case !n.Persist && !n.Payloads && it.there:
		return fail(stanza.BadRequest, "item-forbidden", "the node takes no items")
	case !it.there && (n.Persist || n.Payloads):
		return fail(stanza.BadRequest, "item-required", "there is no item to publish")
	case n.Payloads && !it.payload.OK():
		return fail(stanza.BadRequest, "payload-required", "the item is empty")
	case it.payload.OK():
		if err := checkPayload(n.name, it.payload); err != nil {
			return err
		}
	}
	if i := n.find(it.id); i >= 0 && it.there && r.general && !r.mayRemove(n, &n.entries[i]) {
		return stanza.Errorf(stanza.Forbidden, "somebody else published an item with this id")
	}
	return nil
}

// maxDevices is how many devices one person's list may name: everyone who
// writes to him fetches a bundle for each.
const maxDevices = 200

// checkPayload refuses what is too large to be kept, or to be asked of others.
func checkPayload(node string, payload xtok.Elem) error {
	if len(payload.Raw()) > maxPayload {
		return fail(stanza.NotAcceptable, "payload-too-big", "the item is too large")
	}
	if node != "eu.siacs.conversations.axolotl.devicelist" && node != "urn:xmpp:omemo:2:devices" {
		return nil
	}
	count := 0
	for range payload.Children() {
		count++
	}
	if count > maxDevices {
		return fail(stanza.NotAcceptable, "payload-too-big", "the device list is too long")
	}
	return nil
}

// target is the node to publish to. Options are the configuration of a new node
// and conditions on one that is there: they never change it.
// XEP-0060#publisher-publish-autocreate, XEP-0060#publisher-publish-options
func (s *Service) target(r *request) (*node, error) {
	options, err := r.options()
	if err != nil {
		return nil, err
	}
	n := r.acct.nodes[r.node]
	if n == nil {
		return s.newNode(r, r.node, options)
	}
	if err := r.mayPublish(n); err != nil {
		return nil, err
	}
	wanted := n.Config
	if !known(r.general, options) || wanted.apply(r.general, options) != nil || !wanted.same(r.general, &n.Config) {
		return nil, notMet()
	}
	return n, nil
}

func notMet() error {
	return fail(stanza.Conflict, "precondition-not-met", "the node is not configured so")
}

// options reads <publish-options/>; without them the form is empty.
func (r *request) options() (*form.Form, error) {
	e := r.Payload.Child(nsPubsub, "publish-options")
	if !e.OK() {
		return &form.Form{}, nil
	}
	f, err := form.Read(e.First())
	if err == nil && (f.Kind != form.Submit || f.Of != nsOptions) {
		err = stanza.Errorf(stanza.BadRequest, "these are no publish-options")
	}
	return &f, err
}

// retract removes items.
// XEP-0060#publisher-delete
func (s *Service) retract(r *request) ([]byte, error) {
	n, err := r.own()
	if err != nil {
		return nil, err
	}
	if err := r.mayPublish(n); err != nil {
		return nil, err
	}
	if !n.Persist {
		// XEP-0060#publisher-delete-error-persistent
		return nil, unsupported("persistent-items")
	}
	gone, err := r.named(n)
	if err != nil {
		return nil, err
	}
	if m := s.mirror(r.owner, n.name); m != nil {
		return nil, s.empty(r, m)
	}
	if err := s.drop(r, n, gone); err != nil {
		return nil, err
	}
	if n.OnRetract || r.e.AttrIs("notify", "true") || r.e.AttrIs("notify", "1") {
		s.notify(r.owner, n, retractEvent(n, gone))
	}
	return nil, nil
}

// named are the entries that the children of a request name; one that is not
// there is an error.
func (r *request) named(n *node) ([]entry, error) {
	var list []entry
	for item := range r.e.Children() {
		id := item.Attr("id")
		if !item.Is(nsPubsub, "item") || id == "" {
			return nil, fail(stanza.BadRequest, "item-required", "an item needs an id")
		}
		i := n.find(id)
		if i < 0 {
			return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such item")
		}
		if r.general && !r.mayRemove(n, &n.entries[i]) {
			return nil, stanza.Errorf(stanza.Forbidden, "somebody else published that item")
		}
		if !slices.Contains(list, n.entries[i]) {
			list = append(list, n.entries[i])
		}
	}
	if len(list) == 0 {
		return nil, fail(stanza.BadRequest, "item-required", "the request names no item")
	}
	return list, nil
}
