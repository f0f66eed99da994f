package client

import (
	"encoding/base64"
	"errors"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/files"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces that the engine itself reads.
const (
	nsCarbons   = "urn:xmpp:carbons:2"
	nsForward   = "urn:xmpp:forward:0"
	nsDelay     = "urn:xmpp:delay"
	nsMAM       = "urn:xmpp:mam:2"
	nsEvent     = "http://jabber.org/protocol/pubsub#event"
	nsPubsub    = "http://jabber.org/protocol/pubsub"
	nsMUCUser   = "http://jabber.org/protocol/muc#user"
	nsMUC       = "http://jabber.org/protocol/muc"
	nsMUCAdmin  = "http://jabber.org/protocol/muc#admin"
	nsMUCOwner  = "http://jabber.org/protocol/muc#owner"
	nsOccupant  = "urn:xmpp:occupant-id:0"
	nsLegacy    = "eu.siacs.conversations.axolotl"
	nsTwo       = "urn:xmpp:omemo:2"
	nsBookmarks = "urn:xmpp:bookmarks:1"
	nsDisplayed = "urn:xmpp:mds:displayed:0"
	nsReceipts  = "urn:xmpp:receipts"
	nsMarkers   = "urn:xmpp:chat-markers:0"
	nsStates    = "http://jabber.org/protocol/chatstates"
)

// stanza takes what came on the stream, and acknowledges it once it is kept.
func (e *Engine) stanza(s *conn.Stanza) {
	switch s.Kind {
	case stanza.Message:
		e.message(s)
	case stanza.Presence:
		e.presenceFrom(s)
	case stanza.IQ:
		e.request(s)
	}
	e.settle(s)
}

// message takes a message stanza: a page of the archive, a note of pubsub, a copy of
// one's own other device, a room's, or somebody's.
func (e *Engine) message(s *conn.Stanza) {
	el := s.Elem
	own := s.From.IsZero() || s.From == e.own
	if l := el.Child(nsLink, "linked"); l.OK() && own && s.Type == stanza.Headline {
		e.linkAlert(l)
		return
	}
	if own && s.Type == stanza.Headline && (e.wayBackAlert(el) || e.callWord(el)) {
		return
	}
	if e.settingUp() {
		return // it is in the archive, and comes after what is handed over
	}
	if r := el.Child(nsMAM, "result"); r.OK() {
		e.result(s.From, r)
		return
	}
	if ev := el.Child(nsEvent, "event"); ev.OK() {
		e.event(s.From, ev)
		return
	}
	// XEP-0280 §11: only one's own account may wrap.
	for _, direction := range []string{"received", "sent"} {
		if c := el.Child(nsCarbons, direction); c.OK() {
			if f := c.Child(nsForward, "forwarded"); own && f.OK() {
				e.heard(f.Child(stanza.NSClient, "message"), origin{source: timeline.Carbon, time: delayOf(f)})
			}
			return // somebody else's is nothing
		}
	}
	o := origin{source: timeline.Live, time: e.keptSince(el, s.From)}
	if !o.time.IsZero() {
		o.source = timeline.Offline
	}
	e.heard(el, o)
}

// origin is how a message came to us.
type origin struct {
	source   timeline.Source
	stanzaID string    // of an archive
	archive  string    // whose
	time     time.Time // when it was said; zero: now
}

// heard reads, keeps and tells one message, or holds it back until what was said before
// it has come.
func (e *Engine) heard(el xtok.Elem, o origin) {
	e.callHeard(el, o)
	if env, ok := e.told(el, o); ok && !e.holdBack(el, env) {
		e.hear(el, env)
	}
}

// hear opens, keeps and tells a message that came on the stream.
func (e *Engine) hear(el xtok.Elem, env timeline.Envelope) {
	in, step, ok := e.opened(el, env)
	if !ok {
		e.take(e.discreet(step))
		return
	}
	change, err := e.lines.Apply(in, e.Now())
	if err != nil {
		e.breakDown(err)
		return
	}
	isNew := isNew(change) && env.Source != timeline.Carbon
	if isNew {
		e.owe(&change, in)
	}
	if e.commit(change, e.discreet(step)) && isNew {
		e.answer(in)
	}
}

// told says who says something where; false: it is nothing for the timeline.
func (e *Engine) told(el xtok.Elem, o origin) (timeline.Envelope, bool) {
	head, err := stanza.ReadHead(el)
	if err != nil || head.Kind != stanza.Message {
		return timeline.Envelope{}, false
	}
	if head.From == e.own.DomainOnly() && e.ownNews(el, o) {
		return timeline.Envelope{}, false
	}
	env, ok := e.envelope(el, head, o)
	if ok && env.FromRoom && o.source == timeline.Live { // what it said in the past is not so any more
		e.roomSays(env.Chat, el)
	}
	return env, ok && !(env.FromRoom && e.roomAnswers(env.Chat, el))
}

// read decrypts a message and says what happened; false: nothing for the timeline.
func (e *Engine) read(el xtok.Elem, o origin) (timeline.Incoming, e2ee.Step, bool) {
	env, ok := e.told(el, o)
	if !ok {
		return timeline.Incoming{}, e2ee.Step{}, false
	}
	return e.opened(el, env)
}

func (e *Engine) opened(el xtok.Elem, env timeline.Envelope) (timeline.Incoming, e2ee.Step, bool) {
	plain, step, silent := e.unlock(el, &env)
	if silent || e.broken != nil {
		return timeline.Incoming{}, step, false
	}
	return e.forMe(withFacts(timeline.Read(el, env, e.archiveOf(env), plain), el)), step, true
}

// nsFacts is of what is said of a file beside an encrypted link: <facts/> with the base64 of files.SealFacts.
const nsFacts = "urn:mirsal:file:0"

// withFacts gives a file the name under which it would be saved, which is the one to show, and what
// its link opens of what stands beside it.
func withFacts(in timeline.Incoming, el xtok.Elem) timeline.Incoming {
	if in.File == nil {
		return in
	}
	in.File.Name = files.NameIn(in.File.URL, in.File.Name)
	if box, err := base64.StdEncoding.DecodeString(el.Child(nsFacts, "facts").Text()); err == nil && len(box) > 0 {
		in.File.Learn(files.OpenFacts(in.File.URL, box))
	}
	return in
}

// envelope says who speaks where, as far as that can be believed.
func (e *Engine) envelope(el xtok.Elem, head stanza.Head, o origin) (timeline.Envelope, bool) {
	env := timeline.Envelope{Source: o.source, StanzaID: o.stanzaID, Time: o.time}
	if now := e.Now(); env.Time.IsZero() || env.Time.After(now) {
		env.Time = now
	}
	if head.Type == stanza.Error {
		env.Refused = words(stanza.ReadError(el))
	}
	from := head.From
	if from.IsZero() {
		from = e.own
	}
	if r := e.rooms[from.Bare().String()]; r != nil {
		// Only the room itself refuses what went to it; private words in a room are not
		// carried on here.
		if head.Type != stanza.Groupchat && !from.IsBare() {
			return env, false
		}
		r.heard = e.Now()
		return e.roomEnvelope(env, r, el, from), true
	}
	if head.Type == stanza.Groupchat {
		return env, false // of a room we are not in
	}
	env.Mine = from.Bare() == e.own
	env.Sender, env.Real = from.Bare().String(), from.Bare().String()
	env.Chat = env.Sender
	if env.Mine {
		env.Chat = head.To.Bare().String()
	}
	if head.To.IsZero() && env.Mine {
		env.Chat = e.own.String()
	}
	return env, env.Chat != "" && e.rooms[env.Chat] == nil
}

// unlock opens an encrypted message. silent: nothing in it is for people.
func (e *Engine) unlock(el xtok.Elem, env *timeline.Envelope) (plain *timeline.Plain, step e2ee.Step, silent bool) {
	box := e.keys.Box(el)
	chat, err := jid.Parse(env.Chat)
	if err != nil {
		return nil, step, true
	}
	if !box.OK() {
		env.Lock = e.keys.Plain(chat)
		return nil, step, false
	}
	in := e2ee.Incoming{Element: box, Sent: env.Time}
	if env.Source == timeline.Live {
		in.Sent = time.Time{}
	}
	if env.Real != "" {
		in.From, _ = jid.Parse(env.Real)
	}
	if env.Room {
		in.Room = chat
	} else if env.Mine {
		in.To = chat
	}
	open, step, err := e.keys.Decrypt(in)
	env.Lock = open.Proof.Lock
	switch {
	case errors.Is(err, e2ee.ErrEcho):
		env.Unreadable = echo // the line is here already, and known by its origin-id
		return nil, step, !el.Child("urn:xmpp:sid:0", "origin-id").OK()
	case err != nil && unreadable(err) == "": // the store's: the stanza comes again
		e.breakDown(err)
		return nil, step, true
	case err != nil && !open.Empty:
		env.Unreadable = unreadable(err)
		if r := e.rooms[env.Chat]; r != nil && env.Source == timeline.Archive && env.Time.Before(r.Since) {
			env.Unreadable = beforeJoined
		}
		return nil, step, false
	case open.Duplicate: // it may still tell where in its archive the message stands
		env.Again = true
		return nil, step, false
	case open.Empty && !carriesMore(el):
		return nil, step, true
	}
	plain = &timeline.Plain{Text: open.Text}
	if len(open.XML) > 0 {
		plain.Content, _ = xtok.Parse(open.XML, xtok.Limits{Size: 1 << 20, Depth: 64})
	}
	return plain, step, false
}

// carriesMore tells whether a message without a text of its own still says
// something: an empty OMEMO message beside a marker, say.
func carriesMore(el xtok.Elem) bool {
	for c := range el.Children() {
		switch c.NS() {
		case nsMarkers, nsReceipts, nsStates:
			return true
		}
	}
	return false
}

// echo marks one's own message, come back: nobody can decrypt what he has encrypted.
const echo = "echo"

// beforeJoined is why nobody can read here what was said before he came.
const beforeJoined = "before-joined"

// unreadable is the reason in one word, a key for translation; "" where it is the store's.
func unreadable(err error) string {
	for _, r := range []struct {
		err error
		key string
	}{
		{e2ee.ErrTampered, e2ee.WhyTampered}, {e2ee.ErrNotForUs, e2ee.WhyNotForUs},
		{e2ee.ErrForged, e2ee.WhyForged}, {e2ee.ErrRefused, e2ee.WhyRefused}, {e2ee.ErrUnreadable, e2ee.WhyUnread},
	} {
		if errors.Is(err, r.err) {
			return r.key
		}
	}
	return ""
}

// answer sends the receipt that a message asks for, to people one knows only: it tells
// when somebody is online. What could not be opened has not arrived.
// XEP-0184 §5.3
func (e *Engine) answer(in timeline.Incoming) {
	if e.hidden.Receipts || !in.Asked || in.Mine || in.Room || in.Kind != timeline.Text || !e.knows(in.Real) {
		return
	}
	e.send(append(timeline.AppendReceipt([]byte("<message xmlns='jabber:client' type='chat' to='"+esc(in.Chat)+"' id='"+e.newID()+"'>"), in.ID), "</message>"...), 0)
}

// isNew tells whether a change brought a line that was not there.
func isNew(c timeline.Change) bool {
	for _, ev := range c.Events {
		if m, ok := ev.(*port.MessageChanged); ok && m.New {
			return true
		}
	}
	return false
}

// event takes a note of pubsub: who may send which is decided by its sender.
func (e *Engine) event(from jid.JID, ev xtok.Elem) {
	if step, ours := e.keys.Event(from, ev); ours {
		if e.take(step) {
			e.touchKeys(from)
			e.tellLocks()
			e.pump()
		}
		return
	}
	if e.faceEvent(from, ev.Child(nsEvent, "items")) || !from.IsZero() && from != e.own {
		return
	}
	items := ev.Child(nsEvent, "items")
	switch items.Attr("node") {
	case nsBookmarks:
		e.bookmarkEvent(items)
	case nsDisplayed:
		e.displayedEvent(items)
	case nsCalls:
		e.askAttempts()
	}
}

// keptSince is when a stanza was said that was kept for us, zero for one that comes as it is
// said. Only who keeps things for us may tell: our server, or the room it comes from.
// XEP-0203 §5
func (e *Engine) keptSince(el xtok.Elem, from jid.JID) time.Time {
	for d := range el.Children() {
		by, err := jid.Parse(d.Attr("from"))
		if !d.Is(nsDelay, "delay") || err != nil {
			continue
		}
		room := e.rooms[from.Bare().String()] != nil && (by == from.Bare() || by == from.DomainOnly())
		if by == e.own.DomainOnly() || by == e.own || room {
			return stampOf(d)
		}
	}
	return time.Time{}
}

// delayOf is the time on what was forwarded, zero where it does not tell. XEP-0297 §2
func delayOf(el xtok.Elem) time.Time {
	return stampOf(el.Child(nsDelay, "delay"))
}

func stampOf(d xtok.Elem) time.Time {
	t, err := stanza.ParseTime(d.Attr("stamp"))
	if err != nil {
		return time.Time{}
	}
	return t
}
