package people

import (
	"context"
	"errors"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// maxRequest bounds what a subscription stanza may carry, in bytes: requests
// are kept.
const maxRequest = 8 << 10

// subscription takes a subscription stanza from a session through its sender's
// side and its receiver's. Each side is durable before anyone is told of it.
// RFC 6121 §3
func (p *People) subscription(t *core.Transit) error {
	me, contact := t.Head.From.Bare(), t.Head.To.Bare()
	if contact.IsZero() {
		return stanza.Errorf(stanza.BadRequest, "a subscription needs an address")
	}
	if contact == me {
		return stanza.Errorf(stanza.NotAllowed, "one needs no subscription to oneself")
	}
	ev := eventOf(t.Head.Type)
	st, err := rewrite(t, ev, me, contact)
	if err != nil {
		return err
	}
	ctx := background()
	c, on, err := p.leave(ctx, me, contact, ev)
	if err != nil || !on {
		return err
	}
	if p.router.Blocked(contact, t.Head.From) {
		return nil // whatever he was given before
	}
	if ev == subscribe && p.vouched(contact, me, t.Elem) {
		return p.welcome(ctx, contact, me)
	}
	if err := p.arrive(ctx, contact, me, ev, st); err != nil {
		return err
	}
	switch {
	case ev == subscribed:
		p.introduce(me, contact)
	case ev == unsubscribed && c.was.State.From():
		p.depart(me, contact)
	}
	return nil
}

// leave is the sender's side of a subscription stanza: on tells whether it goes
// on to the receiver.
// RFC 6121 §A.2
func (p *People) leave(ctx context.Context, me, contact jid.JID, ev event) (c change, on bool, err error) {
	defer p.lock(me)()
	c, err = p.edit(ctx, me, contact, func(i *Item) ([]store.Op, error) {
		cell := outbound[i.State][ev]
		before := i.State
		i.State, on = cell.next, cell.pass
		switch ev {
		case subscribe:
			i.Listed = true
		case subscribed:
			// RFC 6121 §3.4.2: yes to one who has not asked
			i.Approved = !on && !before.From()
			i.Listed = true
		case unsubscribed:
			i.Approved = false
		}
		return p.settled(before, i), nil
	})
	if err != nil {
		return c, false, err
	}
	p.push(me, &c)
	return c, on, nil
}

// settled is what removes a request that is answered or withdrawn.
func (p *People) settled(before State, i *Item) []store.Op {
	if before.In() && !i.State.In() {
		return []store.Op{p.asked.Unset(i.JID.String())}
	}
	return nil
}

// arrive is the receiver's side of a subscription stanza from a contact. An
// account that does not exist takes no notice, nor does one that a block keeps
// apart from the contact: Reunite makes up for it.
// RFC 6121 §A.3
func (p *People) arrive(ctx context.Context, owner, from jid.JID, ev event, st *stanza.Stanza) error {
	if !p.router.Exists(owner) || p.router.Apart(owner, from) {
		return nil
	}
	if ev == subscribe {
		return p.asking(ctx, owner, from, st)
	}
	c, err := p.answered(ctx, owner, from, ev, st)
	if err != nil {
		return err
	}
	if ev == unsubscribe && c.was.State.From() {
		// RFC 6121 §3.3.3: he sees us no more
		p.depart(owner, from)
	}
	return nil
}

// answered takes what is no request: the roster changes, the sessions hear of it.
func (p *People) answered(ctx context.Context, owner, from jid.JID, ev event, st *stanza.Stanza) (change, error) {
	defer p.lock(owner)()
	deliver := false
	c, err := p.edit(ctx, owner, from, func(i *Item) ([]store.Op, error) {
		cell := inbound[i.State][ev]
		before := i.State
		i.State, deliver = cell.next, cell.pass
		return p.settled(before, i), nil
	})
	if err != nil {
		return c, err
	}
	if deliver {
		p.give(owner, st, concerned)
	}
	p.push(owner, &c)
	return c, nil
}

// asking takes a request: who has the subscription, or was approved, is told so
// at once; else it is kept and shown.
// RFC 6121 §3.1.3
func (p *People) asking(ctx context.Context, owner, from jid.JID, st *stanza.Stanza) error {
	granted, err := p.ask(ctx, owner, from, st)
	if err != nil || !granted {
		return err
	}
	if err := p.arrive(ctx, from, owner, subscribed, plain(subscribed, owner, from)); err != nil {
		return err
	}
	p.introduce(owner, from)
	return nil
}

func (p *People) ask(ctx context.Context, owner, from jid.JID, st *stanza.Stanza) (granted bool, err error) {
	defer p.lock(owner)()
	show := false
	c, err := p.edit(ctx, owner, from, func(i *Item) ([]store.Op, error) {
		before := i.State
		granted, show = before.From() || i.Approved, false
		if granted {
			i.State, i.Approved = before.approve(), false
			return p.settled(before, i), nil
		}
		cell := inbound[before][subscribe]
		i.State, show = cell.next, cell.pass
		if !show {
			return nil, nil
		}
		return []store.Op{p.asked.Set(from.String(), st.Raw)}, nil
	})
	if full(err) {
		return false, nil // as if he never answered
	}
	if err != nil {
		return false, err
	}
	p.push(owner, &c)
	if show {
		p.give(owner, st, available)
	}
	return granted, nil
}

// full tells a roster without room from other errors.
func full(err error) bool {
	var se *stanza.StanzaError
	return errors.As(err, &se) && se.Condition == stanza.ResourceConstraint
}

// give pushes a stanza to those of an account's sessions that want it.
func (p *People) give(to jid.JID, st *stanza.Stanza, want func(*core.Session) bool) {
	for _, s := range p.router.Directory().Sessions(to) {
		if want(s) {
			s.PushStanza(st)
		}
	}
}

func available(s *core.Session) bool { return s.Presence() != nil }

// concerned are the sessions that hear how a subscription fares: the interested
// ones, and those that are available without ever having asked for the roster.
// RFC 6121 §3.1.6
func concerned(s *core.Session) bool { return s.Flag(core.Interested) || available(s) }

// plain is a subscription stanza of our own making.
func plain(ev event, from, to jid.JID) *stanza.Stanza {
	return stanza.New(stanza.Head{Kind: stanza.Presence, Type: ev.String(), From: from, To: to}, nil)
}

// rewrite makes the stanza that the other side gets: addresses are bare, and of
// the content a request keeps all its children, anything else what people read.
// RFC 6121 §3.1.2
func rewrite(t *core.Transit, ev event, from, to jid.JID) (*stanza.Stanza, error) {
	var content []byte
	for c := range t.Elem.Children() {
		if ev == subscribe || c.Is(stanza.NSClient, "status") || c.Is("http://jabber.org/protocol/nick", "nick") {
			content = c.AppendTo(content)
		}
	}
	if len(content) > maxRequest {
		return nil, stanza.Errorf(stanza.NotAcceptable, "a subscription stanza has at most %d bytes of content", maxRequest)
	}
	h := stanza.Head{Kind: stanza.Presence, Type: ev.String(), ID: t.Head.ID, From: from, To: to, Lang: t.Head.Lang}
	return stanza.New(h, content), nil
}

// accountGone takes a removed account out of everyone's roster: it is unsubscribed
// both ways, and the item goes, with the name and groups that its owner gave it: nobody
// is there whom it could mean, and who takes the name next is somebody else.
// Its own roster is gone already, so the others' are looked through.
func (p *People) accountGone(gone jid.JID) {
	p.cache.drop(gone)
	ctx := background()
	owners, err := p.roster.Owners(ctx)
	if err != nil {
		p.log.Error("rosters keep a removed account", "jid", gone.String(), "err", err)
		return
	}
	for _, o := range owners {
		if err := p.forget(ctx, o, gone); err != nil {
			p.log.Error("roster keeps a removed account", "owner", o, "jid", gone.String(), "err", err)
		}
	}
}

func (p *People) forget(ctx context.Context, who string, gone jid.JID) error {
	_, err := p.roster.Get(ctx, who, gone.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	owner, bad := jid.Parse(who)
	if err = errors.Join(err, bad); err != nil {
		return err
	}
	defer p.lock(owner)()
	c, err := p.edit(ctx, owner, gone, func(i *Item) ([]store.Op, error) {
		*i = Item{JID: gone}
		return []store.Op{p.asked.Unset(gone.String())}, nil
	})
	if err != nil {
		return err
	}
	for _, ev := range []event{unsubscribe, unsubscribed} {
		if inbound[c.was.State][ev].pass {
			p.give(owner, plain(ev, gone, owner), concerned)
		}
	}
	p.push(owner, &c)
	if c.was.State.To() {
		p.give(owner, unavailableOf(gone, owner), available)
	}
	return nil
}

// unavailableOf tells that a whole account, or one session, is not there.
func unavailableOf(from, to jid.JID) *stanza.Stanza {
	return stanza.New(stanza.Head{Kind: stanza.Presence, Type: stanza.Unavailable, From: from, To: to}, nil)
}

// childText is the text of a child in the stanza's own namespace.
func childText(e xtok.Elem, local string) string { return e.Child(stanza.NSClient, local).Text() }
