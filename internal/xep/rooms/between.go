package rooms

import (
	"crypto/rand"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// asks are requests from one occupant to another that wait for an answer. Both
// sides see addresses of the room, and ids of ours, so that nothing tells who
// they are.
type asks struct {
	mu      sync.Mutex
	waiting map[string]asked // by the id that the asked side sees
	by, of  map[jid.JID]int  // how many wait, by the asker's account and by the asked
}

type asked struct {
	asker  *core.Session
	id     string  // the asker's
	from   jid.JID // whom the asker asked: room/nick
	target *core.Session
	at     time.Time
}

// Bounds of requests that wait: of all, of those that one account asked, and of those
// that one account was asked, of which one asker has a small part.
const (
	asksMost   = 20_000
	asksOfOne  = 200
	asksAtOne  = 2000
	askTimeout = time.Minute
)

// iq takes requests to occupants, and answers to such.
// XEP-0045#bizrules-iq
func (s *Rooms) iq(t *core.Transit) error {
	switch {
	case t.Session == nil:
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case !t.Head.IsRequest():
		s.answer(t)
		return nil
	}
	err := s.with(t.Head.To.Bare(), jid.JID{}, func(r *room) error {
		st, p := r.seat(t.Session), t.Elem.First()
		switch o := r.nicks[t.Head.To.Resource()]; {
		case st == nil:
			// XEP-0410#performingselfping
			return notInside()
		case o == nil:
			return stanza.Errorf(stanza.ItemNotFound, "nobody of that name is in the room")
		case o == st.who && p.Is("urn:xmpp:ping", "ping"):
			// XEP-0410#serveroptimization
			t.Answer(stanza.ResultReply(t.Head, nil))
			return nil
		default:
			return r.ask(t, st, o)
		}
	})
	if err == error(errNoRoom) {
		// XEP-0410#performingselfping: item-not-found would mean that the asker is inside
		return notInside()
	}
	return err
}

// ask hands a request on.
func (r *room) ask(t *core.Transit, st *seat, o *occupant) error {
	if !r.cfg.Queries && st.who.role != Moderator && o != st.who {
		return stanza.Errorf(stanza.NotAllowed, "in this room one does not ask other people's clients")
	}
	router := r.svc.router
	if router.Apart(o.real, st.who.real) || router.Blocked(o.real, st.who.addr) {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	if t.Elem.First().Is("vcard-temp", "vCard") {
		r.card(t, st, o)
		return nil
	}
	target := o.seats[0].session
	id := r.svc.asks.add(asked{t.Session, t.Head.ID, t.Head.To, target, t.Time})
	if id == "" {
		return stanza.Errorf(stanza.ResourceConstraint, "too many requests wait for an answer")
	}
	h := stanza.Head{Kind: stanza.IQ, Type: t.Head.Type, ID: id, From: st.who.addr, To: target.JID, Lang: t.Head.Lang}
	target.PushStanza(stanza.Make(h, t.Elem, stanza.Edit{}))
	return nil
}

// card asks for an occupant's visiting card, which his account keeps, not his client.
// COMPAT: clients ask for pictures so, since XEP-0153 came from presence of a room.
func (r *room) card(t *core.Transit, st *seat, o *occupant) {
	h := stanza.Head{Kind: stanza.IQ, Type: t.Head.Type, ID: t.Head.ID, From: st.who.addr, To: o.real}
	asked, to := t.Head.To, st.session
	r.svc.router.Consult(h, t.Elem, func(s *stanza.Stanza) {
		h := s.Head
		h.From, h.To = asked, to.JID
		to.PushStanza(stanza.New(h, s.Content()))
	})
}

// answer hands a result or an error back to who asked. What nobody asked for is
// dropped.
func (s *Rooms) answer(t *core.Transit) {
	a, ok := s.asks.take(t.Head.ID, t.Session)
	if !ok {
		return
	}
	h := stanza.Head{Kind: stanza.IQ, Type: t.Head.Type, ID: a.id, From: a.from, To: a.asker.JID, Lang: t.Head.Lang}
	a.asker.PushStanza(stanza.Make(h, t.Elem, stanza.Edit{}))
}

// add remembers a request; "" when too many wait.
func (w *asks) add(a asked) (id string) {
	id = rand.Text()
	w.mu.Lock()
	defer w.mu.Unlock()
	by, of := a.asker.JID.Bare(), a.target.JID.Bare()
	if len(w.waiting) >= asksMost || w.by[by] >= asksOfOne || w.of[of] >= asksAtOne {
		return ""
	}
	w.waiting[id] = a
	w.by[by]++
	w.of[of]++
	return id
}

// take forgets a request that the session was asked, and hands it out.
func (w *asks) take(id string, target *core.Session) (a asked, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, ok = w.waiting[id]; !ok || a.target != target {
		return asked{}, false
	}
	w.drop(id, a)
	return a, true
}

// drop is under mu.
func (w *asks) drop(id string, a asked) {
	delete(w.waiting, id)
	less(w.by, a.asker.JID.Bare())
	less(w.of, a.target.JID.Bare())
}

// less counts one down.
func less(counts map[jid.JID]int, who jid.JID) {
	if counts[who]--; counts[who] == 0 {
		delete(counts, who)
	}
}

// expire tells those who wait in vain.
func (w *asks) expire(now time.Time) {
	var late []asked
	w.mu.Lock()
	for id, a := range w.waiting {
		if now.Sub(a.at) > askTimeout {
			late = append(late, a)
			w.drop(id, a)
		}
	}
	w.mu.Unlock()
	for _, a := range late {
		h := stanza.Head{Kind: stanza.IQ, Type: stanza.Get, ID: a.id, From: a.asker.JID, To: a.from}
		a.asker.PushStanza(stanza.ErrorReply(h, stanza.Errorf(stanza.RemoteServerTimeout, "no answer")))
	}
}
