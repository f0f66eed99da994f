package pubsub

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Draft is a change to the nodes of one account that becomes durable, and is
// told, as a whole or not at all. It lives while the account's lock is held. What
// it reads is what was before it.
type Draft struct {
	service *Service
	ctx     context.Context
	owner   jid.JID
	acct    *account
	changes []*change // in the order in which their nodes came in
	also    []store.Op
	seq     uint64

	// what a session has of a mirror once it has written it
	wroteBy   *core.Session
	wroteTo   string
	wroteView *view
}

// change is what a draft does to one node.
type change struct {
	node   *node
	fresh  bool    // the node is new
	config *record // the node's new record, nil for none
	moved  bool    // items came or went
	left   []entry
	last   []byte
	ops    []store.Op
	events [][]byte
}

func (s *Service) draft(ctx context.Context, owner jid.JID, acct *account) *Draft {
	return &Draft{service: s, ctx: ctx, owner: owner, acct: acct, seq: acct.seq}
}

// Change lets f read and change an account's nodes, for the server itself: what
// f asked for is durable when Change returns nil. f must not call the Service.
func (s *Service) Change(ctx context.Context, owner jid.JID, f func(d *Draft) error) error {
	d, err := s.change(ctx, owner, f)
	if err == nil {
		s.tell(owner, d.names())
	}
	return err
}

func (s *Service) change(ctx context.Context, owner jid.JID, f func(d *Draft) error) (*Draft, error) {
	defer s.lock(owner)()
	acct, err := s.load(ctx, owner)
	if err != nil {
		return nil, err
	}
	d := s.draft(ctx, owner, acct)
	if err := f(d); err != nil {
		return nil, err
	}
	return d, d.commit()
}

// tell calls the OnChange hooks, which are about accounts; outside of all locks.
func (s *Service) tell(owner jid.JID, nodes []string) {
	if s.general(owner) {
		return
	}
	for _, n := range nodes {
		for _, f := range s.OnChange {
			f(owner, n)
		}
	}
}

// Last is a node's last item; payload is nil when there is none.
func (d *Draft) Last(name string) (id string, payload []byte, err error) {
	n := d.acct.nodes[name]
	if n == nil {
		return "", nil, nil
	}
	e, payload, _, err := d.service.lastItem(d.ctx, d.owner, n)
	return e.id, payload, err
}

// Item is the payload of one item, nil when it is not there.
func (d *Draft) Item(name, id string) ([]byte, error) {
	n := d.acct.nodes[name]
	if n == nil || n.find(id) < 0 {
		return nil, nil
	}
	payload, _, err := d.service.payload(d.ctx, d.owner, n, id)
	return payload, err
}

// Place is the place of a node's last item, 0 when it has none. A later one of
// the account has a higher place.
func (d *Draft) Place(name string) uint64 {
	n := d.acct.nodes[name]
	if n == nil || len(n.entries) == 0 {
		return 0
	}
	return n.entries[len(n.entries)-1].seq
}

// Access is a node's access model, as XEP-0060 names it; "" without a node.
func (d *Draft) Access(name string) string {
	if n := d.acct.nodes[name]; n != nil {
		return n.Access
	}
	return ""
}

// May tells whether an address, bare, may retrieve a node's items.
func (d *Draft) May(name string, asker jid.JID) bool {
	n := d.acct.nodes[name]
	return n != nil && d.service.may(d.owner, asker, n) == nil
}

// Publish adds an item, under an id of ours where none is given. A node that is
// not there is made with an access model. The payload is self-contained XML.
func (d *Draft) Publish(name, id string, payload []byte, access string) error {
	n, err := d.node(name, func(c *Config) { c.Access = access })
	if err != nil {
		return err
	}
	if id == "" {
		id = rand.Text()[:20]
	}
	return d.put(n, id, "", payload)
}

// Retract removes an item; one that is not there is no error.
func (d *Draft) Retract(name, id string) {
	if n := d.acct.nodes[name]; n != nil {
		d.remove(n, id)
	}
}

