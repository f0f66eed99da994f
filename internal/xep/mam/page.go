package mam

import (
	"context"
	"slices"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// How many messages are read at a time while a page is handed out and how many
// bytes of them are handed out at a time, unless one is larger; how many are read
// while a single resource's messages are looked for, how many are looked at for
// one page of these, and how many of these or of named ids are counted.
const (
	portion      = 25
	portionBytes = 64 << 10
	glance       = 250
	mostSeen     = 5000
	mostCount    = 250
)

// found is what a page consists of.
type found struct {
	seqs []uint64 // ascending
	more bool
	seen int    // messages looked at one by one
	edge uint64 // the last of them
}

// start selects the page and queues it for the asker.
func (m *Mam) start(q *core.Query, s selection) error {
	if s.Limit == 0 {
		return m.count(q, s)
	}
	p, err := m.find(q.Ctx, s)
	if err != nil {
		return err
	}
	if !m.begin(q.Session) {
		return &stanza.StanzaError{Condition: stanza.ResourceConstraint, Text: "too many queries at a time"}
	}
	if s.view == nil {
		q.Session.SetFlag(core.ArchiveRead, true)
	}
	seqs := p.seqs
	if s.flip {
		// XEP-0313#query-paging-flip
		seqs = slices.Clone(seqs)
		slices.Reverse(seqs)
	}
	q.Session.Feed(&results{
		mam: m, session: q.Session, owner: s.Owner, view: s.view, queryID: s.queryID, flip: s.flip,
		left: seqs, fin: q.Result(m.fin(s, p)),
	})
	return core.ErrLater
}

// count answers a query for no messages with their number.
// XEP-0059#count
func (m *Mam) count(q *core.Query, s selection) error {
	n := 0
	var err error
	switch {
	case s.empty():
	case s.byIDs || s.picks():
		s.Limit = mostCount
		var p found
		p, err = m.find(q.Ctx, s)
		n = len(p.seqs)
	default:
		n, err = m.archive.Count(q.Ctx, s.Query)
	}
	if err != nil {
		return err
	}
	b := appendFin(nil, n == 0)
	b = rsm.Response{Count: n}.Append(b)
	q.Reply(append(b, "</fin>"...), nil)
	return core.ErrLater
}

// find selects the places of a page.
func (m *Mam) find(ctx context.Context, s selection) (found, error) {
	switch {
	case s.empty():
		return found{}, nil
	case s.byIDs:
		return m.findIDs(ctx, s)
	case s.picks():
		return m.findResource(ctx, s)
	}
	rows, more, err := m.archive.Page(ctx, s.Query)
	return found{seqs: places(rows), more: more}, err
}

func places(rows []store.Row) []uint64 {
	seqs := make([]uint64, len(rows))
	for i := range rows {
		seqs[i] = rows[i].Seq
	}
	return seqs
}

// findIDs selects by the field ids, within the other bounds.
func (m *Mam) findIDs(ctx context.Context, s selection) (found, error) {
	rows, err := m.archive.Find(ctx, s.Owner, s.ids)
	if err != nil {
		return found{}, err
	}
	rows = slices.DeleteFunc(rows, func(r store.Row) bool {
		return r.Seq <= s.After || s.Before != 0 && r.Seq >= s.Before || !s.holds(&r)
	})
	p := found{seqs: places(rows), more: len(rows) > s.Limit}
	if p.more && s.Backward {
		p.seqs = p.seqs[len(p.seqs)-s.Limit:]
	} else if p.more {
		p.seqs = p.seqs[:s.Limit]
	}
	return p, nil
}

// holds tells whether a row, with its body, is within the bounds of a selection
// other than places.
func (s *selection) holds(r *store.Row) bool {
	return (s.From == 0 || r.Time >= s.From) && (s.To == 0 || r.Time <= s.To) &&
		(s.Peer == "" || r.Peer == s.Peer) && s.takes(r)
}

// picks tells whether messages must be looked at one by one.
func (s *selection) picks() bool { return !s.with.IsZero() || s.named }

// takes tells whether one that was looked at is meant.
func (s *selection) takes(r *store.Row) bool {
	return (s.with.IsZero() || s.concerns(r.Body)) && (!s.named || s.view.show(r) != nil)
}

// concerns tells whether a message is from or to the full address asked for.
// XEP-0313#filter-jid
func (s *selection) concerns(raw []byte) bool {
	st, _, err := stanza.Parse(raw)
	return err == nil && (st.From == s.with || st.To == s.with)
}

// findResource looks through the messages exchanged with an account for those of
// one resource, or those that are shown with their sender, a bounded number of them.
func (m *Mam) findResource(ctx context.Context, s selection) (p found, err error) {
	q := s.Query
	q.Limit, q.NoBody = glance, false
	for p.more = true; p.more && len(p.seqs) <= s.Limit && p.seen < mostSeen; {
		var rows []store.Row
		if rows, p.more, err = m.archive.Page(ctx, q); err != nil {
			return p, err
		}
		p.look(rows, &s)
		if q.Backward {
			q.Before = p.edge
		} else {
			q.After = p.edge
		}
	}
	p.finish(&s)
	return p, nil
}

// look adds those of some rows that concern the selection.
func (p *found) look(rows []store.Row, s *selection) {
	if s.Backward {
		slices.Reverse(rows)
	}
	for i := range rows {
		p.edge = rows[i].Seq
		if s.takes(&rows[i]) {
			p.seqs = append(p.seqs, rows[i].Seq)
		}
	}
	p.seen += len(rows)
}

// finish cuts what was found to a page in ascending order.
func (p *found) finish(s *selection) {
	if len(p.seqs) > s.Limit {
		p.seqs, p.more = p.seqs[:s.Limit], true
		p.edge = p.seqs[s.Limit-1]
	}
	if s.Backward {
		slices.Reverse(p.seqs)
	}
}

// fin describes the page. After a search that was cut short the end of the page is
// where it may go on.
// XEP-0313#query-paging-request
func (m *Mam) fin(s selection, p found) []byte {
	b := appendFin(nil, !p.more)
	r := rsm.Response{Count: -1}
	if n := len(p.seqs); n > 0 {
		r.First, r.Last = m.archive.StanzaID(p.seqs[0]), m.archive.StanzaID(p.seqs[n-1])
	}
	if p.more && p.edge != 0 {
		at := m.archive.StanzaID(p.edge)
		switch {
		case r.First == "":
			r.First, r.Last = at, at
		case s.Backward:
			r.First = at
		default:
			r.Last = at
		}
	}
	return append(r.Append(b), "</fin>"...)
}

func appendFin(b []byte, complete bool) []byte {
	b = append(b, "<fin xmlns='"+ns+"'"...)
	if complete {
		b = append(b, " complete='true'"...)
	}
	return append(b, " stable='true'>"...)
}

// begin counts a page of a session; false when it has too many.
func (m *Mam) begin(s *core.Session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[s] >= mostRunning || s.Ended() {
		return false
	}
	m.running[s]++
	return true
}

func (m *Mam) end(s *core.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[s]--; m.running[s] <= 0 {
		delete(m.running, s)
	}
}

func (m *Mam) gone(s *core.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.running, s)
}

