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
	if err := r.post(t, st.who.addr, o); err != nil {
		return err
	}
	r.wrote(t, st.who, o)
	r.enter(t, func(*back) {}) // the sender is acknowledged once it is durable
	return nil
}

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
// room: by the walk of every message to the session that others see, and
// straight to the others of his that are in the room and get no copies.
func (r *room) post(t *core.Transit, from jid.JID, o *occupant) error {
	content := append(r.said(t), "<x xmlns='"+nsUser+"'/>"...)
	h := stanza.Head{Kind: stanza.Message, Type: t.Head.Type, ID: t.Head.ID, Lang: t.Head.Lang, From: from, To: o.seats[0].session.JID}
	if err := r.svc.router.Post(h, content); err != nil {
		return err
	}
	for _, other := range o.seats[1:] {
		if s := other.session; !s.Flag(core.Carbons) {
			h.To = s.JID
			s.PushStanza(stanza.New(h, content))
		}
	}
	return nil
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
