package e2ee

import (
	"errors"
	"io"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

var errLater = errors.New("e2ee: not written yet")

// Config is what a Book is opened with.
type Config struct {
	Store keep.Store
	Own   jid.JID // the account; its resource is not looked at
	Label string  // what this device is called (shown in profile Two only)
	Rand  io.Reader
	Now   func() time.Time
	// Two also speaks urn:xmpp:omemo:2: publishes there and sends so to who has nothing else.
	Two bool
}

// Book is all OMEMO state of one account on one device.
type Book struct{}

// Open reads a Book from its store, and makes a device (stored on return) the
// first time. It begins within catch-up: CatchUp(false) ends it.
func Open(c Config) (*Book, error) { return nil, errLater }

// Online begins a new stream (not a resumed one): own list and bundle are looked at and published.
// Whatever was asked before counts as unanswered.
func (b *Book) Online() Step { return Step{} }

// CatchUp tells that messages of the archive begin (true) or have all been handed to Decrypt
// (false). Until then no used pre-key is thrown away, no bundle replaced, no session healed.
func (b *Book) CatchUp(on bool) Step { return Step{} }

// Answer takes the answer to a request: the whole <iq/> of type result or error,
// the zero Elem when there was none (time-out, connection lost).
func (b *Book) Answer(r Request, iq xtok.Elem) Step { return Step{} }

// Event takes the <event/> child of a message that from sent (as the stanza says it; only
// a bare address or none (own) is believed). False: it is not about OMEMO.
func (b *Book) Event(from jid.JID, event xtok.Elem) (Step, bool) { return Step{}, false }

// Tick does what has become due; Due is when (zero: nothing waits).
func (b *Book) Tick() Step     { return Step{} }
func (b *Book) Due() time.Time { return time.Time{} }

// Features are what entity capabilities must name for lists to be pushed (…+notify).
func (b *Book) Features() []string { return nil }

// Needs is what must be asked before a message to these (bare; own others are
// added) can be encrypted. waiting: something is still under way, these included: hand in the answers and ask again.
// It is never waiting for what failed a short while ago.
func (b *Book) Needs(to []jid.JID) (ask []Request, waiting bool) { return nil, false }

// Outgoing is a message to be encrypted.
type Outgoing struct {
	To   []jid.JID // bare addresses of people; in a room all members (one's own is ignored)
	Room jid.JID   // the room's address, zero in a chat of two
	Text string    // the body
	XML  []byte    // further self-contained elements; profile Two carries them inside, Legacy not at all
}

// Sealed is what takes the place of a message's content.
type Sealed struct {
	// Content is <encrypted/>, <encryption/> (XEP-0380) and the hint to store it: self-contained.
	Content   []byte
	Inside    bool // Outgoing.XML is inside (profile Two); else the caller puts it beside, if it may be seen
	Namespace string
	Report    Report
	Lock      port.Lock
}

// Encrypt makes a message for all decided devices of all of To and one's own others.
// Errors: ErrNobody, ErrUndecided, ErrWaiting; Sealed.Lock and Report are set with them too.
func (b *Book) Encrypt(m Outgoing) (Sealed, *keep.Batch, error) { return Sealed{}, nil, errLater }

// Incoming is an <encrypted/> element and what is known of the stanza around it.
type Incoming struct {
	// From is the sender's bare address: in a room the real one, by the member list; zero when
	// the room hides it.
	From    jid.JID
	Room    jid.JID   // the room's bare address, zero in a chat of two
	To      jid.JID   // own sent messages (carbons, archive): the bare address it went to
	Sent    time.Time // when, by the server's delay stamp; zero: just now
	Element xtok.Elem
}

// Opened is what was inside. Empty: nothing for people (it kept a session alive).
// Duplicate: it was read before; nothing is to be shown, and it is no error.
type Opened struct {
	Text      string
	XML       []byte // profile Two: the other elements, self-contained
	Empty     bool
	Duplicate bool
	Proof     Proof
}

// Decrypt opens a message. The Step is to be carried out with an error too. Errors: ErrUnreadable,
// ErrTampered, ErrNotForUs, ErrForged, ErrRefused, ErrEcho, or the store's own; Proof.Lock is what to show with them.
func (b *Book) Decrypt(in Incoming) (Opened, Step, error) { return Opened{}, Step{}, errLater }

// Lock is what a message sent now would be (table in the package comment). It is
// never Open: that a person has switched encryption off is known elsewhere.
func (b *Book) Lock(to []jid.JID, room jid.JID) port.Lock { return port.Lock{} }

// Plain is the lock of a message that came without encryption; chat is the contact or the room.
func (b *Book) Plain(chat jid.JID) port.Lock { return port.Lock{} }

// Encrypted tells whether the chat (contact or room) was ever encrypted: then it never goes back by itself.
func (b *Book) Encrypted(chat jid.JID) bool { return false }

// Devices lists an account's devices, active ones first; a key offered for a
// known device is a row of its own.
func (b *Book) Devices(who jid.JID) []port.Device { return nil }

// Fingerprint is this device's key, ID its number.
func (b *Book) Fingerprint() string { return "" }
func (b *Book) ID() uint32          { return 0 }

// SetTrust decides about a key: Verified, FirstUse or Refused. ErrNoKey.
func (b *Book) SetTrust(who jid.JID, fingerprint string, t Trust) (Step, error) {
	return Step{}, errLater
}

// SafetyCode is the text of one's own QR code: an xmpp: address with the fingerprints of this
// and one's own verified devices.
func (b *Book) SafetyCode() string { return "" }

// Verify takes a scanned code and verifies the keys it names. ErrCode, ErrMismatch (nothing is changed).
func (b *Book) Verify(code string) (jid.JID, Step, error) { return jid.JID{}, Step{}, errLater }

// RemoveDevice takes a device of one's own off the list and its bundle away. This very
// device too: then it stays off until Open makes another Book of an empty store. ErrNoKey.
func (b *Book) RemoveDevice(id uint32) (Step, error) { return Step{}, errLater }

// Silent lists own devices not heard of for a long time (90 days): to be offered for removal.
func (b *Book) Silent() []port.Device { return nil }
