// Package sdp translates between SDP, which those who hold microphone and
// sockets speak (a browser's RTCPeerConnection, pion), and the sessions of
// Jingle. It opens nothing, sends nothing and decides nothing about a call.
//
// What goes through it is what Jingle's grammar can say; the rest of an SDP is
// left out. Exchange keeps both sides of one call: give it each SDP of the seat
// (Offered, Answered, Address) and each session that comes (Hear), and it says
// what is to be sent or fed. The rest of the package is what it is made of.
//
// Invariants: a session that is made was read back by the grammar's own parser;
// an SDP that is made has one m-line a content, only lines that Parse accepts,
// and nothing of the other side's but tokens, numbers and addresses, so that no
// value can become a line; an answer has the sections of its offer, in its order.
package sdp

import (
	"errors"
	"strconv"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/xtok"
)

// Limits of an SDP that is read. The zero value means those named here.
type Limits struct {
	Bytes    int  // 65,536
	Lines    int  // 2,000
	Loopback bool // keep addresses of this machine itself, which tests use
}

const (
	mostBytes = 64 << 10
	mostLines = 2000
	mostLine  = 2048 // bytes of one line
)

func (l Limits) bytes() int { return orElse(l.Bytes, mostBytes) }
func (l Limits) lines() int { return orElse(l.Lines, mostLines) }

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// Errors by which a caller decides.
var (
	// ErrSealed is of a session whose fingerprint is still encrypted.
	ErrSealed = errors.New("sdp: the fingerprint is sealed")
	// ErrInsecure is of media without a fingerprint of DTLS that is long enough.
	ErrInsecure = errors.New("sdp: media without DTLS")
	// ErrCrossed is of an offer that comes while another waits for its answer.
	ErrCrossed = errors.New("sdp: an offer is being answered")
	// ErrOrder is of an answer to nothing, or a change of a session that has not begun.
	ErrOrder = errors.New("sdp: not in this state")
	// ErrNothing is of a description of which nothing is left to send or feed.
	ErrNothing = errors.New("sdp: nothing in it that a call could use")
)

// Error says where an SDP is not one. Nothing of its text is in it, for addresses
// may stand there.
type Error struct {
	Line int // from 1; 0 of the whole
	What string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return "sdp: " + e.What
	}
	return "sdp: line " + strconv.Itoa(e.Line) + ": " + e.What
}

// Description is what one side says of itself: its media and its ways.
type Description struct {
	Media   []Media  // the sections, in order of their m-lines
	Bundle  []string // mids of those on one way; none: each has its own
	Version uint64   // counts up with each new description of a side in one call
}

// Media is a section.
type Media struct {
	Mid       string // "" only of one that is rejected
	Direction Direction
	Rejected  bool // the port is 0: nothing else counts but Mid and RTP.Media
	// Stream groups tracks that are played together; "" if it is not said.
	Stream string
	RTP    jingle.Description
	Way    jingle.Transport
}

// Direction is whether a side sends, receives or both.
// RFC 8866 §6.7
type Direction uint8

// The directions, as bits.
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

// String is the direction's attribute.
func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case SendRecv:
		return "sendrecv"
	}
	return "inactive"
}

// turned is the direction as the other side sees it.
func (d Direction) turned() Direction { return d>>1 | d<<1&RecvOnly }

// senders says it as Jingle does, of the side that has this role.
// XEP-0166 §7.3
func (d Direction) senders(side jingle.Role) jingle.Senders {
	if side == jingle.Responder {
		d = d.turned()
	}
	return [...]jingle.Senders{Inactive: jingle.Neither, SendOnly: jingle.OnlyInitiator, RecvOnly: jingle.OnlyResponder, SendRecv: jingle.Both}[d]
}

// directionOf reads senders for the side that has this role.
func directionOf(s jingle.Senders, side jingle.Role) Direction {
	d := SendRecv
	switch s {
	case jingle.OnlyInitiator:
		d = SendOnly
	case jingle.OnlyResponder:
		d = RecvOnly
	case jingle.Neither:
		d = Inactive
	}
	if side == jingle.Responder {
		d = d.turned()
	}
	return d
}

// other is the other side.
func other(r jingle.Role) jingle.Role {
	if r == jingle.Initiator {
		return jingle.Responder
	}
	return jingle.Initiator
}

// canonical is the session as the grammar has it: what is not in the grammar is
// an error, whoever made it.
func canonical(s jingle.Session) (jingle.Session, error) {
	e, err := xtok.Parse(s.Append(nil), xtok.Limits{Size: 1 << 20})
	if err != nil {
		return jingle.Session{}, err
	}
	return jingle.ParseSession(e)
}
