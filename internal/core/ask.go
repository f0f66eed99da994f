package core

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// asks are the server's own IQ requests that wait for an answer.
type asks struct {
	mu      sync.Mutex
	waiting map[askKey]ask
}

type askKey struct {
	id   string
	from jid.JID // who must answer
}

type ask struct {
	until time.Time
	f     func(xtok.Elem, error)
}

// askTimeout is how long an answer may take, asksMost how many may wait.
const (
	askTimeout = 30 * time.Second
	asksMost   = 100_000
)

// ErrNoAnswer is what the asker's function hears when nobody answered.
var ErrNoAnswer = errors.New("no answer")

// Ask sends an IQ get from the server to a session and calls f once: with the
// result, valid during the call, on the answering session's reader; or with
// an error. It does not block.
func (r *Router) Ask(to jid.JID, payload []byte, f func(result xtok.Elem, err error)) {
	r.AskFrom(stanza.Head{Type: stanza.Get, From: r.Domain, To: to}, payload, f)
}

// AskFrom sends an IQ of the type of h to its full JID or site, from an address of
// this server: the domain, a site, or a bare JID, to which the answer then comes. It calls f once,
// as Ask does, perhaps before it returns: with the result, with the *stanza.StanzaError
// that came instead, or with ErrNoAnswer. It does not block, unless the site does.
func (r *Router) AskFrom(h stanza.Head, payload []byte, f func(result xtok.Elem, err error)) {
	h.Kind, h.ID = stanza.IQ, "m"+rand.Text()
	key := askKey{h.ID, h.To}
	if !r.waitForAnswer(key, f) {
		f(xtok.Elem{}, ErrNoAnswer)
		return
	}
	if err := r.putQuestion(stanza.New(h, payload)); err != nil && r.asked(key).f != nil {
		f(xtok.Elem{}, err)
	}
}

// waitForAnswer notes a question, unless too many wait.
func (r *Router) waitForAnswer(key askKey, f func(xtok.Elem, error)) bool {
	r.asks.mu.Lock()
	defer r.asks.mu.Unlock()
	if len(r.asks.waiting) >= asksMost {
		return false
	}
	r.asks.waiting[key] = ask{time.Now().Add(askTimeout), f}
	return true
}

// putQuestion hands a question to whom it is for; an error when nobody is there.
func (r *Router) putQuestion(st *stanza.Stanza) error {
	if site := r.Site(st.To); site != nil {
		if site.Any == nil {
			return stanza.Errorf(stanza.ServiceUnavailable, "")
		}
		e, err := st.Elem()
		if err != nil {
			return err
		}
		return site.Any(&Transit{Head: st.Head, Elem: e, Stanza: st, Time: time.Now()})
	}
	s := r.dir.Session(st.To)
	if s == nil {
		return ErrNoAnswer
	}
	s.PushStanza(st)
	return nil
}

// asked takes a question out of those that wait; zero when it is not there.
func (r *Router) asked(key askKey) ask {
	r.asks.mu.Lock()
	defer r.asks.mu.Unlock()
	a := r.asks.waiting[key]
	delete(r.asks.waiting, key)
	return a
}

// answered takes a result or error that is addressed to the server, or to whom it
// asked for: only the one who was asked may answer, and once.
func (r *Router) answered(t *Transit) bool {
	a := r.asked(askKey{t.Head.ID, t.Head.From})
	switch {
	case a.f == nil:
	case t.Head.Type == stanza.Error:
		a.f(xtok.Elem{}, stanza.ReadError(t.Elem))
	default:
		a.f(t.Elem, nil)
	}
	return a.f != nil
}

func (r *Router) expireAsks(now time.Time) {
	var late []ask
	r.asks.mu.Lock()
	for k, a := range r.asks.waiting {
		if now.After(a.until) {
			late = append(late, a)
			delete(r.asks.waiting, k)
		}
	}
	r.asks.mu.Unlock()
	for _, a := range late {
		a.f(xtok.Elem{}, ErrNoAnswer)
	}
}
