package timeline

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"time"

	"mirsal/internal/client/port"
)

// item is something to be sent: a line, or a change of one.
type item struct {
	Num      uint64   `json:"n"`
	Kind     Kind     `json:"k"`
	Chat     string   `json:"chat"`
	Room     bool     `json:"room,omitempty"`
	OriginID string   `json:"id"`
	Row      string   `json:"row"`
	Text     string   `json:"text,omitempty"`
	Emoji    []string `json:"e,omitempty"`
	Hold     bool     `json:"hold,omitempty"` // a file is to be uploaded first
}

func outboxKey(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// item is what waits under an origin-id, nil for nothing.
func (b *Book) item(originID string) *item {
	for _, x := range b.outbox {
		if x.OriginID == originID && originID != "" {
			return x
		}
	}
	return nil
}

// sending tells whether something is in the outbox, and may be on its way, that goes into an archive.
func (b *Book) sending(archive string) bool {
	return slices.ContainsFunc(b.outbox, func(x *item) bool { return !x.Hold && b.archiveOf(x.Chat, x.Room) == archive })
}

// queue puts something into the outbox.
func (s *step) queue(x *item) error {
	s.next++
	x.Num = s.next
	s.put(tableMeta, "next", []byte(uitoa(s.next)))
	s.outbox = append(s.outbox, x)
	return s.requeue(x)
}

func (s *step) requeue(x *item) error {
	v, err := json.Marshal(x)
	if err == nil {
		s.put(tableOutbox, outboxKey(x.Num), v)
	}
	return err
}

// drop takes something out of the outbox.
func (s *step) drop(x *item) {
	s.kept.delete(tableOutbox, outboxKey(x.Num))
	s.outbox = slices.DeleteFunc(slices.Clone(s.outbox), func(y *item) bool { return y == x })
}

// Draft is something to be sent: one of a text, a file, or a change.
type Draft struct {
	Chat     string
	Room     bool
	Text     string
	File     *File  // without a URL it waits in the outbox until SetFile gives one; a caption is a message of its own
	ReplyTo  string // ID of the message answered
	Corrects string // ID of one's own message that Text replaces
	Retracts string // ID of one's own message
	ReactsTo string // ID of the message that Emoji (the whole set, empty: none) are for
	Emoji    []string
	Lock     port.Lock
	// Forwarded: it was said elsewhere before.
	Forwarded bool
	// Timer has the chat's texts kept so many seconds from now on, 0 for good; nil is no such word.
	Timer *uint32
}

// Compose puts a draft into the outbox; its effect is seen at once. What cannot be
// is a *port.Failure. What comes back is sent when it is not on Hold; so is what Outbox
// lists.
func (b *Book) Compose(d Draft, now time.Time) (Outgoing, Change, error) {
	s := b.begin(now)
	x := &item{Chat: d.Chat, Room: d.Room, Text: cutText(d.Text, maxText)}
	var err error
	if x.OriginID, err = s.originID(); err != nil {
		return Outgoing{}, Change{}, err
	}
	switch {
	case d.Timer != nil:
		err = s.composeTimer(x, d)
	case d.Retracts != "":
		err = s.composeRetract(x, d)
	case d.ReactsTo != "":
		err = s.composeReact(x, d)
	case d.Corrects != "":
		err = s.composeEdit(x, d)
	default:
		err = s.composeText(x, d)
	}
	if err != nil {
		return Outgoing{}, Change{}, err
	}
	change, err := s.finish()
	if err != nil {
		return Outgoing{}, Change{}, err
	}
	o, err := b.outgoing(x)
	return o, change, err
}

// originID is a new id that nobody guesses.
func (b *Book) originID() (string, error) {
	id := make([]byte, 16)
	_, err := io.ReadFull(b.rand, id)
	return hex.EncodeToString(id), err
}

// sent is what a message of one's own is remembered as.
func (x *item) incoming(b *Book) *Incoming {
	return &Incoming{Envelope: Envelope{Chat: x.Chat, Room: x.Room, Sender: b.own, Mine: true},
		Kind: x.Kind, ID: x.OriginID, OriginID: x.OriginID, Text: x.Text, Emoji: x.Emoji}
}

func (s *step) composeText(x *item, d Draft) error {
	if d.Text == "" && d.File == nil || d.Text != "" && d.File != nil {
		return port.Failf(port.BadCommand, "a message is a text or a file")
	}
	if d.File != nil {
		f := *d.File
		f.Name = fileName(f.Name)
		d.File = &f
	}
	x.Kind, x.Hold = Text, d.File != nil && d.File.URL == ""
	r := &record{ID: s.newID(), chat: d.Chat, Room: d.Room, Sender: s.own, Real: s.own, Mine: true, Time: s.now.UnixMilli(),
		Text: x.Text, File: d.File, Delivery: port.Pending, Lock: d.Lock, OriginID: x.OriginID, MsgID: x.OriginID, Forwarded: d.Forwarded}
	if d.ReplyTo != "" {
		to, err := s.answered(d)
		if err != nil {
			return err
		}
		r.ReplyTo, r.ReplyOf = to.speakOf(), to.Sender
	}
	x.Row = r.ID
	if err := s.queue(x); err != nil {
		return err
	}
	r.at = order{waiting, uint32(x.Num)}
	s.remember(x.incoming(s.Book), mark{Row: r.ID, At: r.at, Loose: true, Ours: true})
	c := s.chat(d.Chat, d.Room)
	r.Timer = c.Timer
	s.place(r)
	s.arrived(r)
	end, err := s.end(d.Chat)
	if err != nil {
		return err
	}
	s.seen(c, end)
	return s.settle(r)
}

// answered is the line that a draft answers or reacts to.
func (s *step) answered(d Draft) (*record, error) {
	r, err := s.row(cmp.Or(d.ReplyTo, d.ReactsTo))
	if err != nil {
		return nil, err
	}
	if r == nil || r.chat != d.Chat || r.Notice != "" || r.speakOf() == "" || r.Retracted {
		return nil, port.Failf(port.NoSuchMessage, "there is no such message to answer in this chat")
	}
	return r, nil
}

// mine is one's own line that a draft changes.
func (s *step) mine(d Draft) (*record, error) {
	r, err := s.row(cmp.Or(d.Corrects, d.Retracts))
	switch {
	case err != nil:
		return nil, err
	case r == nil || r.chat != d.Chat || r.Retracted:
		return nil, port.Failf(port.NoSuchMessage, "there is no such message in this chat")
	case !r.Mine || r.MsgID == "" && r.OriginID == "":
		return nil, port.Failf(port.NotYours, "only your own messages can be changed")
	}
	return r, nil
}

func (s *step) composeEdit(x *item, d Draft) error {
	r, err := s.mine(d)
	if err != nil {
		return err
	}
	if d.Text == "" {
		return port.Failf(port.BadCommand, "a correction has a text")
	}
	x.Kind, x.Row, x.Room = Edit, r.ID, r.Room
	if err := s.queue(x); err != nil {
		return err
	}
	if r.Before == nil {
		r.Before = r.former()
	}
	r.Text, r.EditID, r.EditOrder, r.EditLoose = x.Text, x.OriginID, order{waiting, uint32(x.Num)}, true
	s.remember(x.incoming(s.Book), mark{Row: r.ID, At: r.EditOrder, Loose: true, Ours: true})
	s.save(r)
	return s.tellAnswers(r)
}

// composeRetract takes a line back; what of it was not sent yet is not sent any more.
func (s *step) composeRetract(x *item, d Draft) error {
	r, err := s.mine(d)
	if err != nil {
		return err
	}
	x.Text = ""
	if err := s.queueRetract(x, r); err != nil {
		return err
	}
	return s.retract(r)
}

// queueRetract has others told that a line was taken back.
func (s *step) queueRetract(x *item, r *record) error {
	x.Kind, x.Row, x.Room = Retract, r.ID, r.Room
	if r.Delivery == port.Failed {
		r.Delivery, r.Failure = port.Pending, ""
	}
	if err := s.queue(x); err != nil {
		return err
	}
	s.remember(x.incoming(s.Book), mark{Row: r.ID, At: order{waiting, uint32(x.Num)}, Loose: true, Ours: true})
	return nil
}

func (s *step) composeReact(x *item, d Draft) error {
	r, err := s.answered(d)
	if err != nil {
		return err
	}
	for _, e := range d.Emoji {
		if e = cleanEmoji(e); e != "" && len(x.Emoji) < maxEmoji {
			x.Emoji = append(x.Emoji, e)
		}
	}
	x.Kind, x.Row, x.Room, x.Text = React, r.ID, r.Room, ""
	if err := s.queue(x); err != nil {
		return err
	}
	in := x.incoming(s.Book)
	at := order{waiting, uint32(x.Num)}
	s.remember(in, mark{Row: r.ID, At: at, Loose: true, Ours: true})
	s.react(r, in, at)
	return nil
}

// Sent tells that the server has taken what was sent under an origin-id.
func (b *Book) Sent(originID string, now time.Time) (Change, error) {
	s := b.begin(now)
	x := b.item(originID)
	if x == nil {
		return s.finish()
	}
	s.drop(x)
	if err := s.left(x, port.Sent, ""); err != nil {
		return Change{}, err
	}
	return s.finish()
}

// Failed tells that it was refused, and why in words; it leaves the outbox. A line stays, as
// failed; a change is undone. But a text that was taken back does not come back: it was
// deleted when a person said so, and is nowhere any more, though others still have it. Its
// line is Failed and says why; Retry asks again.
func (b *Book) Failed(originID, why string, now time.Time) (Change, error) {
	s := b.begin(now)
	x := b.item(originID)
	if x == nil {
		return s.finish()
	}
	s.drop(x)
	if err := s.left(x, port.Failed, why); err != nil {
		return Change{}, err
	}
	return s.finish()
}

// left brings the line of something that has left the outbox up to date.
func (s *step) left(x *item, to port.Delivery, why string) error {
	r, err := s.row(x.Row)
	if err != nil || r == nil {
		return err
	}
	at, err := s.nextPlace(r.chat, r.Room)
	if err != nil {
		return err
	}
	if r.at.Pos == waiting && (x.Kind == Text || x.Kind == Retract) {
		if r.Delivery, r.Failure = to, cutText(why, 512); to == port.Sent {
			s.start(r)
		}
		s.move(r, at)
		s.seen(s.chat(r.chat, r.Room), at)
	}
	if x.Kind == Edit && r.EditID == x.OriginID {
		r.leaveEdit(to, at)
	}
	if x.Kind == Retract {
		r.leaveRetract(to, why)
	}
	r.leaveReaction(x, to, at)
	s.save(r)
	return s.tellAnswers(r)
}

func (r *record) leaveEdit(to port.Delivery, at order) {
	if to == port.Failed && r.Before != nil && !r.Retracted {
		r.become(r.Before)
	} else {
		r.EditOrder = at
	}
	r.Before = nil
}

// leaveRetract says on a line that was taken back what became of that: one that was refused
// is Failed, though its text is gone here.
func (r *record) leaveRetract(to port.Delivery, why string) {
	if to == port.Failed || r.Delivery == port.Failed || r.Delivery == port.Pending {
		r.Delivery, r.Failure = to, cutText(why, 512)
	}
}

func (r *record) leaveReaction(x *item, to port.Delivery, at order) {
	if x.Kind != React {
		return
	}
	for i := range r.Reactions {
		if y := &r.Reactions[i]; y.Mine && y.ID == x.OriginID {
			y.At = at
			if to == port.Failed {
				y.Emoji = nil
			}
		}
	}
}

// refused notes an error that came back for a message of one's own, in the outbox or
// already out of it.
func (s *step) refused(in *Incoming) error {
	m, found, err := s.mark(senderKey(in.Chat, me, in.Ref))
	if err != nil || !found || !m.Ours {
		return err
	}
	if x := s.item(in.Ref); x != nil {
		s.drop(x)
		return s.left(x, port.Failed, in.Refused)
	}
	r, err := s.row(m.Row)
	if err != nil || r == nil || r.Room && m.Stanza != "" {
		return err
	}
	switch {
	case m.Kind == Retract:
		r.leaveRetract(port.Failed, in.Refused)
	case m.Kind == Text && r.Delivery == port.Sent && !(r.Room && r.StanzaID != ""):
		r.Delivery, r.Failure = port.Failed, in.Refused
	default:
		return nil
	}
	s.save(r)
	return nil
}

// Retry puts a failed message back into the outbox, under the same ids; or, where it was taken
// back and that failed, asks for that again.
func (b *Book) Retry(message string, now time.Time) (Outgoing, Change, error) {
	s := b.begin(now)
	r, err := b.row(message)
	if err != nil {
		return Outgoing{}, Change{}, err
	}
	if r == nil || r.Delivery != port.Failed {
		return Outgoing{}, Change{}, port.Failf(port.NoSuchMessage, "there is no such message that failed")
	}
	x := &item{Kind: Text, Chat: r.chat, Room: r.Room, OriginID: r.OriginID, Row: r.ID, Text: r.Text, Hold: r.File != nil && r.File.URL == ""}
	if r.Retracted {
		if x.OriginID, err = s.originID(); err == nil {
			err = s.queueRetract(x, r)
		}
	} else {
		err = s.requeueText(x, r)
	}
	if err != nil {
		return Outgoing{}, Change{}, err
	}
	s.save(r)
	change, err := s.finish()
	if err != nil {
		return Outgoing{}, Change{}, err
	}
	o, err := b.outgoing(x)
	return o, change, err
}

// requeueText puts a line behind all others again.
func (s *step) requeueText(x *item, r *record) error {
	if err := s.queue(x); err != nil {
		return err
	}
	r.Delivery, r.Failure, r.Time = port.Pending, "", s.now.UnixMilli()
	if r.File != nil && r.File.URL == "" {
		f := *r.File
		f.State, f.Why = "sending", ""
		r.File = &f
	}
	s.move(r, order{waiting, uint32(x.Num)})
	return nil
}

// SetFile changes the file of a message: uploaded (it has a URL), here, failed.
func (b *Book) SetFile(message string, f File) (Change, error) {
	return b.set(message, func(s *step, r *record) error {
		f.Name = fileName(f.Name)
		r.File = &f
		for _, x := range s.outbox {
			if x.Row == r.ID && x.Hold && f.URL != "" {
				x.Hold = false
				return s.requeue(x)
			}
		}
		return nil
	})
}

// SetLock changes the lock of one's own message once it is encrypted.
func (b *Book) SetLock(message string, l port.Lock) (Change, error) {
	return b.set(message, func(_ *step, r *record) error {
		r.Lock = l
		return nil
	})
}

func (b *Book) set(message string, f func(*step, *record) error) (Change, error) {
	s := b.begin(time.Time{})
	r, err := b.row(message)
	if err != nil {
		return Change{}, err
	}
	if r == nil || r.Retracted {
		return Change{}, port.Failf(port.NoSuchMessage, "there is no such message")
	}
	if err := f(s, r); err != nil {
		return Change{}, err
	}
	s.save(r)
	return s.finish()
}
