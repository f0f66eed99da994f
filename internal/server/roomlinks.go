package server

import (
	"context"
	"errors"

	"mirsal/internal/auth"
	"mirsal/internal/xep/invite"
	"mirsal/internal/xep/rooms"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// roomLinks makes links of rooms of invitations: who has no account gets one where the one who
// makes the link may invite for that.
type roomLinks struct{ s *Server }

// Make satisfies rooms.Links.
func (l roomLinks) Make(ctx context.Context, by, room jid.JID) (rooms.Link, error) {
	in, err := l.s.Auth.Invite(ctx, auth.Offer{
		From: by.Local(), Room: room.String(), NoAccount: !l.s.features.invite.MayCreate(by), Uses: auth.MostUses, Life: auth.MaxInvitation,
	})
	if errors.Is(err, auth.ErrTooMany) {
		return rooms.Link{}, stanza.Errorf(stanza.ResourceConstraint, "%s; wait until some are used or out of date", err)
	}
	if err != nil {
		return rooms.Link{}, err
	}
	l.s.Log.Info("invitation made", "jid", by.String(), "invitation", in.ID, "way", "room")
	return rooms.Link{Token: in.Token, URL: in.Link, URI: in.URI, Expires: in.Expires, Account: !in.NoAccount}, nil
}

// Good satisfies rooms.Links.
func (l roomLinks) Good(ctx context.Context, token string, room jid.JID) bool {
	in, err := l.s.Auth.Invitation(ctx, token)
	return err == nil && in.Room == room.String()
}

// End satisfies rooms.Links.
func (l roomLinks) End(ctx context.Context, token string) error {
	err := l.s.Auth.Withdraw(ctx, auth.InvitationID(token))
	if errors.Is(err, auth.ErrInvitation) {
		return nil
	}
	return err
}

// group is what the page of a room's link tells of the room.
func (s *Server) group(room jid.JID, token string) (invite.Group, bool) {
	if s.features.rooms == nil {
		return invite.Group{}, false
	}
	a, ok := s.features.rooms.Linked(room, token)
	return invite.Group{Name: a.Name, About: a.Description, Type: a.Type, Picture: a.Picture, Asks: a.Asks}, ok
}
