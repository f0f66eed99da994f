package rooms

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// ownerIQ reads and sets the configuration, and destroys the room.
// XEP-0045#roomconfig, XEP-0045#destroyroom, XEP-0045#createroom-instant
func (s *Rooms) ownerIQ(q *core.Query) (payload []byte, err error) {
	if q.Session == nil {
		return nil, stanza.Errorf(stanza.Forbidden, "")
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		r.seat(q.Session)
		switch {
		case r.gone:
			return errAgain
		case r.affiliation(q.Asker()) != Owner:
			return stanza.Errorf(stanza.Forbidden, "only owners configure a room")
		case !q.Set():
			f := r.cfg.Form(s.set.MaxOccupants)
			payload = append(f.Append([]byte("<query xmlns='"+nsOwner+"'>")), "</query>"...)
			return nil
		}
		return r.owned(q)
	})
	return payload, err
}

// owned carries out what an owner sets.
func (r *room) owned(q *core.Query) error {
	if d := q.Payload.Child(nsOwner, "destroy"); d.OK() {
		how, err := readDestruction(d)
		if err != nil {
			return err
		}
		how.then = func() { q.Reply(nil, nil) }
		if err := r.destroy(how); err != nil {
			return err
		}
		return core.ErrLater
	}
	f, err := form.Read(q.Payload.Child(form.NS, "x"))
	if err != nil {
		return err
	}
	if f.Kind == form.Cancel {
		return r.cancel()
	}
	is, err := r.cfg.Change(f)
	if err != nil {
		return err
	}
	if err := r.configure(is, q.Asker()); err != nil {
		return err
	}
	r.event(func(*back) { q.Reply(nil, nil) })
	return core.ErrLater
}

// cancel leaves everything as it is; a room that was never opened goes.
// XEP-0045#createroom-reserved
func (r *room) cancel() error {
	if r.locked {
		return r.destroy(destruction{})
	}
	return nil
}

// configure gives the room another configuration, durable on return, and tells
// everybody; also the first one, as clients ask anew what the room is, and encrypt
// by that, only when they are told.
// XEP-0045#roomconfig-notify
func (r *room) configure(is Config, by jid.JID) error {
	was, wasLocked, stayed := r.cfg, r.locked, r.stays()
	is.History = min(is.History, maxHistory)
	if is.Persistent && !stayed && r.svc.tooMany(r.creator) {
		return stanza.Errorf(stanza.ResourceConstraint, "you have made as many rooms that stay as this server allows")
	}
	r.cfg, r.locked = is, false
	if err := r.settle(stayed); err != nil {
		r.cfg, r.locked = was, wasLocked
		return err
	}
	r.list()
	r.shorten()
	codes, open := diff(was, is), is.NonAnonymous
	r.event(func(b *back) {
		b.open = open
		if len(codes) > 0 {
			b.spread(statusMessage(r.jid, codes), nil)
		}
	})
	r.svc.owe(by, r.reshow(was)+r.reveal(was))
	if is.MembersOnly && !was.MembersOnly {
		r.membersOnly()
	}
	return nil
}

// settle writes a configuration that was changed; stayed tells whether the room
// stayed before.
func (r *room) settle(stayed bool) error {
	switch {
	case r.stays() && !stayed:
		return r.keepAll()
	case r.stays():
		return r.keep(r.opConfig(r.cfg))
	case stayed:
		return r.forgetAll()
	}
	return nil
}

// membersOnly removes those who may not be in the room any more.
// XEP-0045#roomconfig-notify
func (r *room) membersOnly() {
	for _, o := range r.sorted() {
		if r.affiliation(o.real) == None {
			r.remove(o, departure{codes: []int{statusMembersOnly}})
		}
	}
}

// destruction is how a room ends.
type destruction struct {
	venue, password, reason string
	then                    func() // runs once everybody was told
}

func readDestruction(e xtok.Elem) (d destruction, err error) {
	d.reason, d.password = e.Child(nsOwner, "reason").Text(), e.Child(nsOwner, "password").Text()
	if e.HasAttr("jid") {
		j, err := jid.Parse(e.Attr("jid"))
		if err != nil {
			return d, stanza.Errorf(stanza.JIDMalformed, "malformed address of another room")
		}
		d.venue = j.String()
	}
	if len(d.reason) > maxReason || len(d.password) > maxPassword {
		return d, stanza.Errorf(stanza.NotAcceptable, "this reason is too long")
	}
	return d, nil
}

// destroy ends the room: what is kept of it is gone on return; under mu.
// XEP-0045#destroyroom
func (r *room) destroy(d destruction) error {
	if err := r.unkeep(); err != nil {
		return err
	}
	x := append(xtok.AppendAttr([]byte("<destroy"), "jid", d.venue), '>')
	x = append(xtok.AppendElement(xtok.AppendElement(x, "password", d.password), "reason", d.reason), "</destroy>"...)
	for _, o := range r.sorted() {
		seats := append([]*seat(nil), o.seats...)
		n := r.goodbye(o, seats[0], departure{extra: x})
		n.aff = None
		for _, st := range seats {
			r.take(st)
			r.svc.left(st, r)
		}
		r.event(func(b *back) {
			for _, st := range seats {
				b.unseat(st)
			}
			b.tellSelf(n, seats)
		})
	}
	if d.then != nil {
		r.event(func(*back) { d.then() })
	}
	r.end()
	return nil
}
