package people

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const nsRoster = "jabber:iq:roster"

// rosterIQ answers for one's own roster only. Who asks at another account hears
// what he would hear of one that does not exist.
// RFC 6121 §2.1.5
func (p *People) rosterIQ(q *core.Query) ([]byte, error) {
	switch {
	case !q.Own():
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set():
		return nil, p.rosterSet(q)
	}
	return nil, p.rosterGet(q)
}

// wholeRoster is how many bytes of roster are put into the queue at once; a
// larger one waits until the queue is short.
const wholeRoster = 64 << 10

// rosterGet makes the session interested and sends the roster, or nothing when
// the client has it already. Pushes come behind it.
// RFC 6121 §2.2, §2.6.3
func (p *People) rosterGet(q *core.Query) error {
	owner := q.Asker()
	defer p.lock(owner)()
	r, err := p.load(q.Ctx, owner)
	if err != nil {
		return err
	}
	ver, _ := r.version()
	switch {
	case q.Payload.AttrIs("ver", ver):
		q.Session.SetFlag(core.Interested, true)
		q.Reply(nil, nil)
	case r.bytes() > wholeRoster:
		q.Session.Feed(&rosterSource{people: p, query: *q})
	default:
		q.Session.SetFlag(core.Interested, true)
		q.Reply(r.result(), nil)
	}
	return core.ErrLater
}

// result is the roster as the payload of a result, in the order of addresses.
func (r *roster) result() []byte {
	ver, _ := r.version()
	items := r.list(func(i *Item) bool { return i.Listed })
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.JID.String(), b.JID.String()) })
	b := appendQuery(make([]byte, 0, r.bytes()), ver)
	for i := range items {
		b = items[i].append(b)
	}
	return append(b, "</query>"...)
}

func appendQuery(b []byte, ver string) []byte {
	b = append(b, "<query xmlns='"+nsRoster+"' ver='"...)
	b = xtok.Escape(b, ver)
	return append(b, "'>"...)
}

// rosterSource sends a large roster when the queue is short enough, and behind
// it what changed while it was on its way.
type rosterSource struct {
	people *People
	query  core.Query
	sent   map[jid.JID]Item // nil before the roster was written
}

// Next runs on the session's writer.
func (s *rosterSource) Next() []core.Packet {
	p, owner := s.people, s.query.Asker()
	defer p.lock(owner)()
	r, err := p.load(background(), owner)
	if err != nil {
		s.query.Reply(nil, err)
		return nil
	}
	if s.sent != nil {
		p.pushChanges(s.query.Session, r, s.sent)
		return nil
	}
	s.sent = map[jid.JID]Item{}
	for _, i := range r.list(func(i *Item) bool { return i.Listed }) {
		s.sent[i.JID] = i
	}
	s.query.Session.SetFlag(core.Interested, true)
	return []core.Packet{core.Bytes(s.query.Result(r.result()).Raw)}
}

// pushChanges pushes to one session what differs from what it was sent.
func (p *People) pushChanges(s *core.Session, r *roster, sent map[jid.JID]Item) {
	ver, _ := r.version()
	for _, now := range r.list(func(i *Item) bool { return i.Listed }) {
		was := sent[now.JID]
		if !was.equal(&now) {
			pushItem(s, ver, now.append(nil))
		}
		delete(sent, now.JID)
	}
	for contact := range sent {
		pushItem(s, ver, appendRemoved(nil, contact))
	}
}

// push tells the interested sessions of a change; under owner's lock.
// RFC 6121 §2.1.6
func (p *People) push(owner jid.JID, c *change) {
	if !c.visible() {
		return
	}
	var item []byte
	if c.now.Listed {
		item = c.now.append(nil)
	} else {
		item = appendRemoved(nil, c.now.JID)
	}
	for _, s := range p.router.Directory().Sessions(owner) {
		if s.Flag(core.Interested) {
			pushItem(s, c.ver, item)
		}
	}
}

