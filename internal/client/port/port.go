// Package port is the face of the client engine: commands go in, events come
// out. All of them are plain values of strings, numbers and lists, so that the
// same port serves a terminal in the same process and a browser's page across
// postMessage, as JSON (codec.go; docs/protocol/engine.md is the reference).
//
// It is not the engine (internal/client), holds no state and knows nothing of
// XMPP but addresses. Invariants: every command carries a Ref chosen by who
// asks and is answered by exactly one event with that Ref (Done, or the answer
// that its comment names); events without a Ref tell of changes, in the order
// in which they happened; a value once handed over is never changed.
package port

import "time"

// A Command asks the engine for something. Ref names it in the answer; 0 wants
// no answer.
type Command interface {
	command() string
	ref() uint64
	setRef(uint64)
}

// An Event tells of a change, or answers a command.
type Event interface{ event() string }

// Ref is the number by which an answer names its command.
type Ref struct {
	Ref uint64 `json:"ref,omitempty"`
}

func (r *Ref) ref() uint64     { return r.Ref }
func (r *Ref) setRef(n uint64) { r.Ref = n }

// RefOf is the number a command wants its answer to carry, or an event's as an
// answer; 0 for none.
func RefOf(v any) uint64 {
	if r, ok := v.(interface{ ref() uint64 }); ok {
		return r.ref()
	}
	return 0
}

// SetRef numbers a command.
func SetRef(c Command, n uint64) { c.setRef(n) }

// Names of addresses below are bare JIDs as text. A chat is named by the
// address of the contact or of the room. A message is named by the engine's own
// ID, which is stable for the life of the profile and means nothing outside it.

// A Lock is what the engine knows of a message's or a conversation's
// encryption, and never more than that (R5).
type Lock struct {
	State LockState `json:"state"`
	// Why says, in the engine's words (a key for translation), what is behind
	// Open, Changed or Broken.
	Why string `json:"why,omitempty"`
	// Missing names who could not read (send) or whose key is in question.
	Missing []string `json:"missing,omitempty"`
}

// Unready is a conversation that begins: nothing is wrong, but no keys are here yet to encrypt to.
func (l Lock) Unready() bool {
	return l.State == Broken && (l.Why == "keys-waiting" || l.Why == "no-device")
}

// LockState is one of five things that can be true of the lock.
type LockState string

const (
	// Open: not encrypted; the server and whoever holds it can read.
	Open LockState = "open"
	// Locked: encrypted to and by keys accepted on first use, none compared.
	Locked LockState = "locked"
	// Verified: encrypted, and every key involved was compared by a person.
	Verified LockState = "verified"
	// Changed: a key is new or other than before where one had been verified;
	// nothing is sent to it until a person decides.
	Changed LockState = "changed"
	// Broken: it should be encrypted and cannot be: no key to be had, or the
	// text could not be opened. Never falls back to Open by itself.
	Broken LockState = "broken"
)

// Progress of a message on its way. Only one's own have any but Received.
type Delivery string

const (
	Pending   Delivery = "pending"   // kept here, not yet acknowledged by the server
	Sent      Delivery = "sent"      // the server has it, durably
	Delivered Delivery = "delivered" // a device of the other side has it (0184)
	Read      Delivery = "read"      // the other side has shown it (0333)
	Failed    Delivery = "failed"    // refused; Message.Failure says why
	Received  Delivery = "received"  // not ours
)

// Message is a line of a conversation as it is now: edits, reactions and
// retractions are already applied.
type Message struct {
	ID         string     `json:"id"`
	Chat       string     `json:"chat"`
	Sender     string     `json:"sender"`         // bare address; in a room whose members are hidden, the nick
	Name       string     `json:"name,omitempty"` // what to show for the sender
	Mine       bool       `json:"mine,omitempty"`
	Time       time.Time  `json:"time"`
	Text       string     `json:"text,omitempty"`
	Edited     bool       `json:"edited,omitempty"`
	Retracted  bool       `json:"retracted,omitempty"`
	Reply      *Quote     `json:"reply,omitempty"`
	Reactions  []Reaction `json:"reactions,omitempty"`
	File       *File      `json:"file,omitempty"`
	Delivery   Delivery   `json:"delivery"`
	Failure    string     `json:"failure,omitempty"` // plain words, when Delivery is Failed
	Lock       Lock       `json:"lock"`
	Unreadable string     `json:"unreadable,omitempty"` // why it could not be decrypted; Text is empty then
	Notice     string     `json:"notice,omitempty"`     // a line of the engine's own: a key for translation ("key-changed", "joined" …)
	Params     []string   `json:"params,omitempty"`     // what the notice speaks of
	Starred    bool       `json:"starred,omitempty"`
	ForMe      bool       `json:"forMe,omitempty"`     // a room's text that has one's name behind an @
	Timer      int        `json:"timer,omitempty"`     // seconds that it is kept once it was seen, or (one's own) sent
	Expires    time.Time  `json:"expires,omitzero"`    // when it is deleted here, once that runs
	Forwarded  bool       `json:"forwarded,omitempty"` // one's own, said elsewhere before; others are not told
}

// Quote is what a reply answers to, as far as it is known here.
type Quote struct {
	ID     string `json:"id,omitempty"` // empty when the message is not in this profile
	Sender string `json:"sender,omitempty"`
	Text   string `json:"text,omitempty"` // at most 160 characters
}

// Reaction is one sign and everybody who gave it.
type Reaction struct {
	Emoji string   `json:"emoji"`
	Who   []string `json:"who"`
	Mine  bool     `json:"mine,omitempty"`
}

