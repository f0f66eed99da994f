package timeline

import (
	"cmp"
	"encoding/json"
	"slices"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// again applies what is known already: it may tell a place that was not known, that
// one's own message has arrived, or what could not be opened before.
func (s *step) again(in *Incoming, m mark, at order, anchored bool) error {
	r, err := s.row(m.Row)
	if err != nil {
		return err
	}
	fresh := in.StanzaID != "" && m.Stanza != in.StanzaID
	if fresh || anchored && m.Loose {
		s.remark(in, m, at, anchored)
	}
	switch {
	case r == nil:
		return s.changeWaits(in, m, at, anchored)
	case !m.Kind.line() && !r.is(in):
		return s.changeAgain(r, m, in, at, anchored)
	case r.Unreadable != "" && m.Blind && in.opened() && in.Kind != Text && in.Kind != Tombstone:
		if !anchored {
			at, anchored = r.at, r.Anchored
		}
		return s.noLine(r, in, at, anchored)
	}
	if anchored && !r.throughRoom() && (!r.Anchored || at.less(r.at)) {
		r.Anchored, r.StanzaID = true, in.StanzaID
		s.move(r, at)
	} else if r.StanzaID == "" && fresh {
		r.StanzaID = in.StanzaID
	}
	if in.Mine {
		if err := s.arrivedBack(r); err != nil {
			return err
		}
	}
	return s.better(r, in)
}

// line tells whether it makes a line, and does not change one.
func (k Kind) line() bool { return k == Text || k == Tombstone || k == Invite }

// opened tells whether a copy says what is in the message.
func (in *Incoming) opened() bool { return in.Unreadable == "" && !in.Again }

// better completes a line by what came again, and settles it under its new ids.
func (s *step) better(r *record, in *Incoming) error {
	if in.Kind == Tombstone {
		if err := s.retract(r); err != nil {
			return err
		}
	}
	if r.Unreadable != "" && in.opened() && in.Kind == Text {
		if r.Folded {
			s.tell(r, true)
		}
		r.fill(in)
		r.Unreadable, r.Folded, r.Count, r.Lock = "", false, 0, in.Lock
		s.remember(in, mark{Row: r.ID, At: r.at, Loose: !r.Anchored})
		s.touch(r.chat, true)
	}
	if r.Real == "" && r.Occupant == "" {
		r.Real, r.Occupant = in.Real, in.Occupant
	}
	s.save(r)
	c := s.chat(r.chat, r.Room)
	if r.Mine && r.at.Pos != waiting {
		s.seen(c, r.at)
	}
	s.seenElsewhere(c, r.StanzaID, r.at)
	return s.settle(r)
}

// noLine takes away the line of what could not be opened and proves to be none, and
// lets happen what it is.
func (s *step) noLine(r *record, in *Incoming, at order, anchored bool) error {
	if err := s.takeOut(r); err != nil {
		return err
	}
	return s.happen(in, at, anchored)
}

// takeOut takes a line out of its chat; of those that were folded into it one is shown in its place.
func (s *step) takeOut(r *record) error {
	s.kept.delete(tableRows, r.key())
	s.kept.delete(tableWhere, r.ID)
	delete(s.rows, r.ID)
	if !r.Folded {
		s.gone = append(s.gone, &port.MessageGone{Chat: r.chat, Message: r.ID})
	}
	s.touch(r.chat, true)
	before, err := s.run(r, true, longestRun)
	if err != nil {
		return err
	}
	behind, err := s.run(r, false, longestRun)
	if err != nil {
		return err
	}
	s.showOne(append(before, behind...))
	return nil
}

// arrivedBack notes that one's own message is where others see it. It stands among them
// from then on, though the server has not said yet that it has it.
func (s *step) arrivedBack(r *record) error {
	if r.Delivery != port.Pending && r.Delivery != port.Failed {
		return nil
	}
	r.Delivery, r.Failure = port.Sent, ""
	s.start(r)
	if item := s.item(r.OriginID); item != nil {
		s.drop(item)
	}
	if r.at.Pos != waiting {
		return nil
	}
	at, err := s.nextPlace(r.chat, r.Room)
	if err != nil {
		return err
	}
	s.move(r, at)
	s.seen(s.chat(r.chat, r.Room), at)
	return nil
}

// remark remembers an id of an archive, and the place it gives.
func (s *step) remark(in *Incoming, m mark, at order, anchored bool) {
	first := m.Stanza == "" || m.Stanza == in.StanzaID
	m.Stanza = in.StanzaID
	if anchored {
		m.At, m.Loose = at, false
	}
	s.put(tableMarks, archiveKey(s.archiveOf(in.Chat, in.Room), in.StanzaID), m.encode())
	if !first || m.Kind == Nothing {
		return
	}
	for _, id := range distinct(in.OriginID, in.ID) {
		m.Origin = id == in.OriginID
		for _, author := range in.authors() {
			s.put(tableMarks, senderKey(in.Chat, author, id), m.encode())
		}
	}
}

// is tells whether a line is the message itself, and not what that has changed.
func (r *record) is(in *Incoming) bool {
	return slices.Contains(distinct(r.OriginID, r.MsgID, r.StanzaID), in.name())
}

// changeAgain gives a change the place that its archive shows: there it may count where it did
// not before.
func (s *step) changeAgain(r *record, m mark, in *Incoming, at order, anchored bool) error {
	id := in.name()
	if item := s.item(in.OriginID); item != nil && in.Mine {
		s.drop(item)
		r.Before = nil
		if item.Kind == Retract {
			r.leaveRetract(port.Sent, "")
		}
	}
	if anchored && m.Kind == Edit {
		r.placed(id, at)
	}
	for i := range r.Reactions {
		if x := &r.Reactions[i]; anchored && m.Kind == React && x.ID == id && slices.Contains(in.authors(), x.Who) {
			x.At = at
		}
	}
	s.save(r)
	if anchored && m.Loose && in.Kind != Nothing {
		return s.changed(r, in, at, true)
	}
	return s.tellAnswers(r)
}

// placed gives an edit its place in the archive: one that another had hidden may be the later.
func (r *record) placed(id string, at order) {
	if r.EditID == id {
		r.EditOrder, r.EditLoose = at, false
	}
	if f := r.Aside; f != nil && f.ID == id {
		if f.At, f.Loose = at, false; r.EditOrder.less(at) {
			r.become(f)
		}
		r.Aside = nil
	}
}

// changeWaits gives a change whose message has not come the place that its archive shows:
// by that it is ordered among others when the message comes.
func (s *step) changeWaits(in *Incoming, m mark, at order, anchored bool) error {
	if !anchored || !m.Loose || m.Row != "" || m.Kind.line() {
		return nil
	}
	all, err := s.kept.list(tableWaiting, keep.Range{Prefix: in.Chat + "\x00"})
	if err != nil {
		return err
	}
	for _, e := range all {
		var x early
		if json.Unmarshal(e.value, &x) != nil || x.In.name() != in.name() || !slices.Equal(x.In.authors(), in.authors()) {
			continue
		}
		s.kept.delete(tableWaiting, e.key)
		x.In.StanzaID = in.StanzaID
		return s.change(&x.In, at, true)
	}
	return nil
}

// name is the id by which a change is known again.
func (in *Incoming) name() string { return cmp.Or(in.OriginID, in.ID, in.StanzaID) }
