package timeline

import (
	"math"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// This file is what a person does to what is here, and to nobody else's: lines are deleted and
// starred. Of a deleted line its marks stay, so that it does not come back from an archive.

// Erase deletes lines of a chat here, by their IDs; what of them waits to be sent is not sent.
// A *port.Failure says that there is none of that ID.
func (b *Book) Erase(chat string, ids []string) (Change, error) {
	for _, id := range ids {
		r, err := b.row(id)
		if err != nil {
			return Change{}, err
		}
		if r == nil || r.chat != chat {
			return Change{}, port.Failf(port.NoSuchMessage, "there is no such message in this chat")
		}
	}
	s := b.begin(time.Time{})
	for _, id := range ids {
		r, err := s.row(id)
		if err == nil && r != nil {
			err = s.erase(r)
		}
		if err != nil {
			return Change{}, err
		}
	}
	return s.finish()
}

// erase takes a line away, and all that stood beside it for its sake.
func (s *step) erase(r *record) error {
	for _, x := range slices.Clone(s.outbox) {
		if x.Row == r.ID {
			s.drop(x)
		}
	}
	s.leave(r)
	if r.ReplyTo != "" {
		s.kept.delete(tableReplies, r.chat+"\x00"+r.ReplyTo+"\x00"+r.ID)
	}
	if err := s.takeOut(r); err != nil {
		return err
	}
	return s.tellAnswers(r)
}

// Clear deletes all lines of a chat here but those in the outbox; what is older and not here yet
// is not fetched any more. With remove the outbox goes too, and the chat leaves the list until
// something is said in it. A *port.Failure says that there is none.
func (b *Book) Clear(name string, remove bool) (Change, error) {
	s := b.begin(time.Time{})
	c := s.list[name]
	if c == nil {
		return Change{}, port.Failf(port.NoSuchChat, "there is no such chat")
	}
	end, err := s.end(name)
	if err != nil {
		return Change{}, err
	}
	for _, t := range []keep.Table{tableRows, tableWaiting, tableReplies} {
		if err := s.clear(t, name, remove); err != nil {
			return Change{}, err
		}
	}
	for _, at := range []order{end, {Pos: s.archive(s.archiveOf(name, c.Room)).End}} {
		if c.Cleared.less(at) {
			c.Cleared = at
		}
	}
	c.filled(fill{Low: 0, High: math.MaxUint64})
	c.Waits, c.Blind = 0, 0
	s.touch(name, true)
	if remove {
		c.Active = 0
		s.gone = append(s.gone, &port.ChatGone{Address: name})
	} else {
		s.gone = append(s.gone, &port.ChatCleared{Address: name})
	}
	return s.finish()
}

func (s *step) clear(t keep.Table, chat string, remove bool) error {
	for _, x := range slices.Clone(s.outbox) {
		if x.Chat == chat && remove {
			s.drop(x)
		}
	}
	all, err := s.kept.list(t, keep.Range{Prefix: chat + "\x00"})
	for _, x := range all {
		if t == tableRows {
			if _, at := splitKey(x.key); at.Pos == waiting && !remove {
				continue
			}
			if r, err := decode(x.key, x.value); err == nil {
				s.kept.delete(tableWhere, r.ID)
				s.leave(r)
			}
		}
		s.kept.delete(t, x.key)
	}
	return err
}

// cleared tells whether a place is among what Clear has deleted, or before it.
func (c *chat) cleared(at order) bool { return c.Cleared != (order{}) && !c.Cleared.less(at) }

// Star sets a line's star, or takes it off.
func (b *Book) Star(message string, on bool) (Change, error) {
	return b.set(message, func(_ *step, r *record) error {
		r.Starred = on
		return nil
	})
}

// Starred lists the lines with a star in a chat or ("") all, newest first, at most limit.
func (b *Book) Starred(chat string, limit int) ([]port.Message, error) {
	limit = max(1, min(limit, mostFound))
	var found []*record
	for name := range b.list {
		if chat != "" && name != chat {
			continue
		}
		n := 0
		var decoding error
		err := b.kept.scan(tableRows, keep.Range{Prefix: name + "\x00", Reverse: true}, func(key string, v []byte) bool {
			if len(v) == 0 || v[0]&isStarred == 0 || v[0]&isHidden != 0 {
				return true
			}
			var r *record
			if r, decoding = decode(key, v); decoding == nil {
				found, n = append(found, r), n+1
			}
			return decoding == nil && n < limit
		})
		if err == nil {
			err = decoding
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b *record) int {
		if a.chat == b.chat && a.at != b.at {
			return strings.Compare(b.key(), a.key())
		}
		return b.when().Compare(a.when())
	})
	return b.views(found[:min(len(found), limit)])
}