// File is what a message carries besides text. URL and keys stay inside.
type File struct {
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"` // media type as declared; nothing trusts it
	Size  int64  `json:"size,omitempty"` // bytes, -1 unknown
	State string `json:"state"`          // remote, loading, here, sending, failed
	Why   string `json:"why,omitempty"`  // the code of the failure, when failed
	Path  string `json:"path,omitempty"` // where it lies, when here
	Media
}

// Media is what a sender says of a file before it is here; nothing trusts it. It goes only where
// it is encrypted with the text, so programs of the older encryption neither send nor see it.
type Media struct {
	Width    int    `json:"width,omitempty"` // pixels, at most 65536
	Height   int    `json:"height,omitempty"`
	Duration int64  `json:"duration,omitempty"` // milliseconds
	Thumb    string `json:"thumb,omitempty"`    // a data:image/… address of at most 4 KiB, of a blurred picture
	Waveform []byte `json:"waveform,omitempty"` // how loud a voice note is, 0–255, in at most 256 equal steps
}

// Chat is a row of the chat list.
type Chat struct {
	Address string    `json:"address"`
	Room    bool      `json:"room,omitempty"`
	Name    string    `json:"name"`
	Unread  int       `json:"unread,omitempty"`
	First   string    `json:"first,omitempty"` // ID of the first unread message
	Last    *Message  `json:"last,omitempty"`
	Active  time.Time `json:"active"` // what the list is ordered by, newest first
	Lock    Lock      `json:"lock"`   // what a message sent now would be
	Online  bool      `json:"online,omitempty"`
	Blocked bool      `json:"blocked,omitempty"`
	Joined  bool      `json:"joined,omitempty"` // rooms: we are in it
	Typing  []string  `json:"typing,omitempty"` // who is writing now
	Avatar  string    `json:"avatar,omitempty"` // names the picture, which Avatar asks for; "" none

	Pinned    time.Time `json:"pinned,omitzero"` // since when; lists are in no order by it
	Muted     time.Time `json:"muted,omitzero"`  // until when; year 9999: for good
	Archived  bool      `json:"archived,omitempty"`
	Mentioned bool      `json:"mentioned,omitempty"` // something unread is ForMe
	Timer     int       `json:"timer,omitempty"`     // seconds that what is said now is kept; 0 for good
	Draft     *Draft    `json:"draft,omitempty"`
	Pins      []string  `json:"pins,omitempty"` // IDs of messages, the latest pinned first
}

// Draft is what is being written.
type Draft struct {
	Text    string    `json:"text,omitempty"`
	ReplyTo string    `json:"replyTo,omitempty"`
	Time    time.Time `json:"time,omitzero"` // when it was kept; the engine's
}

// Contact is a person one knows, or who asks to be known.
type Contact struct {
	Address string    `json:"address"`
	Name    string    `json:"name,omitempty"`
	State   string    `json:"state"` // contact, asked (by us), asks (us), none
	Online  bool      `json:"online,omitempty"`
	Blocked bool      `json:"blocked,omitempty"`
	Seen    time.Time `json:"seen,omitzero"`    // when last online, as far as that is known; zero while online
	Nick    string    `json:"nick,omitempty"`   // what they call themselves; Name is one's own name for them
	Avatar  string    `json:"avatar,omitempty"` // names the picture, which Avatar asks for; "" none
}

// Member is somebody in a room.
type Member struct {
	Nick    string `json:"nick,omitempty"`
	Address string `json:"address,omitempty"` // "" where the room hides it
	Role    string `json:"role"`              // owner, admin, member, none
	Here    bool   `json:"here,omitempty"`
	Avatar  string `json:"avatar,omitempty"` // as in Contact
}

// Device is one installation that somebody reads and writes with.
type Device struct {
	Address     string    `json:"address"`
	ID          uint32    `json:"id"`
	Fingerprint string    `json:"fingerprint,omitempty"` // 64 hex digits, "" as long as its key is not known
	Trust       string    `json:"trust"`                 // verified, first-use, undecided, refused
	Active      bool      `json:"active"`                // on the account's list now
	Own         bool      `json:"own,omitempty"`         // of our own account
	Here        bool      `json:"here,omitempty"`        // this very device
	Label       string    `json:"label,omitempty"`
	Seen        time.Time `json:"seen,omitzero"` // last message of it
	// Access is its sign-in, where the device has told the server which keys are its: RemoveDevice
	// ends that too. Of one's own devices only; nil for those of other makers, and while offline.
	Access *Access `json:"access,omitempty"`
}

// Passkey is a way into the account that a browser or phone keeps.
type Passkey struct {
	ID    string    `json:"id"` // names it in RemovePasskey
	Name  string    `json:"name,omitempty"`
	Site  string    `json:"site,omitempty"` // whose pages can use it
	Added time.Time `json:"added,omitzero"`
	Used  time.Time `json:"used,omitzero"`
}

// Access is what the server knows of a client that has access to one's account (XEP-0494).
type Access struct {
	Client   string    `json:"client"`             // names it in RemoveDevice
	Name     string    `json:"name,omitempty"`     // as it declares itself: nothing proves it
	Software string    `json:"software,omitempty"` // the same
	First    time.Time `json:"first,omitzero"`     // first seen
	Last     time.Time `json:"last,omitzero"`      // last seen, to the hour
	By       []string  `json:"by,omitempty"`       // what it signs in by: password, token
	Online   bool      `json:"online,omitempty"`
	Here     bool      `json:"here,omitempty"` // this very device
}
