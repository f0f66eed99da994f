package timeline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// fill is the part before the first stretch that is known for one chat, because someone has
// looked at its history. ID is the archive's at its lower end; Low is 0 where that is the
// beginning.
type fill struct {
	Low  uint64 `json:"low"`
	High uint64 `json:"high"`
	ID   string `json:"id,omitempty"`
}

// filled notes what is known beyond what was.
func (c *chat) filled(f fill) {
	if c.Older.Low == f.High && c.Older.High > f.High {
		f.High = c.Older.High
	}
	c.Older = f
}

// hole is the highest part of a chat's history below a place that is not known: below
// high, which id stands at. What was missed between streams is none: catching up fills it, and
// only before the first stretch does history go on, so that two ways never fill the same.
func (b *Book) hole(c *chat, below uint64) (high uint64, id string, ok bool) {
	a := b.known[b.archiveOf(c.Address, c.Room)]
	if a == nil || len(a.Stretches) == 0 || a.Whole || a.Stretches[0].First == "" {
		return 0, "", false
	}
	high, id = a.Stretches[0].From, a.Stretches[0].First
	if f := c.Older; f.Low < high && f.High >= high {
		high, id = f.Low, f.ID
	}
	return high, id, high > 0 && below > 0
}

// Page is the messages of a chat before one (ID, "" the newest), at most limit, oldest
// first, as they are here. more tells that there are older ones, or may be. When fetch is not
// nil something is missing among them or before them: the engine asks that query, hands the
// answer to TakePage and calls Page again; what cannot be asked now is shown without.
// A *port.Failure says that there is no such chat or message.
func (b *Book) Page(name, before string, limit int) (messages []port.Message, more bool, fetch *Query, err error) {
	c := b.list[name]
	if c == nil {
		return nil, false, nil, port.Failf(port.NoSuchChat, "there is no such chat")
	}
	limit = max(1, min(limit, 200))
	at := order{math.MaxUint64, math.MaxUint32}
	if before != "" {
		r, err := b.row(before)
		if err != nil {
			return nil, false, nil, err
		}
		if r == nil || r.chat != name {
			return nil, false, nil, port.Failf(port.NoSuchMessage, "there is no such message in this chat")
		}
		at = r.at
	}
	rows, more, err := b.linesBefore(name, at, limit)
	if err != nil {
		return nil, false, nil, err
	}
	fetch = b.missing(c, at, rows, limit)
	messages, err = b.views(rows)
	return messages, more || fetch != nil, fetch, err
}

// linesBefore are lines that are shown, oldest first, and whether there are more.
func (b *Book) linesBefore(name string, at order, limit int) (rows []*record, more bool, err error) {
	var decoding error
	q := keep.Range{Prefix: name + "\x00", Before: rowKey(name, at), Reverse: true}
	err = b.kept.scan(tableRows, q, func(key string, v []byte) bool {
		if len(v) > 0 && v[0]&isHidden != 0 {
			return true
		}
		if len(rows) == limit {
			more = true
			return false
		}
		var r *record
		if r, decoding = decode(key, v); decoding != nil {
			return false
		}
		rows = append(rows, r)
		return true
	})
	slices.Reverse(rows)
	return rows, more, cmp.Or(err, decoding)
}

// missing is what to fetch so that a page is whole: nil when its lines all stand above
// the highest hole.
func (b *Book) missing(c *chat, at order, rows []*record, limit int) *Query {
	name := b.archiveOf(c.Address, c.Room)
	a := b.known[name]
	high, _, ok := b.hole(c, at.Pos)
	if !ok || !a.live || len(rows) == limit && rows[0].at.Pos >= high {
		return nil
	}
	return b.filling(c, a, at, limit)
}

// filling asks for the end of what is not known of a chat.
func (b *Book) filling(c *chat, a *archive, at order, limit int) *Query {
	name := b.archiveOf(c.Address, c.Room)
	high, id, _ := b.hole(c, at.Pos)
	q := &Query{Archive: name, Before: id, Max: max(50, limit), Backward: true, chat: c.Address, from: high, epoch: a.epoch}
	if !c.Room {
		q.With = c.Address
	}
	return q
}

