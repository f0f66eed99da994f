package timeline

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// step is one change of a Book: what it puts is seen at once by what follows,
// and what is to be told is told once, at its end.
type step struct {
	*Book
	batch *keep.Batch
	now   time.Time
	late  bool // it comes from an archive: no sound
	// rows and chats are what is to be told of; rows by ID, true for new ones.
	rows     map[string]bool
	chats    map[string]bool // true: what is unread must be counted anew
	archives map[string]bool
	gone     []port.Event     // lines that are no more
	seenFrom map[string]order // chats of which something was seen, with as far as it was before
	files    []string         // where the files lie of those
}

func (b *Book) begin(now time.Time) *step {
	batch := &keep.Batch{}
	b.kept.batch = batch
	return &step{Book: b, batch: batch, now: now,
		rows: map[string]bool{}, chats: map[string]bool{}, archives: map[string]bool{}}
}

func (s *step) put(t keep.Table, key string, v []byte) { s.kept.put(t, key, v) }

// save keeps a line where it stands.
func (s *step) save(r *record) {
	s.put(tableRows, r.key(), r.encode())
	s.tell(r, false)
}

func (s *step) tell(r *record, isNew bool) {
	s.rows[r.ID] = s.rows[r.ID] || isNew
	s.touch(r.chat, false)
}

func (s *step) touch(chat string, recount bool) {
	s.chats[chat] = s.chats[chat] || recount
}

// place puts a new line down.
func (s *step) place(r *record) {
	s.put(tableWhere, r.ID, []byte(r.key()))
	s.save(r)
	s.tell(r, true)
}

// move gives a line another place.
func (s *step) move(r *record, to order) {
	if r.at == to {
		return
	}
	s.kept.delete(tableRows, r.key())
	r.at = to
	s.put(tableWhere, r.ID, []byte(r.key()))
	s.save(r)
	s.touch(r.chat, true)
}

// newID is the next name of a line.
func (s *step) newID() string {
	s.next++
	s.put(tableMeta, "next", strconv.AppendUint(nil, s.next, 10))
	return "m" + strconv.FormatUint(s.next, 36)
}

// finish says what has changed.
func (s *step) finish() (Change, error) {
	if err := s.startSeen(); err != nil {
		return Change{}, err
	}
	out := Change{Events: s.gone, Files: s.files}
	var rows []*record
	for id := range s.rows {
		r, err := s.row(id)
		if err != nil {
			return out, err
		}
		if r != nil && !r.Folded {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.chat, b.chat), cmp.Compare(a.key(), b.key()))
	})
	for _, r := range rows {
		after, err := s.shownBefore(r.chat, r.at)
		if err != nil {
			return out, err
		}
		m, err := s.view(r)
		if err != nil {
			return out, err
		}
		out.Events = append(out.Events, &port.MessageChanged{Message: m, New: s.rows[r.ID], After: after, Late: s.late})
	}
	chats, err := s.finishChats()
	out.Events = append(out.Events, chats...)
	for name := range s.archives {
		s.put(tableArchives, name, s.known[name].encode())
	}
	out.Batch = s.batch
	return out, err
}

func (s *step) finishChats() (out []port.Event, err error) {
	names := make([]string, 0, len(s.chats))
	for name := range s.chats {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := s.list[name]
		if c == nil {
			continue
		}
		if s.chats[name] {
			if err := s.recount(c); err != nil {
				return nil, err
			}
		}
		v, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		s.put(tableChats, name, v)
		if c.Active == 0 {
			continue
		}
		row, err := s.chatView(c)
		if err != nil {
			return nil, err
		}
		out = append(out, &port.ChatChanged{Chat: row})
	}
	return out, nil
}

// shownBefore is the ID of the line that is shown before a place, "" for none.
func (b *Book) shownBefore(chat string, at order) (string, error) {
	r, err := b.lineBefore(chat, at)
	if r == nil {
		return "", err
	}
	return r.ID, nil
}

// lineBefore is the line that is shown before a place, nil for none.
func (b *Book) lineBefore(chat string, at order) (r *record, err error) {
	var decoding error
	err = b.kept.scan(tableRows, keep.Range{Prefix: chat + "\x00", Before: rowKey(chat, at), Reverse: true},
		func(key string, v []byte) bool {
			if len(v) > 0 && v[0]&isHidden != 0 {
				return true
			}
			r, decoding = decode(key, v)
			return false
		})
	return r, cmp.Or(err, decoding)
}

// row is a line by its ID, nil where there is none.
func (b *Book) row(id string) (*record, error) {
	if id == "" {
		return nil, nil
	}
	key, err := b.kept.get(tableWhere, id)
	if err != nil || key == nil {
		return nil, err
	}
	v, err := b.kept.get(tableRows, string(key))
	if err != nil || v == nil {
		return nil, err
	}
	return decode(string(key), v)
}
