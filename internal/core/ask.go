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

// ErrNoAnswer is what Ask's function hears when nobody answered.
var ErrNoAnswer = errors.New("no answer")

// Ask sends an IQ get from the server to a session and calls f once: with the
// result, valid during the call, on the answering session's reader; or with
// an error. It does not block.
func (r *Router) Ask(to jid.JID, payload []byte, f func(result xtok.Elem, err error)) {
	s := r.dir.Session(to)
	key := askKey{"m" + rand.Text(), to}
	r.asks.mu.Lock()
	room := s != nil && len(r.asks.waiting) < asksMost
	if room {
		r.asks.waiting[key] = ask{time.Now().Add(askTimeout), f}
	}
	r.asks.mu.Unlock()
	if !room {
		f(xtok.Elem{}, ErrNoAnswer)
		return
	}
	s.PushStanza(stanza.New(stanza.Head{Kind: stanza.IQ, Type: stanza.Get, ID: key.id, From: r.Domain, To: to}, payload))
}

// answered takes a result or error that is addressed to the server: only the
// one who was asked may answer, and once.
func (r *Router) answered(t *Transit) bool {
	key := askKey{t.Head.ID, t.Head.From}
	r.asks.mu.Lock()
	a, ok := r.asks.waiting[key]
	delete(r.asks.waiting, key)
	r.asks.mu.Unlock()
	switch {
	case !ok:
	case t.Head.Type == stanza.Error:
		a.f(xtok.Elem{}, ErrNoAnswer)
	default:
		a.f(t.Elem, nil)
	}
	return ok
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
