package client

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/life"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// callTable is the log of calls: by name.
const callTable keep.Table = "client.calls"

// callRow of the profile's table is calls.news.
const callRow = "calls"

// mostLogged bounds the log; the oldest go.
const mostLogged = 1000

// logged is an entry of the log. Times are Unix milliseconds.
type logged struct {
	Chat     string    `json:"chat"`
	Mine     bool      `json:"mine,omitempty"`
	Video    bool      `json:"video,omitempty"`
	Why      string    `json:"why"`
	Text     string    `json:"text,omitempty"`
	At       int64     `json:"at"`
	Answered int64     `json:"answered,omitempty"`
	Ended    int64     `json:"ended,omitempty"`
	Lock     port.Lock `json:"lock,omitzero"`
	Late     bool      `json:"late,omitempty"`   // this device was not there
	Open     bool      `json:"open,omitempty"`   // of one that is late: how it has ended was not heard
	Lined    bool      `json:"lined,omitempty"`  // its chat has a line of it
	Silent   string    `json:"silent,omitempty"` // why it did not ring
	Count    int       `json:"count,omitempty"`
	First    int64     `json:"first,omitempty"`
	Link     bool      `json:"link,omitempty"` // by a link of ours
}

func (l *logged) shown(name string) port.Call {
	c := port.Call{ID: name, Chat: l.Chat, Mine: l.Mine, Video: l.Video, State: "ended", Why: l.Why, Text: l.Text, At: milli(l.At),
		Answered: milli(l.Answered), Ended: milli(l.Ended), Late: l.Late, Silent: l.Silent, Count: l.Count, First: milli(l.First), Link: l.Link}
	if l.Lock.State != "" {
		lock := l.Lock
		c.Lock = &lock
	}
	return c
}

func milli(n int64) (t time.Time) {
	if n == 0 {
		return t
	}
	return time.UnixMilli(n).UTC()
}

// openCalls forgets what belonged to another account.
func (e *Engine) openCalls() error {
	e.calls = phone{on: map[string]*ongoing{}, beside: map[string]bool{}, log: map[string]*logged{}}
	raw, err := e.Store.Get(profileTable, callRow)
	if err != nil {
		return err
	}
	e.calls.news, _ = strconv.ParseInt(string(raw), 10, 64)
	return scan(e.Store, callTable, func(name string, l *logged) { e.calls.log[name] = l })
}

// logged is a call's entry; nil for none.
func (e *Engine) logged(name string) *logged { return e.calls.log[name] }

// logCall keeps a call that has ended, with a line in its chat, and tells.
func (e *Engine) logCall(o *ongoing, now time.Time) bool {
	v := e.viewOf(o)
	l := &logged{Chat: v.Chat, Mine: v.Mine, Video: v.Video, Why: v.Why, Text: v.Text, At: o.begun.UnixMilli(), Ended: now.UnixMilli(), Lined: true, Late: o.late, Link: o.byLink}
	if !o.answered.IsZero() {
		l.Answered = o.answered.UnixMilli()
	}
	if v.Lock != nil {
		l.Lock = *v.Lock
	}
	b := &keep.Batch{}
	e.putLogged(b, o.name, l)
	if !e.keepLine(b, o.name, l, now) {
		return false
	}
	end := l.shown(o.name)
	end.Seat, end.Muted, end.TheirMuted = v.Seat, v.Muted, v.TheirMuted
	e.tell(&port.CallChanged{Call: end})
	return e.broken == nil
}

// keepLine keeps a batch together with the line of a call.
func (e *Engine) keepLine(b *keep.Batch, name string, l *logged, now time.Time) bool {
	var events []port.Event
	if l.Why != life.Tie.String() { // the other call is the one
		seconds := int64(0)
		if l.Answered != 0 {
			seconds = (l.Ended - l.Answered) / 1000
		}
		c, err := e.lines.Notice(l.Chat, false, "call", []string{name, direction(l.Mine), medium(l.Video), l.Why, strconv.FormatInt(seconds, 10)}, now)
		if err != nil {
			e.breakDown(err)
			return false
		}
		b.Add(c.Batch)
		events = c.Events
	}
	if !e.keepBatch(b) {
		return false
	}
	e.tell(events...)
	return true
}

func direction(mine bool) string {
	if mine {
		return "mine"
	}
	return "theirs"
}

func medium(video bool) string {
	if video {
		return "video"
	}
	return "audio"
}

