package client

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// mostUnder bounds how many messages are on their way at once: what is behind them is
// encrypted when there is room, so that no key is used up for nothing.
const mostUnder = 256

// mostContent bounds a message's content, in bytes: servers end the stream of who sends more than 256 KiB
// in one stanza, and would do so each time that it is sent again.
const mostContent = 250 << 10

// pump sends what waits in the outbox, in order within each chat: what cannot go
// now holds up what is behind it there, and nothing else.
func (e *Engine) pump() {
	if e.online() && e.broken == nil {
		clear(e.stuck)
		e.pumpChat("")
	}
}

// pumpAgain sends what was stuck in one chat.
func (e *Engine) pumpAgain(chat string) {
	if e.stuck[chat] && e.online() && e.broken == nil {
		delete(e.stuck, chat)
		e.pumpChat(chat)
	}
}

// pumpChat sends what waits in one chat ("": in all).
func (e *Engine) pumpChat(only string) {
	if e.pumping { // an answer that came at once, while a message is being encrypted
		return
	}
	e.pumping = true
	defer func() { e.pumping = false }()
	list, err := e.lines.Outbox()
	if err != nil {
		e.breakDown(err)
		return
	}
	for _, o := range list {
		if len(e.sending) >= mostUnder || e.broken != nil {
			return
		}
		if _, under := e.sending[o.OriginID]; under || e.stuck[o.Chat] || only != "" && o.Chat != only {
			continue
		}
		if !e.dispatch(o) {
			e.stuck[o.Chat] = true
		}
	}
}

// dispatch encrypts one message and sends it; false: not now. The ratchet's step
// is kept before the message leaves.
func (e *Engine) dispatch(o timeline.Outgoing) bool {
	r := e.rooms[o.Chat]
	switch _, err := jid.Parse(o.Chat); {
	case err != nil || (r != nil) != o.Room:
		return e.refuse(o, "there is no such chat any more")
	case r != nil && !r.joined:
		return false
	case e.contested(r):
		return e.refuse(o, "others write encrypted here, and the server says that anybody may read along: switch encryption off for this room to write openly")
	case o.Lock.State != port.Open && !e.encrypts(o.Chat):
		return e.refuse(o, "it was written to be encrypted, and encryption is off now")
	}
	to, room := e.recipients(o.Chat)
	content, batch, lock, err := e.seal(o, to, room)
	switch {
	case errors.Is(err, e2ee.ErrWaiting):
		return false
	case errors.Is(err, e2ee.ErrNobody), errors.Is(err, e2ee.ErrUndecided):
		return e.refuse(o, whyNot(err, lock))
	case errors.Is(err, e2ee.ErrTooMany):
		return e.refuse(o, "there are too many devices that it would be encrypted to: their programs would not read it")
	case err != nil:
		e.breakDown(err)
		return false
	}
	switch {
	case !e.locked(o, lock, batch):
		return false
	case len(content) > mostContent:
		return e.refuse(o, "there are too many devices that it would be encrypted to, or it is too long: no server would take it")
	}
	return e.leaves(o, content)
}

// locked keeps a ratchet's step, and what is known of a text's lock now. What takes back
// or reacts has no text: the line it is about keeps its own lock.
func (e *Engine) locked(o timeline.Outgoing, lock port.Lock, batch *keep.Batch) bool {
	var change timeline.Change
	if o.Kind == timeline.Text || o.Kind == timeline.Edit {
		var err error
		change, err = e.lines.SetLock(o.Message, short(lock))
		if err != nil && composeFailure(err) == nil { // that a line is gone holds up nothing
			e.breakDown(err)
			return false
		}
	}
	return e.commit(change, e2ee.Step{Batch: batch})
}

// leaves hands a message to the connection.
func (e *Engine) leaves(o timeline.Outgoing, content []byte) bool {
	kind := "chat"
	if o.Room {
		kind = "groupchat"
	}
	raw := append([]byte("<message xmlns='jabber:client' type='"+kind+"' to='"+esc(o.Chat)+"' id='"+esc(o.OriginID)+"'>"), content...)
	e.ticket++
	if !e.send(append(raw, "</message>"...), e.ticket) {
		return false
	}
	e.sending[o.OriginID], e.tickets[e.ticket] = e.ticket, o.OriginID
	return true
}

