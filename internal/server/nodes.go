package server

import (
	"context"

	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/xep/bookmarks"
	"mirsal/internal/xep/private"
	"mirsal/internal/xep/pubsub"
	"mirsal/internal/xep/vcard"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// cardNodes let the visiting cards work on personal eventing nodes.
type cardNodes struct{ pep *pubsub.Service }

// Change satisfies vcard.Nodes.
func (n cardNodes) Change(ctx context.Context, owner jid.JID, f func(d vcard.Draft) error) error {
	return n.pep.Change(ctx, owner, func(d *pubsub.Draft) error { return f(d) })
}

// addNodes adds the publish-subscribe service for all, where accounts make nodes; a
// domain that is an address has none.
func (s *Server) addNodes(h *core.Host, pep *pubsub.Service) {
	s.features.pubsub = pep
	name, err := jid.Parse("pubsub." + s.Domain.String())
	if err != nil {
		return
	}
	admins := s.Config.Pubsub.Create == config.Admins
	pep.Serve(h, pubsub.General{Name: name, Create: func(ctx context.Context, bare jid.JID) (bool, error) {
		if !admins {
			return true, nil
		}
		return s.Auth.Admin(ctx, bare.Local())
	}})
}

// nodeNick is where people say what they are called (XEP-0172).
const nodeNick = "http://jabber.org/protocol/nick"

// called is what somebody calls himself, "" for nothing.
func (s *Server) called(ctx context.Context, who jid.JID) string {
	var payload []byte
	err := s.features.pubsub.Change(ctx, who, func(d *pubsub.Draft) (err error) {
		_, payload, err = d.Last(nodeNick)
		return err
	})
	if err != nil || payload == nil {
		return ""
	}
	doc, err := xtok.Parse(payload, xtok.Limits{})
	if err != nil {
		return ""
	}
	return doc.Text()
}

// roomList is the node that clients of the old form of bookmarks know.
func roomList() pubsub.Mirror {
	return pubsub.Mirror{Node: bookmarks.Old, Of: bookmarks.Node, Show: bookmarks.Show, Take: bookmarks.Take}
}

// oldRooms is the same list for those who know it from private XML.
func oldRooms(pep *pubsub.Service) private.Home {
	return private.Home{
		Get: func(ctx context.Context, by *core.Session) ([]byte, error) {
			return pep.ReadMirror(ctx, by, bookmarks.Old)
		},
		Set: func(ctx context.Context, by *core.Session, e xtok.Elem) error {
			return pep.WriteMirror(ctx, by, bookmarks.Old, e)
		},
	}
}