// putLogged puts an entry into the log, and the oldest out of it where there are too many.
func (e *Engine) putLogged(b *keep.Batch, name string, l *logged) {
	e.calls.log[name] = l
	put(b, callTable, name, l)
	if len(e.calls.log) <= mostLogged {
		return
	}
	oldest := ""
	for n, x := range e.calls.log {
		if oldest == "" || x.At < e.calls.log[oldest].At {
			oldest = n
		}
	}
	delete(e.calls.log, oldest)
	b.Delete(callTable, oldest)
}

// mostStrangers bounds how many callers who are no contacts have an entry each.
const mostStrangers = 100

// logStranger notes a call of somebody who may not ring, where our server has let it pass: one entry for each.
func (e *Engine) logStranger(s said) {
	name := callName(s.peer, "")
	l := e.calls.log[name]
	if l == nil {
		n := 0
		for _, x := range e.calls.log {
			if x.Silent != "" {
				n++
			}
		}
		if n >= mostStrangers {
			return
		}
		l = &logged{Chat: s.peer, Why: life.Missed.String(), Silent: "stranger", First: s.at.UnixMilli(), Lined: true}
	}
	l.At, l.Video, l.Count = s.at.UnixMilli(), s.Video, l.Count+1
	b := &keep.Batch{}
	e.putLogged(b, name, l)
	if e.keepBatch(b) {
		e.tell(&port.CallChanged{Call: l.shown(name)})
	}
}

// callArchived learns of a call from an archive: what happened while this device was away. How it has ended is what
// the messages behind it say; what was seen here stays as it was seen.
func (e *Engine) callArchived(el xtok.Elem, at time.Time) {
	s, ok := e.callSaid(el)
	name := callName(s.peer, s.ID)
	if !ok || s.from.String() == e.calls.full || e.calls.on[name] != nil {
		return
	}
	l := e.calls.log[name]
	switch p := e.people[s.peer]; {
	case l == nil && (s.Kind != jingle.Propose || !s.own && !e.listedContact(s.peer) || p != nil && p.Blocked):
		return
	case l == nil:
		l = &logged{Chat: s.peer, Mine: s.own, Video: s.Video, At: at.UnixMilli(), Late: true, Open: true, Why: life.Missed.String()}
		if s.own {
			l.Why = life.Unanswered.String()
		}
	case !l.Late:
		return
	}
	l.learn(s)
	b := &keep.Batch{}
	e.putLogged(b, name, l)
	e.keepBatch(b)
}

// learn says how a call has ended by what somebody has said of it.
func (l *logged) learn(s said) {
	l.Open = l.Open && (s.Kind == jingle.Propose || s.Kind == jingle.Ringing)
	switch {
	case s.Kind == jingle.Proceed && s.own != l.Mine, s.Kind == jingle.Accept && s.own != l.Mine:
		l.Why = life.AnsweredElsewhere.String()
	case s.Kind == jingle.Reject && s.own != l.Mine && s.own:
		l.Why = life.DeclinedElsewhere.String()
	case s.Kind == jingle.Reject && s.own != l.Mine:
		l.Why = life.Rejected.String()
	case s.Kind == jingle.Retract && s.own && l.Mine:
		l.Why = life.Cancelled.String()
	}
}

// askAttempts asks our server which calls it has seen, and puts lines for those that were news.
// docs/protocol/calls.md
func (e *Engine) askAttempts() {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<attempts xmlns='" + nsCalls + "'/>")}, func(s *conn.Stanza, err error) {
		if errorsLost(err) {
			return
		}
		if stanzaError(s, err) == nil {
			e.attempts(s.Elem.Child(nsCalls, "attempts"))
		}
		e.lineCalls()
	})
}

// errorsLost tells whether a question was not answered, rather than refused.
func errorsLost(err error) bool { return err != nil && refusalIn(err) == nil }

// mostAttempts bounds how many traces of one answer are read.
const mostAttempts = 1000

func (e *Engine) attempts(list xtok.Elem) {
	silent, n := []port.Call{}, 0
	b := &keep.Batch{}
	for a := range list.Children() {
		if n++; n > mostAttempts || !a.Is(nsCalls, "attempt") {
			continue
		}
		at, err := stanza.ParseTime(a.Attr("at"))
		by, bad := jid.Parse(a.Attr("by"))
		if err != nil || bad != nil && a.Attr("by") != "" {
			continue
		}
		if a.Attr("why") == "" && !by.IsZero() {
			e.attempt(b, a, by.Bare().String(), at)
		} else {
			silent = append(silent, silentCall(a, by.Bare(), at))
		}
	}
	before := e.calls.silent
	e.calls.silent = silent
	if !e.keepBatch(b) || before == nil { // the first are no news
		return
	}
	for i := range silent {
		if !slices.ContainsFunc(before, func(c port.Call) bool { return sameCall(c, silent[i]) }) {
			e.tell(&port.CallChanged{Call: silent[i]})
		}
	}
}

