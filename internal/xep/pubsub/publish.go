package pubsub

import (
	"crypto/rand"

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
	id, payload, err := readItem(r.e)
	if err != nil {
		return nil, err
	}
	if err := checkPayload(r.node, payload); err != nil {
		return nil, err
	}
	if m := s.mirrors[r.node]; m != nil {
		return s.publishMirrored(r, m, payload)
	}
	n, err := r.target()
	if err != nil {
		return nil, err
	}
	// COMPAT: python-oldmemo checks OMEMO's payloads against a schema that has no
	// xml:lang, which slixmpp puts on every stream
	raw := payload.AppendUnspoken(nil)
	d := s.draftOf(r)
	if err := d.put(n, id, raw); err != nil {
		return nil, err
	}
	if err := d.commit(); err != nil {
		return nil, err
	}
	b := attr([]byte("<pubsub xmlns='"+nsPubsub+"'><publish"), "node", r.node)
	b = attr(append(b, "><item"...), "id", id)
	return append(b, "/></publish></pubsub>"...), nil
}

// readItem reads the one item of a publication; without an id it gets one.
// XEP-0060#publisher-publish-error
func readItem(publish xtok.Elem) (id string, payload xtok.Elem, err error) {
	item := publish.First()
	if !item.Is(nsPubsub, "item") {
		return "", payload, fail(stanza.BadRequest, "item-required", "there is no item to publish")
	}
	if item.Next().OK() {
		return "", payload, stanza.Errorf(stanza.BadRequest, "one item at a time")
	}
	payload = item.First()
	if !payload.OK() {
		return "", payload, fail(stanza.BadRequest, "payload-required", "the item is empty")
	}
	if payload.Next().OK() {
		return "", payload, fail(stanza.BadRequest, "invalid-payload", "an item has one payload")
	}
	if id = item.Attr("id"); id == "" {
		id = rand.Text()[:20]
	}
	if len(id) > maxID {
		return "", payload, stanza.Errorf(stanza.NotAcceptable, "the item's id has more than %d bytes", maxID)
	}
	return id, payload, nil
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
func (r *request) target() (*node, error) {
	options, err := r.options()
	if err != nil {
		return nil, err
	}
	n := r.acct.nodes[r.node]
	if n == nil {
		return r.newNode(r.node, options)
	}
	wanted := n.Config
	if !known(options) || wanted.apply(options) != nil || !wanted.same(&n.Config) {
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
	gone, err := r.named(n)
	if err != nil {
		return nil, err
	}
	if m := s.mirrors[n.name]; m != nil {
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
		list = append(list, n.entries[i])
	}
	if len(list) == 0 {
		return nil, fail(stanza.BadRequest, "item-required", "the request names no item")
	}
	return list, nil
}
