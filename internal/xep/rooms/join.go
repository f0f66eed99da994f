package rooms

import (
	"bytes"
	"crypto/subtle"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// presence takes what a session sends to an address of the service.
func (s *Rooms) presence(t *core.Transit) error {
	to := t.Head.To
	switch {
	case t.Session == nil || to.Local() == "":
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case s.closed():
		return stanza.Errorf(stanza.ServiceUnavailable, "the rooms are being closed")
	}
	switch t.Head.Type {
	case stanza.Available:
		if !to.IsFull() {
			// XEP-0045#enter-muc
			return stanza.Errorf(stanza.JIDMalformed, "entering a room needs a nick: %s/nick", to)
		}
		return s.arrive(t)
	case stanza.Unavailable:
		return s.depart(t)
	case stanza.Probe:
		return s.probe(t)
	case stanza.Error:
		return s.refused(t)
	}
	return stanza.Errorf(stanza.NotAllowed, "a room has no subscriptions: enter it")
}

// depart takes a session's leave. One that is not there hears nothing.
// XEP-0045#exit
func (s *Rooms) depart(t *core.Transit) error {
	err := s.with(t.Head.To.Bare(), jid.JID{}, func(r *room) error {
		if st := r.seat(t.Session); st != nil {
			r.leave(st, departure{t: t, id: t.Head.ID, content: r.said(t)})
		}
		return nil
	})
	if err == error(errNoRoom) {
		return nil
	}
	return err
}

// refused takes out a session at which the room's presence came back.
// XEP-0045#service-error-kick
func (s *Rooms) refused(t *core.Transit) error {
	err := s.with(t.Head.To.Bare(), jid.JID{}, func(r *room) error {
		if st := r.seat(t.Session); st != nil {
			r.leave(st, departure{t: t, codes: []int{statusKicked, statusError}, reason: comesBack})
		}
		return nil
	})
	if err == error(errNoRoom) {
		return nil
	}
	return err
}

// probe shows an occupant to another who asks again, and what somebody is who is away.
// XEP-0045#bizrules-presence
func (s *Rooms) probe(t *core.Transit) error {
	return s.with(t.Head.To.Bare(), jid.JID{}, func(r *room) error {
		st := r.seat(t.Session)
		if st == nil {
			return notInside()
		}
		n := r.absent(t.Head.To, r.standingOf(t.Session))
		if o := r.nicks[t.Head.To.Resource()]; o != nil {
			n = r.noticeOf(o, o.seats[0])
		}
		open := r.cfg.NonAnonymous || st.who.role == Moderator
		r.enter(t, func(*back) { st.session.Push(addressed(n.stanza(open && !n.real.IsZero()), st.to, nil)) })
		return nil
	})
}

func notInside() error {
	return stanza.Errorf(stanza.NotAcceptable, "you are not in this room")
}

// maxPresence is how much a presence may say, in bytes: the room keeps it, and shows
// it to everybody who comes.
const maxPresence = 16 << 10

// arrive takes available presence to a room and nick: somebody enters, changes
// his nick, or his status.
func (s *Rooms) arrive(t *core.Transit) error {
	if len(t.Elem.Content()) > maxPresence {
		return stanza.Errorf(stanza.NotAcceptable, "this presence is too long for a room")
	}
	if err := s.slow(t.Session, arrivalCost+2*fan(s.toldOf(t.Session, t.Head.To.Bare()), len(t.Elem.Raw()))); err != nil {
		return err
	}
	if err := s.turn(t.Head.To.Bare()); err != nil {
		return err
	}
	if s.set.Decorate != nil {
		s.set.Decorate(t)
	}
	var maker jid.JID
	if t.Elem.Child(nsMUC, "x").OK() || old(t) {
		maker = t.Session.JID.Bare()
	}
	err := s.with(t.Head.To.Bare(), maker, func(r *room) error {
		err := r.arrive(t, !maker.IsZero())
		if err != nil && r.fresh {
			r.discard()
		}
		return err
	})
	if err == error(errNoRoom) {
		t.Answer(outside(t))
		return nil
	}
	return err
}

// old tells whether a presence without <x xmlns='…/muc'/> is that of a program
// from before XEP-0045, which enters so: it says nothing else, and its session tells
// no capabilities. From any other it is a status or a nick of one that wrongly
// believes to be inside, after this server restarted for example; to let it in would
// hide that.
// COMPAT: sendxmpp enters rooms so.
// XEP-0045#enter-gc
func old(t *core.Transit) bool {
	if t.Elem.First().OK() || t.Session.Flag(core.Modern) {
		return false
	}
	p := t.Session.Presence()
	return p == nil || !bytes.Contains(p.Stanza.Raw, []byte("http://jabber.org/protocol/caps"))
}

// outside tells a client that it is not inside.
// XEP-0045#enter-gc
func outside(t *core.Transit) *stanza.Stanza {
	n := notice{from: t.Head.To, aff: None, gone: true, codes: []int{statusSelf, statusKicked, statusError}}
	st := n.stanza(false)
	h := st.Head
	h.To = t.Head.From
	return stanza.New(h, st.Content())
}

func (r *room) arrive(t *core.Transit, enters bool) error {
	nick, x := t.Head.To.Resource(), t.Elem.Child(nsMUC, "x")
	st := r.seat(t.Session)
	switch {
	case r.gone:
		return errAgain
	case st == nil && !enters:
		return errNoRoom // not for this session
	case st == nil:
		w, err := readWish(x)
		if err != nil {
			return err
		}
		return r.join(t, nick, w)
	case st.who.nick != nick:
		return r.rename(t, st, nick)
	case x.OK():
		return r.again(t, st)
	}
	r.update(t, st)
	return nil
}

// joinedMost is how many rooms one session may be in.
const joinedMost = 1000

// join lets a session in.
// XEP-0045#enter
func (r *room) join(t *core.Transit, nick string, w wish) error {
	me := t.Session.JID.Bare()
	created := r.fresh
	role, err := r.admit(me, w)
	if err == nil {
		err = r.nickFor(me, nick)
	}
	if err == nil && r.svc.joined(t.Session) >= joinedMost {
		err = stanza.Errorf(stanza.ResourceConstraint, "you are in too many rooms")
	}
	if err != nil {
		return err
	}
	if err := r.came(me); err != nil {
		return err
	}
	r.fresh = false
	st := &seat{session: t.Session, content: r.said(t), lang: t.Head.Lang, to: toAttr(t.Session.JID.String())}
	others := r.put(st, nick, role).seats
	others = others[: len(others)-1 : len(others)-1] // the same person's
	r.svc.sat(st, r)
	n := r.noticeOf(st.who, st)
	all, mod := r.tells(st.who), st.who.role == Moderator
	welcome, picture := r.welcome(t, st, w, created), r.picture()
	r.enter(t, func(b *back) {
		b.show(n, all, others)
		b.tellSelf(n, others)
		b.seat(st, mod)
		if picture != nil {
			st.session.Push(addressed(picture, st.to, nil))
		}
		welcome.give(st.session)
	})
	r.stayed(st)
	return nil
}

// stayed takes a session out again that ended meanwhile, which its end may not
// have noticed.
func (r *room) stayed(st *seat) {
	if st.session.Ended() {
		r.leave(st, departure{})
	}
}

// admit decides who comes in, and as what.
// XEP-0045#enter-members, XEP-0045#enter-banned, XEP-0045#enter-maxusers
func (r *room) admit(me jid.JID, w wish) (Role, error) {
	aff := r.affiliation(me)
	role := r.cfg.RoleOf(aff)
	switch {
	case aff == Outcast:
		return role, stanza.Errorf(stanza.Forbidden, "you are banned from this room")
	case r.locked && aff != Owner:
		// XEP-0045#enter-locked
		return role, stanza.Errorf(stanza.ItemNotFound, "this room is not open yet")
	case role == Nobody:
		return role, stanza.Errorf(stanza.RegistrationRequired, "only members enter this room")
	case len(r.seats) >= r.most() && aff < Admin || len(r.seats) >= 2*r.most():
		err := stanza.Errorf(stanza.ServiceUnavailable, "this room is full")
		err.Kind = "wait"
		return role, err
	}
	return role, r.knows(me, w.password)
}

// How many wrong passwords of rooms one account may try at once, and how long it
// takes until it may try another. The right one costs nothing.
const (
	guessBurst = 10
	guessPause = 15 * time.Second
)

// knows decides whether somebody has the password.
// XEP-0045#enter-pw
func (r *room) knows(me jid.JID, password string) error {
	if r.cfg.Password == "" {
		return nil
	}
	guesses := r.svc.extras.guesses
	if wait := guesses.take(me, 1); wait > 0 { // who is right now would learn it
		return stanza.Errorf(stanza.ResourceConstraint, "too many wrong passwords: wait %s", wait.Round(time.Second))
	}
	if subtle.ConstantTimeCompare([]byte(password), []byte(r.cfg.Password)) == 0 {
		return stanza.Errorf(stanza.NotAuthorized, "this room asks for a password, and it was not this one")
	}
	guesses.give(me, 1)
	return nil
}

// most is how many sessions may be in the room.
func (r *room) most() int {
	if r.cfg.MaxUsers > 0 && r.cfg.MaxUsers < r.svc.set.MaxOccupants {
		return r.cfg.MaxUsers
	}
	return r.svc.set.MaxOccupants
}

// again shows everything once more to a session that is inside and did not know:
// it enters as if for the first time.
// XEP-0045#enter
func (r *room) again(t *core.Transit, st *seat) error {
	w, err := readWish(t.Elem.Child(nsMUC, "x"))
	if err != nil {
		return err
	}
	st.content, st.lang = r.said(t), t.Head.Lang
	n, all := r.noticeOf(st.who, st), r.tells(st.who)
	welcome := r.welcome(t, st, w, false)
	r.enter(t, func(b *back) {
		b.show(n, all, []*seat{st})
		welcome.give(st.session)
	})
	return nil
}

// update shows an occupant's new status.
// XEP-0045#changepres
func (r *room) update(t *core.Transit, st *seat) {
	st.content, st.lang = r.said(t), t.Head.Lang
	o := st.who
	for i, other := range o.seats {
		if other == st {
			o.seats[0], o.seats[i] = st, o.seats[0] // it is this one that others see
		}
	}
	r.present(t, o, departure{id: t.Head.ID})
}

// present tells everybody of an occupant as he is now; t may be nil.
func (r *room) present(t *core.Transit, o *occupant, why departure) {
	n := r.noticeOf(o, o.seats[0])
	n.id, n.codes, n.actor, n.reason = why.id, why.codes, why.actor, why.reason
	all, mod := r.tells(o), o.role == Moderator
	seats := append([]*seat(nil), o.seats...)
	act := func(b *back) {
		for _, st := range seats {
			b.seat(st, mod)
		}
		b.show(n, all, seats)
		b.tellSelf(n, seats)
	}
	r.place(t, act)
}

// place enters what a stanza caused, or an event where t is nil.
func (r *room) place(t *core.Transit, act func(*back)) {
	if t == nil {
		r.event(act)
		return
	}
	r.enter(t, act)
}

// rename gives an occupant another nick, with all sessions that share it.
// XEP-0045#changenick
func (r *room) rename(t *core.Transit, st *seat, nick string) error {
	if err := r.nickFor(st.who.real, nick); err != nil {
		return err
	}
	st.content, st.lang = r.said(t), t.Head.Lang
	o := st.who
	seats := append([]*seat(nil), o.seats...)
	was := r.noticeOf(o, st)
	was.gone, was.newNick, was.codes, was.content = true, nick, []int{statusNewNick}, r.appendID(nil, o.real)
	all := r.tells(o)
	var now *occupant
	for _, s := range seats {
		r.take(s)
	}
	for _, s := range seats {
		now = r.put(s, nick, o.role)
	}
	if all {
		r.shown[now] = struct{}{}
	}
	n := r.noticeOf(now, st)
	n.id = t.Head.ID
	mine, mod := append([]*seat(nil), now.seats...), now.role == Moderator
	self := n
	self.codes = modified(t)
	r.enter(t, func(b *back) {
		b.show(was, all, seats)
		b.tellSelf(was, seats)
		for _, s := range seats {
			b.seat(s, mod)
		}
		b.show(n, all, mine)
		b.tellSelf(self, mine)
	})
	return nil
}

// departure is how and why somebody leaves, or changes.
type departure struct {
	t       *core.Transit // what caused it, nil for nothing that the person sent
	id      string
	content []byte
	codes   []int
	actor   string // nick
	reason  string
	extra   []byte
}

// farewell is the departure of a session that left by being no longer available.
func (r *room) farewell(s *seat) (d departure) {
	if s.bye == nil {
		return d
	}
	if e, err := s.bye.Elem(); err == nil {
		d.content = r.said(&core.Transit{Head: s.bye.Head, Elem: e})
	}
	return d
}

// leave takes one session out; under mu.
// XEP-0045#exit
func (r *room) leave(st *seat, d departure) {
	if len(st.who.seats) == 1 {
		r.remove(st.who, d)
		return
	}
	o := st.who
	shown := o.seats[0] == st
	n, all := r.goodbye(o, st, d), r.tells(o)
	r.take(st)
	r.svc.left(st, r)
	rest := r.noticeOf(o, o.seats[0])
	seats := append([]*seat(nil), o.seats...)
	r.place(d.t, func(b *back) {
		b.unseat(st)
		b.tellSelf(n, []*seat{st})
		if shown {
			b.show(rest, all, seats)
		}
	})
}

// remove takes an occupant out with all his sessions; under mu. The room may be
// gone with the last one.
func (r *room) remove(o *occupant, d departure) {
	seats := append([]*seat(nil), o.seats...)
	n, all := r.goodbye(o, seats[0], d), r.tells(o)
	for _, st := range seats {
		r.take(st)
		r.svc.left(st, r)
	}
	r.place(d.t, func(b *back) {
		for _, st := range seats {
			b.unseat(st)
		}
		b.show(n, all, nil)
		b.tellSelf(n, seats)
	})
	r.emptied()
}

// goodbye is the last that is seen of an occupant.
func (r *room) goodbye(o *occupant, st *seat, d departure) notice {
	n := r.noticeOf(o, st)
	n.gone, n.role, n.content, n.id = true, Nobody, d.content, d.id
	n.codes, n.actor, n.reason, n.extra = d.codes, d.actor, d.reason, d.extra
	if n.content == nil {
		n.content = r.appendID(nil, o.real)
	}
	return n
}

// emptied ends a room that was for the occasion, or was never opened, with its
// last occupant; under mu.
// XEP-0045#terms-rooms
func (r *room) emptied() {
	if len(r.seats) == 0 && !r.stays() && !r.gone {
		r.end()
	}
}

// end makes the room's name free, once all that was entered has been told and its
// archive is gone; under mu. What is kept of it elsewhere was removed before.
func (r *room) end() {
	r.gone = true
	r.list()
	noted := r.noted
	r.event(func(*back) {
		if !noted {
			r.svc.bury(r) // nothing was kept
			return
		}
		if err := r.svc.vanish(r.svc.background(), r.jid); err != nil {
			r.svc.set.Log.Error("the archive of a room could not be removed", "room", r.jid.String(), "err", err)
		}
		r.svc.bury(r)
	})
}

// discard takes back a room that nobody could enter; under mu.
func (r *room) discard() {
	r.gone = true
	r.svc.bury(r)
}