// TakePage applies a page: all its results in the archive's order, those that mean nothing
// too (Kind Nothing), and its end. All of it is one batch: after a crash the page is asked
// for again, or never.
func (b *Book) TakePage(q Query, page []Incoming, fin Fin, now time.Time) (Change, error) {
	s := b.begin(now)
	s.late = true
	for i := range page {
		if err := s.recall(q, &page[i]); err != nil {
			return Change{}, err
		}
	}
	a := b.archive(q.Archive)
	s.archives[q.Archive] = true
	if fin.First == "" && len(page) > 0 {
		fin.First = page[0].StanzaID
	}
	if fin.Last == "" && len(page) > 0 {
		fin.Last = page[len(page)-1].StanzaID
	}
	if fin.Last == "" {
		fin.Complete = true // there is nothing to go on from
	}
	var err error
	switch {
	case q.epoch != a.epoch || len(a.Stretches) == 0:
		// it was asked on another stream: what is missing now is asked for again
	case q.chat != "":
		err = s.takeHistory(q, page, fin)
	case q.Backward:
		err = s.takeBack(a, q, page, fin)
	default:
		err = s.takeForward(a, q, page, fin)
	}
	if err != nil {
		return Change{}, err
	}
	return s.finish()
}

// recall fills in what the engine leaves out of a message that is Known: where it belongs.
func (s *step) recall(q Query, in *Incoming) error {
	in.Source = Archive
	if q.Archive != s.own {
		in.Chat, in.Room = q.Archive, true
	}
	if in.Chat != "" {
		return nil
	}
	m, _, err := s.mark(archiveKey(q.Archive, in.StanzaID))
	if err != nil {
		return err
	}
	r, err := s.row(m.Row)
	if r != nil {
		in.Chat = r.chat
	}
	return err
}

// takeForward continues the first stretch towards the second. Whatever comes that is of a later
// stretch joins them; the end of the archive joins all.
func (s *step) takeForward(a *archive, q Query, page []Incoming, fin Fin) error {
	if a.Stretches[0].From != q.from {
		return nil
	}
	if err := s.straighten(q, page); err != nil {
		return err
	}
	at := order{Pos: a.Stretches[0].To}
	if m, found, err := s.mark(archiveKey(q.Archive, q.After)); err != nil {
		return err
	} else if found && !m.Loose && a.holding(m.At.Pos) == 0 {
		at = m.At
	}
	for i := range page {
		m, found, err := s.mark(archiveKey(q.Archive, page[i].StanzaID))
		if err != nil {
			return err
		}
		place := m.At
		if !found || m.Loose {
			if place, err = s.forward(a, at, &page[i]); err != nil {
				return err
			}
			at = place
		} else if j := a.holding(m.At.Pos); j >= 0 {
			if j > 0 {
				a.join(0, j)
			}
			if at.less(m.At) { // another chat's may have come too early
				at = m.At
			}
		}
		if err := s.apply(&page[i], place, true); err != nil {
			return err
		}
	}
	a.ended(page, fin)
	return nil
}

// forward is the place of what is behind another: at the edge of the first stretch the next;
// inside of it, where it was not known, one between.
func (s *step) forward(a *archive, at order, in *Incoming) (order, error) {
	first := &a.Stretches[0]
	if at.Pos < first.To {
		return s.between(at, in)
	}
	first.To++
	a.End = max(a.End, first.To)
	return order{Pos: first.To}, nil
}

// between is a place right behind another that is followed by no free one: the line's own,
// if it stands there already.
func (s *step) between(at order, in *Incoming) (order, error) {
	m, found, err := s.find(in)
	if err != nil {
		return at, err
	}
	if r, err := s.row(m.line()); err != nil || found && r != nil && r.at.Pos == at.Pos && at.less(r.at) {
		return r.at, err
	}
	next := order{at.Pos, at.Sub + 1}
	q := keep.Range{Prefix: in.Chat + "\x00", After: rowKey(in.Chat, order{Pos: at.Pos}), Before: rowKey(in.Chat, order{Pos: at.Pos + 1}), Limit: 1, Reverse: true}
	err = s.kept.scan(tableRows, q, func(key string, _ []byte) bool {
		if _, last := splitKey(key); !last.less(next) {
			next.Sub = last.Sub + 1
		}
		return false
	})
	return next, err
}