// seal makes a message's content: encrypted where the chat is, and never in the
// clear because encrypting did not work.
func (e *Engine) seal(o timeline.Outgoing, to []jid.JID, room jid.JID) (content []byte, batch *keep.Batch, lock port.Lock, err error) {
	body, extras := o.Body(), o.AppendExtras(nil)
	if !e.encrypts(o.Chat) {
		return append(xtok.AppendElement(nil, "body", body), o.AppendLink(extras)...), nil, port.Lock{State: port.Open}, nil
	}
	if e.waitsForKeys(to) { // also what has no text: where it goes depends on them
		return nil, nil, lock, e2ee.ErrWaiting
	}
	if body == "" && !e.keys.Encloses(to) { // what takes back or reacts: the deployed profile has no place for it inside
		return extras, nil, e.keys.Lock(to, room), nil
	}
	readers, without := e.readers(to, room)
	sealed, b, err := e.keys.Encrypt(e2ee.Outgoing{To: readers, Room: room, Text: body, XML: o.AppendInside(slices.Clip(extras))})
	sealed.Lock = alone(lacking(sealed.Lock, without), to)
	if err != nil {
		return nil, nil, sealed.Lock, err
	}
	content = sealed.Content
	if !sealed.Inside {
		content = e.appendFacts(append(slices.Clip(content), extras...), o)
	}
	return content, b, sealed.Lock, nil
}

// waitsForKeys asks for the keys that are lacking, and tells whether there is one that may come yet.
func (e *Engine) waitsForKeys(to []jid.JID) bool {
	ask, waiting := e.keys.Needs(to)
	for _, r := range ask {
		e.askKeys(r)
	}
	if len(ask) > 0 {
		_, waiting = e.keys.Needs(to)
	}
	return waiting
}

// appendFacts appends what a file is, for who can read the link that is encrypted beside it.
func (e *Engine) appendFacts(dst []byte, o timeline.Outgoing) []byte {
	if o.Kind != timeline.Text || o.File == nil {
		return dst
	}
	box := files.SealFacts(e.Rand, o.File.URL, o.File.Facts())
	if box == nil {
		return dst
	}
	return append(base64.StdEncoding.AppendEncode(append(dst, "<facts xmlns='"+nsFacts+"'>"...), box), "</facts>"...)
}

// whySome is a lock's reason where some members of a room cannot read.
const whySome = "some-cannot-read"

// readers leaves out who has no key to be had: one member without a device must
// not silence a room. Who is left out stands in the lock. Between two people there
// is nobody to leave out.
func (e *Engine) readers(to []jid.JID, room jid.JID) (readers []jid.JID, without []string) {
	lock := e.keys.Lock(to, room)
	if room.IsZero() || lock.State != port.Broken || lock.Why == e2ee.WhyWaiting || len(lock.Missing) >= len(to) {
		return to, nil
	}
	missing := make(map[string]bool, len(lock.Missing))
	for _, who := range lock.Missing {
		missing[who] = true
	}
	for _, j := range to {
		if !missing[j.String()] {
			readers = append(readers, j)
		}
	}
	return readers, lock.Missing
}

// lacking says in a lock who cannot read.
func lacking(lock port.Lock, without []string) port.Lock {
	if len(without) > 0 && lock.State != port.Broken {
		lock.Missing = append(slices.Clone(lock.Missing), without...)
		if lock.Why == "" {
			lock.Why = whySome
		}
	}
	return lock
}

// recipients is for whom a chat's messages are: one person, or a room's members. The
// chat is an address.
func (e *Engine) recipients(chat string) (to []jid.JID, room jid.JID) {
	j, _ := jid.Parse(chat)
	if r := e.rooms[chat]; r != nil {
		return r.others(e.own), j
	}
	return []jid.JID{j}, room
}

// encrypts tells whether a chat's messages are encrypted: always, but in rooms
// that anybody may enter or that hide their members, with a server itself, and
// where a person has switched it off.
func (e *Engine) encrypts(chat string) bool {
	if r := e.rooms[chat]; r != nil {
		return r.Encrypted
	}
	return !e.chats[chat].Plain && !isServer(chat)
}

