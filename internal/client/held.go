package client

import (
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/xtok"
)

// held is a message that came live while its archive was being read. It may be further
// ahead of what was opened last than a ratchet goes, and could then not be opened before
// all between them; so it waits for them. Its place is kept by the archive: if we are
// gone before it is read, it comes from there.
type held struct {
	el  xtok.Elem
	env timeline.Envelope
}

// mostHeld bounds how many wait; who comes after them is not waited with.
const mostHeld = 1000

// holdBack keeps an encrypted message back while its archive is being asked.
func (e *Engine) holdBack(el xtok.Elem, env timeline.Envelope) bool {
	w := e.awaited[e.archiveOf(env)]
	if w == nil || !w.again.IsZero() || len(e.held) >= mostHeld {
		return false
	}
	if !el.Child(nsLegacy, "encrypted").OK() && !el.Child(nsTwo, "encrypted").OK() {
		return false
	}
	e.held = append(e.held, held{el, env})
	return true
}

// release hears what was kept back for an archive. What that has brought meanwhile was
// opened already, and is known.
func (e *Engine) release(archive string) {
	all := e.held
	e.held = nil
	for _, h := range all {
		switch {
		case e.broken != nil:
			return
		case e.archiveOf(h.env) == archive:
			e.hear(h.el, h.env)
		default:
			e.held = append(e.held, h)
		}
	}
}
