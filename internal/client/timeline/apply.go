package timeline

import (
	"time"

	"mirsal/internal/client/port"
)

// Apply applies what came on the stream. Pages of an archive go to TakePage.
func (b *Book) Apply(in Incoming, now time.Time) (Change, error) {
	s := b.begin(now)
	s.late = in.Source == Offline || in.Source == Archive
	s.chatState(&in)
	if in.Kind == Nothing && in.StanzaID == "" {
		return s.finish()
	}
	at, anchored, err := s.liveOrder(&in)
	if err == nil {
		err = s.apply(&in, at, anchored)
	}
	if err != nil {
		return Change{}, err
	}
	return s.finish()
}

// liveOrder is the place of what came on the stream: the next in the archive, if
// it is there and all before it is or is known to be missing; else behind all.
func (s *step) liveOrder(in *Incoming) (at order, anchored bool, err error) {
	name := s.archiveOf(in.Chat, in.Room)
	if in.StanzaID != "" && (in.Source == Live || in.Source == Carbon) && s.archive(name).live {
		_, known, err := s.mark(archiveKey(name, in.StanzaID))
		if err == nil && !known {
			s.archives[name] = true
			return order{Pos: s.archive(name).append(in.StanzaID, in.Time, func() bool { return s.sending(name) })}, true, nil
		}
		if err != nil {
			return at, false, err
		}
	}
	at, err = s.nextPlace(in.Chat, in.Room)
	return at, false, err
}

func (s *step) apply(in *Incoming, at order, anchored bool) error {
	m, found, err := s.find(in)
	switch {
	case err != nil:
		return err
	case found:
		return s.again(in, m, at, anchored)
	}
	return s.happen(in, at, anchored)
}

// happen applies what was not known before.
func (s *step) happen(in *Incoming, at order, anchored bool) error {
	switch in.Kind {
	case Text, Tombstone, Invite:
		return s.say(in, in.Kind, at, anchored)
	case Edit, Retract, React, Receipt, Displayed:
		return s.change(in, at, anchored)
	case Subject:
		return s.subject(in, at)
	case Timer:
		s.remember(in, mark{At: at, Loose: !anchored})
		s.chat(in.Chat, in.Room)
		return s.negotiated(in, at)
	case Refusal:
		return s.refused(in)
	}
	s.remember(in, mark{At: at, Loose: !anchored})
	if c := s.list[in.Chat]; c != nil {
		s.seenElsewhere(c, in.StanzaID, at)
	}
	return nil
}

// say adds a line. kind is what it is remembered as.
func (s *step) say(in *Incoming, kind Kind, at order, anchored bool) error {
	place, err := s.invitedAt(in, at)
	if err != nil {
		return err
	}
	r := &record{
		ID: s.newID(), chat: in.Chat, at: place, Room: in.Room, Sender: in.Sender, Real: in.Real, Occupant: in.Occupant,
		Name: in.Name, Mine: in.Mine, Time: in.Time.UnixMilli(), Delivery: port.Received, Lock: in.Lock,
		StanzaID: in.StanzaID, OriginID: in.OriginID, MsgID: in.ID, Anchored: anchored && place == at, Retracted: in.Kind == Tombstone,
	}
	if r.Mine {
		r.Delivery = port.Sent
	}
	r.fill(in)
	c := s.chat(in.Chat, in.Room)
	if r.Mine && !r.Room && !c.ReadTo.less(place) {
		r.Delivery = port.Read
	}
	remembered := *in
	remembered.Kind = kind
	s.remember(&remembered, mark{Row: r.ID, At: at, Loose: !anchored})
	if c.cleared(place) {
		return nil
	}
	if r.Timer = in.Timer; r.Mine || !c.Seen.less(place) {
		s.start(r)
	}
	if err := s.foldNew(c, r); err != nil {
		return err
	}
	s.place(r)
	s.arrived(r)
	s.quiet(in.Chat, in.Sender)
	s.seenElsewhere(c, r.StanzaID, place)
	if err := s.negotiated(in, at); err != nil {
		return err
	}
	return s.settle(r)
}

// fill gives a line what was said.
func (r *record) fill(in *Incoming) {
	if r.Retracted {
		return
	}
	r.ForMe = in.ForMe
	r.Text, r.File, r.ReplyTo, r.ReplyOf = in.Text, in.File, in.ReplyTo, in.ReplyOf
	r.Unreadable = cutText(in.Unreadable, 512)
	if i := in.Invite; i != nil {
		r.Notice, r.Params = "invited", []string{i.Room, i.By, i.Reason}
	}
}

// settle applies to a line what came before it, and tells of those that answer it.
func (s *step) settle(r *record) error {
	if r.ReplyTo != "" {
		s.put(tableReplies, r.chat+"\x00"+r.ReplyTo+"\x00"+r.ID, nil)
	}
	if err := s.catchUp(r); err != nil {
		return err
	}
	if err := s.refold(r); err != nil {
		return err
	}
	return s.tellAnswers(r)
}

// subject notes what a room is about; a line says so when it was another before.
func (s *step) subject(in *Incoming, at order) error {
	s.remember(in, mark{At: at})
	c := s.chat(in.Chat, true)
	before := c.Subject
	if in.Source == Archive || before == in.Text {
		return nil
	}
	c.Subject = in.Text
	if before == "" || in.Source != Live {
		return nil
	}
	return s.notice(in.Chat, true, "subject", []string{in.Text, in.Sender})
}

// notice adds a line of the engine's own.
func (s *step) notice(chat string, room bool, name string, params []string) error {
	at, err := s.nextPlace(chat, room)
	if err != nil {
		return err
	}
	clean := make([]string, 0, len(params))
	for _, p := range params {
		clean = append(clean, CleanName(cutText(p, 1024)))
	}
	r := &record{ID: s.newID(), chat: chat, at: at, Room: room, Time: s.now.UnixMilli(), Delivery: port.Received, Notice: name, Params: clean}
	s.chat(chat, room)
	s.place(r)
	s.arrived(r)
	return s.refold(r)
}

// Notice adds a line of the engine's own: a key for translation, and what it
// speaks of.
func (b *Book) Notice(chat string, room bool, name string, params []string, now time.Time) (Change, error) {
	s := b.begin(now)
	if err := s.notice(chat, room, name, params); err != nil {
		return Change{}, err
	}
	return s.finish()
}
