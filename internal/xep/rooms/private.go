package rooms

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// letter takes a message to the room itself that is not for all: invitations,
// requests for voice.
func (r *room) letter(t *core.Transit, st *seat) error {
	for _, f := range r.svc.letters {
		if taken, err := f(r, t, st); taken || err != nil {
			return err
		}
	}
	// XEP-0045#message
	return stanza.Errorf(stanza.BadRequest, "what is for everybody in a room has the type groupchat")
}

// private hands a message to one occupant: to all sessions that he is in the
// room with.
// XEP-0045#privatemessage
func (r *room) private(t *core.Transit, st *seat) error {
	switch {
	case t.Head.Type == stanza.Groupchat:
		return stanza.Errorf(stanza.BadRequest, "a message to one occupant is not of the type groupchat")
	case st == nil:
		return notInside()
	case !r.mayWrite(st.who.role):
		return stanza.Errorf(stanza.Forbidden, "this room does not let you write to single occupants")
	}
	o := r.nicks[t.Head.To.Resource()]
	if o == nil {
		return stanza.Errorf(stanza.ItemNotFound, "nobody of that name is in the room")
	}
	if err := r.readable(t); err != nil {
		return err
	}
	if r.shuns(o, st.who) {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	if err := r.post(t, st.who, o); err != nil {
		return err
	}
	r.wrote(t, st.who, o)
	r.sent(t, st, o)
	return nil
}

// sent keeps what an occupant wrote to another in his own archive, and shows it to his
// own devices that are in the room, after the other's archive has it: he is
// acknowledged once both have.
// XEP-0280#outbound
func (r *room) sent(t *core.Transit, st *seat, to *occupant) {
	if to.real == st.who.real {
		r.enter(t, func(*back) {}) // it is in the archive already
		return
	}
	r.clean(t)
	t.Edit.Append = []byte(mark) // by which his devices know where it belongs
	var others []*core.Session
	for _, s := range r.seats {
		if s != st && s.who.real == st.who.real {
			others = append(others, s.session)
		}
	}
	r.used = t.Time
	r.svc.router.EnterSent(t, others)
}

// mark says that a message went through a room.
// XEP-0045#privatemessage
const mark = "<x xmlns='" + nsUser + "'/>"

// shuns tells whether an occupant has blocked another, by either address.
func (r *room) shuns(o, other *occupant) bool {
	router := r.svc.router
	return router.Blocked(o.real, other.real) || router.Blocked(o.real, other.addr)
}

// mayWrite tells whether a role may write to single occupants.
// XEP-0045#registrar-formtype-owner (muc#roomconfig_allowpm)
func (r *room) mayWrite(role Role) bool {
	switch r.cfg.PM {
	case pmNone:
		return false
	case pmModerators:
		return role == Moderator
	case pmParticipants:
		return role >= Participant
	}
	return true
}

// post delivers a message to an occupant as if it came from an address of the
// room, to all sessions of his that are in there under that nick. It is in the walk of
// every message, but for copies: all who should see it are sent it.
// XEP-0280#which-messages
func (r *room) post(t *core.Transit, by, o *occupant) error {
	p := core.Posted{
		Head:    stanza.Head{Type: t.Head.Type, ID: t.Head.ID, Lang: t.Head.Lang, From: by.addr, To: o.seats[0].session.JID},
		Content: append(r.said(t), mark...), By: by.real,
	}
	for _, other := range o.seats[1:] {
		p.Also = append(p.Also, other.session)
	}
	return r.svc.router.HandOn(p)
}

// fatal are the errors by which a client, or what is in front of it, says that it
// can no longer be reached.
var fatal = map[string]bool{
	"gone": true, "internal-server-error": true, "item-not-found": true, "jid-malformed": true, "recipient-unavailable": true,
	"redirect": true, "remote-server-not-found": true, "remote-server-timeout": true, "service-unavailable": true,
}

// comesBack is why a session is taken out that cannot be reached.
const comesBack = "what it is sent comes back"

// bounced takes a message that came back. One from a session that cannot be
// reached takes it out of the room; another is handed to the occupant who wrote.
// XEP-0045#service-error-kick, XEP-0045#impl-service-ghosts
func (r *room) bounced(t *core.Transit, st *seat) error {
	if st == nil {
		return nil
	}
	if t.Head.To.IsFull() {
		r.handBack(t, st)
		return nil
	}
	if fatal[conditionOf(t.Elem)] {
		r.leave(st, departure{t: t, codes: []int{statusKicked, statusError}, reason: comesBack})
	}
	return nil
}

// whispered is a message that one occupant sent another.
type whispered struct {
	by jid.JID // room/nick
	to jid.JID // bare, the real one
	id string
}

// whispersBytes is how much is remembered of what occupants sent each other.
const whispersBytes = 2 << 20

// wrote remembers what an occupant sent another, whose client may send it back.
func (r *room) wrote(t *core.Transit, by, to *occupant) {
	if id := t.Head.ID; id != "" {
		r.svc.whispers.Put(whispered{by.addr, to.real, id}, t.Session.JID, 256+len(id))
	}
}

// handBack tells who wrote to an occupant that it came back: once, where he did
// write, and only what kind of error it is, as an error is no way around blocks and
// muc#roomconfig_allowpm.
func (r *room) handBack(t *core.Transit, st *seat) {
	what := whispered{t.Head.To, st.who.real, t.Head.ID}
	writer, ok := r.svc.whispers.Get(what)
	o := r.nicks[t.Head.To.Resource()]
	if !ok || o == nil || r.shuns(o, st.who) {
		return
	}
	r.svc.whispers.Drop(what)
	for _, s := range o.seats {
		if s.session.JID == writer {
			is := stanza.ReadError(t.Elem)
			h := stanza.Head{Kind: stanza.Message, Type: stanza.Error, ID: t.Head.ID, From: st.who.addr, To: writer}
			s.session.PushStanza(stanza.New(h, (&stanza.StanzaError{Condition: is.Condition, Kind: is.Kind}).Append(nil)))
		}
	}
}

// conditionOf is the defined condition of an error stanza.
func conditionOf(e xtok.Elem) string {
	for c := range e.Child(stanza.NSClient, "error").Children() {
		if c.NS() == stanza.NSStanzas && c.Local() != "text" {
			return c.Local()
		}
	}
	return ""
}
