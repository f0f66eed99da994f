package timeline

import (
	"cmp"

	"mirsal/internal/client/keep"
)

// An invitation that comes through a room is a line of the room's, and comes in one's own
// archive: the places of that say nothing of where it stands among the room's lines.

// throughRoom tells whether a line is such an invitation.
func (r *record) throughRoom() bool {
	return r.Notice == "invited" && len(r.Params) > 0 && r.Params[0] == r.chat
}

// invitedAt is the place of a line that comes at a place of its archive: that one, but for
// an invitation through a room. It stands behind what was said there before, and where that
// is later than the invitation, before all.
func (s *step) invitedAt(in *Incoming, at order) (order, error) {
	if in.Kind != Invite || in.Invite == nil || in.Invite.Room != in.Chat {
		return at, nil
	}
	last, err := s.lastBefore(in.Chat, order{Pos: waiting})
	switch {
	case err != nil:
		return at, err
	case last == nil || last.Time <= in.Time.UnixMilli():
		return s.nextPlace(in.Chat, true)
	}
	first, err := s.lastBefore(in.Chat, order{Pos: 1})
	if err != nil || first == nil {
		return order{Sub: 1}, err
	}
	return order{Sub: first.at.Sub + 1}, nil
}

// lastBefore is the last line of a chat before a place, nil where there is none.
func (s *step) lastBefore(chat string, at order) (last *record, err error) {
	r := keep.Range{Prefix: chat + "\x00", Before: rowKey(chat, at), Limit: 1, Reverse: true}
	scan := s.kept.scan(tableRows, r, func(key string, v []byte) bool {
		last, err = decode(key, v)
		return false
	})
	return last, cmp.Or(err, scan)
}
