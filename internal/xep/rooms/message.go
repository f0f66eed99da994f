package rooms

import (
	"context"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// message takes a message to an address of the service.
func (s *Rooms) message(t *core.Transit) error {
	if t.Session == nil || t.Head.To.Local() == "" {
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	if t.Head.Type == stanza.Groupchat {
		if err := s.slow(t.Session, fan(s.size(t.Head.To.Bare()), len(t.Elem.Raw()))); err != nil {
			return err
		}
	}
	return s.with(t.Head.To.Bare(), jid.JID{}, func(r *room) error {
		st := r.seat(t.Session)
		switch {
		case t.Head.Type == stanza.Error:
			return r.bounced(t, st)
		case t.Head.To.IsFull():
			return r.private(t, st)
		case t.Head.Type == stanza.Groupchat:
			return r.speak(t, st)
		}
		return r.letter(t, st)
	})
}

// speak reflects a message to everybody.
// XEP-0045#message
func (r *room) speak(t *core.Transit, st *seat) error {
	if st == nil {
		return notInside()
	}
	if err := soundRetraction(t.Elem); err != nil {
		return err
	}
	if err := r.noteFirst(); err != nil {
		return err
	}
	switch {
	case isSubject(t):
		return r.setSubject(t, st)
	case st.who.role < Participant:
		return stanza.Errorf(stanza.Forbidden, "you have no voice in this room")
	}
	if err := r.readable(t); err != nil {
		return err
	}
	if err := r.retract(t, st); err != nil {
		return err
	}
	r.utter(t, st)
	return nil
}

// readable refuses a readable text where the room is encrypted. As between
// accounts, it guards against mistakes and proves nothing.
func (r *room) readable(t *core.Transit) error {
	f := t.Head.Facts
	if !r.cfg.Encrypted || !f.Has(stanza.HasBody) || f.Any(stanza.Encrypted|stanza.DirectInvite|stanza.StandIn) {
		return nil
	}
	return stanza.Errorf(stanza.PolicyViolation, "Messages in this room must be end-to-end encrypted, and this one was not, so it was not sent. "+
		"Turn on OMEMO encryption in this room and send it again.")
}

// utter gives a message its place and, once it is durable there, to everybody.
func (r *room) utter(t *core.Transit, st *seat) {
	who := st.who
	r.clean(t)
	t.Edit.Append = r.appendID(nil, who.real)
	t.Head.From, t.Head.To = who.addr, jid.JID{}
	t.Stanza = stanza.Make(t.Head, t.Elem, t.Edit)
	if r.cfg.Archive && keeps(&t.Head) {
		t.Keep(core.Owner{JID: r.jid, Peer: who.real, Flags: r.inSight()})
	}
	r.enter(t, func(b *back) { b.spread(t.Stanza, r.idOf(t.Seq)) })
	r.remember(t)
}

// inSight are the flags of what is said now.
func (r *room) inSight() uint8 {
	if r.cfg.NonAnonymous {
		return archive.Outgoing | archive.Named
	}
	return archive.Outgoing
}

// idOf is the <stanza-id/> of a place in the room's archive, nil for none.
func (r *room) idOf(seq uint64) []byte {
	if seq == 0 {
		return nil
	}
	return r.svc.router.StanzaIDElement(seq, r.jid)
}

// keeps decides which messages a room's archive keeps: what people said, what changes it,
// and how far they have read.
func keeps(h *stanza.Head) bool {
	f := h.Facts
	return !f.Any(stanza.NoStore|stanza.NoPermanent) && f.Any(lasting|stanza.KeysOnly|stanza.HasSubject|stanza.Marker|stanza.Store)
}

// lasting is what a newcomer is shown.
const lasting = stanza.HasBody | stanza.Encrypted | stanza.Retraction | stanza.Reactions | stanza.Correction | stanza.File

// utterance is a message that was reflected.
type utterance struct {
	seq    uint64 // place in the archive, 0 for what is not kept
	at     time.Time
	stanza *stanza.Stanza
}

// recentBytes is how much of what was said of late a room holds in memory.
const recentBytes = 512 << 10

// remember adds a message to what newcomers are shown; under mu. The list is
// never changed in place, only appended to and cut at its beginning, for those
// who are being shown it.
func (r *room) remember(t *core.Transit) {
	f := t.Head.Facts
	if t.Repeats || r.cfg.History == 0 || f.Has(stanza.HasSubject) && !f.Has(stanza.HasBody) || !f.Any(lasting) || f.Any(stanza.NoStore|stanza.NoPermanent) {
		return
	}
	r.recent = append(r.recent, utterance{t.Seq, t.Time, t.Stanza})
	r.shorten()
}

// shorten cuts what is remembered to its bounds; under mu.
func (r *room) shorten() {
	from := max(0, len(r.recent)-r.cfg.History)
	size := 0
	for i := len(r.recent) - 1; i >= from; i-- {
		if size += len(r.recent[i].stanza.Raw); size > recentBytes {
			from = i + 1
		}
	}
	if r.recent = r.recent[from:]; cap(r.recent) == len(r.recent) && from > 0 {
		r.recent = append([]utterance(nil), r.recent...) // what was cut can go
	}
}

// unsay takes a message out of what newcomers are shown; under mu.
func (r *room) unsay(seq uint64) {
	var rest []utterance
	for _, u := range r.recent {
		if u.seq != seq {
			rest = append(rest, u)
		}
	}
	r.recent = rest
}

// recall reads what was said of late from the archive.
func (r *room) recall(ctx context.Context) error {
	if !r.cfg.Archive || r.cfg.History == 0 {
		return nil
	}
	rows, _, err := r.svc.past.Page(ctx, store.Query{Owner: r.jid.String(), Limit: 2 * r.cfg.History, Backward: true})
	if err != nil {
		return err
	}
	for _, row := range rows {
		st, e, err := stanza.Parse(row.Body)
		if err != nil {
			return err
		}
		if e.Child(nsRetract, "retracted").OK() {
			continue // XEP-0424#rules: not shown to newcomers
		}
		r.remember(&core.Transit{Head: st.Head, Elem: e, Stanza: st, Seq: row.Seq, Time: time.UnixMilli(row.Time)})
	}
	return nil
}

// tail is what the room adds to a message of the past.
// XEP-0045#enter-history
func (r *room) tail(seq uint64, at time.Time) []byte {
	b := stanza.AppendDelay(make([]byte, 0, 256), r.jid.String(), at)
	return append(b, r.idOf(seq)...)
}

// isSubject tells a change of subject from a message that has one.
// XEP-0045#subject-mod
func isSubject(t *core.Transit) bool {
	e := t.Elem
	return t.Head.Facts.Has(stanza.HasSubject) &&
		!e.Child(stanza.NSClient, "body").OK() && !e.Child(stanza.NSClient, "thread").OK()
}

// maxSubject is how long a subject may be, in bytes and all languages together: it is
// kept, and sent to whoever enters. maxSubjectContent is for the message that sets it.
const (
	maxSubject        = 4096
	maxSubjectContent = 4 * maxSubject
)

// setSubject says what the room is about.
// XEP-0045#subject-mod
func (r *room) setSubject(t *core.Transit, st *seat) error {
	if st.who.role != Moderator && (!r.cfg.SubjectByAnyone || st.who.role < Participant) {
		return stanza.Errorf(stanza.Forbidden, "only moderators change the subject of this room")
	}
	text, content, size := subjects(t.Elem)
	if size > maxSubject || len(content) > maxSubjectContent || len(t.Elem.Content()) > maxSubjectContent {
		return stanza.Errorf(stanza.NotAcceptable, "this subject is too long")
	}
	sub := subject{Text: text, By: st.who.nick, ID: t.Head.ID, At: t.Time, Content: r.appendID(content, st.who.real)}
	if err := r.keep(r.opSubject(sub)); err != nil {
		return err
	}
	r.subject = sub
	r.utter(t, st)
	return nil
}

// subjects is what a room keeps of the message that sets it: its subject, in how many
// languages there are, and nothing else. size is of all, in bytes.
func subjects(e xtok.Elem) (first string, content []byte, size int) {
	for c := range e.Children() {
		if !c.Is(stanza.NSClient, "subject") {
			continue
		}
		text, lang := c.Text(), c.AttrNS(xtok.NSXML, "lang")
		if content == nil {
			first = text
		}
		size += len(text) + len(lang)
		content = xtok.AppendAttr(append(content, "<subject"...), "xml:lang", lang)
		content = append(xtok.Escape(append(content, '>'), text), "</subject>"...)
	}
	return first, content, size
}

// stanza is the subject as newcomers are told it.
// XEP-0045#enter-subject
func (s *subject) stanza(r *room) *stanza.Stanza {
	h := stanza.Head{Kind: stanza.Message, Type: stanza.Groupchat, From: r.jid, ID: s.ID}
	if s.Content == nil {
		return stanza.New(h, []byte("<subject/>"))
	}
	h.From = r.address(s.By)
	return stanza.New(h, stanza.AppendDelay(append([]byte(nil), s.Content...), r.jid.String(), s.At))
}
