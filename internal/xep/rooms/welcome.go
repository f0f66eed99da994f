package rooms

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// wish is what the presence with which one enters asks for.
type wish struct {
	password string
	messages int // of history at most, -1 when the client set no bound
	chars    int
	since    time.Time // zero for no bound
}

// readWish reads <x xmlns='…/muc'/>; without one nothing is asked for.
// XEP-0045#enter-managehistory
func readWish(x xtok.Elem) (wish, error) {
	w := wish{messages: -1, chars: -1, password: x.Child(nsMUC, "password").Text()}
	h := x.Child(nsMUC, "history")
	for attr, to := range map[string]*int{"maxstanzas": &w.messages, "maxchars": &w.chars} {
		if !h.HasAttr(attr) {
			continue
		}
		n, err := strconv.ParseUint(h.Attr(attr), 10, 31)
		if err != nil {
			return w, stanza.Errorf(stanza.BadRequest, "%s is not a number", attr)
		}
		*to = int(n)
	}
	return w, w.readTime(h)
}

func (w *wish) readTime(h xtok.Elem) (err error) {
	if h.HasAttr("seconds") {
		n, err := strconv.ParseUint(h.Attr("seconds"), 10, 31)
		if err != nil {
			return stanza.Errorf(stanza.BadRequest, "seconds is not a number")
		}
		w.since = time.Now().Add(-time.Duration(n) * time.Second)
	}
	if h.HasAttr("since") {
		at, err := stanza.ParseTime(h.Attr("since"))
		if err != nil {
			return err
		}
		if at.After(w.since) {
			w.since = at
		}
	}
	return nil
}

// welcome is what a newcomer is sent: who is there, himself, what was said, what the
// room is about. It is fed as his queue drains, so that entering a large room
// cannot fill it.
// XEP-0045#order
type welcome struct {
	room *room
	seat *seat
	list []*stanza.Stanza
	self notice
	said []utterance
	sub  subject
	step int
}

// onlyList is the step of a welcome that shows who is there, and nothing else.
const onlyList = 2

// welcome takes it down as it is at this moment; under mu.
func (r *room) welcome(t *core.Transit, st *seat, w wish, created bool) *welcome {
	o := st.who
	wl, open := &welcome{room: r, seat: st, sub: r.subject}, r.cfg.NonAnonymous || o.role == Moderator
	for _, other := range r.listed(o) {
		if !r.hides(st.session, other.addr) {
			wl.list = append(wl.list, r.faceOf(other, open))
		}
	}
	wl.self = r.noticeOf(o, st)
	wl.self.id = t.Head.ID
	if r.cfg.NonAnonymous {
		wl.self.codes = append(wl.self.codes, statusNonAnonymous)
	}
	wl.self.codes = append(wl.self.codes, statusSelf)
	if r.cfg.Archive {
		wl.self.codes = append(wl.self.codes, statusLogged)
	}
	if created {
		wl.self.codes = append(wl.self.codes, statusCreated)
	}
	wl.self.codes = append(wl.self.codes, modified(t)...)
	wl.said = r.history(w)
	if st.session.Flag(core.Blocks) {
		wl.said = slices.DeleteFunc(slices.Clone(wl.said), func(u utterance) bool { return r.hides(st.session, u.stanza.From) })
	}
	return wl
}

// modified is what tells a session that its nick is not spelt as it spelt it: the
// profile of addresses, RFC 7622 §3.4, has done that.
// XEP-0045#enter-pres, XEP-0045#changenick
func modified(t *core.Transit) []int {
	if _, asked, _ := strings.Cut(t.Elem.Attr("to"), "/"); asked != t.Head.To.Resource() {
		return []int{statusNickChanged}
	}
	return nil
}

// history is what was said of late, no more than was asked for.
func (r *room) history(w wish) []utterance {
	all := r.recent
	if w.messages >= 0 && len(all) > w.messages {
		all = all[len(all)-w.messages:]
	}
	if w.chars >= 0 {
		i := len(all)
		for left := w.chars; i > 0 && len(all[i-1].stanza.Raw) <= left; i-- {
			left -= len(all[i-1].stanza.Raw)
		}
		all = all[i:]
	}
	for len(all) > 0 && all[0].at.Before(w.since) {
		all = all[1:]
	}
	return slices.Clip(all)
}

// small is how much of a welcome is pushed whole: a session may have a bounded
// number of sources, and enters many small rooms at once.
const small = 64

// give sends it.
func (w *welcome) give(s *core.Session) {
	if len(w.list)+len(w.said) > small {
		s.Feed(w)
		return
	}
	for p := w.Next(); p != nil; p = w.Next() {
		for i := range p {
			s.Push(p[i])
		}
	}
}

// Next satisfies core.Source.
func (w *welcome) Next() (packets []core.Packet) {
	const portion = 32
	for len(packets) < portion {
		p, ok := w.next()
		if !ok {
			break
		}
		packets = append(packets, p)
	}
	return packets
}

func (w *welcome) next() (p core.Packet, ok bool) {
	switch {
	case len(w.list) > 0:
		st := w.list[0]
		w.list = w.list[1:]
		return addressed(st, w.seat.to, nil), true
	case w.step == 0:
		w.step++
		return addressed(w.self.stanza(true), w.seat.to, nil), true
	case len(w.said) > 0:
		u := w.said[0]
		w.said = w.said[1:]
		return addressed(u.stanza, w.seat.to, w.room.tail(u.seq, u.at)), true
	case w.step == 1:
		w.step++
		return addressed(w.sub.stanza(w.room), w.seat.to, nil), true
	}
	return p, false
}
