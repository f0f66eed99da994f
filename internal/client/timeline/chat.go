package timeline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// mostUnread is as far as is counted.
const mostUnread = 1000

// chat is what is kept of a chat besides its lines.
type chat struct {
	Address string `json:"address"`
	Room    bool   `json:"room,omitempty"`
	Active  int64  `json:"active"` // Unix milliseconds; 0: it has no line yet, and is not on the list
	Seen    order  `json:"seen,omitzero"`
	// SeenTo is a stanza-id up to which all was seen elsewhere, as long as it has not come.
	SeenTo  string `json:"seenTo,omitempty"`
	Unread  int    `json:"unread,omitempty"`
	ForMe   bool   `json:"forMe,omitempty"`  // something unread speaks to us by name
	Mention order  `json:"mention,omitzero"` // of the first that does
	First   order  `json:"first,omitzero"`   // of what is unread
	ReadTo  order  `json:"readTo,omitzero"`  // what the other side has seen
	Subject string `json:"subject,omitempty"`
	Older   fill   `json:"older,omitzero"`
	Waits   uint64 `json:"waits,omitempty"` // number of the last change that waits for its message
	Blind   int    `json:"blind,omitempty"` // unreadable lines there have been
	// Cleared is as far as a person has deleted all: nothing comes back there.
	Cleared order `json:"cleared,omitzero"`
	// Timer is how long what is said is kept, in seconds, 0 for good; TimerAt where that was said.
	Timer   uint32 `json:"timer,omitempty"`
	TimerAt order  `json:"timerAt,omitzero"`
}

// chat is the chat of that name, made where there is none.
func (s *step) chat(name string, room bool) *chat {
	c := s.list[name]
	if c == nil {
		c = &chat{Address: name, Room: room}
		s.list[name] = c
	}
	s.touch(name, false)
	return c
}

// arrived counts a new line: as unread, and for the order of the list.
func (s *step) arrived(r *record) {
	c := s.chat(r.chat, r.Room)
	c.Active = max(1, c.Active, min(r.Time, s.now.Add(time.Minute).UnixMilli()))
	if r.Mine && r.at.Pos != waiting {
		s.seen(c, r.at)
	}
	if r.flags()&isCounted == 0 || !c.Seen.less(r.at) {
		return
	}
	if r.flags()&isForMe != 0 {
		c.mentioned(r.at)
	}
	if c.Unread++; c.Unread == 1 || r.at.less(c.First) {
		c.First = r.at
	}
}

// mentioned notes an unread line that speaks to us by name.
func (c *chat) mentioned(at order) {
	if c.Mention == (order{}) || at.less(c.Mention) {
		c.Mention = at
	}
	c.ForMe = true
}

// seen moves what was read here or elsewhere forwards.
func (s *step) seen(c *chat, to order) {
	if !c.Seen.less(to) {
		return
	}
	if _, there := s.seenFrom[c.Address]; !there {
		if s.seenFrom == nil {
			s.seenFrom = map[string]order{}
		}
		s.seenFrom[c.Address] = c.Seen
	}
	c.Seen = to
	s.touch(c.Address, c.Unread > 0)
}

// recount counts what is unread.
func (b *Book) recount(c *chat) error {
	c.Unread, c.First, c.ForMe, c.Mention = 0, order{}, false, order{}
	r := keep.Range{Prefix: c.Address + "\x00", After: rowKey(c.Address, c.Seen)}
	return b.kept.scan(tableRows, r, func(key string, v []byte) bool {
		if len(v) > 0 && v[0]&isCounted != 0 {
			_, at := splitKey(key)
			if v[0]&isForMe != 0 {
				c.mentioned(at)
			}
			if c.Unread++; c.Unread == 1 {
				c.First = at
			}
		}
		return c.Unread < mostUnread
	})
}

// end is the place of the last line that is not in the outbox.
func (b *Book) end(chat string) (o order, err error) {
	r := keep.Range{Prefix: chat + "\x00", Before: rowKey(chat, order{Pos: waiting}), Limit: 1, Reverse: true}
	err = b.kept.scan(tableRows, r, func(key string, _ []byte) bool {
		_, o = splitKey(key)
		return false
	})
	return o, err
}

