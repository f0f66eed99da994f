package e2ee

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Incoming is an <encrypted/> element and what is known of the stanza around it.
type Incoming struct {
	// From is the sender's bare address: in a room the real one, by the member list; zero when
	// the room hides it.
	From    jid.JID
	Room    jid.JID   // the room's bare address, zero in a chat of two
	To      jid.JID   // own sent messages (carbons, archive): the bare address it went to
	Sent    time.Time // when, by the server's delay stamp; zero: just now
	Element xtok.Elem
	// Aside: it is no message of a conversation, of which nothing is learned by it.
	Aside bool
}

// Opened is what was inside. Empty: nothing for people, also where it could not be opened (it keeps
// a session alive, perhaps another device's). Duplicate: it was read before; nothing is to be shown,
// and it is no error.
type Opened struct {
	Text      string
	XML       []byte // profile Two: one element <content/> with all that was inside, the body too
	Empty     bool
	Duplicate bool
	Proof     Proof
}

// mostTries is how many keys for our number are tried. In a room members may have one by
// chance, and Legacy does not say whose key is whose.
const mostTries = 4

// Decrypt opens a message. The Step is to be carried out with an error too. Errors: ErrUnreadable,
// ErrTampered, ErrNotForUs, ErrForged, ErrRefused, ErrEcho, or the store's; with the first five Proof.Lock
// is what to show.
func (b *Book) Decrypt(in Incoming) (Opened, Step, error) {
	var s Step
	r := reading{book: b, in: in, step: &s}
	r.in.From = in.From.Bare()
	why, err := r.read()
	if b.failed != nil {
		return Opened{}, b.done(s), b.failed
	}
	r.out.Proof.Address = r.in.From
	if err != nil {
		r.out.Text, r.out.XML = "", nil
		r.out.Proof.Lock = port.Lock{State: port.Broken, Why: why}
		if !in.From.IsZero() {
			r.out.Proof.Lock.Missing = []string{r.in.From.String()}
		}
	}
	return r.out, b.done(s), err
}

// Box is the <encrypted/> of a message that is for this device: where both profiles are there, the one that
// names us, and that of Legacy, which does not tell whose numbers are whose, when Two does not. The zero
// Elem: there is none.
func (b *Book) Box(message xtok.Elem) xtok.Elem {
	legacy, two := message.Child(omemo.Legacy.Namespace(), "encrypted"), message.Child(omemo.Two.Namespace(), "encrypted")
	if !legacy.OK() || !two.OK() {
		if two.OK() {
			return two
		}
		return legacy
	}
	if _, e, err := omemo.ReadEnvelope(two); err == nil {
		if _, ours := e.For(omemo.Two, b.own.String(), b.device.ID); ours {
			return two
		}
	}
	return legacy
}

// reading is one message on its way in. Nothing of the Book changes before the payload is
// authenticated.
type reading struct {
	book *Book
	in   Incoming
	step *Step
	out  Opened

	profile  omemo.Profile
	envelope omemo.Envelope
	got      unlocked
}

// unlocked is what a ratchet gave: the payload's key, and what the ratchet becomes.
type unlocked struct {
	key     []byte
	digest  digest
	session *omemo.Session
	at      sessionKey // zero number: a new session
	preKey  uint32     // used by a new session
}

