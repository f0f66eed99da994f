package core

import (
	"errors"

	"mirsal/internal/xmpp/jid"
)

// ErrSilently is what a ScreenFunc returns for a stanza that goes nowhere and of
// which its sender is told nothing.
var ErrSilently = errors.New("core: refused without a word")

// BlockedFunc tells whether a local account, a bare JID, has blocked an address.
// It is asked for every stanza and every delivery of presence: it must not block.
type BlockedFunc func(owner, other jid.JID) bool

// Blocked tells whether a local account has blocked an address.
// XEP-0191#block
func (r *Router) Blocked(owner, other jid.JID) bool {
	f := r.host.Blocked
	return f != nil && f(owner.Bare(), other)
}

// Apart tells whether nothing may pass between two addresses, because the
// account of one has blocked the other.
func (r *Router) Apart(a, b jid.JID) bool { return r.Blocked(a, b) || r.Blocked(b, a) }

// pass asks the Screen hooks.
func (r *Router) pass(t *Transit) error {
	for _, f := range r.host.Screen {
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}
