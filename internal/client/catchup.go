package client

import (
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

// fetch is a page of an archive that is being asked for. What it brings is kept
// in one transaction when it is whole: its lines, the keys' steps, and how far
// the archive is known.
type fetch struct {
	query timeline.Query
	page  []timeline.Incoming
	step  e2ee.Step
}

// catchUp asks for what is missing of an archive until nothing is.
func (e *Engine) catchUp(archive string) {
	q, more := e.lines.NextQuery(archive)
	if !more {
		e.arrived(archive)
		return
	}
	e.fetch(q, func(ok bool) {
		if ok {
			e.catchUp(archive)
		} else {
			e.arrived(archive)
		}
	})
}

// syncTime bounds how long a new session waits for rooms and archives until it
// calls itself synced: one room that does not answer holds up nobody.
const syncTime = 20 * time.Second

// await notes what must be there before we are as far as the server is.
func (e *Engine) await(what string) {
	if e.awaited == nil {
		e.awaited, e.syncBy = map[string]bool{}, e.Now().Add(syncTime)
	}
	e.awaited[what] = true
}

// arrived notes that one of these is there, or is not to be had. With the last one
// keys that were used by old messages may go.
func (e *Engine) arrived(what string) {
	delete(e.awaited, what)
	if len(e.awaited) > 0 || e.synced || e.broken != nil {
		return
	}
	e.awaited, e.syncBy = nil, time.Time{}
	e.synced = true
	if e.take(e.keys.CatchUp(false)) {
		e.state(e.status.State, e.status.Failure, e.status.Retry)
		e.pump()
	}
}

// fetch asks for one page; then is told whether it was kept.
// XEP-0313 §4
func (e *Engine) fetch(q timeline.Query, then func(ok bool)) {
	archive, err := jid.Parse(q.Archive)
	if err != nil {
		then(false)
		return
	}
	id := e.newID()
	e.fetching[id] = &fetch{query: q}
	ask := conn.Request{Type: stanza.Set, Payload: appendQuery(nil, id, q)}
	if archive != e.own {
		ask.To = archive
	}
	e.ask(ask, func(s *conn.Stanza, err error) {
		f := e.fetching[id]
		delete(e.fetching, id)
		if se := stanza.AsError(err); err != nil && se != nil && se.Condition == stanza.ItemNotFound {
			then(e.change(e.lines.Lost(q)))
			return
		}
		if stanzaError(s, err) != nil {
			then(false)
			return
		}
		then(e.takePage(f, s.Elem.Child(nsMAM, "fin")))
	})
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
		archive = from.Bare()
	}
	if archive.String() != f.query.Archive {
		return
	}
	fw := r.Child(nsForward, "forwarded")
	f.page = append(f.page, e.archived(f, fw.Child(stanza.NSClient, "message"),
		origin{source: timeline.Archive, archive: f.query.Archive, stanzaID: r.Attr("id"), time: delayOf(fw)}))
}

// archived reads a message of an archive. What is known already is not opened
// again: a ratchet opens each message once.
func (e *Engine) archived(f *fetch, el xtok.Elem, o origin) timeline.Incoming {
	nothing := timeline.Incoming{Envelope: timeline.Envelope{StanzaID: o.stanzaID, Source: o.source, Time: o.time}}
	known, err := e.lines.Known(o.archive, o.stanzaID)
	if err != nil {
		e.breakDown(err)
	}
	if known || err != nil {
		return nothing
	}
	in, step, ok := e.read(el, o)
	join(&f.step, step)
	if !ok {
		return nothing
	}
	return in
}

// join puts one step of the keys behind another.
func join(s *e2ee.Step, o e2ee.Step) {
	if s.Batch == nil {
		s.Batch = &keep.Batch{}
	}
	s.Batch.Add(o.Batch)
	s.Send, s.Ask, s.Alerts = append(s.Send, o.Send...), append(s.Ask, o.Ask...), append(s.Alerts, o.Alerts...)
}

// takePage keeps a whole page.
func (e *Engine) takePage(f *fetch, fin xtok.Elem) bool {
	set := fin.Child(rsm.NS, "set")
	end := timeline.Fin{First: set.Child(rsm.NS, "first").Text(), Last: set.Child(rsm.NS, "last").Text(),
		Complete: fin.AttrIs("complete", "true")}
	change, err := e.lines.TakePage(f.query, f.page, end, e.Now())
	if err != nil {
		e.breakDown(err)
		return false
	}
	return e.commit(change, f.step)
}
