package conformance

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"

	"mirsal/internal/xmpp/form"
)

const (
	nsPush = "urn:xmpp:push:0"
	// nsWebPush is of a push service that speaks to browsers itself.
	nsWebPush = "urn:mirsal:webpush:0"
)

// tryPush enables notifications and disables them again: by the push service that
// the server names, or else by one that does not exist. Nothing is pushed meanwhile.
// XEP-0357 §5, §6
func (e *exam) tryPush(ctx context.Context) {
	const key = "mobile.push"
	announced := e.own.has(nsPush) || e.server.has(nsPush)
	at, options := e.pushService()
	where := " xmlns='" + nsPush + "' jid='" + esc(at) + "' node='" + e.token + "'"
	if _, err := e.a.set(ctx, "", "<enable"+where+">"+options+"</enable>"); err != nil {
		if announced && !e.offered(at) && failedWith(err, "remote-server-not-found") {
			e.partly(key, "announced, but there is no service of its own, and those of others are refused")
			return
		}
		e.broken(key, announced, "turning it on", err)
		return
	}
	_, err := e.a.set(ctx, "", "<disable"+where+"/>")
	e.left("push to "+at, err)
	by := ""
	if e.offered(at) {
		by = ", by " + at
	}
	switch {
	case err != nil:
		e.partly(key, "can be turned on%s, but turning it off %s", by, reason(err))
	case !announced:
		e.partly(key, "can be turned on and off%s, but the account does not announce it", by)
	default:
		e.works(key, "announced, turned on and off again%s", by)
	}
}

// offered tells whether an address is one of the server's items.
func (e *exam) offered(at string) bool {
	for _, s := range e.services {
		if s.jid == at {
			return true
		}
	}
	return false
}

// pushService is where to have notifications sent, and what is said to it: first by
// a service whose options are known.
func (e *exam) pushService() (at, options string) {
	at = e.token + ".conformance.invalid"
	for _, s := range e.services {
		switch {
		case s.info.has(nsWebPush):
			return s.jid, e.browser()
		case s.info.has(nsPush):
			at = s.jid
		}
	}
	return at, ""
}

// browser are the options of a browser that does not exist, with a key that nobody has.
func (e *exam) browser() string {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "" // refused, and told so
	}
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails
	encode := base64.RawURLEncoding.EncodeToString
	f := form.Form{Kind: form.Submit, Of: "http://jabber.org/protocol/pubsub#publish-options", Fields: []form.Field{
		{Var: "endpoint", Values: []string{"https://" + e.token + ".conformance.invalid/push"}},
		{Var: "p256dh", Values: []string{encode(private.PublicKey().Bytes())}},
		{Var: "auth", Values: []string{encode(secret[:])}},
	}}
	return string(f.Append(nil))
}
