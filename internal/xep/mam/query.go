package mam

import (
	"math"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
)

// mostIDs is how many ids a query may name.
const mostIDs = 250

// selection is a query that was understood.
type selection struct {
	store.Query
	with    jid.JID // full when only this resource is meant, else zero
	ids     []uint64
	byIDs   bool
	flip    bool
	queryID string
	view    *view // nil: one's own archive
	named   bool  // only what is shown with its sender
}

// read understands a query, or says what is wrong with it.
func (m *Mam) read(q *core.Query, v *view) (selection, error) {
	s := selection{queryID: q.Payload.Attr("queryid"), flip: q.Payload.Child(ns, "flip-page").OK(), view: v}
	s.Owner, s.NoBody = q.Head.To.String(), true
	if q.Payload.HasAttr("node") {
		return s, stanza.Errorf(stanza.ItemNotFound, "the archive has no nodes")
	}
	page, err := rsm.Read(q.Payload.Child(rsm.NS, "set"))
	if err != nil {
		return s, err
	}
	if x := q.Payload.Child(form.NS, "x"); x.OK() {
		f, err := form.Read(x)
		if err != nil {
			return s, err
		}
		if err := m.filter(q, &s, f); err != nil {
			return s, err
		}
	}
	return s, m.page(q, &s, page)
}

// filter takes the form of a query over.
// XEP-0313#filter
func (m *Mam) filter(q *core.Query, s *selection, f form.Form) error {
	if f.Kind != form.Submit || f.Of != ns {
		return stanza.Errorf(stanza.BadRequest, "a query's form is of type submit and its FORM_TYPE is "+ns)
	}
	for _, field := range f.Fields {
		if field.Var != "ids" && len(field.Values) > 1 {
			return stanza.Errorf(stanza.BadRequest, "a field has more than one value")
		}
		if err := m.field(q, s, field); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mam) field(q *core.Query, s *selection, f form.Field) (err error) {
	value := ""
	if len(f.Values) > 0 {
		value = f.Values[0]
	}
	switch f.Var {
	case "with":
		err = s.withField(value)
	case "start":
		s.From, err = bound(value, false)
	case "end":
		s.To, err = bound(value, true)
	case "after-id":
		err = m.place(q, value, &s.After)
	case "before-id":
		err = m.place(q, value, &s.Before)
	case "ids":
		err = m.idsField(q, s, f.Values)
	case "include-groupchat":
		// XEP-0313#query-include-groupchat: there are none in an account's archive
	default:
		// XEP-0313#query-form
		err = stanza.Errorf(stanza.FeatureNotImplemented, "a field of the query is not known here")
	}
	return err
}

// XEP-0313#filter-jid
func (s *selection) withField(value string) error {
	with, err := jid.Parse(value)
	if err != nil {
		return stanza.Errorf(stanza.JIDMalformed, "malformed address in the field with")
	}
	if s.view != nil {
		return s.publisher(with)
	}
	s.Peer = with.Bare().String()
	if with.IsFull() {
		s.with = with
	}
	return nil
}

// bound reads a time to the millisecond, so that nothing outside of it is
// selected. 0 would be no bound.
// XEP-0313#filter-time
func bound(value string, end bool) (int64, error) {
	t, err := stanza.ParseTime(value)
	if err != nil {
		return 0, err
	}
	ms := t.UnixMilli()
	if !end && t.After(time.UnixMilli(ms)) {
		ms++
	}
	if ms == 0 {
		ms = -1
	}
	return ms, nil
}

// place reads the id of a message that must be in the archive.
// XEP-0313#query-limit-id
func (m *Mam) place(q *core.Query, id string, seq *uint64) error {
	places, err := m.places(q, []string{id})
	if err == nil {
		*seq = places[0]
	}
	return err
}

func (m *Mam) places(q *core.Query, ids []string) ([]uint64, error) {
	seqs := make([]uint64, 0, len(ids))
	unique := map[uint64]struct{}{}
	for _, id := range ids {
		seq, ok := m.archive.ParseStanzaID(id)
		if !ok {
			return nil, notThere()
		}
		seqs = append(seqs, seq)
		unique[seq] = struct{}{}
	}
	rows, err := m.archive.Find(q.Ctx, q.Head.To.String(), seqs)
	if err == nil && len(rows) != len(unique) {
		err = notThere()
	}
	return seqs, err
}

func notThere() error {
	return stanza.Errorf(stanza.ItemNotFound, "the archive has no message with this id")
}

func (m *Mam) idsField(q *core.Query, s *selection, ids []string) (err error) {
	if len(ids) > mostIDs {
		return stanza.Errorf(stanza.NotAcceptable, "more than %d ids", mostIDs)
	}
	s.byIDs = true
	s.ids, err = m.places(q, ids)
	return err
}

// page takes over which part of what is selected to send.
// XEP-0313#query-paging
func (m *Mam) page(q *core.Query, s *selection, r rsm.Request) error {
	s.Limit, s.Backward = r.Limit(m.most), r.HasBefore
	if r.After != "" {
		var after uint64
		if err := m.place(q, r.After, &after); err != nil {
			return err
		}
		s.After = max(s.After, after)
	}
	if r.Before != "" {
		var before uint64
		if err := m.place(q, r.Before, &before); err != nil {
			return err
		}
		s.Before = min(orMax(s.Before), before)
	}
	return nil
}

// orMax is a bound of which 0 means none as the highest place.
func orMax(seq uint64) uint64 {
	if seq == 0 {
		return math.MaxInt64
	}
	return seq
}

// empty tells whether nothing can be selected.
func (s *selection) empty() bool {
	return s.From != 0 && s.To != 0 && s.From > s.To || s.Before != 0 && s.After+1 >= s.Before
}
