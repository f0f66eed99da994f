package timeline

import (
	"time"

	"mirsal/internal/client/port"
)

// Source is the way a message came.
type Source uint8

// The ways.
const (
	Live    Source = iota // on the stream, as it was said (a room's reflection too)
	Carbon                // a copy of what one's own other device sent or was sent
	Archive               // a result of a query, see Book.TakePage
	Offline               // kept for us while away, or a room's history on entering
)

// Envelope is what the engine knows of a stanza and vouches for: nothing in it is
// the sender's claim that the engine has not checked.
type Envelope struct {
	Chat string // bare address of the contact or room
	Room bool   // Chat is a room
	// Sender is who is shown: a bare address, or the nick where a room hides it.
	Sender string
	// Real is the sender's bare address, "" where a room hides it. Occupant is the
	// occupant-id of a room that is known to set it. One of the two is needed to
	// change earlier messages.
	// XEP-0421
	Real, Occupant string
	Name           string // the sender's nick, "" for none
	Mine           bool   // sent by this account, from any device
	FromRoom       bool   // said by the room itself (its bare address)
	// StanzaID is the archive's id: of the result, or (left empty) read from the
	// <stanza-id/> that the chat's archive has put in: the room's for a room, one's
	// own account's for all else.
	StanzaID string
	Time     time.Time // when it was said: of the archive, or now
	Source   Source
	Lock     port.Lock
	// Unreadable says why an encrypted message could not be opened; "" otherwise.
	Unreadable string
	// Again: it was opened before and this copy cannot be. It tells where the message stands,
	// under the ids by which it is known, and nothing else.
	Again   bool
	Refused string // error stanza: what the other side says, in words
}

// Kind is what happened.
type Kind uint8

// The kinds.
const (
	Nothing   Kind = iota // nothing a person sees; it still has its place in an archive
	Text                  // something was said, or a file shared
	Edit                  // 0308
	Retract               // 0424, 0425
	Tombstone             // what an archive has in place of what was taken back
	React                 // 0444
	Receipt               // 0184
	Displayed             // 0333
	Subject               // of a room
	Invite                // 0249, and through the room
	Refusal               // an error came back for one's own message
	Timer                 // 0466, without a text
)

// Incoming is a message as it was read.
type Incoming struct {
	Envelope
	Kind     Kind
	ID       string   // the id attribute
	OriginID string   // 0359
	Ref      string   // id of the message that is meant: Edit, Retract, React, Receipt, Displayed, Refusal
	Text     string   // of Text, Edit and Subject, stand-ins for old clients cut out; a reason of Retract
	ReplyTo  string   // id of the message that is answered (0461), "" none
	ReplyOf  string   // whose that message is said to be
	Emoji    []string // React: the whole set
	File     *File
	State    string // chat state (0085): active, composing, paused, inactive, gone; "" none
	Invite   *Invitation
	// Asked: the sender wants a receipt (0184); Markable: a marker (0333).
	Asked, Markable bool
	// Timer is how long it is to be kept once it was seen (0466), in seconds; Timed: it says so.
	Timer uint32
	Timed bool
	// ForMe: its text speaks to us by name; the engine finds that out.
	ForMe bool
}

// Invitation is a room one is asked into.
type Invitation struct {
	Room     string `json:"room"`
	By       string `json:"by"`
	Reason   string `json:"reason,omitempty"`
	Password string `json:"-"` // not kept here
}

// File refers to what a message carries besides text.
type File struct {
	// URL is https:, http: or aesgcm: with IV and key in its fragment (0454).
	URL  string `json:"url"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Size int64  `json:"size"` // -1 unknown
	// Cipher, Key, IV and Hash (of the encrypted file, sha-256) are 0448's: "" and nil otherwise.
	Cipher string `json:"cipher,omitempty"`
	Key    []byte `json:"key,omitempty"`
	IV     []byte `json:"iv,omitempty"`
	Hash   []byte `json:"hash,omitempty"`
	// State, Why and Path are as in port.File; set by Book.SetFile.
	State string     `json:"state,omitempty"`
	Why   string     `json:"why,omitempty"`
	Media port.Media `json:"media,omitzero"`
	Path  string     `json:"path,omitempty"`
}
