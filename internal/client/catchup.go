package client

import (
	"errors"
	"strconv"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// fetch is a page of an archive that is being asked for. Nothing of it is opened before
// it is whole: then its lines, the keys' steps, and how far the archive is known are
// kept in one transaction, so that a page that breaks off has used up no key.
type fetch struct {
	query timeline.Query
	page  []result
	has   map[string]bool // ids of the page
	over  bool            // more came than was asked for
}

// result is one message of a page, as it came.
type result struct {
	id   string
	time time.Time
	el   xtok.Elem
}

// errUneven is the error of a page that is not what its end says, or more than was asked for.
var errUneven = errors.New("the archive's answer does not fit its question")

// mostBehind bounds how many pages are asked for to catch up with one archive in one session:
// one without end is not followed.
const mostBehind = 1000

// catchUp asks for what is missing of an archive until nothing is.
func (e *Engine) catchUp(archive string) {
	q, more := e.lines.NextQuery(archive)
	if w := e.awaited[archive]; w != nil {
		w.pages++
		more = more && w.pages <= mostBehind
	}
	if !more {
		e.arrived(archive)
		return
	}
	e.fetch(q, func(err error) {
		if err != nil {
			e.delayed(archive, err)
			return
		}
		e.moreTime()
		e.catchUp(archive)
	})
}

// fetch asks for one page; then is told whether it was kept. It is not called when the
// profile has failed.
// XEP-0313 §4
func (e *Engine) fetch(q timeline.Query, then func(error)) {
	archive, err := jid.Parse(q.Archive)
	if err != nil {
		then(err)
		return
	}
	id := e.newID()
	e.fetching[id] = &fetch{query: q, has: map[string]bool{}}
	ask := conn.Request{Type: stanza.Set, Payload: appendQuery(nil, id, q)}
	if archive != e.own {
		ask.To = archive
	}
	e.ask(ask, func(s *conn.Stanza, err error) {
		f := e.fetching[id]
		delete(e.fetching, id)
		if err = e.fetched(f, s, err); e.broken == nil {
			then(err)
		}
	})
}

// fetched keeps a page that is whole, or what its archive says instead.
func (e *Engine) fetched(f *fetch, s *conn.Stanza, err error) error {
	var refusal *stanza.StanzaError
	switch {
	case f == nil && err == nil:
		return conn.ErrLost // of a session that is over
	case errors.As(err, &refusal) && refusal.Condition == stanza.ItemNotFound && f != nil:
		e.change(e.lines.Lost(f.query))
		return nil
	case err != nil:
		return err
	}
	end := finOf(s.Elem.Child(nsMAM, "fin"))
	if f.over || end.First != "" && !f.has[end.First] || end.Last != "" && !f.has[end.Last] {
		return errUneven
	}
	e.takePage(f, end)
	return nil
}

// finOf reads how an archive ends a page. XEP-0059 §2.1
func finOf(fin xtok.Elem) timeline.Fin {
	set := fin.Child(rsm.NS, "set")
	return timeline.Fin{First: set.Child(rsm.NS, "first").Text(), Last: set.Child(rsm.NS, "last").Text(),
		Complete: fin.AttrIs("complete", "true")}
}

func appendQuery(b []byte, id string, q timeline.Query) []byte {
	b = append(b, "<query xmlns='"+nsMAM+"' queryid='"+id+"'>"...)
	f := form.Form{Kind: form.Submit, Of: nsMAM}
	if q.With != "" {
		f.Fields = append(f.Fields, form.Field{Var: "with", Values: []string{q.With}})
	}
	if !q.Start.IsZero() {
		f.Fields = append(f.Fields, form.Field{Var: "start", Values: []string{string(stanza.AppendTime(nil, q.Start))}})
	}
	b = f.Append(b)
	b = append(b, "<set xmlns='"+rsm.NS+"'><max>"+strconv.Itoa(q.Max)+"</max>"...)
	b = xtok.AppendElement(b, "after", q.After)
	if q.Backward {
		b = append(b, "<before>"+esc(q.Before)+"</before>"...)
	}
	return append(b, "</set></query>"...)
}

// result takes one message of a page: only of the archive that was asked.
func (e *Engine) result(from jid.JID, r xtok.Elem) {
	f := e.fetching[r.Attr("queryid")]
	if f == nil || from.IsFull() {
		return
	}
	archive := e.own
	if !from.IsZero() {
		archive = from
	}
	if archive.String() != f.query.Archive {
		return
	}
	id := r.Attr("id")
	if f.has[id] {
		return // once more
	}
	if f.over = f.over || len(f.page) >= f.query.Max; f.over {
		f.page = nil
		return
	}
	fw := r.Child(nsForward, "forwarded")
	f.has[id] = true
	f.page = append(f.page, result{id, delayOf(fw), fw.Child(stanza.NSClient, "message")})
}

// takePage opens and keeps a whole page.
func (e *Engine) takePage(f *fetch, end timeline.Fin) {
	var step e2ee.Step
	page := make([]timeline.Incoming, 0, len(f.page))
	for _, r := range f.page {
		in, s := e.archived(f.query.Archive, r)
		if e.broken != nil {
			return
		}
		join(&step, s)
		page = append(page, in)
	}
	change, err := e.lines.TakePage(f.query, page, end, e.Now())
	if err == nil {
		err = e.leftOver(&change, page)
	}
	if err != nil {
		e.breakDown(err)
		return
	}
	for i := 0; i < len(page) && !f.query.Backward; i++ {
		e.owe(&change, page[i])
	}
	if !e.commit(change, e.discreet(step)) || f.query.Backward {
		return
	}
	for _, in := range page { // said while we were away: they hear now that it has arrived
		e.answer(in)
	}
}

// leftOver adds to a page's change what the timeline did not take of it, since another page
// came in between and this place is asked for again: opened once it is shown now, and finds its
// place then.
func (e *Engine) leftOver(c *timeline.Change, page []timeline.Incoming) error {
	for _, in := range page {
		if in.Kind == timeline.Nothing {
			continue
		}
		known, err := e.lines.Known(e.archiveOf(in.Envelope), in.StanzaID)
		if err != nil {
			return err
		}
		if known || in.Unreadable != "" {
			continue
		}
		more, err := e.lines.Apply(in, e.Now())
		if err != nil {
			return err
		}
		c.Batch.Add(more.Batch)
		c.Events, c.Files = append(c.Events, more.Events...), append(c.Files, more.Files...)
	}
	return nil
}

// archiveOf is whose archive a message is in.
func (e *Engine) archiveOf(in timeline.Envelope) string {
	if in.Room {
		return in.Chat
	}
	return e.own.String()
}

// archived reads a message of an archive. What is known already is not opened
// again: a ratchet opens each message once.
func (e *Engine) archived(archive string, r result) (timeline.Incoming, e2ee.Step) {
	o := origin{source: timeline.Archive, archive: archive, stanzaID: r.id, time: r.time}
	nothing := timeline.Incoming{Envelope: timeline.Envelope{StanzaID: o.stanzaID, Source: o.source, Time: o.time}}
	known, err := e.lines.Known(archive, r.id)
	if err != nil {
		e.breakDown(err)
	}
	if known || err != nil || !heldBy(e.own.String(), archive, r.el) {
		return nothing, e2ee.Step{}
	}
	e.callArchived(r.el, r.time)
	in, step, ok := e.read(r.el, o)
	if !ok {
		return nothing, step
	}
	return in, step
}

// heldBy tells whether an archive can hold a message: a room's only what was said in it.
// XEP-0313#security-muc-spoofing
func heldBy(own, archive string, el xtok.Elem) bool {
	if archive == own {
		return true
	}
	from, err := jid.Parse(el.Attr("from"))
	return err == nil && from.Bare().String() == archive
}

// join puts one step of the keys behind another.
func join(s *e2ee.Step, o e2ee.Step) {
	if s.Batch == nil {
		s.Batch = &keep.Batch{}
	}
	s.Batch.Add(o.Batch)
	s.Send, s.Ask, s.Alerts = append(s.Send, o.Send...), append(s.Ask, o.Ask...), append(s.Alerts, o.Alerts...)
}