func (r *reading) read() (why string, err error) {
	b := r.book
	if r.profile, r.envelope, err = omemo.ReadEnvelope(r.in.Element); err != nil {
		return WhyTampered, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if r.in.From.IsZero() {
		return WhyNoSender, ErrUnreadable
	}
	r.out.Proof.Device = r.envelope.Sender
	r.out.Empty = r.envelope.Payload == nil
	if r.in.From == b.own && r.envelope.Sender == b.device.ID {
		return "", ErrEcho
	}
	keys := r.keys()
	if len(keys) == 0 {
		b.poke(r.step, b.own) // are we on our own list?
		return WhyNotForUs, ErrNotForUs
	}
	if why, err = r.unlock(keys); err != nil || r.out.Duplicate {
		return why, err
	}
	if why, err = r.open(); err != nil {
		return why, err
	}
	return r.commit()
}

// keys are those for this device.
func (r *reading) keys() (out []omemo.Key) {
	for _, k := range r.envelope.Keys {
		ours := r.profile == omemo.Legacy || k.Address == r.book.own.String()
		if ours && k.Device == r.book.device.ID && len(out) < mostTries {
			out = append(out, k)
		}
	}
	return out
}

// unlock tries the keys in turn. A message that was read before is none to try.
func (r *reading) unlock(keys []omemo.Key) (why string, err error) {
	for _, k := range keys {
		d := r.digest(k)
		seen, err := r.book.wasRead(r.in.From, r.envelope.Sender, d)
		if err != nil {
			return WhyUnread, err
		}
		if seen {
			r.out.Duplicate = true
			return "", nil
		}
	}
	var last error
	for _, k := range keys {
		err := r.try(k)
		if err == nil {
			r.got.digest = r.digest(k)
			return "", nil
		}
		last = err
	}
	if errors.Is(last, ErrForged) {
		return WhyForged, last
	}
	r.book.broken(r.step, r.in.From, r.envelope.Sender, r.profile)
	return WhyUnread, fmt.Errorf("%w: %w", ErrUnreadable, last)
}

var errNoSession = errors.New("no session")

// try reads one key in the sessions there are with the sender, and where it is the first
// message of a new one, in that.
func (r *reading) try(k omemo.Key) error {
	last := errNoSession
	for at, session := range r.sessions() {
		data := k.Data
		if k.PreKey {
			inner, of := session.Inner(k.Data)
			if !of {
				continue
			}
			data = inner
		}
		next, key, err := session.Decrypt(r.book.rand, data)
		if err == nil {
			r.got = unlocked{key: key, session: next, at: at}
			return nil
		}
		if last = err; k.PreKey {
			return last // it is of this session and of no other
		}
	}
	if !k.PreKey {
		return last
	}
	return r.accept(k)
}

// sessions ranges over the sender's, the latest used first. A session that the store cannot
// give is passed over.
func (r *reading) sessions() func(func(sessionKey, *omemo.Session) bool) {
	return func(yield func(sessionKey, *omemo.Session) bool) {
		a := r.book.known(r.in.From)
		if a == nil || a.Devices[r.envelope.Sender] == nil {
			return
		}
		for _, n := range a.Devices[r.envelope.Sender].Sessions[r.profile] {
			k := sessionKey{r.in.From, r.envelope.Sender, r.profile, n}
			s, err := r.book.session(k)
			if err == nil && s != nil && !yield(k, s) {
				return
			}
		}
	}
}

// accept reads the first message of a new session.
func (r *reading) accept(k omemo.Key) error {
	peer, err := omemo.PeerOf(r.profile, k.Data)
	if err != nil {
		return err
	}
	if peer == r.book.device.Identity() {
		return ErrForged // our own key, held up to us
	}
	session, key, used, err := omemo.Accept(r.book.rand, r.book.device, r.profile, k.Data)
	if err != nil {
		return err
	}
	r.got = unlocked{key: key, session: session, preKey: used}
	return nil
}

// open decrypts the payload and holds its inner addresses to the outer ones.
func (r *reading) open() (why string, err error) {
	if r.out.Empty {
		return "", nil
	}
	plain, err := omemo.Open(r.profile, r.got.key, *r.envelope.Payload)
	if err != nil {
		return WhyTampered, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if r.profile == omemo.Legacy {
		r.out.Text = string(bytes.ToValidUTF8(plain, []byte("\ufffd")))
		return "", nil
	}
	return r.unwrap(plain)
}

// unwrap reads the inner envelope of Two.
// XEP-0420#receiving
func (r *reading) unwrap(plain []byte) (why string, err error) {
	u, err := omemo.Unwrap(plain)
	if err != nil {
		return WhyTampered, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if err := u.Check(r.in.From, r.to(), !r.in.Room.IsZero(), r.in.Sent); err != nil {
		return WhyForged, fmt.Errorf("%w: %w", ErrForged, err)
	}
	r.out.Empty = true
	r.out.XML = []byte("<content xmlns='urn:xmpp:sce:1'>")
	for x := range u.Elements() {
		r.out.Empty = false
		if x.Is(stanza.NSClient, "body") && r.out.Text == "" {
			r.out.Text = x.Text()
		}
		r.out.XML = x.AppendTo(r.out.XML)
	}
	r.out.XML = append(r.out.XML, "</content>"...)
	return "", nil
}

// to is the bare address that the stanza went to.
func (r *reading) to() jid.JID {
	switch {
	case !r.in.Room.IsZero():
		return r.in.Room
	case !r.in.To.IsZero():
		return r.in.To
	}
	return r.book.own
}

// commit takes over what was learned, and says what it proves.
func (r *reading) commit() (why string, err error) {
	b, id := r.book, r.envelope.Sender
	a := b.account(r.in.From)
	fingerprint := r.got.session.Peer().Fingerprint()
	b.meet(r.step, a, id, fingerprint)
	b.unlisted(r.step, a, id)
	if err := r.keepSession(a, fingerprint); err != nil {
		return WhyUnread, err
	}
	b.markRead(r.in.From, id, r.got.digest)
	b.heard(r.step, a, id, r.profile)
	p := &r.out.Proof
	p.Fingerprint, p.Trust = fingerprint, a.trust(fingerprint)
	if p.Trust == Refused {
		return WhyRefused, ErrRefused
	}
	p.Lock = b.proofLock(a, id, fingerprint)
	if !r.out.Empty && !r.in.Aside {
		b.began(r.chat())
	}
	return "", nil
}

func (r *reading) chat() jid.JID {
	switch {
	case !r.in.Room.IsZero():
		return r.in.Room
	case r.in.From == r.book.own && !r.in.To.IsZero():
		return r.in.To
	}
	return r.in.From
}

// keepSession keeps what the ratchet has become. A new session takes its pre-key off the bundle.
// XEP-0384#rules
func (r *reading) keepSession(a *account, fingerprint string) error {
	b, id, p := r.book, r.envelope.Sender, r.profile
	if r.got.at.number != 0 {
		if a.Devices[id].Key == fingerprint {
			b.used(a, r.got.at)
		}
		if err := b.putSession(r.got.at, r.got.session); err != nil {
			return err
		}
		if r.got.session.Due() {
			b.answer(r.step, a, id, p)
		}
		return nil
	}
	if err := b.addSession(a, id, r.got.session); err != nil {
		return err
	}
	b.spend(r.got.preKey)
	b.answer(r.step, a, id, p)
	b.refresh(r.step)
	return nil
}

// heard notes that a device lives. One that is not on the list we have makes the
// list be asked for.
// XEP-0384#rules
func (b *Book) heard(s *Step, a *account, id uint32, p omemo.Profile) {
	d := a.Devices[id]
	if now := b.now(); now.Sub(d.Seen) >= time.Hour {
		d.Seen = now.Truncate(time.Hour)
		b.touch(a)
	}
	if !a.listed(p, id) {
		b.poke(s, a.who)
	}
}

// proofLock is the lock of a message that was read with a key.
func (b *Book) proofLock(a *account, id uint32, fingerprint string) port.Lock {
	who := []string{a.who.String()}
	switch {
	case a.Devices[id].Key != fingerprint:
		return port.Lock{State: port.Changed, Why: WhyChanged, Missing: who}
	case a.trust(fingerprint) == Undecided:
		return port.Lock{State: port.Changed, Why: b.whyUndecided(a, fingerprint), Missing: who}
	case a.trust(fingerprint) == Verified:
		return port.Lock{State: port.Verified}
	}
	return port.Lock{State: port.Locked}
}

// digest stands for one key element that was read.
type digest [12]byte

// digest of the key element: another without the payload, so that a message whose payload
// a server took off does not make the whole one look as if it had been read.
func (r *reading) digest(k omemo.Key) digest {
	sum := sha256.Sum256(k.Data)
	d := digest(sum[:])
	if r.envelope.Payload == nil {
		d[len(d)-1] ^= 1
	}
	return d
}

// readSlots is how many messages of a device are remembered as read, each in the slot
// its digest falls into.
const readSlots = 1 << 14

func readKey(who jid.JID, device uint32, d digest) string {
	return fmt.Sprintf("%s\x00%08x\x00%04x", who, device, binary.BigEndian.Uint16(d[:])%readSlots)
}

// wasRead tells whether the very same was read before. What ratchets call old is not always:
// a peer restored from a backup repeats its numbers, and that must be seen.
func (b *Book) wasRead(who jid.JID, device uint32, d digest) (bool, error) {
	k := readKey(who, device, d)
	known, cached := b.read[k]
	if !cached {
		raw, err := b.store.Get(readTable, k)
		if err != nil {
			return false, err
		}
		copy(known[:], raw)
		if len(raw) > 0 {
			b.read[k] = known
		}
	}
	return known == d, nil
}

func (b *Book) markRead(who jid.JID, device uint32, d digest) {
	k := readKey(who, device, d)
	b.read[k] = d
	b.batch.Put(readTable, k, d[:])
}
