package invite

import (
	"context"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/jid"
)

// Group is what a room tells who holds its link: nothing of who is in it.
type Group struct {
	Name, About string
	Type        string // of Picture, "" for none
	Picture     []byte
	Asks        bool // an admin decides who comes in
}

// group is Group as the screen is told it.
type group struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	About   string `json:"about,omitempty"`
	Type    string `json:"type,omitempty"`
	Picture []byte `json:"picture,omitempty"`
	Asks    bool   `json:"asks"`
}

// lookUp is the invitation of a token: one that leads to a room is good as long as the room says so.
func (f *Feature) lookUp(ctx context.Context, token string) (in auth.Invitation, g *group, err error) {
	if in, err = f.accounts.Invitation(ctx, token); err != nil || in.Room == "" {
		return in, nil, err
	}
	room, err := jid.Parse(in.Room)
	if err != nil || f.cfg.Group == nil {
		return auth.Invitation{}, nil, auth.ErrInvitation
	}
	is, ok := f.cfg.Group(room, token)
	if !ok {
		return auth.Invitation{}, nil, auth.ErrInvitation
	}
	in.From = "" // who made the link is somebody in there
	return in, &group{in.Room, is.Name, is.About, is.Type, is.Picture, is.Asks}, nil
}

// called is what to call the room, for people.
func (g *group) called() string {
	if g.Name != "" {
		return g.Name
	}
	return g.Address
}