// results is a core.Source of one page and the answer behind it.
type results struct {
	mam     *Mam
	session *core.Session
	owner   string
	view    *view
	queryID string
	flip    bool
	left    []uint64
	rows    []store.Row    // read and not yet handed out
	fin     *stanza.Stanza // nil when all is handed out
}

// Next satisfies core.Source.
func (r *results) Next() []core.Packet {
	for len(r.rows) == 0 && len(r.left) > 0 {
		if err := r.read(); err != nil {
			return r.fail(err)
		}
	}
	if len(r.rows) > 0 {
		return r.handOut()
	}
	if r.fin == nil {
		return nil
	}
	p := core.Bytes(r.fin.Raw)
	r.fin = nil
	r.mam.end(r.session)
	return []core.Packet{p}
}

// read takes the next messages out of the archive.
func (r *results) read() (err error) {
	n := min(portion, len(r.left))
	r.rows, err = r.mam.archive.Find(context.Background(), r.owner, r.left[:n])
	r.left = r.left[n:]
	if r.flip {
		slices.Reverse(r.rows)
	}
	return err
}

// handOut gives of the messages that were read only so much that what is pushed
// meanwhile finds room in the queue.
func (r *results) handOut() []core.Packet {
	n, size := 0, 0
	for n < len(r.rows) && (n == 0 || size+len(r.rows[n].Body) <= portionBytes) {
		size += len(r.rows[n].Body)
		n++
	}
	packets := r.packets(r.rows[:n])
	r.rows = r.rows[n:]
	return packets
}

// fail ends the session: its client must not take part of a page for all of it.
func (r *results) fail(err error) []core.Packet {
	r.mam.log.Error("an archive cannot be read", "cid", r.session.CID, "jid", r.session.JID.String(), "err", err)
	r.session.Close(&stream.Error{Condition: "internal-server-error"})
	return nil
}

var tail = []byte("</forwarded></result></message>")

func (r *results) packets(rows []store.Row) []core.Packet {
	out := make([]core.Packet, len(rows))
	for i := range rows {
		out[i] = core.Packet{Segments: r.view.segments(r.head(&rows[i]), &rows[i])}
	}
	return out
}

// head is what stands in front of an archived message.
// XEP-0313#results
func (r *results) head(row *store.Row) []byte {
	b := make([]byte, 0, 320+len(r.queryID))
	b = append(b, "<message xmlns='jabber:client' from='"...)
	b = xtok.Escape(b, r.owner)
	b = append(b, "' to='"...)
	b = xtok.Escape(b, r.session.JID.String())
	b = append(b, "'><result xmlns='"+ns+"'"...)
	if r.queryID != "" {
		b = append(b, " queryid='"...)
		b = xtok.Escape(b, r.queryID)
		b = append(b, '\'')
	}
	b = append(b, " id='"...)
	b = append(b, r.mam.archive.StanzaID(row.Seq)...)
	b = append(b, "'><forwarded xmlns='urn:xmpp:forward:0'>"...)
	// XEP-0203#protocol
	return stanza.AppendDelay(b, "", time.UnixMilli(row.Time))
}
