// Package ping answers pings, XEP-0199 version 2.0.1.
package ping

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

const ns = "urn:xmpp:ping"

// Register attaches the feature. Pings between clients are routed like any IQ.
func Register(h *core.Host) {
	// XEP-0199 §4.1, §4.2
	h.IQ(core.Server, ns, "ping", func(*core.Query) ([]byte, error) { return nil, nil })
	h.IQ(core.Account, ns, "ping", own)
	h.SiteIQ(ns, "ping", atHost)
	h.Disco(core.Server, ns)
}

// own answers for one's own account: an answer for another would tell who exists.
// RFC 6121 §8.5.1
func own(q *core.Query) ([]byte, error) {
	if !q.Own() {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return nil, nil
}

// atHost answers for the name of a site; its other addresses speak for themselves.
func atHost(_ core.Target, q *core.Query) ([]byte, error) {
	if q.Head.To.Local() != "" {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return nil, nil
}
