package core

import (
	"time"

	"mirsal/internal/xmpp/stream"
)

// Archive is the durable log as the router sees it.
type Archive interface {
	// Append gives the transit its place in the log and returns; it may block
	// while too much waits for the disk. When the group that holds it is durable
	// (or, for a transit without owners, when everything before it is) it calls
	// t.Release, one transit at a time in the order of their places. A transit
	// with owners gets t.Seq before Append returns; when it repeats one of
	// recent minutes (XEP-0359 origin-id), t.Repeats is set and the release means
	// that the first one is durable.
	Append(t *Transit)
	// StanzaID is the id that clients see for a place in the log (XEP-0359).
	StanzaID(seq uint64) string
}

// Accounts tells which local accounts there are. It must not block.
type Accounts interface {
	Exists(local string) bool
}

// Conn is the connection below a session.
type Conn interface {
	// Write sends bytes; it may block until the peer reads, up to a deadline of
	// the connection's own.
	Write(b []byte) (int, error)
	// Abort ends the connection: a stream error where one is given, the end tag,
	// and no more reading. It does not block and may be called more than once.
	Abort(reason *stream.Error)
	// Done is closed when the connection's reader has returned.
	Done() <-chan struct{}
}

// Limits are the bounds of one session.
type Limits struct {
	// Queue is how many bytes may wait for, or be unacknowledged by, one session
	// before it is closed.
	Queue int
	// Sessions is how many sessions one account may have, Hibernating how many
	// of them may be without a connection.
	Sessions    int
	Hibernating int
	// Resumption is how long a session may be without a connection.
	Resumption time.Duration
}