// Also makes one more step, of the same account, durable with the draft.
func (d *Draft) Also(op store.Op) { d.also = append(d.also, op) }

// node is a node of the account, or a new one with the defaults, which set may
// change.
func (d *Draft) node(name string, set func(*Config)) (*node, error) {
	if n := d.acct.nodes[name]; n != nil {
		return n, nil
	}
	for _, c := range d.changes {
		if c.node.name == name {
			return c.node, nil
		}
	}
	n, err := d.acct.newNode(name)
	if err == nil && set != nil {
		set(&n.Config)
	}
	return n, err
}

// newNode makes a node that is not yet kept.
func (a *account) newNode(name string) (*node, error) {
	if len(a.nodes) >= maxNodes {
		return nil, fail(stanza.ResourceConstraint, "max-nodes-exceeded", "an account has at most 1,000 nodes")
	}
	return &node{name: name, acct: a, record: record{Config: defaults(name), Created: time.Now().Unix()}}, nil
}

// of is the draft's change to a node.
func (d *Draft) of(n *node) *change {
	for _, c := range d.changes {
		if c.node == n {
			return c
		}
	}
	c := &change{node: n, fresh: d.acct.nodes[n.name] == nil, left: n.entries, last: n.last}
	d.changes = append(d.changes, c)
	return c
}

// put publishes an item and its event; by is the publisher where it is not the
// account that owns the node.
func (d *Draft) put(n *node, id, by string, payload []byte) error {
	if len(payload) > maxPayload {
		return fail(stanza.NotAcceptable, "payload-too-big", "the item is too large")
	}
	if len(id) > maxID {
		return stanza.Errorf(stanza.NotAcceptable, "the item's id has more than %d bytes", maxID)
	}
	d.seq++
	e := entry{seq: d.seq, id: id, size: len(payload), at: time.Now().Unix(), by: by}
	d.of(n).admit(d.service, e, payload)
	if d.service.mirror(d.owner, n.name) == nil {
		d.event(n, itemEvent(n, d.owner, &e, payload))
	}
	return nil
}

func (d *Draft) event(n *node, event []byte) {
	c := d.of(n)
	c.events = append(c.events, event)
}

// remove retracts an item and tells of it where the node is configured so.
func (d *Draft) remove(n *node, id string) {
	c := d.of(n)
	i := slices.IndexFunc(c.left, func(e entry) bool { return e.id == id })
	if i < 0 {
		return
	}
	gone := []entry{c.left[i]}
	c.drop(d.service, gone)
	if n.OnRetract {
		c.events = append(c.events, retractEvent(n, gone))
	}
}

// record is the node's as it will be.
func (c *change) record() *record {
	if c.config != nil {
		return c.config
	}
	return &c.node.record
}

// admit takes an item in. Its predecessor of the same id goes, and the oldest
// where there are too many.
// XEP-0060#publisher-publish-success-nodefull
func (c *change) admit(s *Service, e entry, payload []byte) {
	c.moved = true
	as := c.record()
	if !as.Persist {
		c.last = nil
		return
	}
	left := make([]entry, 0, len(c.left)+1)
	var gone []entry
	for _, o := range c.left {
		if o.id == e.id {
			gone = append(gone, o)
		} else {
			left = append(left, o)
		}
	}
	left = append(left, e)
	if over := len(left) - as.MaxItems; over > 0 {
		gone = append(gone, left[:over]...)
		left = left[over:]
	}
	c.left, c.last = left, nil
	if len(payload) <= smallPayload {
		c.last = payload
	}
	c.ops = append(append(c.ops, s.removeOps(c.node, gone)...), s.putOps(c.node, e, payload)...)
}

// drop takes items out.
func (c *change) drop(s *Service, gone []entry) {
	if len(gone) == 0 {
		return
	}
	out := make(map[uint64]bool, len(gone))
	for _, e := range gone {
		out[e.seq] = true
	}
	left := make([]entry, 0, len(c.left))
	for _, e := range c.left {
		if !out[e.seq] {
			left = append(left, e)
		}
	}
	c.left, c.last, c.moved = left, nil, true
	c.ops = append(c.ops, s.removeOps(c.node, gone)...)
}

