package conn

import (
	"context"
	"sync"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Config says whose connection it is and how to make it. Zero durations are the
// defaults.
type Config struct {
	Address  jid.JID // bare
	Password string  // "" with a Token only
	Token    *Token
	// Device is this installation's own and lasting UUID, which nobody else knows
	// (XEP-0388 §2.3). Without one there are no tokens.
	Device     string
	DeviceName string // as its owner calls it
	Software   string // "mirsal chat"
	// Tag begins the resource, which is otherwise the server's choice (XEP-0386 §3.2.1).
	Tag  string
	Dial Dialer
	// Known: the account has signed in here before. What looks like a wrong server is then
	// taken for a strange network, and tried again.
	Known bool

	Handshake time.Duration // for one attempt, from the look-up to the session: 30 s
	Idle      time.Duration // without a word from the server until it is asked for one: 60 s
	Patience  time.Duration // for an answer to that, and for one to Ask and Inquire: 20 s
	Backoff   Backoff
}

// Backoff bounds the random pauses between attempts.
type Backoff struct {
	Least time.Duration // 1 s
	Most  time.Duration // 2 min
	Soon  time.Duration // in place of Most for an hour after the server was there, or Run began: 20 s
}

// Request is an IQ to send.
type Request struct {
	To      jid.JID // zero for the own account
	Type    string  // stanza.Get or stanza.Set
	Payload []byte  // one element, self-contained
	// Patience is how long to wait, Config's where it is 0.
	Patience time.Duration
}

// Conn is one account's connection. Its methods may be called by any goroutine.
type Conn struct {
	cfg    Config
	events chan Event
	kicked chan struct{} // holds one when there was a Kick
	parted chan struct{} // closed by Leave

	wasUp   bool          // of Run's goroutine: the account is known to work
	pause   pause         // of Run's goroutine
	there   time.Time     // of Run's goroutine: when the server was there last
	fresh   time.Duration // of Run's goroutine: how old an attempt must be for a Kick to break it off
	telling sync.WaitGroup

	mu      sync.Mutex // guards what follows, never during I/O
	s       session
	asks    map[string]*ask
	stream  *live // nil while down
	token   *Token
	issued  *Token // the latest, which is shown from Kept on
	away    bool   // nobody is looking
	leaving context.Context
}

// New makes a connection that Run starts. saved is what an earlier one said that
// it can be resumed by, nil for nothing.
func New(c Config, saved *Saved) *Conn {
	fallback := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	fallback(&c.Handshake, 30*time.Second)
	fallback(&c.Idle, time.Minute)
	fallback(&c.Patience, 20*time.Second)
	fallback(&c.Backoff.Least, time.Second)
	fallback(&c.Backoff.Most, 2*time.Minute)
	fallback(&c.Backoff.Soon, 20*time.Second)
	conn := &Conn{
		cfg: c, token: c.Token, wasUp: c.Known || c.Token != nil || saved != nil,
		events: make(chan Event, 64), kicked: make(chan struct{}, 1), parted: make(chan struct{}),
		asks: map[string]*ask{},
	}
	if saved != nil && saved.ID != "" {
		conn.s.restore(saved)
	}
	return conn
}

// Events are to be read until the channel is closed, which Run does before it
// returns. They wait for their reader, and so does the server: nothing is dropped.
func (c *Conn) Events() <-chan Event { return c.events }

// Kept tells that the token of the latest Up is kept: from then on it is the one that is shown. A
// token that was shown and is not on the disk would be lost with the program, and the
// former, shown again, looks stolen to a server. XEP-0484#impl-tokens
func (c *Conn) Kept(t *Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t == c.issued && t != nil {
		c.token, c.issued = t, nil
	}
}

// Send queues one stanza, self-contained. A ticket that is not 0 is told of once,
// by Handled or Lost; or stays in Saved when Run ends. Errors, at which the ticket
// was not taken: ErrDown, ErrBusy. It does not wait.
func (c *Conn) Send(raw []byte, ticket uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(raw, ticket)
}

// send needs the lock.
func (c *Conn) send(raw []byte, ticket uint64) error {
	switch {
	case c.stream == nil || c.leaving != nil:
		return ErrDown
	case !c.s.push(raw, ticket):
		return ErrBusy
	}
	c.stream.wake()
	return nil
}

// Settle tells that all stanzas up to this one are stored or need not be.
func (c *Conn) Settle(m Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s.settle(m) {
		c.acknowledge()
	}
}

// acknowledge tells the server how far we are. It needs the lock.
func (c *Conn) acknowledge() {
	if c.stream != nil && c.s.sm {
		c.stream.tell = true
		c.stream.wake()
	}
}

// Saved is what resumes the session, supposing that all up to m is settled: to be
// stored with what m brought. It is nil where nothing can be resumed. The zero Mark
// adds nothing to what is settled.
func (c *Conn) Saved(m Mark) *Saved {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s.saved(m)
}

// Attend tells the server whether somebody is looking (XEP-0352), now and on later
// streams. At first somebody is.
func (c *Conn) Attend(looking bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == !looking {
		return
	}
	c.away = !looking
	if c.stream != nil && c.stream.csi {
		c.stream.nonza(clientState(looking))
	}
}

func clientState(looking bool) []byte {
	if looking {
		return []byte("<active xmlns='" + nsCSI + "'/>")
	}
	return []byte("<inactive xmlns='" + nsCSI + "'/>")
}

// Kick is for when the network has changed, the machine woke up or somebody asks for it: the
// next attempt is made at once, one that hangs gives way to it, and a stream that seems up is tried.
func (c *Conn) Kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// Leave signs out: what was sent is written, the server is told, the session ends.
// Run returns then, at the latest when ctx ends.
func (c *Conn) Leave(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving != nil {
		return
	}
	if c.stream != nil {
		c.send(stanza.New(stanza.Head{Kind: stanza.Presence, Type: stanza.Unavailable}, nil).Raw, 0)
	}
	c.leaving = ctx
	close(c.parted)
	if c.stream != nil {
		c.acknowledge()
		c.stream.wake()
	}
}

// emit gives an event on. No lock is held.
func (c *Conn) emit(e Event) { c.events <- e }

func (c *Conn) emitHandled(tickets []uint64) {
	if len(tickets) > 0 {
		c.emit(&Handled{tickets})
	}
}

func (c *Conn) emitLost(tickets []uint64) {
	if len(tickets) > 0 {
		c.emit(&Lost{tickets})
	}
}
