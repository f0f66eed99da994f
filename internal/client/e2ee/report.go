package e2ee

import (
	"errors"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// The errors a caller branches on. With each of them nothing may be sent and no
// text shown; Lock says what the screen shows.
var (
	// ErrNobody: a recipient has no device that could read it (port.Broken).
	ErrNobody = errors.New("e2ee: somebody has no device that could read it")
	// ErrUndecided: a recipient has only keys that a person must decide about first (port.Changed).
	ErrUndecided = errors.New("e2ee: a key must be decided about first")
	// ErrTooMany: they have more devices than a message has room for keys.
	ErrTooMany = errors.New("e2ee: too many devices for one message")
	// ErrWaiting: a list or a bundle is still being asked for; Needs says which.
	ErrWaiting = errors.New("e2ee: keys are not here yet")

	// ErrUnreadable: no session opens it. Healing was begun where it helps.
	ErrUnreadable = errors.New("e2ee: the message cannot be opened")
	// ErrTampered: the keys arrived and the text is not what was sent, or the envelope is malformed.
	ErrTampered = errors.New("e2ee: the message is not what was sent")
	// ErrNotForUs: it was not encrypted to this device.
	ErrNotForUs = errors.New("e2ee: the message was not encrypted to this device")
	// ErrForged: the key or the inner address is not of the one who is said to have sent it.
	ErrForged = errors.New("e2ee: the message is not of whom it says")
	// ErrRefused: a person has refused the key it was written with.
	ErrRefused = errors.New("e2ee: the message is of a refused device")
	// ErrEcho: it is this device's own message, come back.
	ErrEcho = errors.New("e2ee: the message is this device's own")

	// ErrNoKey: there is no such key to decide about.
	ErrNoKey = errors.New("e2ee: no such key")
	// ErrCode: the text is no safety code.
	ErrCode = errors.New("e2ee: not a safety code")
	// ErrMismatch: the code names keys other than those of the account's devices.
	ErrMismatch = errors.New("e2ee: the safety code does not match")
)

// The reasons in port.Lock.Why: keys for translation.
const (
	WhyWaiting   = "keys-waiting"   // Broken: keys are being asked for
	WhyNoDevice  = "no-device"      // Broken: no device of a recipient is known
	WhyNoKey     = "no-key"         // Broken: devices are known, no key of theirs is to be had
	WhyRefused   = "key-refused"    // Broken: every key of theirs, or the sender's, was refused
	WhyNewKey    = "new-device"     // Changed: a new device where another was verified
	WhyChanged   = "key-changed"    // Changed: a known device comes with another key
	WhyForeign   = "foreign-key"    // Changed, Broken: the key is another account's
	WhyPlain     = "plain"          // Open: never was otherwise
	WhyStripped  = "was-encrypted"  // Open: in a chat that used to be encrypted
	WhyUnread    = "unreadable"     // Broken: no session opens it
	WhyTampered  = "tampered"       // Broken: not what was sent
	WhyNotForUs  = "not-for-us"     // Broken: not encrypted to this device
	WhyForged    = "forged"         // Broken: not of whom it says
	WhyNoSender  = "sender-unknown" // Broken: a room that hides who speaks
	WhyDuplicate = "read-before"    // no lock of a message to show
)

// Ref names a device of somebody.
type Ref struct {
	Address jid.JID // bare
	Device  uint32
}

// Miss is a device that a message was not encrypted to, and why (a Why… key).
// Those without a key are asked for again by themselves, each at its own pace.
type Miss struct {
	Ref
	Why string
}

// Report says who can read a message and who cannot. Devices that were refused
// are in Missed too.
type Report struct {
	Reached []Ref
	Missed  []Miss
}

// Trust is what was decided about a key.
type Trust string

// The decisions, as port.Device has them.
const (
	Undecided Trust = "undecided"
	FirstUse  Trust = "first-use"
	Verified  Trust = "verified"
	Refused   Trust = "refused"
)

// Proof is what is known of who wrote a message: the device, its key (hexadecimal)
// as the ratchet itself holds it, what was decided about it, and the lock to show.
type Proof struct {
	Ref
	Fingerprint string
	Trust       Trust
	Lock        port.Lock
}