// commit makes the draft durable, then known, then tells of it.
func (d *Draft) commit() error {
	s := d.service
	if err := d.accompany(); err != nil {
		return err
	}
	ops, total, err := d.steps()
	if err != nil {
		return err
	}
	if len(ops) == 0 && len(d.changes) == 0 && d.wroteBy == nil {
		return nil
	}
	if err := d.fits(total); err != nil {
		return err
	}
	if len(ops) > 0 {
		if err := s.apply(d.ctx, d.owner, ops...); err != nil {
			return err
		}
	}
	d.acct.total, d.acct.seq = total, d.seq
	for _, c := range d.changes {
		if c.config != nil {
			c.node.record = *c.config
		}
		c.node.entries, c.node.last, c.node.cost = c.left, c.last, sum(c.left)
		d.acct.add(c.node)
	}
	s.cache.put(d.owner, d.acct)
	d.notify()
	return nil
}

// steps are what the store is to do, and what all items then have in bytes.
func (d *Draft) steps() (ops []store.Op, total int, err error) {
	total = d.acct.total
	for _, c := range d.changes {
		total += sum(c.left) - c.node.cost
		if c.fresh || c.config != nil {
			op, err := d.service.nodeOp(&node{name: c.node.name, record: *c.record()})
			if err != nil {
				return nil, 0, err
			}
			ops = append(ops, op)
		}
		ops = append(ops, c.ops...)
	}
	return append(ops, d.also...), total, nil
}

// fits tells whether there is room for what all items then cost: in the account, or
// in the service and for the creators of the nodes that grow. What shrinks always fits.
func (d *Draft) fits(total int) error {
	if total <= d.acct.total {
		return nil
	}
	if !d.service.general(d.owner) {
		if total > maxTotal {
			return stanza.Errorf(stanza.ResourceConstraint, "the account's nodes hold more than %d MiB", maxTotal>>20)
		}
		return nil
	}
	if total > serviceTotal {
		return stanza.Errorf(stanza.ResourceConstraint, "the service has no room for more")
	}
	for _, c := range d.changes {
		_, held := d.acct.heldBy(c.node.Creator)
		if grows := sum(c.left) - c.node.cost; grows > 0 && held+grows > maxTotal {
			return stanza.Errorf(stanza.ResourceConstraint, "the nodes of who made this one hold more than %d MiB", maxTotal>>20)
		}
	}
	return nil
}

// notify sends the events, those of mirrors last.
func (d *Draft) notify() {
	if d.wroteBy != nil {
		d.service.views.set(d.wroteBy, d.wroteTo, d.wroteView)
	}
	for _, c := range d.changes {
		for _, event := range c.events {
			d.service.notify(d.owner, c.node, event)
		}
	}
	d.reflect()
}

// names are the nodes that the draft changed.
func (d *Draft) names() (list []string) {
	for _, c := range d.changes {
		list = append(list, c.node.name)
	}
	return list
}

// newNode makes a node as options want it.
func (s *Service) newNode(r *request, name string, options *form.Form) (*node, error) {
	n, err := r.acct.newNode(name)
	if r.general {
		n, err = s.newServiceNode(r, name)
	}
	if err != nil {
		return nil, err
	}
	if !known(r.general, options) {
		return nil, notMet()
	}
	return n, n.apply(r.general, options)
}

// draftOf begins a draft whose changes are told when the request is done.
func (s *Service) draftOf(r *request) *Draft {
	r.draft = s.draft(r.Ctx, r.owner, r.acct)
	return r.draft
}

// drop takes items out of a node, durably; extra ops go with them.
func (s *Service) drop(r *request, n *node, gone []entry, extra ...store.Op) error {
	d := s.draftOf(r)
	d.also = extra
	d.of(n).drop(s, gone)
	return d.commit()
}

func sum(entries []entry) int {
	size := 0
	for i := range entries {
		size += entries[i].cost()
	}
	return size
}
