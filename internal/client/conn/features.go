package conn

import (
	"slices"

	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of what is negotiated.
const (
	nsBind2   = "urn:xmpp:bind:0" // XEP-0386
	nsFast    = "urn:xmpp:fast:0" // XEP-0484
	nsSM      = "urn:xmpp:sm:3"   // XEP-0198
	nsCSI     = "urn:xmpp:csi:0"  // XEP-0352
	nsCarbons = "urn:xmpp:carbons:2"
)

// offer is what a server lets us sign in by.
type offer struct {
	mechs    []string
	bindings []string // types of channel binding, XEP-0440
	sasl2    bool
	bind2    bool
	with     []string // what Bind 2 turns on
	resume   bool     // inside SASL2
	fast     []string // token mechanisms
}

// mostNames bounds lists of names that a server offers.
const mostNames = 64

func readOffer(features xtok.Elem) (o offer) {
	o.bindings = attrs(features.Child(stream.NSBinding, "sasl-channel-binding"), "type")
	a := features.Child(stream.NSSASL2, "authentication")
	if !a.OK() {
		o.mechs = texts(features.Child(stream.NSSASL, "mechanisms"), "mechanism")
		return o
	}
	o.sasl2, o.mechs = true, texts(a, "mechanism")
	inline := a.Child(stream.NSSASL2, "inline")
	bind := inline.Child(nsBind2, "bind")
	o.bind2, o.with = bind.OK(), attrs(bind.Child(nsBind2, "inline"), "var")
	o.resume = inline.Child(nsSM, "sm").OK()
	o.fast = texts(inline.Child(nsFast, "fast"), "mechanism")
	return o
}

func texts(e xtok.Elem, local string) (out []string) {
	for c := range e.Children() {
		if c.Is(e.NS(), local) && len(out) < mostNames {
			out = append(out, c.Text())
		}
	}
	return out
}

func attrs(e xtok.Elem, name string) (out []string) {
	for c := range e.Children() {
		if v := c.Attr(name); v != "" && len(out) < mostNames {
			out = append(out, v)
		}
	}
	return out
}

// preferred are the mechanisms by worth: one that is bound to the channel cannot be
// relayed, whatever its hash.
var preferred = [...]string{sasl.SCRAMSHA256Plus, sasl.SCRAMSHA1Plus, sasl.SCRAMSHA256, sasl.SCRAMSHA1}

// mechanism chooses how to show the password; never in clear.
func (o *offer) mechanism(sec Security) (mech string, b sasl.Binding, ok bool) {
	bindable := o.bindable(sec)
	for _, mech := range preferred {
		plus := mech == sasl.SCRAMSHA256Plus || mech == sasl.SCRAMSHA1Plus
		switch {
		case !slices.Contains(o.mechs, mech) || plus && !bindable:
		case plus:
			return mech, sec.Binding, true
		case sec.Direct && !o.binds():
			return mech, sec.Binding, true // RFC 5802 §6, flag y: who took -PLUS out of the offer is found out
		default:
			return mech, sasl.Binding{}, true
		}
	}
	return "", sasl.Binding{}, false
}

func (o *offer) binds() bool {
	return slices.Contains(o.mechs, sasl.SCRAMSHA256Plus) || slices.Contains(o.mechs, sasl.SCRAMSHA1Plus)
}

// tls13 is TLS 1.3 as crypto/tls numbers it.
const tls13 = 0x0304

// bindable tells whether the server can bind to the channel as we can.
func (o *offer) bindable(sec Security) bool {
	if len(sec.Binding.Data) == 0 {
		return false
	}
	if len(o.bindings) > 0 {
		return slices.Contains(o.bindings, sasl.TLSExporter)
	}
	// COMPAT: servers without XEP-0440; in TLS 1.3 there is no tls-unique to be meant
	return sec.Direct && sec.TLS >= tls13
}

// tokenMechanism chooses the mechanism to ask a token for, "" for none.
// XEP-0484 §3.2
func (o *offer) tokenMechanism(sec Security) string {
	for _, mech := range []string{sasl.HTSHA256Exporter, sasl.HTSHA256None} {
		if slices.Contains(o.fast, mech) && (mech == sasl.HTSHA256None || o.bindable(sec)) {
			return mech
		}
	}
	return ""
}

// takes tells whether a token can be shown.
func (o *offer) takes(t *Token, sec Security) bool {
	switch {
	case t == nil || !slices.Contains(o.fast, t.Mechanism):
		return false
	case t.Mechanism == sasl.HTSHA256Exporter:
		return len(sec.Binding.Data) > 0
	}
	return t.Mechanism == sasl.HTSHA256None
}
