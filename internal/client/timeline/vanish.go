package timeline

import (
	"encoding/binary"
	"strconv"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// This file deletes texts whose time is over (XEP-0466). A timer starts when a person has seen the text,
// for one's own when it was sent; what the other side does is its own matter.

const nsEphemeral = "urn:xmpp:ephemeral:0"

// MaxTimer is the longest timer, in seconds: a year.
const MaxTimer = 366 * 24 * 3600

// tableVanish has when lines are to be deleted: Unix milliseconds and the line's ID → nothing.
const tableVanish keep.Table = "timeline.vanish"

func vanishKey(ms int64, id string) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(ms))) + id
}

// loadVanish reads when the first line is to go.
func (b *Book) loadVanish() error {
	b.vanish = time.Time{}
	return b.kept.scan(tableVanish, keep.Range{Limit: 1}, func(key string, _ []byte) bool {
		if len(key) > 8 {
			b.vanish = time.UnixMilli(int64(binary.BigEndian.Uint64([]byte(key[:8]))))
		}
		return false
	})
}

// VanishDue is when Vanish has something to do, zero for never.
func (b *Book) VanishDue() time.Time { return b.vanish }

// mostVanish is how many lines are deleted in one step.
const mostVanish = 500

// Vanish deletes what is due, in steps: until VanishDue is later than now.
func (b *Book) Vanish(now time.Time) (Change, error) {
	s := b.begin(now)
	due, err := b.kept.list(tableVanish, keep.Range{Before: vanishKey(now.UnixMilli()+1, ""), Limit: mostVanish})
	if err != nil {
		return Change{}, err
	}
	for _, x := range due {
		b.kept.delete(tableVanish, x.key)
		r, err := s.row(x.key[min(8, len(x.key)):])
		if err == nil && r != nil && r.Expires != 0 && r.Expires <= now.UnixMilli() {
			err = s.erase(r)
		}
		if err != nil {
			return Change{}, err
		}
	}
	if err := b.loadVanish(); err != nil {
		return Change{}, err
	}
	return s.finish()
}

// clock is the time of a step, also of one that nobody has told the time.
func (s *step) clock() time.Time {
	if s.now.IsZero() {
		return s.present()
	}
	return s.now
}

// start lets a line's time run, once.
func (s *step) start(r *record) {
	if r.Timer == 0 || r.Expires != 0 || r.Retracted {
		return
	}
	r.Expires = s.clock().UnixMilli() + int64(r.Timer)*1000
	s.put(tableVanish, vanishKey(r.Expires, r.ID), nil)
	if at := time.UnixMilli(r.Expires); s.vanish.IsZero() || at.Before(s.vanish) {
		s.vanish = at
	}
}

// startSeen lets the time of all run that was seen in this step.
func (s *step) startSeen() error {
	for name, from := range s.seenFrom {
		c := s.list[name]
		if c == nil {
			continue
		}
		var found []*record
		var decoding error
		q := keep.Range{Prefix: name + "\x00", After: rowKey(name, from), Before: rowKey(name, order{c.Seen.Pos, c.Seen.Sub + 1})}
		err := s.kept.scan(tableRows, q, func(key string, v []byte) bool {
			var r *record
			if len(v) > 0 && v[0]&isTimed != 0 {
				if r, decoding = decode(key, v); decoding == nil {
					found = append(found, r)
				}
			}
			return decoding == nil
		})
		if err != nil || decoding != nil {
			return errOr(err, decoding)
		}
		for _, r := range found {
			if !r.Mine {
				s.start(r)
				s.save(r)
			}
		}
	}
	return nil
}

func errOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// negotiated takes the timer that stands on a message for the chat's from then on; what came before
// the last word about it changes nothing. A text without one says nothing: its sender may know none.
// XEP-0466#negotiation, XEP-0466#implicit-negotiation
func (s *step) negotiated(in *Incoming, at order) error {
	c := s.list[in.Chat]
	if c == nil || !in.Timed || !in.known() || at.less(c.TimerAt) {
		return nil
	}
	c.TimerAt = at
	if c.Timer == in.Timer {
		return nil
	}
	c.Timer = in.Timer
	s.touch(in.Chat, false)
	if in.Source == Archive {
		return nil
	}
	return s.notice(in.Chat, in.Room, "timer", []string{strconv.Itoa(int(in.Timer)), in.Sender})
}

// composeTimer puts the word into the outbox that what is said from now on goes after a time.
// XEP-0466#implicit-negotiation
func (s *step) composeTimer(x *item, d Draft) error {
	if *d.Timer > MaxTimer {
		return port.Failf(port.BadCommand, "a timer has at most %d seconds", MaxTimer)
	}
	at, err := s.nextPlace(d.Chat, d.Room)
	if err != nil {
		return err
	}
	x.Kind, x.Text = Timer, strconv.Itoa(int(*d.Timer))
	r := &record{ID: s.newID(), chat: d.Chat, at: at, Room: d.Room, Time: s.now.UnixMilli(), Delivery: port.Received, Lock: d.Lock,
		Notice: "timer", Params: []string{x.Text, s.own}}
	x.Row = r.ID
	if err := s.queue(x); err != nil {
		return err
	}
	c := s.chat(d.Chat, d.Room)
	c.Timer, c.TimerAt = *d.Timer, at
	s.remember(x.incoming(s.Book), mark{Row: r.ID, At: at, Loose: true, Ours: true})
	s.place(r)
	s.arrived(r)
	return s.refold(r)
}

// appendTimer appends how long a text is to be kept.
// XEP-0466#sending
func appendTimer(dst []byte, seconds uint32) []byte {
	return append(dst, "<ephemeral xmlns='"+nsEphemeral+"' timer='"+strconv.Itoa(int(seconds))+"'/>"...)
}

// timer reads that a chat has another timer from now on: what stands on a message without a text.
func (r *reader) timer() bool {
	if r.in.Timed {
		r.in.Kind = Timer
	}
	return r.in.Timed
}

// timed reads how long a message is to be kept.
func (r *reader) timed() {
	c := r.meant.Child(nsEphemeral, "ephemeral")
	n, err := strconv.ParseUint(c.Attr("timer"), 10, 32)
	if r.in.Timed = c.OK() && err == nil; r.in.Timed {
		r.in.Timer = uint32(min(n, MaxTimer))
	}
}
