package timeline

import (
	"cmp"
	"slices"
	"strings"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// mostReactors is how many people's reactions to one message are kept.
const mostReactors = 256

// change applies what changes an earlier message, or keeps it until that comes.
func (s *step) change(in *Incoming, at order, anchored bool) error {
	r, wait, err := s.target(in)
	if err != nil {
		return err
	}
	m := mark{At: at, Loose: !anchored}
	if r == nil {
		s.remember(in, m)
		if wait {
			return s.wait(in, at, anchored)
		}
		return nil
	}
	m.Row = r.ID
	s.remember(in, m)
	return s.changed(r, in, at, anchored)
}

// changed applies a change to the line it means, which the sender may change.
func (s *step) changed(r *record, in *Incoming, at order, anchored bool) error {
	switch in.Kind {
	case Edit:
		return s.edit(r, in, at, anchored)
	case Retract:
		return s.retract(r)
	case React:
		s.react(r, in, at)
	case Receipt:
		return s.advance(r, port.Delivered)
	case Displayed:
		return s.displayed(r, in)
	}
	return nil
}

// target is the line that a change means and that its sender may change so; wait
// tells that it may still come.
func (s *step) target(in *Incoming) (r *record, wait bool, err error) {
	switch in.Kind {
	case Edit:
		// XEP-0308#rules: only by the same sender
		return s.ownLine(in)
	case Retract:
		return s.retractable(in)
	case React:
		r, err = s.meant(in.Chat, in.Room, in.Ref)
		return r, r == nil && in.known(), err
	case Displayed:
		if in.Mine {
			r, err = s.meant(in.Chat, in.Room, in.Ref)
			return r, r == nil, err
		}
	}
	// a receipt or marker for one's own message, from whom it went to
	// XEP-0184#security, XEP-0333#rules
	if in.Room || in.Mine || in.Real != in.Chat {
		return nil, false, nil
	}
	r, err = s.said(in.Chat, me, in.Ref)
	return r, r == nil, err
}

// ownLine is the sender's own line of that id.
func (s *step) ownLine(in *Incoming) (r *record, wait bool, err error) {
	if !in.known() {
		return nil, false, nil
	}
	for _, author := range in.authors() {
		r, err = s.said(in.Chat, author, in.Ref)
		if err != nil || r != nil && wrote(r, &in.Envelope) {
			return r, false, err
		}
	}
	return nil, true, nil
}

// retractable is the line that is taken back: in rooms it is named by the room's id,
// which the author, or the room in a moderator's name, may use.
// XEP-0424#usecase, XEP-0425#usecase
func (s *step) retractable(in *Incoming) (r *record, wait bool, err error) {
	if !in.Room {
		return s.ownLine(in)
	}
	m, found, err := s.mark(archiveKey(in.Chat, in.Ref))
	if err != nil {
		return nil, false, err
	}
	if found {
		if r, err = s.row(m.line()); err != nil || r == nil {
			return nil, false, err
		}
		if in.FromRoom && r.Notice == "" || wrote(r, &in.Envelope) {
			return r, false, nil
		}
		return nil, false, nil
	}
	if in.FromRoom {
		return nil, true, nil
	}
	return s.ownLine(in)
}

// line is the line that a mark's message is, or has changed; "" for what has no text.
func (m mark) line() string {
	if m.Kind == Text || m.Kind == Edit || m.Kind == Tombstone {
		return m.Row
	}
	return ""
}

// said is the line that somebody said under an id of theirs.
func (b *Book) said(chat, author, id string) (*record, error) {
	m, found, err := b.mark(senderKey(chat, author, id))
	if !found || err != nil {
		return nil, err
	}
	return b.row(m.line())
}

// meant is the line of a chat that has an id by which anybody may speak of it: in a room
// the room's.
func (b *Book) meant(chat string, room bool, id string) (*record, error) {
	if room {
		m, found, err := b.mark(archiveKey(chat, id))
		if found || err != nil {
			if err != nil {
				return nil, err
			}
			return b.row(m.line())
		}
		return b.said(chat, me, id)
	}
	for _, author := range []string{"r:" + chat, me} {
		if r, err := b.said(chat, author, id); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
}

// edit puts a text in the place of another. One that came in the clear does not take the
// place of one that was encrypted: that is as easily forged by a server as not. It
// is a line of its own.
func (s *step) edit(r *record, in *Incoming, at order, anchored bool) error {
	if r.Retracted {
		return nil
	}
	if locked(r.Lock) && !locked(in.Lock) {
		return s.say(in, Edit, at, anchored)
	}
	now := &former{in.Text, in.File, in.Lock, in.name(), at, !anchored}
	if at.less(r.EditOrder) {
		s.lessLate(r, now)
		return nil
	}
	if r.EditLoose && in.Source == Archive && r.EditID != now.ID {
		r.Aside = r.former()
	}
	if r.Unreadable != "" {
		r.Unreadable, r.Count = "", 0
		s.tell(r, r.Folded)
		r.Folded = false
		s.touch(r.chat, true)
	}
	r.become(now)
	s.save(r)
	if err := s.refold(r); err != nil {
		return err
	}
	return s.tellAnswers(r)
}

// lessLate takes an edit that a later one hides: where that is not sent yet, it may still fail.
func (s *step) lessLate(r *record, now *former) {
	if r.Before != nil && !now.At.less(r.Before.At) {
		r.Before = now
		s.save(r)
	}
}

func locked(l port.Lock) bool { return l.State == port.Locked || l.State == port.Verified }

// retract takes a text out of everything: the line, the outbox, what waits for it, answers.
// Also of a line that was encrypted, though it comes in the clear: it always does.
func (s *step) retract(r *record) error {
	if r.Retracted {
		return nil
	}
	blind := r.Unreadable != ""
	if r.Folded {
		s.tell(r, true)
	}
	for _, x := range slices.Clone(s.outbox) {
		if x.Row == r.ID && x.Kind != Retract {
			s.drop(x)
		}
	}
	s.leave(r)
	r.Text, r.File, r.Reactions, r.Before, r.Aside, r.Failure = "", nil, nil, nil, nil, ""
	r.Unreadable, r.Folded, r.Count = "", false, 0
	r.Retracted = true
	s.save(r)
	s.touch(r.chat, true)
	for _, ref := range distinct(append(r.refs(), r.MsgID)...) {
		if err := s.forget(r.chat, ref, nil); err != nil {
			return err
		}
	}
	if blind {
		if err := s.refold(r); err != nil {
			return err
		}
	}
	return s.tellAnswers(r)
}

// react sets what one person gave; the latest set counts, also when it is empty.
// XEP-0444#rules
func (s *step) react(r *record, in *Incoming, at order) {
	if r.Retracted || !in.known() {
		return
	}
	mine := in.authors()
	i := slices.IndexFunc(r.Reactions, func(x reaction) bool { return slices.Contains(mine, x.Who) })
	if i < 0 && len(r.Reactions) >= mostReactors {
		return
	}
	if i >= 0 && at.less(r.Reactions[i].At) {
		return
	}
	one := reaction{Who: mine[0], Name: in.Sender, Mine: in.Mine, Emoji: in.Emoji, At: at, ID: in.name()}
	if i < 0 {
		r.Reactions = append(r.Reactions, one)
	} else {
		r.Reactions[i] = one
	}
	slices.SortFunc(r.Reactions, func(a, b reaction) int {
		if a.At != b.At {
			return cmp.Or(cmp.Compare(a.At.Pos, b.At.Pos), cmp.Compare(a.At.Sub, b.At.Sub))
		}
		return strings.Compare(a.Who, b.Who)
	})
	s.save(r)
}

// tellAnswers tells of lines that quote one that has changed.
func (s *step) tellAnswers(r *record) error {
	const most = 50
	for _, ref := range r.refs() {
		prefix := r.chat + "\x00" + ref + "\x00"
		found, err := s.kept.list(tableReplies, keep.Range{Prefix: prefix, Limit: most})
		if err != nil {
			return err
		}
		for _, e := range found {
			if id := e.key[len(prefix):]; !s.rows[id] {
				s.rows[id] = false
			}
		}
	}
	return nil
}
