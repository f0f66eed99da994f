package timeline

import (
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// rank is how far a message is; it only grows.
func rank(d port.Delivery) int {
	switch d {
	case port.Sent:
		return 1
	case port.Delivered:
		return 2
	case port.Read:
		return 3
	}
	return 0
}

// advance moves one's own message forwards.
func (s *step) advance(r *record, to port.Delivery) error {
	if !r.Mine || r.Retracted && to != port.Sent || rank(to) <= rank(r.Delivery) {
		return nil
	}
	if err := s.arrivedBack(r); err != nil {
		return err
	}
	r.Delivery = to
	s.save(r)
	return nil
}

// displayed notes how far somebody has read: oneself on another device, or the other
// side.
func (s *step) displayed(r *record, in *Incoming) error {
	c := s.chat(r.chat, r.Room)
	if in.Mine {
		s.seen(c, r.at)
		return nil
	}
	if err := s.advance(r, port.Read); err != nil {
		return err
	}
	if !c.ReadTo.less(r.at) || r.at.Pos == waiting {
		return nil
	}
	c.ReadTo = r.at
	return s.readBefore(r)
}

// readBefore marks one's own messages before one that was read, back to the last
// that is marked.
// XEP-0333#rules
func (s *step) readBefore(last *record) error {
	const most = 500
	found, err := s.kept.list(tableRows, keep.Range{Prefix: last.chat + "\x00", Before: last.key(), Limit: most, Reverse: true})
	if err != nil {
		return err
	}
	for _, e := range found {
		r, err := decode(e.key, e.value)
		if err != nil {
			return err
		}
		if r.Mine && r.Delivery == port.Read {
			return nil
		}
		if r.Delivery != port.Failed {
			if err := s.advance(r, port.Read); err != nil {
				return err
			}
		}
	}
	return nil
}

// seenElsewhere moves what was read forwards when what was waited for has come.
func (s *step) seenElsewhere(c *chat, stanzaID string, at order) {
	if stanzaID != "" && c.SeenTo == stanzaID {
		c.SeenTo = ""
		s.touch(c.Address, false)
		s.seen(c, at)
	}
}

// Displayed tells that everything up to a stanza-id was seen on another device. What is known
// already changes nothing. A chat with one person that is not here yet is remembered with it, and a room's is not.
// XEP-0490#usecases
func (b *Book) Displayed(name string, room bool, stanzaID string) (Change, error) {
	s := b.begin(time.Time{})
	c := b.list[name]
	if stanzaID = bounded(stanzaID); stanzaID == "" || c == nil && room {
		return s.finish()
	}
	m, found, err := b.mark(archiveKey(b.archiveOf(name, room), stanzaID))
	if err != nil {
		return Change{}, err
	}
	at := m.At
	if r, err := b.row(m.line()); err == nil && r != nil {
		at = r.at
	}
	switch {
	case found && c != nil:
		s.seen(c, at)
	case !found && (c == nil || c.SeenTo != stanzaID):
		s.chat(name, room).SeenTo = stanzaID
	}
	return s.finish()
}

// Seen says what to tell others when messages were read. ID "" asks for no marker.
type Seen struct {
	Chat     string
	Room     bool
	ID       string // for the marker (0333): the message's id, in a room its stanza-id
	StanzaID string // for one's own devices (0490), "" unknown
	By       string // whose StanzaID it is
}

// MarkRead tells that everything up to a message was seen here. A *port.Failure says
// that there is no such message.
func (b *Book) MarkRead(name, message string) (Seen, Change, error) {
	r, err := b.row(message)
	if err != nil {
		return Seen{}, Change{}, err
	}
	c := b.list[name]
	if r == nil || r.chat != name || c == nil {
		return Seen{}, Change{}, port.Failf(port.NoSuchMessage, "there is no such message in this chat")
	}
	out := Seen{Chat: name, Room: r.Room, StanzaID: r.StanzaID, By: b.archiveOf(name, r.Room)}
	s := b.begin(time.Time{})
	if r.at.Pos != waiting && c.Seen.less(r.at) {
		if !r.Mine && r.Notice == "" && r.Room {
			out.ID = r.StanzaID
		} else if !r.Mine && r.Notice == "" {
			out.ID = r.MsgID
		}
		s.seen(c, r.at)
		s.touch(name, true)
	}
	change, err := s.finish()
	return out, change, err
}
