package link

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// version begins every transcript.
const version = "urn:mirsal:link:0"

// schedule is a key agreement on its way: what both sides know, and have said.
type schedule struct {
	root       []byte            // of the shared secret and the code's
	transcript [sha256.Size]byte // of everything that was said
}

// begin mixes the keys: X25519 of both sides, and the secret of the code.
// RFC 5869 §2.2
func begin(c Code, own *ecdh.PrivateKey, other, fresh []byte) (schedule, error) {
	peer, err := ecdh.X25519().NewPublicKey(other)
	if err != nil {
		return schedule{}, ErrTampered
	}
	shared, err := own.ECDH(peer) // fails where the other side forces the result
	if err != nil {
		return schedule{}, ErrTampered
	}
	root, err := hkdf.Extract(sha256.New, shared, c.Secret[:])
	s := schedule{root: root}
	s.say([]byte(version), []byte(c.Address.String()), []byte(c.Token), c.Key[:], fresh)
	return s, err
}

// say puts more into the transcript.
func (s *schedule) say(parts ...[]byte) {
	b := append([]byte(nil), s.transcript[:]...)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	s.transcript = sha256.Sum256(b)
}

// key is one for a purpose, at this place of the conversation.
func (s *schedule) key(purpose string, size int) []byte {
	k, err := hkdf.Expand(sha256.New, s.root, purpose+"\x00"+string(s.transcript[:]), size)
	if err != nil {
		panic(err) // the size is far below the bound of RFC 5869 §2.3
	}
	return k
}

// digits are what both screens show: six, in two groups.
func (s *schedule) digits() string {
	n := binary.BigEndian.Uint64(s.key("check", 8)) % 1_000_000 // what is uneven is below 2^-44
	return fmt.Sprintf("%03d %03d", n/1000, n%1000)
}

// channel is for afterwards, as the old device has it.
func (s *schedule) channel() *Channel {
	return &Channel{Send: s.key("old to new", keySize), Take: s.key("new to old", keySize)}
}

// Hello is what the new device says of itself. Nothing of it is believed; it is cleaned
// and cut before people see it.
type Hello struct {
	Label    string `json:"label"`
	Software string `json:"software"`
	Device   string `json:"device"` // the UUID that it signs in as
}

// Welcome is what the old device says once its owner has let the new one in.
type Welcome struct {
	Address     string `json:"address"`     // the account
	Peer        string `json:"peer"`        // the old device's session: whom to ask for what is handed over
	Device      uint32 `json:"device"`      // its OMEMO device
	Fingerprint string `json:"fingerprint"` // and key, which is verified by this
}

// challenge is what the old device answers at once.
type challenge struct {
	Number []byte `json:"n"`     // random, drawn when the new device's key was known
	Label  string `json:"label"` // what the old device is called
}

const numberSize = 16

// Bounds of what is said of oneself, and of a box of the agreement, in bytes.
const (
	mostLabel  = 64 // characters
	mostDevice = 128
	mostBox    = 4096
)

// clean keeps what is printed in one line and changes no other text's direction.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar || unicode.In(r, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 16*mostLabel)], ""))
	if runes := []rune(s); len(runes) > mostLabel {
		s = string(runes[:mostLabel])
	}
	return strings.TrimSpace(s)
}

// Offer is the old device's side before anybody has answered the code. It is good
// for one answer.
type Offer struct {
	Code Code
	own  *ecdh.PrivateKey
}

// NewOffer makes a code for what the server has named; c's Key and Secret are filled in.
func NewOffer(rand io.Reader, c Code) (*Offer, error) {
	own, err := newKey(rand)
	if err != nil {
		return nil, err
	}
	copy(c.Key[:], own.PublicKey().Bytes())
	_, err = io.ReadFull(rand, c.Secret[:])
	return &Offer{Code: c, own: own}, err
}

// newKey reads a key as it comes, so that tests can be repeated.
func newKey(rand io.Reader) (*ecdh.PrivateKey, error) {
	raw := make([]byte, keySize)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return nil, err
	}
	return ecdh.X25519().NewPrivateKey(raw)
}

