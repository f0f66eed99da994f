package e2ee

import (
	"mirsal/internal/client/keep"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// EncryptFor encrypts a short text for one device of somebody, in the profile Legacy, which all of those speak
// whom this is for: what proves the key of a call. The batch is applied before the envelope leaves. Errors:
// ErrNobody (it has no key to be had in that profile), ErrWaiting, ErrUndecided, ErrRefused, or the store's.
func (b *Book) EncryptFor(who jid.JID, device uint32, text string) (omemo.Envelope, *keep.Batch, error) {
	a := b.account(who.Bare())
	t := target{reach: missing}
	if a.listed(omemo.Legacy, device) {
		var err error
		if t, err = b.targetIn(a, device, omemo.Legacy); err != nil {
			return omemo.Envelope{}, nil, err
		}
	} else if b.wantsList(a, omemo.Legacy) {
		t.reach = waiting
	}
	if err := t.reach.refusal(); err != nil {
		return omemo.Envelope{}, nil, err
	}
	key, payload, err := omemo.Seal(omemo.Legacy, b.rand, []byte(text))
	if err != nil {
		return omemo.Envelope{}, nil, err
	}
	e, err := b.envelope(omemo.Legacy, []target{t}, key, &payload)
	return e, b.flush(), err
}

// refusal is why nothing can be encrypted for a device alone, nil where it can.
func (r reach) refusal() error {
	switch r {
	case ready:
		return nil
	case waiting:
		return ErrWaiting
	case undecided:
		return ErrUndecided
	case refused:
		return ErrRefused
	}
	return ErrNobody
}
