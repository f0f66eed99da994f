package mam

import (
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// ReadFunc decides who may read the archive that a request is for: an error
// refuses. show makes what is appended to an archived message for this asker, nil
// for nothing: who its sender is; senders tells whether he may know every row's peer,
// not only where he is shown something. show runs
// on the asker's writer and must not block.
type ReadFunc = func(q *core.Query) (show func(r *store.Row) []byte, senders bool, err error)

// At answers for the archives of the bare addresses at a target, and leaves it to
// them to say so among their features. Only sessions are answered.
// XEP-0313#archives_muc
func (m *Mam) At(h *core.Host, at core.Target, read ReadFunc) {
	guard := func(f func(q *core.Query, v *view) ([]byte, error)) core.IQFunc {
		return func(q *core.Query) ([]byte, error) {
			if q.Session == nil {
				return nil, stanza.Errorf(stanza.FeatureNotImplemented, "the archive is read by clients of this server only")
			}
			show, senders, err := read(q)
			if err != nil {
				return nil, err
			}
			return f(q, &view{show, senders, q.Head.To})
		}
	}
	h.IQ(at, ns, "query", guard(m.answer))
	h.IQ(at, ns, "metadata", guard(func(q *core.Query, _ *view) ([]byte, error) { return m.ends(q.Ctx, q.Head.To) }))
}

// view is how one asker sees an archive that is no account's.
type view struct {
	show    func(r *store.Row) []byte
	senders bool
	owner   jid.JID
}

const closing = "</message>"

// segments are an archived message in its wrapper.
func (v *view) segments(head []byte, r *store.Row) [][]byte {
	if v != nil && v.show != nil {
		if add := v.show(r); len(add) > 0 && len(r.Body) > len(closing) {
			end := len(r.Body) - len(closing) // as every stanza of package stanza ends
			return [][]byte{head, r.Body[:end:end], add, r.Body[end:], tail}
		}
	}
	return [][]byte{head, r.Body, tail}
}

// publisher selects what one published: by the address that the archive shows,
// or, where the asker may know them, by the real one: of each message, or of those
// with which he is shown something of the sender.
// XEP-0313#filter-jid
func (s *selection) publisher(with jid.JID) error {
	switch {
	case with.Bare() == s.view.owner:
		s.with = with
	case s.view.senders:
		s.Peer = with.Bare().String()
	case s.view.show != nil:
		s.Peer, s.named = with.Bare().String(), true
	default:
		return stanza.Errorf(stanza.Forbidden, "who published what is not told here")
	}
	return nil
}