// attempt is a call that rang: of one that is not in the log yet, all that this device knows.
func (e *Engine) attempt(b *keep.Batch, a xtok.Elem, by string, at time.Time) {
	id := a.Attr("id")
	name := callName(by, id)
	rings := a.Attr("end") == "" && e.Now().Sub(at) < 2*life.RingingIn.Lasts()
	l := e.calls.log[name]
	if id == "" || len(id) > mostCallID || e.calls.on[name] != nil || rings || l != nil && !l.Late {
		return
	}
	now := &logged{Chat: by, Video: slices.Contains([]string{"video", "audio video"}, a.Attr("media")), At: at.UnixMilli(), Late: true, Open: a.Attr("end") == "", Why: endOf(a.Attr("end")),
		Link: a.Attr("link") != ""}
	if l != nil {
		now.Lined = l.Lined
	}
	if l == nil || !sameLogged(*l, *now) {
		e.putLogged(b, name, now)
	}
}

func sameLogged(a, b logged) bool {
	return a.Why == b.Why && a.Chat == b.Chat && a.Mine == b.Mine && a.Open == b.Open
}

func endOf(end string) string {
	switch end {
	case "answered":
		return life.AnsweredElsewhere.String()
	case "rejected":
		return life.DeclinedElsewhere.String()
	}
	return life.Missed.String()
}

// silentCall is an entry of calls that rang nowhere.
func silentCall(a xtok.Elem, by jid.JID, at time.Time) port.Call {
	why := a.Attr("why")
	if why != "often" && why != "rule" {
		why = "stranger"
	}
	c := port.Call{Chat: by.String(), State: "ended", Why: life.Missed.String(), At: at, Late: true, Silent: why, Count: 1}
	c.ID = callName(c.Chat, "") + " " + why
	c.Video = slices.Contains([]string{"video", "audio video"}, a.Attr("media"))
	if n, err := strconv.Atoi(a.Attr("count")); err == nil && n > 1 {
		c.Count = n
	}
	c.First, _ = stanza.ParseTime(a.Attr("first"))
	return c
}

// lineCalls puts a line into the chats of calls that this device has learned of behind their end, since it was here
// last. What is older is in the log alone.
func (e *Engine) lineCalls() {
	news, now := e.calls.news, e.Now()
	e.calls.lines = time.Time{}
	var due []string
	for name, l := range e.calls.log {
		until := milli(l.At).Add(life.RingingIn.Lasts())
		switch {
		case l.Lined || news == 0 || l.At/1000 < news:
		case l.Open && now.Before(until): // it may be about to ring
			e.calls.lines = sooner(e.calls.lines, until)
		default:
			due = append(due, name)
		}
	}
	slices.SortFunc(due, func(x, y string) int { return cmp.Compare(e.calls.log[x].At, e.calls.log[y].At) })
	for _, name := range due {
		l := *e.calls.log[name]
		l.Lined = true
		b := &keep.Batch{}
		e.putLogged(b, name, &l)
		if !e.keepLine(b, name, &l, milli(l.At)) {
			return
		}
		e.tell(&port.CallChanged{Call: l.shown(name)})
	}
	// what rings now is told by itself; what has come a moment ago may still lack its end
	e.calls.news = now.Add(-2 * life.RingingIn.Lasts()).Unix()
	b := &keep.Batch{}
	b.Put(profileTable, callRow, strconv.AppendInt(nil, e.calls.news, 10))
	e.keepBatch(b)
}

// listCalls answers with the newest before a time.
func (e *Engine) listCalls(c *port.ListCalls) {
	if c.Limit < 1 || c.Limit > 200 {
		e.tell(&port.CallList{Ref: c.Ref, Failure: port.Failf(port.BadCommand, "a page has 1 to 200 calls")})
		return
	}
	var list []port.Call
	for name, l := range e.calls.log {
		if l.Why != life.Tie.String() { // the other call is the one
			list = append(list, l.shown(name))
		}
	}
	list = append(list, e.calls.silent...)
	slices.SortFunc(list, func(a, b port.Call) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	if !c.Before.IsZero() {
		list = slices.DeleteFunc(list, func(x port.Call) bool { return !x.At.Before(c.Before) })
	}
	more := len(list) > c.Limit
	if more {
		list = list[:c.Limit]
	}
	if o := e.present(); o != nil && c.Before.IsZero() {
		list = slices.Insert(list, 0, e.viewOf(o))
	}
	e.tell(&port.CallList{Ref: c.Ref, Calls: list, More: more})
}
