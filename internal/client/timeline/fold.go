package timeline

import (
	"strconv"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// Lines that cannot be read and stand one behind the other are one line on the
// screen: one of them is shown and says how many there are. The others are kept, each in its
// place, and appear when they can be read. What is shown is never hidden again.

// longestRun is how many lines are folded into one.
const longestRun = 200

// foldNew hides a new line that cannot be read behind one beside it.
func (s *step) foldNew(c *chat, r *record) error {
	if r.Unreadable == "" {
		return nil
	}
	c.Blind++
	for _, back := range []bool{true, false} {
		run, err := s.run(r, back, 1)
		if err != nil {
			return err
		}
		r.Folded = r.Folded || len(run) > 0
	}
	return nil
}

// refold puts the runs beside a line in order, and its own when it is of one.
func (s *step) refold(r *record) error {
	if c := s.list[r.chat]; c == nil || c.Blind == 0 {
		return nil
	}
	before, err := s.run(r, true, longestRun)
	if err != nil {
		return err
	}
	behind, err := s.run(r, false, longestRun)
	if err != nil {
		return err
	}
	if r.Unreadable == "" {
		s.showOne(before)
		s.showOne(behind)
		return nil
	}
	s.showOne(append(append(before, r), behind...))
	return nil
}

// run is the unreadable lines of one sender right before or behind a line, in
// their order.
func (s *step) run(r *record, back bool, most int) (out []*record, err error) {
	q := keep.Range{Prefix: r.chat + "\x00", After: r.key(), Limit: most}
	if back {
		q = keep.Range{Prefix: r.chat + "\x00", Before: r.key(), Limit: most, Reverse: true}
	}
	var decoding error
	err = s.kept.scan(tableRows, q, func(key string, v []byte) bool {
		var x *record
		if len(v) == 0 || v[0]&isBlind == 0 {
			return false
		}
		if x, decoding = decode(key, v); decoding != nil || r.Unreadable != "" && x.Sender != r.Sender ||
			len(out) > 0 && out[0].Sender != x.Sender {
			return false
		}
		out = append(out, x)
		return true
	})
	if err == nil {
		err = decoding
	}
	if back {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out, err
}

// showOne sees to it that one line of a run is shown, and says how many it is.
func (s *step) showOne(run []*record) {
	if len(run) == 0 {
		return
	}
	var shown *record
	folded := 0
	for _, r := range run {
		if r.Folded {
			folded++
		} else if shown == nil {
			shown = r
		}
	}
	if shown == nil {
		shown = run[0]
		shown.Folded = false
		folded--
		s.tell(shown, true)
		s.save(shown)
		s.touch(shown.chat, true)
	}
	for _, r := range run {
		n := 0
		if r == shown && folded > 0 {
			n = folded + 1
		}
		if r.Count != n {
			r.Count = n
			s.save(r)
		}
	}
}

// params are what a line speaks of: an unreadable one of how many it stands for.
func (r *record) params() []string {
	if r.Count > 1 {
		return []string{strconv.Itoa(r.Count)}
	}
	return r.Params
}

// shown is a file as it is shown, nil for none.
func (f *File) shown() *port.File {
	if f == nil {
		return nil
	}
	out := &port.File{Name: f.Name, Type: f.Type, Size: f.Size, State: f.State, Why: f.Why, Path: f.Path, Media: f.Media}
	if out.State == "" {
		out.State = "remote"
	}
	return out
}
