package core

import (
	"errors"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// iq takes an IQ where it goes: to a handler of ours, to a waiting question of
// ours, or to the session with its full JID (RFC 6121 §8.5).
func (r *Router) iq(t *Transit) {
	to := t.Head.To
	if to.IsZero() {
		// RFC 6120 §10.3.3
		to = t.Session.JID.Bare()
	}
	if s := r.Site(to); s != nil {
		r.iqToSite(s, t)
		return
	}
	if !r.Local(to) {
		r.refuse(t, &t.Head, stanza.Errorf(stanza.RemoteServerNotFound, "this server does not federate yet"))
		return
	}
	if to.IsFull() && to.Local() != "" {
		r.routeIQ(t)
		return
	}
	if !t.Head.IsRequest() {
		r.answered(t)
		return
	}
	t.Head.To = to
	if to.Local() != "" {
		if err := r.pass(t); err != nil {
			r.refuse(t, &t.Head, err)
			return
		}
	}
	at := Account
	if to.Local() == "" {
		at = Server
	}
	r.ask(t, at)
}

// ask calls the handler of a request to a host or to a bare JID.
func (r *Router) ask(t *Transit, at Target) {
	q := &Query{Ctx: r.ctx, Head: t.Head, Payload: t.Elem.First(), Session: t.Session, reply: t.Answer}
	payload, err := r.handler(at, q)(q)
	if errors.Is(err, ErrLater) {
		return
	}
	if err != nil {
		r.refuse(t, &t.Head, err)
		return
	}
	t.Answer(q.answer(payload, nil))
}

func (r *Router) handler(at Target, q *Query) IQFunc {
	name := xmlName{q.Payload.NS(), q.Payload.Local()}
	f := r.host.iq[at][name]
	if every := r.host.siteIQ[name]; f == nil && at >= firstSite && every != nil {
		return func(q *Query) ([]byte, error) { return every(at, q) }
	}
	// RFC 6121 §8.5.1: an account that is not there answers like one that does
	// not know the namespace, so that neither can be told from the other
	if f == nil || at == Account && !q.Own() && !r.Exists(q.Head.To) {
		return unavailable
	}
	return f
}

func unavailable(*Query) ([]byte, error) {
	return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
}

// routeIQ hands an IQ to the session with the full JID. It must not overtake
// the sender's messages.
func (r *Router) routeIQ(t *Transit) {
	if t.Session != nil {
		t.Session.settleFlight()
	}
	if err := r.pass(t); err != nil {
		r.refuse(t, &t.Head, err)
		return
	}
	to := r.dir.Session(t.Head.To)
	if to == nil {
		// RFC 6121 §8.5.3.2.3
		r.refuse(t, &t.Head, stanza.Errorf(stanza.ServiceUnavailable, ""))
		return
	}
	to.PushStanza(stanza.Make(t.Head, t.Elem, stanza.Edit{}))
}

// Send routes a stanza that the server made, or hands one on: to a session, to
// all sessions of a bare JID that are interested, or to a component. It never
// blocks.
func (r *Router) Send(s *stanza.Stanza) {
	if site := r.Site(s.To); site != nil {
		if site.Any != nil {
			site.Any(&Transit{Head: s.Head, Stanza: s, Time: time.Now()}) // a component that is away misses it
		}
		return
	}
	for _, to := range r.sessionsFor(s.To) {
		to.PushStanza(s)
	}
}

func (r *Router) sessionsFor(to jid.JID) []*Session {
	if to.IsFull() {
		if s := r.dir.Session(to); s != nil {
			return []*Session{s}
		}
		return nil
	}
	return r.dir.Sessions(to)
}
