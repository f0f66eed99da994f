package rooms

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Message Moderation, XEP-0425 0.3.0, and Message Retraction, XEP-0424 0.4.2.
const (
	nsModerate = "urn:xmpp:message-moderate:1"
	nsRetract  = "urn:xmpp:message-retract:1"

	// of every version of theirs
	anyModerate = "urn:xmpp:message-moderate:"
	anyRetract  = "urn:xmpp:message-retract:"
)

// moderateIQ takes a message back for everybody: its text leaves the archive and
// what newcomers are shown, and a message that says so, kept as all are, reaches
// those who have it already, now or when they are back.
// XEP-0425#usecase
func (s *Rooms) moderateIQ(q *core.Query) ([]byte, error) {
	m, err := readModeration(q)
	if err != nil {
		return nil, err
	}
	return nil, s.with(q.Head.To, jid.JID{}, func(r *room) error {
		st := r.seat(q.Session)
		if r.gone {
			return errAgain
		}
		if by := r.standingOf(q.Session); by.Role != Moderator && by.Affiliation < Admin {
			return stanza.Errorf(stanza.Forbidden, "only moderators take back what others said")
		}
		m.who, m.by = q.Asker(), r.jid
		if st != nil {
			m.by = st.who.addr
		}
		if err := r.moderate(q.Ctx, m); err != nil {
			return err
		}
		r.event(func(*back) { q.Reply(nil, nil) })
		return core.ErrLater
	})
}

// moderation is one message taken back by a moderator.
type moderation struct {
	id     string // the room's, of the message
	reason string
	who    jid.JID // the moderator's bare address
	by     jid.JID // as the room shows him
}

func readModeration(q *core.Query) (m moderation, err error) {
	e := q.Payload
	m.id, m.reason = e.Attr("id"), e.Child(nsModerate, "reason").Text()
	switch {
	case q.Session == nil || !q.Set():
		return m, stanza.Errorf(stanza.NotAllowed, "")
	case m.id == "" || !e.Child(nsRetract, "retract").OK():
		return m, stanza.Errorf(stanza.BadRequest, "no message is to be taken back")
	case len(m.reason) > maxReason:
		return m, stanza.Errorf(stanza.NotAcceptable, "this reason is too long")
	}
	return m, nil
}

// moderate replaces the text first: should the server stop in between, a
// moderator who asks again has the rest done.
func (r *room) moderate(ctx context.Context, m moderation) error {
	said, err := r.find(ctx, m.id)
	switch {
	case err != nil:
		return err
	case said == nil:
		return stanza.Errorf(stanza.ItemNotFound, "the room keeps no message with this id")
	case said.author == "", said.isSubject():
		return stanza.Errorf(stanza.NotAllowed, "only what people said is taken back")
	}
	id := said.retracted
	if id == "" {
		if err := r.mayErase(m.who); err != nil {
			return err
		}
		id = "m" + rand.Text()[:16]
		if err := r.replace(ctx, said, r.appendRetracted(nil, id, &m)); err != nil {
			return err
		}
	}
	return r.proclaim(id, r.appendRetract(nil, &m))
}

// earlier is something that was said, as the archive has it.
type earlier struct {
	seq       uint64
	author    string // occupant id, "" for the room itself
	stanza    *stanza.Stanza
	elem      xtok.Elem
	retracted string // id of the retraction where it was taken back already
}

// find looks a message up by the id that the room gave it; nil where there is
// none.
func (r *room) find(ctx context.Context, id string) (*earlier, error) {
	seq, ok := r.svc.past.ParseStanzaID(id)
	if !ok {
		return nil, nil
	}
	rows, err := r.svc.past.Find(ctx, r.jid.String(), []uint64{seq})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	p := &earlier{seq: seq}
	if p.stanza, p.elem, err = stanza.Parse(rows[0].Body); err != nil {
		return nil, err
	}
	p.author = p.elem.Child(nsOccupant, "occupant-id").Attr("id")
	p.retracted = p.elem.Child(nsRetract, "retracted").Attr("id")
	return p, nil
}

// isSubject tells that what was said is what the room is about: another subject
// takes its place.
func (p *earlier) isSubject() bool {
	return isSubject(&core.Transit{Head: p.stanza.Head, Elem: p.elem})
}

// How many texts one account may take back at once, and how long it takes until it
// may another: each costs the disk more than a message does.
const (
	eraseBurst = 300
	erasePause = 300 * time.Millisecond
)

func (r *room) mayErase(who jid.JID) error {
	if wait := r.svc.extras.erased.take(who, 1); wait > 0 {
		return stanza.Errorf(stanza.ResourceConstraint, "you take back too much at once: wait %s", wait.Round(time.Second))
	}
	return nil
}

