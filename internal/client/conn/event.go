package conn

import (
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Event is what happens on a connection: *Up, *Down, *Stanza, *Answer, *Handled,
// *Lost, *TokenRefused or *Refused.
type Event interface{ event() }

// Up begins a stream: from here on Send and Ask work.
type Up struct {
	// Resumed: the former session goes on, and the server still has what it knew of
	// this one: presence, carbons, and what came in between follows. Otherwise all of
	// that is to be asked for again; the *Lost of the former session comes before.
	Resumed bool
	JID     jid.JID // full
	// Features are the stream features behind authentication, Bound what Bind 2
	// said (<bound/>). Neither is OK where the session was resumed, nor Bound where
	// Bind 2 was not used.
	Features, Bound xtok.Elem
	// Token is a new token, nil where none came, to be stored in place of Config.Token. It is shown
	// from Conn.Kept on; until then the former one is.
	Token *Token
}

// Down tells that the stream is lost, or could not be had, and that the next
// attempt is made in Retry (or at once after Kick).
type Down struct {
	Err   *Refusal
	Retry time.Duration
}

// Stanza is a message, presence, or request of somebody's: all that is no answer
// to a question of ours. It is to be settled, Settle(Mark), when it is stored.
type Stanza struct {
	stanza.Head
	Raw  []byte    // self-contained
	Elem xtok.Elem // Raw, parsed
	Mark Mark
}

// Answer is what came of an Inquire, in its order among the stanzas. Err is nil, a
// *stanza.StanzaError, ErrTimeout or ErrLost; Stanza is nil without an answer.
type Answer struct {
	Tag    uint64
	Stanza *Stanza
	Err    error
}

// Handled tells that the server has taken responsibility for what was sent.
type Handled struct{ Tickets []uint64 }

// Lost tells of what was sent, on a session that is over, and may have come to
// the server or not.
type Lost struct{ Tickets []uint64 }

// TokenRefused tells that the server does not take Config.Token (any more): forget
// it. A password, if there is one, is tried next.
type TokenRefused struct{}

// Refused is the last event: Run returns the same error.
type Refused struct{ Err *Refusal }

func (*Up) event()           {}
func (*Down) event()         {}
func (*Stanza) event()       {}
func (*Answer) event()       {}
func (*Handled) event()      {}
func (*Lost) event()         {}
func (*TokenRefused) event() {}
func (*Refused) event()      {}

// Mark is the place of a stanza among all that came.
type Mark struct {
	session uint32
	n       uint32
}

// Token signs this device in in place of the password (FAST, XEP-0484). It is as
// secret as one. It can be stored as JSON.
type Token struct {
	Mechanism string    `json:"mechanism"`
	Secret    string    `json:"secret"`
	Expiry    time.Time `json:"expiry"`
}

// Saved is what resumes a session after the program has ended (XEP-0198 §5). It
// can be stored as JSON.
type Saved struct {
	ID      string    `json:"id"`
	JID     string    `json:"jid"` // full
	In      uint32    `json:"in"`  // settled
	Out     uint32    `json:"out"` // the server's count before Unacked
	Unacked []Pending `json:"unacked,omitempty"`
}

// Pending is a stanza that the server has not acknowledged.
type Pending struct {
	Ticket uint64 `json:"ticket,omitempty"`
	Raw    string `json:"raw"`
}