// nextPlace is where a line stands that no archive has shown yet: behind all.
func (s *step) nextPlace(chat string, room bool) (order, error) {
	last, err := s.end(chat)
	if err != nil {
		return last, err
	}
	if c := s.list[chat]; c != nil && last.less(c.Cleared) {
		last = c.Cleared
	}
	end := s.archive(s.archiveOf(chat, room)).End
	if last.Pos < end {
		return order{end, 1}, nil
	}
	return order{last.Pos, last.Sub + 1}, nil
}

// Chats is the list, newest first.
func (b *Book) Chats() ([]port.Chat, error) {
	out := make([]port.Chat, 0, len(b.list))
	for _, c := range b.list {
		if c.Active == 0 {
			continue
		}
		row, err := b.chatView(c)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b port.Chat) int {
		return cmp.Or(b.Active.Compare(a.Active), cmp.Compare(a.Address, b.Address))
	})
	return out, nil
}

// Chat is one row of the list, false when there is none of that name.
func (b *Book) Chat(name string) (port.Chat, bool) {
	c := b.list[name]
	if c == nil || c.Active == 0 {
		return port.Chat{}, false
	}
	row, err := b.chatView(c)
	return row, err == nil
}

// Touch tells of a chat again: what Config.Dress says of it has changed.
func (b *Book) Touch(name string) []port.Event {
	if row, ok := b.Chat(name); ok {
		return []port.Event{&port.ChatChanged{Chat: row}}
	}
	return nil
}

// Begin puts a chat on the list, if it is not there.
func (b *Book) Begin(name string, room bool, now time.Time) (Change, error) {
	c := b.list[name]
	if c != nil && c.Active != 0 && c.Room == room {
		return Change{Batch: &keep.Batch{}}, nil
	}
	s := b.begin(now)
	c = s.chat(name, room)
	if c.Room != room { // begun by an invitation, before anybody was inside
		c.Room, c.Older = room, fill{}
	}
	c.Active = max(c.Active, now.UnixMilli())
	return s.finish()
}

// Remove takes a chat off the list, with everything in it. What comes later begins
// it anew; what was in it does not come back from the archive by catching up.
func (b *Book) Remove(name string) (Change, error) {
	s := b.begin(time.Time{})
	for _, t := range []keep.Table{tableRows, tableWaiting, tableReplies} {
		entries, err := b.kept.list(t, keep.Range{Prefix: name + "\x00"})
		if err != nil {
			return Change{}, err
		}
		for _, e := range entries {
			if t == tableRows {
				if r, err := decode(e.key, e.value); err == nil {
					b.kept.delete(tableWhere, r.ID)
					s.leave(r)
				}
			}
			b.kept.delete(t, e.key)
		}
	}
	s.dropChat(name)
	return Change{Events: []port.Event{&port.ChatGone{Address: name}}, Batch: s.batch, Files: s.files}, nil
}

// leave notes where a line's file lies that is no more. One's own stays: it may be what it was sent from,
// and another message's.
func (s *step) leave(r *record) {
	if r.File != nil && r.File.Path != "" && !r.Mine {
		s.files = append(s.files, r.File.Path)
	}
}

// dropChat forgets what is in memory of a chat, its outbox with it.
func (s *step) dropChat(name string) {
	s.kept.delete(tableChats, name)
	delete(s.list, name)
	delete(s.typing, name)
	for _, item := range slices.Clone(s.outbox) {
		if item.Chat == name {
			s.drop(item)
		}
	}
}