// Asked is the old device's side when somebody has answered the code: to be shown
// with its digits, and nothing more before a person has said yes.
type Asked struct {
	Hello Hello  // cleaned
	Check string // digits
	s     schedule
}

// Answer takes what the new device says, and returns what to say back: label is what
// this device is called. ErrTampered: it has not seen the code, or somebody is in between.
func (o *Offer) Answer(rand io.Reader, box []byte, label string) (*Asked, []byte, error) {
	if len(box) < keySize || len(box) > mostBox {
		return nil, nil, ErrTampered
	}
	fresh, sealed := box[:keySize], box[keySize:]
	s, err := begin(o.Code, o.own, fresh, fresh)
	if err != nil {
		return nil, nil, err
	}
	a := &Asked{}
	if err := openJSON(s.key("join", keySize), "join", sealed, &a.Hello); err != nil {
		return nil, nil, err
	}
	if a.Hello.Device == "" || len(a.Hello.Device) > mostDevice {
		return nil, nil, ErrTampered
	}
	s.say(sealed)
	ch := challenge{Number: make([]byte, numberSize), Label: label}
	if _, err := io.ReadFull(rand, ch.Number); err != nil {
		return nil, nil, err
	}
	out, err := sealJSON(rand, s.key("hello", keySize), "hello", ch)
	s.say(out)
	a.Hello.Label, a.Hello.Software = clean(a.Hello.Label), clean(a.Hello.Software)
	a.Check, a.s = s.digits(), s
	return a, out, err
}

// Accept lets the new device in: what to say to it, and the channel for what follows.
func (a *Asked) Accept(rand io.Reader, w Welcome) ([]byte, *Channel, error) {
	out, err := sealJSON(rand, a.s.key("welcome", keySize), "welcome", w)
	a.s.say(out)
	return out, a.s.channel(), err
}

// Join is the new device's side.
type Join struct {
	Code  Code
	Label string // what the old device is called, once it has answered; cleaned
	s     schedule
}

// NewJoin answers a code: what to say first.
func NewJoin(rand io.Reader, c Code, h Hello) (*Join, []byte, error) {
	own, err := newKey(rand)
	if err != nil {
		return nil, nil, err
	}
	fresh := own.PublicKey().Bytes()
	s, err := begin(c, own, c.Key[:], fresh)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := sealJSON(rand, s.key("join", keySize), "join", h)
	s.say(sealed)
	return &Join{Code: c, s: s}, append(fresh, sealed...), err
}

// Hello takes the old device's answer and returns the digits to show; ErrTampered.
func (j *Join) Hello(box []byte) (check string, err error) {
	var ch challenge
	if err := openJSON(j.s.key("hello", keySize), "hello", box, &ch); err != nil {
		return "", err
	}
	if len(ch.Number) != numberSize {
		return "", ErrTampered
	}
	j.s.say(box)
	j.Label = clean(ch.Label)
	return j.s.digits(), nil
}

// Welcome takes what the old device says when its owner has agreed; ErrTampered, also
// where it speaks of another account than the code.
func (j *Join) Welcome(box []byte) (w Welcome, c *Channel, err error) {
	if err := openJSON(j.s.key("welcome", keySize), "welcome", box, &w); err != nil {
		return w, nil, err
	}
	if w.Address != j.Code.Address.String() {
		return w, nil, ErrTampered
	}
	j.s.say(box)
	c = j.s.channel()
	c.Send, c.Take = c.Take, c.Send
	return w, c, nil
}

func sealJSON(rand io.Reader, key []byte, what string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return seal(rand, key, place(what, 0), plain)
}

func openJSON(key []byte, what string, box []byte, v any) error {
	if len(box) > mostBox {
		return ErrTampered
	}
	plain, err := open(key, place(what, 0), box)
	if err != nil {
		return err
	}
	if json.Unmarshal(plain, v) != nil {
		return ErrTampered
	}
	return nil
}