func pushItem(s *core.Session, ver string, item []byte) {
	b := appendQuery(nil, ver)
	b = append(append(b, item...), "</query>"...)
	s.PushStanza(stanza.New(stanza.Head{Kind: stanza.IQ, Type: stanza.Set, ID: "r" + rand.Text()[:12], To: s.JID}, b))
}

// rosterSet adds, changes or removes one item.
// RFC 6121 §2.3, §2.4, §2.5
func (p *People) rosterSet(q *core.Query) error {
	owner := q.Asker()
	want, remove, err := readItem(q.Payload)
	if err != nil {
		return err
	}
	if want.JID == owner {
		return stanza.Errorf(stanza.NotAllowed, "one's own address needs no roster item")
	}
	if remove {
		return p.removeContact(q.Ctx, owner, want.JID)
	}
	defer p.lock(owner)()
	c, err := p.edit(q.Ctx, owner, want.JID, func(i *Item) ([]store.Op, error) {
		i.Name, i.Groups, i.Listed = want.Name, want.Groups, true
		return nil, nil
	})
	if err != nil {
		return err
	}
	if c.visible() {
		p.push(owner, &c)
	}
	return nil
}

// readItem reads the one item of a roster set: address, name and groups are the
// client's, all else it may not set.
// RFC 6121 §2.3.3
func readItem(query xtok.Elem) (want Item, remove bool, err error) {
	e := query.First()
	if !e.Is(nsRoster, "item") || e.Next().OK() {
		return want, false, stanza.Errorf(stanza.BadRequest, "a roster set has exactly one item")
	}
	want.JID, err = jid.Parse(e.Attr("jid"))
	if err != nil || want.JID.IsFull() {
		return want, false, stanza.Errorf(stanza.BadRequest, "a roster item needs the bare address of a contact")
	}
	if e.AttrIs("subscription", "remove") {
		return want, true, nil
	}
	want.Name = e.Attr("name")
	if len(want.Name) > maxText {
		return want, false, stanza.Errorf(stanza.NotAcceptable, "the name has more than %d bytes", maxText)
	}
	want.Groups, err = readGroups(e)
	return want, false, err
}

func readGroups(item xtok.Elem) ([]string, error) {
	var groups []string
	for g := range item.Children() {
		if !g.Is(nsRoster, "group") {
			continue
		}
		name := g.Text()
		switch {
		case name == "" || len(name) > maxText:
			return nil, stanza.Errorf(stanza.NotAcceptable, "a group's name has 1 to %d bytes", maxText)
		case slices.Contains(groups, name):
			return nil, stanza.Errorf(stanza.BadRequest, "the same group twice")
		case len(groups) == maxGroups:
			return nil, stanza.Errorf(stanza.NotAcceptable, "more than %d groups", maxGroups)
		}
		groups = append(groups, name)
	}
	return groups, nil
}

// removeContact removes an item and ends what subscriptions there are, both
// ways, requests included.
// RFC 6121 §2.5.2
func (p *People) removeContact(ctx context.Context, owner, contact jid.JID) error {
	c, err := p.takeOut(ctx, owner, contact)
	if err != nil {
		return err
	}
	if c.was.State.To() || c.was.State.Out() {
		if err := p.arrive(ctx, contact, owner, unsubscribe, plain(unsubscribe, owner, contact)); err != nil {
			return err
		}
	}
	if c.was.State.From() || c.was.State.In() {
		if err := p.arrive(ctx, contact, owner, unsubscribed, plain(unsubscribed, owner, contact)); err != nil {
			return err
		}
	}
	if c.was.State.From() {
		p.depart(owner, contact)
	}
	return nil
}

func (p *People) takeOut(ctx context.Context, owner, contact jid.JID) (change, error) {
	defer p.lock(owner)()
	c, err := p.edit(ctx, owner, contact, func(i *Item) ([]store.Op, error) {
		if !i.Listed {
			return nil, stanza.Errorf(stanza.ItemNotFound, "no such contact in the roster")
		}
		*i = Item{JID: contact}
		return []store.Op{p.asked.Unset(contact.String())}, nil
	})
	if err == nil {
		p.push(owner, &c)
	}
	return c, err
}