// view is a line as it is shown.
func (b *Book) view(r *record) (port.Message, error) {
	m := port.Message{
		ID: r.ID, Chat: r.chat, Sender: r.Sender, Name: r.Name, Mine: r.Mine, Time: r.when(), Text: r.Text,
		Edited: r.EditID != "" && !r.Retracted, Retracted: r.Retracted, Delivery: r.Delivery, Failure: r.Failure,
		Lock: r.Lock, Unreadable: r.Unreadable, Notice: r.Notice, Params: r.params(), Reactions: r.signs(), File: r.File.shown(),
		Starred: r.Starred, Forwarded: r.Forwarded,
	}
	m.Timer, m.ForMe = int(r.Timer), r.ForMe && !r.Retracted
	if r.Expires != 0 {
		m.Expires = time.UnixMilli(r.Expires).UTC()
	}
	if b.name != nil {
		m.Name = cmp.Or(b.name(r.chat, r.Sender), r.Name)
	}
	caption, err := b.caption(r)
	if err != nil {
		return m, err
	}
	if caption != nil {
		m.File.Caption, m.File.Text = caption.ID, caption.Text
	}
	if r.ReplyTo != "" {
		m.Reply, err = b.quote(r)
	}
	return m, err
}

// caption is the line that a file says is its caption, by the same person; nil where there is none.
func (b *Book) caption(r *record) (*record, error) {
	if r.File == nil || r.File.Said == "" || r.Retracted {
		return nil, nil
	}
	for _, author := range authors(r.Mine, r.Real, r.Occupant, r.Sender) {
		c, err := b.said(r.chat, author, r.File.Said)
		if err != nil {
			return nil, err
		}
		if c != nil && c.chat == r.chat && c.Mine == r.Mine && c.Text != "" && c.File == nil && !c.Retracted && r.at.less(c.at) {
			return c, nil
		}
	}
	return nil, nil
}

// maxQuote is how much of a message is shown in an answer, in code points.
const maxQuote = 160

// quote is what a line answers, as it is now: a quote is never kept.
func (b *Book) quote(r *record) (*port.Quote, error) {
	to, err := b.meant(r.chat, r.Room, r.ReplyTo)
	if err != nil {
		return nil, err
	}
	if to == nil {
		return &port.Quote{Sender: r.ReplyOf}, nil
	}
	text := to.Text
	if caption, err := b.caption(to); err != nil {
		return nil, err
	} else if caption != nil {
		text = caption.Text
	}
	if text == "" && to.File != nil {
		text = to.File.Name
	}
	if n := []rune(text); len(n) > maxQuote {
		text = string(n[:maxQuote-1]) + "…"
	}
	return &port.Quote{ID: to.ID, Sender: to.Sender, Text: text}, nil
}

// signs are the reactions to a line: each sign with everybody who gave it, in the
// order in which they were first given.
func (r *record) signs() (out []port.Reaction) {
	for _, one := range r.Reactions {
		for _, e := range one.Emoji {
			i := slices.IndexFunc(out, func(x port.Reaction) bool { return x.Emoji == e })
			if i < 0 {
				i = len(out)
				out = append(out, port.Reaction{Emoji: e})
			}
			out[i].Who = append(out[i].Who, one.Name)
			out[i].Mine = out[i].Mine || one.Mine
		}
	}
	return out
}

// chatView is a chat as it is shown.
func (b *Book) chatView(c *chat) (port.Chat, error) {
	row := port.Chat{Address: c.Address, Room: c.Room, Name: c.Address, Unread: c.Unread,
		Active: time.UnixMilli(c.Active).UTC(), Typing: b.typists(c.Address), Timer: int(c.Timer), Mentioned: c.ForMe}
	last, err := b.lineBefore(c.Address, order{math.MaxUint64, math.MaxUint32})
	if err != nil {
		return row, err
	}
	if last != nil {
		m, err := b.view(last)
		if err != nil {
			return row, err
		}
		row.Last = &m
	}
	if c.Unread > 0 {
		if row.First, err = b.idAt(c.Address, c.First); err != nil {
			return row, err
		}
	}
	if c.Mention != (order{}) {
		if row.Mention, err = b.idAt(c.Address, c.Mention); err != nil {
			return row, err
		}
	}
	if b.dress != nil {
		b.dress(&row)
	}
	return row, nil
}

// idAt is the ID of the line that stands at a place; "" where none does.
func (b *Book) idAt(chat string, at order) (string, error) {
	key := rowKey(chat, at)
	v, err := b.kept.get(tableRows, key)
	if err != nil {
		return "", err
	}
	r, err := decode(key, v)
	if err != nil {
		return "", nil
	}
	return r.ID, nil
}
