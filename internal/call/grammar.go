package call

import (
	"errors"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// mostID bounds, in bytes, the id of a stanza of a call.
const mostID = 128

// read is the core.ScreenFunc that goes first: from here on a stanza of a call
// is one that we wrote.
func (f *Calls) read(t *core.Transit) error {
	switch t.Head.Kind {
	case stanza.Message:
		if t.Head.Facts.Any(stanza.CallOffer | stanza.CallStep) {
			return f.message(t)
		}
	case stanza.IQ:
		if t.Elem.Child(jingle.NS, "jingle").OK() {
			return f.jingle(t)
		}
	}
	return nil
}

// message reads an invitation. Errors lose what they quote of one.
func (f *Calls) message(t *core.Transit) error {
	if t.Head.Type == stanza.Error {
		return cut(t, jingle.NSInvite)
	}
	v, ok, err := jingle.InviteIn(t.Elem)
	switch {
	case err != nil:
		return f.refuse(t, err)
	case !ok && t.Head.Type == stanza.Groupchat:
		return nil // calls of a whole room (XEP-0482) ring nowhere
	case !ok:
		// XEP-0482: it would ring without saying who may be called how
		return f.refuse(t, &jingle.Refusal{Reason: jingle.NotACall, Where: "message"})
	case t.Head.Type != stanza.Chat && t.Head.Type != stanza.Normal || f.inRoom(t):
		return f.misplaced(t)
	case len(t.Head.ID) > mostID:
		return f.refuse(t, &jingle.Refusal{Reason: jingle.TooLong, Where: "id"})
	}
	if f.router.Local(t.Head.To) && (v.Kind == jingle.Propose || v.Kind == jingle.Retract) {
		// XEP-0353 §3.1, §3.3: they are for all of the callee's devices
		t.Head.To = t.Head.To.Bare()
	}
	return rewrite(t, f.appendToken(appendOrigin(v.Append(nil), t.Elem), t, v))
}

// inRoom tells whether a stanza goes to a site that is no gateway: to one in a
// room, say, whose address others do not know.
func (f *Calls) inRoom(t *core.Transit) bool {
	s := f.router.Site(t.Head.To)
	return s != nil && s.Any == nil
}

// appendOrigin keeps the id by which a client knows its own message again.
// XEP-0359 §3
func appendOrigin(b []byte, message xtok.Elem) []byte {
	id := message.Child("urn:xmpp:sid:0", "origin-id").Attr("id")
	if id == "" || len(id) > mostID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return b
	}
	b = append(b, "<origin-id xmlns='urn:xmpp:sid:0'"...)
	b = xtok.AppendAttr(b, "id", id)
	return append(b, "/>"...)
}

// jingle reads a stanza of a session. Sessions of other kinds pass as they are.
func (f *Calls) jingle(t *core.Transit) error {
	if !t.Head.IsRequest() {
		return cut(t, jingle.NS)
	}
	e := t.Elem.Child(jingle.NS, "jingle")
	s, err := jingle.ParseSession(e)
	var no *jingle.Refusal
	switch {
	case errors.As(err, &no) && no.Reason == jingle.NotACall && !hidden(e):
		return nil
	case err != nil:
		return f.refuse(t, err)
	// XEP-0166#protocol-initiate
	case t.Head.Type != stanza.Set: // a get would pass by what decides who may call
		return f.refuse(t, &jingle.Refusal{Reason: jingle.Malformed, Where: "type"})
	case f.inRoom(t):
		return f.misplaced(t)
	case len(t.Head.ID) > mostID:
		return f.refuse(t, &jingle.Refusal{Reason: jingle.TooLong, Where: "id"})
	}
	if !f.cfg.Loopback {
		dropLoopback(&s)
	}
	return rewrite(t, s.Append(nil))
}

// hidden tells whether there is something of a call anywhere in a session that is
// none: who reads it more loosely might take it for one.
func hidden(e xtok.Elem) bool {
	for c := range e.Children() {
		if strings.HasPrefix(c.NS(), jingle.NSRTP[:len(jingle.NSRTP)-1]) || hidden(c) {
			return true
		}
	}
	return false
}

// dropLoopback leaves out what would make the peer speak to itself.
func dropLoopback(s *jingle.Session) {
	for i := range s.Contents {
		w := s.Contents[i].Transport
		if w == nil {
			continue
		}
		w.Candidates = slices.DeleteFunc(w.Candidates, func(c jingle.Candidate) bool { return c.Address.Addr().Unmap().IsLoopback() })
		w.Remotes = slices.DeleteFunc(w.Remotes, func(r jingle.Remote) bool { return r.Address.Addr().Unmap().IsLoopback() })
		if len(w.Candidates) == 0 {
			w.Candidates = nil
		}
	}
}

// rewrite puts what we wrote in the place of all that came.
func rewrite(t *core.Transit, content []byte) error {
	t.Head.Lang = ""
	return replace(t, stanza.New(t.Head, content))
}

// cut leaves out children of a namespace.
func cut(t *core.Transit, ns string) error {
	var edit stanza.Edit
	for c := range t.Elem.Children() {
		if c.NS() == ns {
			edit.Cut = append(edit.Cut, c)
		}
	}
	if edit.Cut == nil {
		return nil
	}
	return replace(t, stanza.Make(t.Head, t.Elem, edit))
}

func replace(t *core.Transit, by *stanza.Stanza) error {
	st, e, err := stanza.Parse(by.Raw)
	if err != nil {
		return err
	}
	t.Elem, t.Head.Facts = e, st.Facts
	if t.Stanza != nil {
		t.Stanza = st
	}
	return nil
}

// refuse counts what is not in the grammar, and tells its sender.
func (f *Calls) refuse(t *core.Transit, err error) error {
	var no *jingle.Refusal
	if !errors.As(err, &no) {
		return err
	}
	f.note(t, no.Reason.String(), no.Where)
	c := stanza.BadRequest
	if no.Reason == jingle.NotACall {
		c = stanza.FeatureNotImplemented
	}
	return stanza.Errorf(c, "this cannot be passed on as a call: %s (%s)", no.Reason, no.Where).WithApp(NS, no.Reason.String())
}

func (f *Calls) misplaced(t *core.Transit) error {
	f.note(t, "misplaced", t.Head.Type)
	return stanza.Errorf(stanza.NotAllowed, "calls go from one person to another").WithApp(NS, "misplaced")
}

// note counts a refusal. Of some in each minute the log has more: nothing that
// tells who sent it, or what it said.
func (f *Calls) note(t *core.Transit, reason, where string) {
	f.metrics.refused.WithLabelValues(reason).Inc()
	if f.metrics.sample() {
		f.cfg.Log.Info("call refused", "reason", reason, "where", where, "kind", t.Head.Kind.String(), "session", t.FromLocal())
	}
}
