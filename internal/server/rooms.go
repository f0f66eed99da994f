package server

import (
	"context"

	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/xep/mam"
	"mirsal/internal/xep/pubsub"
	"mirsal/internal/xep/rooms"
	"mirsal/internal/xmpp/jid"
)

// addRooms adds the service for conversations of many; a domain that is an
// address has none.
func (s *Server) addRooms(h *core.Host, ppl *people.People, past *mam.Mam, pep *pubsub.Service) {
	cfg := &s.Config.Rooms
	name, err := jid.Parse("conference." + s.Domain.String())
	if err != nil || !cfg.Enabled {
		return
	}
	site := h.Site(name)
	s.features.rooms = rooms.New(s.Router, site, s.store, s.archive, rooms.Settings{
		AdminsOnly: cfg.Create == config.Admins, MaxOccupants: cfg.MaxOccupants, MaxRooms: cfg.MaxPerAccount, History: cfg.History,
		Admin: s.isAdmin, Links: roomLinks{s}, Decorate: ppl.Decorate, Unpaced: !s.Config.Limits.Enabled, Log: s.Log,
	})
	s.features.rooms.Register(h)
	ppl.OnFarewell = append(ppl.OnFarewell, s.features.rooms.Unavailable)
	past.At(h, site.Node, s.features.rooms.Reads)
	pep.Also, pep.Beside = s.features.rooms.Also, s.features.rooms.Beside
}

// isAdmin tells whether a bare JID is an administrator's; not while the accounts
// cannot be read.
func (s *Server) isAdmin(bare jid.JID) bool {
	if !s.Router.Local(bare) {
		return false
	}
	admin, err := s.Auth.Admin(context.Background(), bare.Local())
	return err == nil && admin
}

// loadRooms reads which rooms there are.
func (s *Server) loadRooms(ctx context.Context) error {
	if s.features.rooms == nil {
		return nil
	}
	return s.features.rooms.Load(ctx)
}
