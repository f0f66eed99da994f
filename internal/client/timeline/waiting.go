package timeline

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"mirsal/internal/client/keep"
)

// What is kept of changes whose message has not come, in each chat.
const (
	mostWaiting = 512
	maxWaiting  = 1 << 20 // bytes
	fairShare   = 64      // one person's part where there is no room for more
)

// early is a change that came before its message.
type early struct {
	In       Incoming `json:"in"`
	At       order    `json:"at"`
	Anchored bool     `json:"anchored,omitempty"`
}

func waitingKey(chat, ref string, n uint64) string {
	return chat + "\x00" + ref + "\x00" + string(binary.BigEndian.AppendUint64(nil, n))
}

// wait keeps a change until its message comes.
func (s *step) wait(in *Incoming, at order, anchored bool) error {
	v, err := json.Marshal(early{*in, at, anchored})
	if err != nil {
		return err
	}
	c := s.chat(in.Chat, in.Room)
	if err := s.makeRoom(c.Address, in, len(v)); err != nil {
		return err
	}
	c.Waits++
	s.put(tableWaiting, waitingKey(in.Chat, in.Ref, c.Waits), v)
	return nil
}

// makeRoom forgets the oldest where too much waits: of who keeps most waiting, if
// that is the sender, so that a flood of one does not cost others theirs. A quarter goes at once,
// so that it is not looked through for each.
func (s *step) makeRoom(chat string, in *Incoming, size int) error {
	all, err := s.kept.list(tableWaiting, keep.Range{Prefix: chat + "\x00"})
	if err != nil {
		return err
	}
	bytes := size
	for _, e := range all {
		bytes += len(e.value)
	}
	count := len(all)
	if count < mostWaiting && bytes < maxWaiting {
		return nil
	}
	number := func(e entry) string { return e.key[len(e.key)-8:] }
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(number(a), number(b)) })
	theirs := slices.DeleteFunc(slices.Clone(all), func(e entry) bool {
		var x early
		return json.Unmarshal(e.value, &x) != nil || x.In.Sender != in.Sender
	})
	if len(theirs) >= fairShare {
		all = theirs
	}
	for n := count; len(all) > 0 && (n >= mostWaiting*3/4 || bytes >= maxWaiting*3/4); all = all[1:] {
		s.kept.delete(tableWaiting, all[0].key)
		bytes -= len(all[0].value)
		n--
	}
	return nil
}

// catchUp applies what has waited for a line, in its order.
func (s *step) catchUp(r *record) error {
	var found []early
	for _, ref := range distinct(r.StanzaID, r.OriginID, r.MsgID) {
		if err := s.forget(r.chat, ref, func(x early) bool {
			if !s.meantFor(r, ref, &x.In) {
				return false
			}
			found = append(found, x)
			return true
		}); err != nil {
			return err
		}
	}
	slices.SortStableFunc(found, func(a, b early) int {
		if a.At.less(b.At) {
			return -1
		}
		return 1
	})
	for _, x := range found {
		now, err := s.row(r.ID)
		if err != nil || now == nil {
			return err
		}
		s.remember(&x.In, mark{Row: r.ID, At: x.At, Loose: !x.Anchored})
		if err := s.changed(now, &x.In, x.At, x.Anchored); err != nil {
			return err
		}
		if now, err = s.row(r.ID); err != nil {
			return err
		}
		*r = *now
	}
	return nil
}

// meantFor tells whether a change that names ref means this line.
func (s *step) meantFor(r *record, ref string, in *Incoming) bool {
	t, _, err := s.target(in)
	return err == nil && t != nil && t.ID == r.ID
}

// forget takes out what waits for an id: all, or what take says.
func (s *step) forget(chat, ref string, take func(early) bool) error {
	found, err := s.kept.list(tableWaiting, keep.Range{Prefix: chat + "\x00" + ref + "\x00"})
	if err != nil {
		return err
	}
	for _, e := range found {
		var x early
		if take != nil && json.Unmarshal(e.value, &x) == nil && !take(x) {
			continue
		}
		s.kept.delete(tableWaiting, e.key)
	}
	return nil
}
