package devices

import (
	"crypto/rand"
	"errors"
	"strconv"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsOwn is what this server adds to the list of clients: docs/protocol/devices.md.
const nsOwn = "urn:mirsal:device:0"

// keys notes under which number the asker's client publishes its keys. It may name any:
// the number helps a person to end the sign-in of a client whose keys they remove, and
// nothing is granted by it.
func (f *Feature) keys(q *core.Query) ([]byte, error) {
	if err := ownSession(q); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(q.Payload.Attr("device"), 10, 31)
	if err != nil || n == 0 {
		return nil, stanza.Errorf(stanza.BadRequest, "a device has a number from 1 to 2147483647")
	}
	err = f.accounts.SetKeys(q.Ctx, q.Asker().Local(), q.Session.Device, uint32(n))
	if errors.Is(err, auth.ErrDevice) {
		return nil, stanza.Errorf(stanza.NotAllowed, "a client that does not say which it is has no number")
	}
	return nil, err
}

// signOut ends what the asker's client signs in by, apart from the password: it leaves by its
// own wish, and may come back. The asking session goes on until the client ends it.
func (f *Feature) signOut(q *core.Query) ([]byte, error) {
	if err := ownSession(q); err != nil {
		return nil, err
	}
	device := q.Session.Device
	if err := f.accounts.SignOut(q.Ctx, q.Asker().Local(), device); err != nil && !errors.Is(err, auth.ErrDevice) {
		return nil, err
	}
	f.log.Info("device signed out", "jid", q.Asker().String(), "device", device)
	return nil, nil
}

func newID() string { return rand.Text()[:12] }

func ownSession(q *core.Query) error {
	if q.Session == nil {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return own(q, true)
}

// stolen tells an account that what one of its devices signs in by is in two hands. Its sessions
// have ended already, since it was revoked for that.
func (f *Feature) stolen(bare jid.JID, d auth.Device) {
	f.log.Warn("a token was shown that another had replaced", "jid", bare.String(), "device", d.ID)
	text := "Somebody has signed in as your device “" + d.Name + "” (" + d.Software + ") with what that device signed in by before. " +
		"Either a copy of it is in use somewhere else, or it was put back to an older state. It was signed out everywhere, and has to sign in anew. " +
		"If you have not put it back yourself, change your password and look through your devices."
	id := newID()
	b := append(xtok.Escape([]byte("<body>"), text), "</body><origin-id xmlns='urn:xmpp:sid:0' id='"+id+"'/>"...)
	if err := f.router.Post(stanza.Head{Type: stanza.Normal, ID: id, From: f.router.Domain, To: bare}, b); err != nil {
		f.log.Warn("the message about a copied device goes nowhere", "jid", bare.String(), "err", err)
	}
}
