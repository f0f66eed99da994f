package call

import (
	"errors"
	"slices"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jingle"
)

// Why a call is not secure, in words for people.
var (
	errUnsealed   = errors.New("the key of this call was not sealed by a device of theirs: somebody on the way may have put another one in its place")
	errForged     = errors.New("the key of this call could not be read by the key of their device: somebody on the way may have put another one in its place")
	errOther      = errors.New("the key of this call is of another device than the one that has accepted")
	errDistrusted = errors.New("the key of their device is not one that you trust: compare it first")
	errChanged    = errors.New("the key of this call has changed: somebody on the way may have put another one in its place")
	errNoKey      = errors.New("nothing can be sealed for their device, whose owner's keys you have compared")
)

// unseal opens the fingerprints of a request and puts them in their places. Those of an answer to what we have
// sealed, of a call whose first was sealed, and of people whose keys were compared, must be sealed, by the one device.
func (c *Call) unseal(s *jingle.Session) error {
	s.Contents = slices.Clone(s.Contents)
	for i := range s.Contents {
		t := s.Contents[i].Transport
		if t == nil {
			continue
		}
		way := *t
		s.Contents[i].Transport = &way
		if !whole(s.Action) { // a key comes with a description only
			way.Sealed, way.Fingerprint = nil, jingle.Fingerprint{}
			*s.Contents[i].Transport = way
			continue
		}
		if err := c.open(s.Contents[i].Transport); err != nil {
			return err
		}
	}
	return nil
}

// whole tells of which requests the contents have keys.
func whole(a jingle.Action) bool {
	switch a {
	case jingle.SessionInitiate, jingle.SessionAccept, jingle.ContentAdd, jingle.ContentAccept:
		return true
	}
	return false
}

func (c *Call) open(t *jingle.Transport) error {
	if t.Sealed == nil {
		if c.sealed || c.cfg.Sealed {
			return errUnsealed
		}
		why := WhyUnsealed
		if c.cfg.WasSealed {
			why = WhyWasSealed
		}
		c.lock(port.Lock{State: port.Open, Why: why})
		return nil
	}
	if c.device != 0 && t.Sealed.Sender != c.device {
		return errOther
	}
	text, lock, err := c.cfg.Seals.Open(t.Sealed)
	switch {
	case errors.Is(err, ErrDistrusted):
		return errDistrusted
	case err != nil || !pairs(text, t.Sealed.Hash):
		return errForged
	}
	c.device, c.sealed = t.Sealed.Sender, true
	c.lock(lock)
	t.Fingerprint = jingle.Fingerprint{Hash: t.Sealed.Hash, Setup: t.Sealed.Setup, Value: text}
	t.Sealed = nil
	return nil
}

// lock is what the call's key is worth: the least of all.
func (c *Call) lock(l port.Lock) {
	if c.view.Lock == nil || c.view.Lock.State == port.Verified {
		c.view.Lock = &l
	}
}

// pairs tells whether a text is a fingerprint as the grammar has it: what was inside a seal has met no reader yet.
func pairs(s string, h jingle.Hash) bool {
	if len(s) != 3*(16+16*int(h))-1 {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'F'
		if i%3 == 2 && s[i] != ':' || i%3 != 2 && !digit {
			return false
		}
	}
	return true
}

// seal puts our fingerprints under seals for the one device, where that can be: before the first was sealed, what
// cannot be goes open, unless their keys were compared.
func (c *Call) seal(s *jingle.Session) error {
	if !whole(s.Action) {
		return nil
	}
	s.Contents = slices.Clone(s.Contents)
	for i := range s.Contents {
		t := s.Contents[i].Transport
		if t == nil || t.Fingerprint.Hash == 0 {
			continue
		}
		way := *t
		if err := c.sealOne(&way); err != nil {
			return err
		}
		s.Contents[i].Transport = &way
	}
	return nil
}

func (c *Call) sealOne(t *jingle.Transport) error {
	must := c.sealed || c.cfg.Sealed
	if c.device == 0 {
		if must {
			return errNoKey
		}
		return nil
	}
	if !c.sealed && c.begun { // their offer was not sealed: neither is our answer
		return nil
	}
	sealed, err := c.cfg.Seals.Seal(c.device, t.Fingerprint.Value)
	switch {
	case err == nil:
		sealed.Hash, sealed.Setup = t.Fingerprint.Hash, t.Fingerprint.Setup
		t.Fingerprint, t.Sealed, c.sealed = jingle.Fingerprint{}, &sealed, true
		return nil
	case errors.Is(err, ErrLater):
		return err
	case errors.Is(err, ErrDistrusted):
		return errDistrusted
	case must:
		return errNoKey
	}
	return nil
}
