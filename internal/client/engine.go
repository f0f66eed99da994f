package client

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
)

// Config is what an engine is made of. All but Files, Connect and Log must be set.
type Config struct {
	// Store is the profile's; the engine uses it alone and does not close it.
	Store keep.Store
	// Dialer makes the way to the account's server; server is what SignIn named.
	Dialer func(address jid.JID, server string) (conn.Dialer, error)
	// Events hears of everything, in order, on the engine's goroutine: it must not
	// block for long, and may call Do.
	Events   func(port.Event)
	Files    Files  // nil: files can be neither sent nor fetched
	Software string // "mirsal chat"
	Label    string // what this device is called, for people
	Rand     io.Reader
	Now      func() time.Time
	// Connect makes connections; nil is conn.New.
	Connect func(conn.Config, *conn.Saved) Connection
	// Log hears of what went wrong, never of contents; nil is silence.
	Log *slog.Logger
}

// Engine is one account on one device. Make it with New, then Run it.
type Engine struct {
	Config

	// What others hand in: guarded by mu; wake has room for one.
	mu   sync.Mutex
	work []func()
	wake chan struct{}

	// All below belongs to Run's goroutine.
	profile   profile
	own       jid.JID // bare, zero without an account
	keys      *e2ee.Book
	lines     *timeline.Book
	link      *link // nil when not connected and not trying
	people    map[string]*contact
	rooms     map[string]*room
	plain     map[string]bool // chats whose encryption a person has switched off
	synced    bool
	awaited   map[string]bool   // archives, rooms and bookmarks still to come
	syncBy    time.Time         // when they are not waited for any more
	fetching  map[string]*fetch // archive queries under way, by query id
	sending   map[string]uint64 // origin-id → ticket
	tickets   map[uint64]string // and back
	ticket    uint64
	signIn    port.Command // a SignIn that waits for its answer
	status    port.Status
	uploading map[string]bool               // by message
	jobs      map[uint64]context.CancelFunc // commands that can be cancelled
	broken    error                         // the store failed: nothing goes on
	ctx       context.Context
}

// New makes an engine; nothing happens before Run.
func New(c Config) (*Engine, error) {
	if c.Store == nil || c.Dialer == nil || c.Events == nil || c.Rand == nil || c.Now == nil {
		return nil, errors.New("client: the configuration lacks a store, a dialer, a place for events, a clock or randomness")
	}
	if c.Connect == nil {
		c.Connect = func(cc conn.Config, s *conn.Saved) Connection { return conn.New(cc, s) }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{Config: c, wake: make(chan struct{}, 1), jobs: map[uint64]context.CancelFunc{}}
	return e, e.open()
}

// Do asks the engine for something; it does not wait. The answer is an event.
func (e *Engine) Do(c port.Command) { e.post(func() { e.command(c) }) }

// post has f run on the engine's goroutine.
func (e *Engine) post(f func()) {
	e.mu.Lock()
	e.work = append(e.work, f)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run is the engine; it returns when ctx has ended (nil) or when the profile
// cannot be written any more. Once only.
func (e *Engine) Run(ctx context.Context) error {
	e.ctx = ctx
	defer e.stop()
	if !e.own.IsZero() {
		e.connect()
	}
	for e.broken == nil {
		timer := time.NewTimer(e.pause())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-e.wake:
			e.takeWork()
		case ev := <-e.link.events():
			e.connection(ev)
		case <-e.link.ended():
			e.link = nil
		case <-timer.C:
			e.tick()
		}
		timer.Stop()
	}
	return e.broken
}

func (e *Engine) takeWork() {
	e.mu.Lock()
	work := e.work
	e.work = nil
	e.mu.Unlock()
	for _, f := range work {
		if e.broken == nil {
			f()
		}
	}
}

// idle is how long the loop sleeps when nothing is due.
const idle = time.Hour

// pause is how long until something is due.
func (e *Engine) pause() time.Duration {
	next := e.Now().Add(idle)
	if e.keys != nil {
		next = sooner(next, e.keys.Due())
		_, typing := e.lines.Expire(e.Now())
		next = sooner(sooner(next, typing), e.syncBy)
	}
	return max(next.Sub(e.Now()), 0)
}

func sooner(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// tick does what has become due.
func (e *Engine) tick() {
	if e.keys == nil {
		return
	}
	events, _ := e.lines.Expire(e.Now())
	e.tell(events...)
	e.take(e.keys.Tick())
	if !e.syncBy.IsZero() && !e.Now().Before(e.syncBy) {
		clear(e.awaited)
		e.arrived("")
	}
	e.pump()
}

// tell hands events to whoever draws.
func (e *Engine) tell(events ...port.Event) {
	for _, ev := range events {
		e.Events(ev)
	}
}

// keepBatch stores a batch. After false nothing more may be done: what memory
// knows and what the disk knows are no longer the same.
func (e *Engine) keepBatch(b *keep.Batch) bool {
	if e.broken != nil {
		return false
	}
	if err := e.Store.Apply(b); err != nil {
		e.breakDown(err)
		return false
	}
	e.lines.Committed()
	return true
}

func (e *Engine) breakDown(err error) {
	e.broken = err
	e.Log.Error("the profile cannot be used any more", "err", err)
	e.tell(&port.Status{State: "refused", Failure: port.Failf(port.Internal, "%s", err)})
}

// commit keeps a change of the timeline together with a step of the keys, and
// then carries out what they say: one transaction, then events, then bytes.
func (e *Engine) commit(c timeline.Change, s e2ee.Step) bool {
	var b keep.Batch
	b.Add(s.Batch)
	b.Add(c.Batch)
	if !e.keepBatch(&b) {
		return false
	}
	e.tell(c.Events...)
	e.follow(s)
	return true
}

// take keeps and carries out a step of the keys.
func (e *Engine) take(s e2ee.Step) bool { return e.commit(timeline.Change{}, s) }

// change keeps and tells a change of the timeline. An error is the store's, unless
// the change was about something that is not there any more.
func (e *Engine) change(c timeline.Change, err error) bool {
	if composeFailure(err) != nil {
		return false
	}
	if err != nil {
		e.breakDown(err)
		return false
	}
	return e.commit(c, e2ee.Step{})
}

// done answers a command that wants an answer.
func (e *Engine) done(c port.Command, answer port.Done) {
	if answer.Ref.Ref = port.RefOf(c); answer.Ref.Ref != 0 {
		e.tell(&answer)
	}
}

// fail answers a command that could not be carried out.
func (e *Engine) fail(c port.Command, f *port.Failure) { e.done(c, port.Done{Failure: f}) }
