package rooms

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
)

// extras is what registration, invitations, requests for voice and keys remember.
type extras struct {
	invites invites
	voice   *paced[string]  // by room and account
	erased  *paced[jid.JID] // by account
	guesses *paced[jid.JID] // at passwords, by account
	// wrong tokens of links, and requests to be let in, by account
	tokens, requests *paced[jid.JID]
	keys             keys
}

func newExtras() *extras {
	return &extras{
		invites: newInvites(), voice: newPaced[string](voiceBurst, voicePause),
		erased: newPaced[jid.JID](eraseBurst, erasePause),
		tokens: newPaced[jid.JID](tokenBurst, tokenPause), requests: newPaced[jid.JID](askBurst, askPause),
		guesses: newPaced[jid.JID](guessBurst, guessPause), keys: newKeys(),
	}
}

// registerExtras attaches all that people do with rooms besides talking in them.
func (s *Rooms) registerExtras(h *core.Host) {
	s.letters = append(s.letters, (*room).invitations, (*room).voice, (*room).approval)
	node := s.site.Node
	h.IQ(node, nsRegister, "query", s.paced(s.registerIQ))
	h.IQ(node, nsModerate, "moderate", s.paced(s.moderateIQ))
	h.IQ(node, nsVCard, "vCard", s.paced(s.avatarIQ))
	h.IQ(node, nsRooms, "access", s.paced(s.accessIQ))
	at := h.DiscoAt(node)
	at.Nodes = append(at.Nodes, s.reserved)
	// XEP-0486#disco
	h.Disco(node, nsRegister, nsRetract, nsVCard)
	h.Disco(s.site.Host, nsVCard)
	// XEP-0313#support, XEP-0425#disco, XEP-0424#tombstones
	s.features = append(s.features, (*room).mayLink)
	for _, v := range []string{"urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", nsModerate, nsRetract + "#tombstone"} {
		s.features = append(s.features, func(r *room) string { return r.ifArchived(v) })
	}
}

// ifArchived is a feature of rooms whose messages are kept: a client that finds it
// does not ask for history on entering.
func (r *room) ifArchived(feature string) string {
	if r.cfg.Archive {
		return feature
	}
	return ""
}
