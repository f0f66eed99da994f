package core

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Router takes stanzas from sessions through the hooks to whom they are for.
type Router struct {
	Domain jid.JID

	host     *Host
	dir      *Directory
	archive  Archive
	accounts Accounts
	limits   Limits
	metrics  *metrics
	log      *slog.Logger
	asks     asks
	notices  chan Notice

	ctx context.Context
	end context.CancelFunc
	run sync.WaitGroup

	mu   sync.Mutex
	bySM map[[16]byte]*Session // resumable sessions
}

// Parts are what a Router is made of.
type Parts struct {
	Domain   jid.JID
	Host     *Host
	Archive  Archive
	Accounts Accounts
	Limits   Limits
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// NewRouter puts a router together. Start runs its ticks.
func NewRouter(p Parts) *Router {
	r := &Router{
		Domain: p.Domain, host: p.Host, dir: NewDirectory(), archive: p.Archive,
		accounts: p.Accounts, limits: p.Limits, log: p.Log,
		notices: make(chan Notice, 1024), bySM: map[[16]byte]*Session{},
	}
	r.asks.waiting = map[askKey]ask{}
	r.metrics = newMetrics(p.Metrics, r.dir)
	r.ctx, r.end = context.WithCancel(context.Background())
	return r
}

// Start runs the features' ticks and notices until Stop.
func (r *Router) Start() {
	r.host.Every(5*time.Second, r.expireAsks)
	r.host.Every(5*time.Second, r.endHibernation)
	for _, t := range r.host.ticks {
		r.run.Go(func() { r.tick(t) })
	}
	if len(r.host.Notice) > 0 {
		r.run.Go(r.tellNotices)
	}
}

// Stop ends what Start began and waits for it. Sessions are the caller's.
func (r *Router) Stop() {
	r.end()
	r.run.Wait()
}

func (r *Router) tick(t tick) {
	clock := time.NewTicker(t.every)
	defer clock.Stop()
	for {
		select {
		case now := <-clock.C:
			t.f(now)
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Router) tellNotices() {
	for {
		select {
		case n := <-r.notices:
			for _, f := range r.host.Notice {
				f(n)
			}
		case <-r.ctx.Done():
			return
		}
	}
}

// Directory tells who is here.
func (r *Router) Directory() *Directory { return r.dir }

// Host is what features attached to.
func (r *Router) Host() *Host { return r.host }

// StanzaID is the id that clients see for a place in the log.
func (r *Router) StanzaID(seq uint64) string { return r.archive.StanzaID(seq) }

// Local tells whether an address belongs to this server's domain.
func (r *Router) Local(j jid.JID) bool { return j.DomainOnly() == r.Domain }

// Exists tells whether a bare JID is an account here.
func (r *Router) Exists(bare jid.JID) bool {
	return r.Local(bare) && bare.Local() != "" && r.accounts.Exists(bare.Local())
}

// Binding is an authenticated connection that wants a session.
type Binding struct {
	Conn Conn
	JID  jid.JID // full
	CID  string  // names the connection in logs
	Lang string  // the stream's xml:lang
	// Device is the client installation that signed in, as its account knows it.
	Device string
	// Hello makes what is written before anything else. It may turn features on
	// for the session, which nobody else knows yet.
	Hello func(s *Session) []byte
}

// Bind makes a session of an authenticated connection. A session with the same
// full JID ends with a conflict (RFC 6120 §7.7.2.2). It fails with
// resource-constraint when the account has too many.
func (r *Router) Bind(b Binding) (*Session, error) {
	if !r.Exists(b.JID.Bare()) {
		// removed since it logged in
		return nil, stanza.Errorf(stanza.NotAuthorized, "this account was removed")
	}
	s := &Session{JID: b.JID, CID: b.CID, Device: b.Device, Born: time.Now(), lang: b.Lang, router: r, conn: b.Conn}
	if b.Hello != nil {
		s.greet(b.Hello(s))
	}
	old, ok := r.dir.add(s, r.limits.Sessions)
	if !ok {
		r.forget(s)
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many sessions of this account")
	}
	if old != nil {
		old.Close(&stream.Error{Condition: "conflict", Text: "replaced by a new connection"})
	}
	for _, f := range r.host.Bound {
		f(s)
	}
	s.mu.Lock()
	s.startWriter()
	s.mu.Unlock()
	return s, nil
}

// gone runs once for each session that ended.
func (r *Router) gone(s *Session) {
	r.dir.remove(s)
	r.forget(s)
	for _, f := range r.host.Gone {
		f(s)
	}
}

// forget makes a session impossible to resume.
func (r *Router) forget(s *Session) {
	s.mu.Lock()
	id := s.sm.id
	s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bySM[id] == s {
		delete(r.bySM, id)
	}
}

func (r *Router) delivered(s *Session, seq uint64) {
	for _, f := range r.host.Delivered {
		f(s, seq)
	}
}

// Handle takes one stanza that a session received: e is its parsed form in the
// read buffer, valid during the call. A returned error ends the stream. Called by the
// session's reader only.
func (r *Router) Handle(s *Session, e xtok.Elem) *stream.Error {
	head, err := stanza.ReadHead(e)
	if head.Kind == stanza.None {
		// RFC 6120 §4.9.3.24
		return &stream.Error{Condition: "unsupported-stanza-type"}
	}
	n, ok := s.receive()
	if !ok {
		return nil
	}
	r.metrics.received[head.Kind].Inc()
	// RFC 6120 §8.1.2.1
	if !head.From.IsZero() && head.From != s.JID && head.From != s.JID.Bare() {
		return &stream.Error{Condition: "invalid-from"}
	}
	head.From = s.JID
	if head.Lang == "" {
		// RFC 6120 §4.7.4
		head.Lang = s.lang
	}
	if err != nil {
		r.refuse(&Transit{Session: s}, &head, err)
		s.settle(n)
		return nil
	}
	t := &Transit{Head: head, Elem: e, Session: s, Time: time.Now(), number: n}
	switch head.Kind {
	case stanza.Message:
		r.message(t)
	case stanza.Presence:
		s.settleFlight()
		r.presence(t)
	case stanza.IQ:
		r.iq(t)
		s.settle(n)
	}
	return nil
}

// refuse tells a sender that his stanza goes nowhere. Errors and results are
// never answered (RFC 6120 §8.3.1), nor is what a hook refused silently.
func (r *Router) refuse(t *Transit, h *stanza.Head, err error) {
	if h.Type == stanza.Error || h.Kind == stanza.IQ && h.Type == stanza.Result || errors.Is(err, ErrSilently) {
		return
	}
	if se := stanza.AsError(err); se.Condition == stanza.InternalServerError {
		r.log.Error("stanza failed", "cid", t.cid(), "jid", h.From.String(), "err", err)
	}
	t.Answer(stanza.ErrorReply(*h, err))
}

// settle says that a transit needs no more, unless it is still on its way.
func (r *Router) settle(t *Transit) {
	if t.Session != nil && !t.entered {
		t.Session.settle(t.number)
	}
}

func (r *Router) presence(t *Transit) {
	if s := r.Site(t.Head.To); s != nil {
		r.toSite(s, t, s.Presence)
		return
	}
	err := r.pass(t)
	switch {
	case err != nil:
	case t.Session == nil:
		err = r.foreign(t)
	case r.host.presence != nil:
		err = r.host.presence(t)
	}
	if err != nil {
		r.refuse(t, &t.Head, err)
	}
	r.settle(t)
}

// foreign hands on presence that no session of ours sent: directed presence
// reaches those it is for, and nobody here can be subscribed to its senders yet.
// RFC 6121 §4.6
func (r *Router) foreign(t *Transit) error {
	switch t.Head.Type {
	case stanza.Available, stanza.Unavailable, stanza.Error:
		r.Send(stanza.Make(t.Head, t.Elem, t.Edit))
		return nil
	case stanza.Probe:
		return nil
	}
	return stanza.Errorf(stanza.FeatureNotImplemented, "there are no subscriptions between accounts and addresses at %s", t.Head.From.Domain())
}