// whyOthers is a lock's reason in a room that is contested.
const whyOthers = "others-encrypt"

// whyOutside is a lock's reason in a room that we have not come into: what it is is not known.
const whyOutside = "outside"

// whyAlone is a lock's reason in a room where nobody else is.
const whyAlone = "alone"

// contested tells whether others were read encrypted in a room of which the server says that anybody
// may enter it: it may say so to have us answer in the clear. A person decides.
func (e *Engine) contested(r *room) bool {
	if r == nil || r.Encrypted || r.Openly {
		return false
	}
	j, err := jid.Parse(r.Address)
	return err == nil && e.keys.Encrypted(j)
}

// isServer tells whether a chat is with a server: its announcements are read by
// who wrote them.
func isServer(chat string) bool { return !strings.Contains(chat, "@") }

// lockOf is what a message sent now would be. A room's is remembered as long as nothing
// changes that it is made of: it is asked for with each line that comes.
func (e *Engine) lockOf(chat string) port.Lock {
	r := e.rooms[chat]
	switch {
	case e.contested(r):
		return port.Lock{State: port.Broken, Why: whyOthers}
	case r != nil && !r.Encrypted && (r.Asked || r.Left):
		return port.Lock{State: port.Broken, Why: whyOutside}
	case !e.encrypts(chat) && r != nil:
		return port.Lock{State: port.Open, Why: "public-room"}
	case isServer(chat):
		return port.Lock{State: port.Open, Why: "server"}
	case !e.encrypts(chat):
		return port.Lock{State: port.Open, Why: "switched-off"}
	case r == nil:
		return e.lockNow(chat)
	}
	if now := e.keys.Generation(); r.lock == nil || r.lockAt != now || e.Now().Sub(r.lockTime) > time.Minute {
		lock := e.lockNow(chat)
		r.lock, r.lockAt, r.lockTime = &lock, e.keys.Generation(), e.Now()
	}
	return *r.lock
}

func (e *Engine) lockNow(chat string) port.Lock {
	to, room := e.recipients(chat)
	readers, without := e.readers(to, room)
	return alone(lacking(e.keys.Lock(readers, room), without), to)
}

// alone says in a lock that there is nobody else to read, nor another device of one's own: who comes later
// can never read what is written before, so it is not sent.
func alone(lock port.Lock, to []jid.JID) port.Lock {
	if len(to) == 0 && lock.State == port.Broken && lock.Why == e2ee.WhyNoDevice {
		return port.Lock{State: port.Broken, Why: whyAlone}
	}
	return lock
}

// mostMissing bounds how many are named beside each line of a large room.
const mostMissing = 100

func short(lock port.Lock) port.Lock {
	lock.Missing = lock.Missing[:min(len(lock.Missing), mostMissing)]
	return lock
}

// whyNot says in words why a message could not be encrypted, and whose keys it is about.
func whyNot(err error, lock port.Lock) string {
	who := strings.Join(lock.Missing, ", ")
	switch {
	case lock.Why == whyAlone:
		return whyAlone
	case who == "":
		return err.Error()
	case errors.Is(err, e2ee.ErrUndecided):
		return "a new key of " + who + " must be compared first"
	case lock.Why == e2ee.WhyRefused:
		return "every key of " + who + " was refused on this device"
	}
	return who + " has no device that can read encrypted messages"
}

// refuse takes a message out of the outbox that cannot be sent; a person decides
// what to do about it.
func (e *Engine) refuse(o timeline.Outgoing, why string) bool {
	e.change(e.lines.Failed(o.OriginID, why, e.Now()))
	return true
}

// handled notes that the server has taken what was sent.
func (e *Engine) handled(tickets []uint64) {
	full := len(e.sending) >= mostUnder
	for _, t := range tickets {
		origin, ok := e.tickets[t]
		if !ok {
			continue
		}
		delete(e.tickets, t)
		delete(e.sending, origin)
		if !e.change(e.lines.Sent(origin, e.Now())) {
			return
		}
	}
	if full {
		e.pump()
	}
}

