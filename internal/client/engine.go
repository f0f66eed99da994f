package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/files"
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
	// NoCalls: nobody here has a microphone. Calls are still told and logged, for other devices may take them.
	NoCalls bool
	Label   string // what this device is called, for people
	Rand    io.Reader
	Now     func() time.Time
	// Connect makes connections; nil is conn.New.
	Connect func(conn.Config, *conn.Saved) Connection
	// Log hears of what went wrong, never of contents; nil is silence.
	Log Logger
}

// Logger hears words, and behind them pairs of a name and a value; a *slog.Logger is
// one. The browser's program has no room for slog itself.
type Logger interface {
	Error(words string, args ...any)
}

type silence struct{}

func (silence) Error(string, ...any) {}

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
	chats     map[string]chatSettings
	away      bool // nobody is looking
	begun     bool // the session: all was asked for that it must know
	synced    bool
	awaited   map[string]*wait  // archives, rooms and bookmarks still to come
	held      []held            // what came live before them
	syncBy    time.Time         // when people do not wait for them any more
	roomsBy   time.Time         // when rooms are to be looked after
	fetching  map[string]*fetch // archive queries under way, by query id
	gathering *gathering        // older chats are being looked for; nil: they are not
	sending   map[string]uint64 // origin-id → ticket
	tickets   map[uint64]string // and back
	pumping   bool
	stuck     map[string]bool // chats of which something in the outbox could not go
	ticket    uint64
	signIn    port.Command // a SignIn that waits for its answer
	status    port.Status
	keyAsks   int                           // questions about keys under way
	keyQueue  []e2ee.Request                // those behind them
	keyRun    bool                          // nextKeys is at work
	keyNews   map[string]bool               // rooms whose lock may be another one
	looked    map[string]bool               // chats whose keys are asked for since they are looked at
	showing   *showing                      // a code for linking, nil for none
	joining   *joining                      // nil when this device is not being linked
	uploading map[string]context.CancelFunc // by message
	loading   map[string]context.CancelFunc // messages whose file is being fetched
	network   files.Network                 // for both
	jobs      map[uint64]context.CancelFunc // commands that can be cancelled
	faces     map[string]face               // by address
	hidden    hidden                        // what others are not told
	signup    *signup                       // an account that is being made, nil for none
	changing  bool                          // the account's password is being changed
	calls     phone
	broken    error // the store failed: nothing goes on
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
		c.Log = silence{}
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
	e.sweepParts()
	e.goOnSigningUp()
	if !e.own.IsZero() && e.link == nil {
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
		case ev, ok := <-e.link.events():
			if !ok {
				e.connectionOver()
			} else {
				e.connection(ev)
			}
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
	now := e.Now()
	next := now.Add(idle)
	if e.keys == nil {
		return idle
	}
	events, typing := e.lines.Expire(now)
	e.tell(events...)
	next = sooner(sooner(sooner(next, typing), e.lines.VanishDue()), e.callsDue())
	if e.online() {
		next = sooner(sooner(sooner(next, e.keys.Due()), e.syncDue()), e.roomsBy)
	}
	return max(next.Sub(now), 0)
}

// sooner is the sooner of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// tick does what has become due.
func (e *Engine) tick() {
	if e.keys == nil || !e.vanish() {
		return
	}
	if e.endCalls(); !e.online() {
		return
	}
	e.take(e.keys.Tick())
	e.askAgain(e.Now())
	e.lookAfterRooms(e.Now())
	e.pump()
}

// tell hands events to whoever draws. Once the profile is broken nothing is told any more.
func (e *Engine) tell(events ...port.Event) {
	if e.broken != nil {
		return
	}
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
	if e.broken != nil {
		return
	}
	e.Log.Error("the profile cannot be used any more", "err", err)
	e.tell(&port.Status{State: "refused", Failure: port.Failf(port.Internal, "%s", err)})
	e.broken = err
}

// commit keeps a change of the timeline together with a step of the keys and the lines
// that tell of it, and then carries out what they say: one transaction, then events, then bytes.
func (e *Engine) commit(c timeline.Change, s e2ee.Step) bool {
	var b keep.Batch
	b.Add(s.Batch)
	b.Add(c.Batch)
	events := c.Events
	for _, alert := range s.Alerts {
		noted, err := e.noteAlert(&b, alert)
		if err != nil {
			e.breakDown(err)
			return false
		}
		events = append(append(events, &alert), noted...)
	}
	if !e.keepBatch(&b) {
		return false
	}
	e.tell(events...)
	e.forgetFiles(c.Files...)
	e.follow(s)
	if s.Removed {
		e.removedHere()
	}
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
