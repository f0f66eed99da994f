package server

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"mirsal/internal/call"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// newCalls makes the server's part of one-to-one calls.
func (s *Server) newCalls() *call.Calls {
	cfg := &s.Config.Calls
	return call.New(s.Router, s.store, call.Config{
		Contact: s.contact, Created: s.created,
		Everyone: cfg.Strangers, Direct: cfg.Unannounced, Loopback: cfg.Loopback,
		Pair: cfg.Pair, Callee: cfg.Callee, Caller: cfg.Caller, Newcomer: cfg.Newcomer,
		Young: cfg.Young.Duration, Keep: cfg.Keep.Duration, Rules: cmp.Or(cfg.Rules, filepath.Join(s.Config.Data, "call-rules")), Keys: cfg.Keys(),
		Log: s.Log, Metrics: s.metrics,
	})
}

// created is when an account was made, zero where that is not known.
func (s *Server) created(bare jid.JID) time.Time {
	a, err := s.Auth.Standing(context.Background(), bare.Local())
	if err != nil {
		return time.Time{}
	}
	return a.Created
}

// mayRing tells whether a device that is away is woken for a call: whether it rings
// was decided when it came.
func (s *Server) mayRing(owner, peer jid.JID) bool {
	return s.contact(owner, peer) || s.features.calls.Rings(owner, peer)
}

// ringsLate lets what rings ring at devices that come meanwhile.
func ringsLate(calls *call.Calls) func(*core.Session, xtok.Elem, bool) {
	return func(s *core.Session, _ xtok.Elem, initial bool) { calls.Presence(s, initial) }
}