// lost forgets what was on its way when the session ended: it is sent again under
// the same id, which server and readers know it by.
func (e *Engine) lost(tickets []uint64) {
	for _, t := range tickets {
		delete(e.sending, e.tickets[t])
		delete(e.tickets, t)
	}
}

// mostText is how long a message may be, in bytes: with its encryption it stays
// under what servers take.
const mostText = 64 << 10

// chatOf is the chat that a command names: a bare address, as it is written best.
func (e *Engine) chatOf(c port.Command, name string) (string, bool) {
	j, err := jid.Parse(strings.TrimSpace(name))
	if err != nil {
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not an address", name))
		return "", false
	}
	return j.Bare().String(), true
}

// compose puts a draft into the outbox, answers, and sends it if it can.
func (e *Engine) compose(c port.Command, d timeline.Draft) {
	chat, ok := e.chatOf(c, d.Chat)
	if !ok {
		return
	}
	if len(d.Text) > mostText {
		e.fail(c, tooLong(d.Text))
		return
	}
	d.Chat = chat
	if o, change, ok := e.draft(c, d); ok && e.commit(change, e2ee.Step{}) {
		e.done(c, port.Done{Message: o.Message, Chat: d.Chat})
		e.pump()
	}
}

func tooLong(text string) *port.Failure {
	return port.Failf(port.TooLarge, "a message may have %d bytes, this one has %d", mostText, len(text))
}

// draft composes, and says why not where it cannot. What it changes is to be kept at once.
func (e *Engine) draft(c port.Command, d timeline.Draft) (timeline.Outgoing, timeline.Change, bool) {
	d.Room = e.rooms[d.Chat] != nil
	d.Lock = short(e.lockOf(d.Chat))
	o, change, err := e.lines.Compose(d, e.Now())
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return o, change, false
	}
	if err != nil {
		e.breakDown(err)
		return o, change, false
	}
	if change.Batch == nil {
		change.Batch = &keep.Batch{}
	}
	e.wrote(change.Batch, d)
	return o, change, true
}

// wrote notes that we have spoken to somebody: then they know of us, and sessions with them may
// be looked after.
func (e *Engine) wrote(b *keep.Batch, d timeline.Draft) {
	s := e.chats[d.Chat]
	if d.Room || s.Wrote {
		return
	}
	s.Wrote = true
	e.chats[d.Chat] = s
	put(b, chatTable, d.Chat, s)
}

// retract takes a message back; a file that is still on its way goes no further.
func (e *Engine) retract(c *port.Retract) {
	if c.Message == "" {
		e.fail(c, port.Failf(port.NoSuchMessage, "there is no such message in this chat"))
		return
	}
	if cancel := e.uploading[c.Message]; cancel != nil {
		cancel()
	}
	e.compose(c, timeline.Draft{Chat: c.Chat, Retracts: c.Message})
}

func (e *Engine) react(c *port.React) {
	if c.Message == "" {
		e.fail(c, port.Failf(port.NoSuchMessage, "there is no such message in this chat"))
		return
	}
	e.compose(c, timeline.Draft{Chat: c.Chat, ReactsTo: c.Message, Emoji: c.Emoji})
}

// retry puts a failed message back into the outbox, as it would be encrypted now.
func (e *Engine) retry(c *port.Retry) {
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	m, there, err := e.lines.Message(c.Message)
	if err != nil {
		e.breakDown(err)
		return
	}
	if !there || m.Chat != chat {
		e.fail(c, port.Failf(port.NoSuchMessage, "there is no such message in this chat"))
		return
	}
	o, change, err := e.lines.Retry(c.Message, e.Now())
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return
	}
	if !e.change(change, err) || !e.change(e.lines.SetLock(o.Message, short(e.lockOf(chat)))) {
		return
	}
	e.done(c, port.Done{Message: o.Message, Chat: chat})
	e.resumeFiles()
	e.pump()
}

// stanzaError is an answer's refusal, nil for one without.
func stanzaError(s *conn.Stanza, err error) error {
	if err == nil && s == nil {
		return conn.ErrLost
	}
	return err
}
