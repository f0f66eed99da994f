// Package ping answers pings, XEP-0199 version 2.0.1.
package ping

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

const ns = "urn:xmpp:ping"

// Register attaches the feature. Pings between clients are routed like any IQ.
func Register(h *core.Host) {
	pong := func(*core.Query) ([]byte, error) { return nil, nil }
	// XEP-0199 §4.1, §4.2
	h.IQ(core.Server, ns, "ping", pong)
	h.IQ(core.Account, ns, "ping", pong)
	h.SiteIQ(ns, "ping", atHost)
	h.Disco(core.Server, ns)
}

// atHost answers for the name of a site; its other addresses speak for themselves.
func atHost(_ core.Target, q *core.Query) ([]byte, error) {
	if q.Head.To.Local() != "" {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return nil, nil
}