// replace puts a tombstone in the place of a message: what is left is when and by
// whom something was said, and the mark. Durable on return; under mu.
// XEP-0424#tombstones, XEP-0425#tombstones
func (r *room) replace(ctx context.Context, p *earlier, mark []byte) error {
	h := stanza.Head{Kind: stanza.Message, Type: stanza.Groupchat, ID: p.stanza.ID, From: p.stanza.From}
	if err := r.svc.past.Replace(ctx, p.seq, stanza.New(h, append(appendOccupant(nil, p.author), mark...))); err != nil {
		return err
	}
	r.unsay(p.seq)
	return nil
}

// appendRetracted appends the mark of a message that was taken back; m is nil
// where its author did.
func (r *room) appendRetracted(b []byte, id string, m *moderation) []byte {
	b = xtok.AppendAttr(append(b, "<retracted xmlns='"+nsRetract+"'"...), "id", id)
	b = append(stanza.AppendTime(append(b, " stamp='"...), time.Now()), '\'')
	if m == nil {
		return append(b, "/>"...)
	}
	return append(r.appendModerated(append(b, '>'), m), "</retracted>"...)
}

// appendRetract appends what tells that a message is taken back.
func (r *room) appendRetract(b []byte, m *moderation) []byte {
	b = xtok.AppendAttr(append(b, "<retract xmlns='"+nsRetract+"'"...), "id", m.id)
	return append(r.appendModerated(append(b, '>'), m), "</retract>"...)
}

func (r *room) appendModerated(b []byte, m *moderation) []byte {
	b = xtok.AppendAttr(append(b, "<moderated xmlns='"+nsModerate+"'"...), "by", m.by.String())
	b = append(r.appendID(append(b, '>'), m.who), "</moderated>"...)
	return xtok.AppendElement(b, "reason", m.reason)
}

// proclaim says something to everybody as the room itself, and keeps it as what
// people say; under mu.
func (r *room) proclaim(id string, content []byte) error {
	raw := stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Groupchat, ID: id, From: r.jid}, content).Raw
	st, e, err := stanza.Parse(raw)
	if err != nil {
		return err
	}
	t := &core.Transit{Head: st.Head, Elem: e, Stanza: st, Time: time.Now()}
	if r.cfg.Archive {
		t.Keep(core.Owner{JID: r.jid, Flags: archive.Outgoing})
	}
	r.enter(t, func(b *back) { b.spread(t.Stanza, r.idOf(t.Seq)) })
	r.remember(t)
	return nil
}

// soundRetraction refuses what speaks as moderators are told of, wherever in a message it stands, and
// what would take back more than one message, of which only one is looked at.
// XEP-0424#rules, XEP-0425#rules
func soundRetraction(e xtok.Elem) error {
	forged, retracts := claims(e)
	switch {
	case forged:
		return stanza.Errorf(stanza.Forbidden, "only the room says that a message was taken back by others")
	case retracts > 1, retracts > 0 && e.Child(stanza.NSClient, "subject").OK() && !e.Child(stanza.NSClient, "body").OK():
		return stanza.Errorf(stanza.BadRequest, "a message takes back one other, and sets no subject by that")
	}
	return nil
}

// claims looks through an element for what only rooms say, and counts retractions.
func claims(e xtok.Elem) (forged bool, retracts int) {
	for c := range e.Children() {
		switch c.Local() {
		case "moderated":
			forged = forged || strings.HasPrefix(c.NS(), anyModerate)
		case "retracted":
			forged = forged || strings.HasPrefix(c.NS(), anyRetract)
		case "retract":
			if c.NS() == nsRetract {
				retracts++
			}
		}
		within, more := claims(c)
		forged, retracts = forged || within, retracts+more
	}
	return forged, retracts
}

// retract sees to it that what somebody takes back himself leaves the archive
// before everybody hears of it, and that nobody takes back what others said. An id that is not the room's is left to the
// clients, which compare the authors.
// XEP-0424#rules, XEP-0425#rules
func (r *room) retract(t *core.Transit, st *seat) error {
	e := t.Elem.Child(nsRetract, "retract")
	if !e.OK() {
		return nil
	}
	said, err := r.find(context.Background(), e.Attr("id"))
	switch {
	case err != nil || said == nil:
		return err
	case said.author != r.occupantID(st.who.real):
		return stanza.Errorf(stanza.Forbidden, "this message is somebody else's")
	case said.isSubject():
		return stanza.Errorf(stanza.NotAllowed, "another subject takes the place of this one")
	case said.retracted != "":
		return nil
	case !keeps(&t.Head):
		// XEP-0424#rules: those who are away would never hear of it
		return stanza.Errorf(stanza.NotAcceptable, "what takes a message back is kept, whatever it asks for")
	}
	if err := r.mayErase(st.who.real); err != nil {
		return err
	}
	return r.replace(context.Background(), said, r.appendRetracted(nil, t.Head.ID, nil))
}
