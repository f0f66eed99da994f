// Package mam lets people read their archives, XEP-0313 version 1.1.3 with its
// extended queries, and say what goes into them, XEP-0441 version 0.2.0.
//
// It keeps nothing: internal/archive does. A page is selected when it is asked
// for, by places alone; the messages are read and handed out as the asker's
// queue drains, their archived bytes shared, not written anew. Of accounts only
// one's own archive is to be had; who reads others, such as those of rooms, decides
// whoever has them, see At. Results that clients make up are taken out by xep/sid.
package mam

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "urn:xmpp:mam:2"

// Mam is the feature.
type Mam struct {
	archive *archive.Archive
	most    int // messages in a page
	log     *slog.Logger

	mu      sync.Mutex // guards running; held for single operations
	running map[*core.Session]int
}

// mostRunning is how many pages one session may be given at a time.
const mostRunning = 32

// New makes the feature. One page has at most so many messages, at least 1.
func New(a *archive.Archive, page int, log *slog.Logger) *Mam {
	return &Mam{archive: a, most: page, log: log, running: map[*core.Session]int{}}
}

// Register attaches the feature.
func (m *Mam) Register(h *core.Host) {
	h.IQ(core.Account, ns, "query", m.query)
	h.IQ(core.Account, ns, "metadata", m.metadata)
	h.IQ(core.Account, ns, "prefs", m.prefs)
	h.Gone = append(h.Gone, m.gone)
	h.Told = append(h.Told, m.told)
	// XEP-0313#support
	h.Disco(core.Account, ns, ns+"#extended", ns+"#groupchat-field")
	// COMPAT: Profanity 0.13 asks only the server what there is
	h.Disco(core.Server, ns, ns+"#extended")
}

// own refuses those who ask for the archive of somebody else, as for an account
// that is not there: who exists is nobody else's business.
// XEP-0313#security
func own(q *core.Query) error {
	if !q.Own() {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return nil
}

func (m *Mam) query(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	return m.answer(q, nil)
}

// answer answers whoever may read: v is nil for one's own archive.
func (m *Mam) answer(q *core.Query, v *view) ([]byte, error) {
	if !q.Set() {
		return fields(), nil
	}
	sel, err := m.read(q, v)
	if err != nil {
		return nil, err
	}
	return nil, m.start(q, sel)
}

// fields are the fields of a query's form.
// XEP-0313#query-form
func fields() []byte {
	f := form.Form{Kind: form.Ask, Of: ns, Fields: []form.Field{
		{Var: "with", Kind: form.JIDSingle},
		{Var: "start", Kind: form.TextSingle},
		{Var: "end", Kind: form.TextSingle},
		{Var: "before-id", Kind: form.TextSingle},
		{Var: "after-id", Kind: form.TextSingle},
		{Var: "ids", Kind: form.ListMulti, Extra: []byte("<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>")},
		{Var: "include-groupchat", Kind: form.Boolean},
	}}
	b := []byte("<query xmlns='" + ns + "'>")
	return append(f.Append(b), "</query>"...)
}

// metadata tells where the archive begins and ends.
// XEP-0313#archive-metadata
func (m *Mam) metadata(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	return m.ends(q.Ctx, q.Head.To)
}

// told tells a client that binds by Bind 2 where its archive is at that moment.
// XEP-0386 §3.2
func (m *Mam) told(s *core.Session) []byte {
	b, err := m.ends(context.Background(), s.JID.Bare())
	if err != nil {
		m.log.Error("the archive does not answer", "jid", s.JID.String(), "err", err)
		return nil // the client asks for itself
	}
	return b
}

func (m *Mam) ends(ctx context.Context, owner jid.JID) ([]byte, error) {
	b := []byte("<metadata xmlns='" + ns + "'>")
	for _, name := range []string{"start", "end"} {
		end := store.Query{Owner: owner.String(), Limit: 1, Backward: name == "end", NoBody: true}
		rows, _, err := m.archive.Page(ctx, end)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			b = append(b, "<"+name+" id='"+m.archive.StanzaID(r.Seq)+"' timestamp='"...)
			b = append(stanza.AppendTime(b, time.UnixMilli(r.Time)), "'/>"...)
		}
	}
	return append(b, "</metadata>"...), nil
}

// prefs answers for preferences and changes them.
// XEP-0441#config
func (m *Mam) prefs(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	if q.Set() {
		p, err := readPrefs(q.Payload)
		if err != nil {
			return nil, err
		}
		err = m.archive.SetPrefs(q.Ctx, q.Head.To, p)
		if errors.Is(err, archive.ErrTooMany) {
			return nil, stanza.Errorf(stanza.NotAcceptable, "%v", err)
		}
		if err != nil {
			return nil, err
		}
	}
	return writePrefs(m.archive.Prefs(q.Head.To)), nil
}

func readPrefs(e xtok.Elem) (p archive.Prefs, err error) {
	p.Default = e.Attr("default")
	switch p.Default {
	case archive.Always, archive.Never, archive.Roster:
	default:
		// XEP-0441#config-default
		return p, stanza.Errorf(stanza.BadRequest, "the default is always, never or roster")
	}
	if p.Always, err = readJIDs(e.Child(ns, "always")); err != nil {
		return p, err
	}
	p.Never, err = readJIDs(e.Child(ns, "never"))
	return p, err
}

func readJIDs(e xtok.Elem) (out []jid.JID, err error) {
	for c := range e.Children() {
		if !c.Is(ns, "jid") {
			continue
		}
		j, err := jid.Parse(c.Text())
		if err != nil {
			return nil, stanza.Errorf(stanza.JIDMalformed, "malformed address in the preferences")
		}
		out = append(out, j)
	}
	return out, nil
}

func writePrefs(p archive.Prefs) []byte {
	b := []byte("<prefs xmlns='" + ns + "' default='" + p.Default + "'>")
	b = writeJIDs(b, "always", p.Always)
	b = writeJIDs(b, "never", p.Never)
	return append(b, "</prefs>"...)
}

func writeJIDs(b []byte, name string, js []jid.JID) []byte {
	b = append(b, "<"+name+">"...)
	for _, j := range js {
		b = append(b, "<jid>"...)
		b = xtok.Escape(b, j.String())
		b = append(b, "</jid>"...)
	}
	return append(b, "</"+name+">"...)
}