// ended notes how far the first stretch goes now.
func (a *archive) ended(page []Incoming, fin Fin) {
	if len(a.Stretches) == 1 {
		return // it has reached what comes live: its end is known better there
	}
	if first := &a.Stretches[0]; fin.Last != "" {
		first.First = cmp.Or(first.First, fin.First)
		first.Last, first.Lost, first.Safe = fin.Last, false, ""
		if n := len(page); n > 0 {
			first.Time = page[n-1].Time.UnixMilli()
		}
	}
	if fin.Complete {
		a.join(0, len(a.Stretches)-1)
	}
}

// holding is the stretch that a place is in, -1 for none.
func (a *archive) holding(pos uint64) int {
	return slices.IndexFunc(a.Stretches, func(s stretch) bool { return s.First != "" && s.From <= pos && pos <= s.To })
}

// takeBack puts a page before the first stretch: how a new profile begins.
func (s *step) takeBack(a *archive, q Query, page []Incoming, fin Fin) error {
	first := &a.Stretches[0]
	if first.From != q.from || q.Before == "" && first.First != "" && !holds(page, first.First) {
		return nil // what has come live since may be before it or behind: ask again
	}
	low, err := s.descend(q, first.From, page)
	if err != nil {
		return err
	}
	first = &a.Stretches[0]
	first.From = low
	if fin.First != "" {
		first.First = fin.First
	}
	if first.Last == "" && fin.Last != "" {
		first.Last, first.Time = fin.Last, page[len(page)-1].Time.UnixMilli()
	}
	a.Back--
	if a.Back == 0 {
		a.Back = -1
	}
	a.Whole = a.Whole || fin.Complete
	return nil
}

func holds(page []Incoming, id string) bool {
	return slices.ContainsFunc(page, func(in Incoming) bool { return in.StanzaID == id })
}

// takeHistory puts a page of one chat's history before what is known of it.
func (s *step) takeHistory(q Query, page []Incoming, fin Fin) error {
	c := s.chat(q.chat, q.chat == q.Archive)
	high, _, ok := s.hole(c, q.from)
	if !ok || high != q.from {
		return nil // it has been filled in between
	}
	at, err := s.descend(q, high, page)
	if err != nil {
		return err
	}
	// a page of what was known all the same goes on from its end
	f := fill{Low: min(at, high-1), High: high, ID: fin.First}
	if fin.Complete {
		f.Low, f.ID = 0, ""
	}
	c.filled(f)
	return nil
}

// descend gives a page places below one, from its end. What is in the archive's last
// page behind something that came live has its place there.
func (s *step) descend(q Query, from uint64, page []Incoming) (at uint64, err error) {
	marks := make([]mark, len(page))
	above := len(page) // the first that is known and stands above
	for i := range page {
		m, found, err := s.mark(archiveKey(q.Archive, page[i].StanzaID))
		if err != nil {
			return 0, err
		}
		if m.Loose = m.Loose || !found; q.Before == "" && !m.Loose && m.At.Pos >= from && above == len(page) {
			above = i
		}
		marks[i] = m
	}
	at = from
	for i := above - 1; i >= 0; i-- {
		if !marks[i].Loose {
			at = min(at, marks[i].At.Pos)
			continue
		}
		at--
		marks[i].At = order{Pos: at}
	}
	for i := range page {
		if i > above && marks[i].Loose {
			if marks[i].At, err = s.between(marks[i-1].At, &page[i]); err != nil {
				return at, err
			}
		}
		if err := s.apply(&page[i], marks[i].At, true); err != nil {
			return at, err
		}
	}
	return at, nil
}
