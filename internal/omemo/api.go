package omemo

import (
	"errors"
	"io"
	"iter"
	"time"

	"mirsal/internal/xmpp/xtok"
)

var errLater = errors.New("omemo: not written yet")

type Device struct{ ID uint32 }

func NewDevice(rand io.Reader, id uint32, now time.Time) (*Device, error) { return nil, errLater }
func (d *Device) Identity() IdentityKey                                   { return IdentityKey{} }
func (d *Device) Bundle(p Profile) Bundle                                 { return Bundle{} }
func (d *Device) Without(preKey uint32) *Device                           { return nil }

// Used: not offered in Bundle any more, still accepted until Cleared or Without (catch-up).
func (d *Device) Used(preKey uint32) *Device { return nil }

// Cleared takes out all that Used marked.
func (d *Device) Cleared() *Device { return nil }
func (d *Device) Refilled(rand io.Reader, now time.Time) (*Device, bool, error) {
	return nil, false, errLater
}
func (d *Device) MarshalBinary() ([]byte, error)    { return nil, errLater }
func (d *Device) UnmarshalBinary(data []byte) error { return errLater }

func (b Bundle) Verify(p Profile) error { return errLater }

type Session struct{}

func Start(rand io.Reader, d *Device, p Profile, b Bundle) (*Session, error) { return nil, errLater }
func Accept(rand io.Reader, d *Device, p Profile, msg []byte) (s *Session, plain []byte, used uint32, err error) {
	return nil, nil, 0, errLater
}
func (s *Session) Encrypt(rand io.Reader, plain []byte) (*Session, Message, error) {
	return nil, Message{}, errLater
}
func (s *Session) Decrypt(rand io.Reader, msg []byte) (*Session, []byte, error) {
	return nil, nil, errLater
}

// Inner is the message inside a pre-key message that belongs to this session (repeated key exchange).
func (s *Session) Inner(preKeyMsg []byte) (msg []byte, ok bool) { return nil, false }
func (s *Session) Peer() IdentityKey                            { return IdentityKey{} }
func (s *Session) Profile() Profile                             { return 0 }
func (s *Session) Confirmed() bool                              { return false }

// Due: they sent 53 or more on one chain and we nothing: send an empty message.
func (s *Session) Due() bool                         { return false }
func (s *Session) MarshalBinary() ([]byte, error)    { return nil, errLater }
func (s *Session) UnmarshalBinary(data []byte) error { return errLater }

// PeerOf reads the identity out of a pre-key message, before Accept (for trust decisions).
func PeerOf(p Profile, preKeyMsg []byte) (IdentityKey, error) { return IdentityKey{}, errLater }

type Payload struct {
	IV   []byte // Legacy only
	Data []byte
}

func Seal(p Profile, rand io.Reader, plain []byte) (key []byte, pl Payload, err error) {
	return nil, Payload{}, errLater
}
func Open(p Profile, key []byte, pl Payload) ([]byte, error) { return nil, errLater }

// Empty is what goes through the ratchets in a message without a payload.
func Empty(p Profile, rand io.Reader) ([]byte, error) { return nil, errLater }

type Key struct {
	Address string // Two: the bare address of the <keys> it stands in; Legacy: ""
	Device  uint32
	PreKey  bool
	Data    []byte
}
type Envelope struct {
	Sender  uint32
	Keys    []Key
	Payload *Payload // nil: an empty message
}

func (e Envelope) Append(b []byte, p Profile) []byte { return b }
func ReadEnvelope(x xtok.Elem) (Profile, Envelope, error) {
	return 0, Envelope{}, errLater
}

// For finds the key meant for one device; address is its bare JID (Legacy ignores it).
func (e Envelope) For(p Profile, address string, device uint32) (Key, bool) { return Key{}, false }

type Listed struct {
	ID        uint32
	Label     string
	Signature []byte // of the label; Two only
}

func (d *Device) Listed(rand io.Reader, label string) (Listed, error) { return Listed{}, errLater }
func (b Bundle) VerifyLabel(l Listed) bool                            { return false }

func (p Profile) Namespace() string                           { return "" } // of the <encrypted> element
func (p Profile) DevicesNode() string                         { return "" }
func (p Profile) BundleNode(device uint32) string             { return "" }
func (p Profile) BundleItem(device uint32) string             { return "" } // "current", or the device's number in Two
func AppendBundle(b []byte, p Profile, u Bundle) []byte       { return b }
func ReadBundle(x xtok.Elem) (Profile, Bundle, error)         { return 0, Bundle{}, errLater }
func AppendDevices(b []byte, p Profile, list []Listed) []byte { return b }
func ReadDevices(x xtok.Elem) (Profile, []Listed, error)      { return 0, nil, errLater }

// Content is what an SCE envelope (XEP-0420) says, for Two.
type Content struct {
	From, To string    // bare addresses; To "" outside rooms
	Time     time.Time // zero: not said
	XML      []byte    // the elements inside <content>
}

func Wrap(rand io.Reader, c Content) ([]byte, error) { return nil, errLater }

// Unwrapped is an SCE envelope that was read.
type Unwrapped struct {
	From, To string
	Time     time.Time
	content  xtok.Elem
}

func Unwrap(plain []byte) (Unwrapped, error) { return Unwrapped{}, errLater }

// Check holds what was said inside to the stanza around it.
func (u Unwrapped) Check(from, to string, room bool, sent time.Time) error { return errLater }

// Elements are the elements inside <content> that may come from there.
func (u Unwrapped) Elements() iter.Seq[xtok.Elem] { return u.content.Children() }
