package conn

import (
	"context"
	"time"

	"mirsal/internal/xmpp/jid"
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

	Handshake time.Duration // for one attempt, from the look-up to the session: 30 s
	Idle      time.Duration // without a word from the server until it is asked for one: 60 s
	Patience  time.Duration // for an answer to that, and the default one for Ask: 20 s
	Backoff   Backoff
}

// Backoff bounds the random pauses between attempts.
type Backoff struct {
	Least time.Duration // 1 s
	Most  time.Duration // 2 min
}

// Request is an IQ to send.
type Request struct {
	To      jid.JID // zero for the own account
	Type    string  // stanza.Get or stanza.Set
	Payload []byte  // self-contained XML, one element
}

// API is what a *Conn does, for those who would rather have a scripted one in
// their tests.
type API interface {
	// Run connects and stays connected until ctx ends (nil: the session is left to
	// be resumed), Leave was called (nil), or the server's refusal is final (a
	// *Refusal, which was the last event too). Once only.
	Run(ctx context.Context) error
	// Events are to be read until Run has returned. They wait for the reader, and the
	// server does: nothing is dropped.
	Events() <-chan Event
	// Send queues one stanza, self-contained. A ticket that is not 0 is told of
	// by Handled or Lost, once. Errors, at which the ticket was not taken: ErrDown,
	// ErrBusy. It does not wait.
	Send(raw []byte, ticket uint64) error
	// Ask sends a request and waits for its answer: an answer of somebody else's is
	// none. Not from the goroutine that reads Events. What comes before the
	// answer has been given to Events by then, though perhaps not been read.
	// Errors: a *stanza.StanzaError, ErrDown, ErrBusy, ErrTimeout, ErrLost, ctx's.
	Ask(ctx context.Context, q Request) (*Stanza, error)
	// Inquire is Ask for the goroutine that reads Events: the answer is an *Answer
	// with this tag, in its order among the stanzas. It does not wait.
	Inquire(q Request, tag uint64) error
	// Settle tells that all stanzas up to this one are stored or need not be.
	Settle(m Mark)
	// Saved is what resumes the session, supposing that all up to m is settled: to be
	// stored with what m brought. nil where nothing can be resumed. The zero Mark
	// adds nothing to what is settled.
	Saved(m Mark) *Saved
	// Attend tells the server whether somebody is looking (XEP-0352). It holds for later
	// streams.
	Attend(looking bool)
	// Kick is for when the network has changed, or the machine woke up: the next attempt
	// is made at once, and a stream that seems up is tried.
	Kick()
	// Leave signs out in good order: what was sent is written, the session ends. Run
	// returns, at the latest when ctx ends.
	Leave(ctx context.Context)
}
