package client

import (
	"errors"
	"slices"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// pump sends what waits in the outbox, in order within each chat: what cannot go
// now holds up what is behind it there, and nothing else.
func (e *Engine) pump() {
	if e.link == nil || !e.link.up || e.broken != nil {
		return
	}
	list, err := e.lines.Outbox()
	if err != nil {
		e.breakDown(err)
		return
	}
	stuck := map[string]bool{}
	for _, o := range list {
		if _, under := e.sending[o.OriginID]; under || stuck[o.Chat] {
			continue
		}
		stuck[o.Chat] = !e.dispatch(o)
	}
}

// dispatch encrypts one message and sends it; false: not now. The ratchet's step
// is kept before the message leaves.
func (e *Engine) dispatch(o timeline.Outgoing) bool {
	to, room, err := e.recipients(o.Chat)
	if err != nil {
		return e.refuse(o, err.Error())
	}
	if r := e.rooms[o.Chat]; o.Room && (r == nil || !r.joined) {
		return false
	}
	content, batch, lock, err := e.seal(o, to, room)
	switch {
	case errors.Is(err, e2ee.ErrWaiting):
		return false
	case errors.Is(err, e2ee.ErrNobody), errors.Is(err, e2ee.ErrUndecided):
		return e.refuse(o, whyNot(err, lock))
	case err != nil:
		e.breakDown(err)
		return false
	}
	change, err := e.lines.SetLock(o.Message, lock)
	if err != nil && composeFailure(err) == nil { // that a line is gone holds up nothing
		e.breakDown(err)
		return false
	}
	if !e.commit(change, e2ee.Step{Batch: batch}) {
		return false
	}
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
		return append(xtok.AppendElement(nil, "body", body), extras...), nil, port.Lock{State: port.Open}, nil
	}
	if body == "" { // what takes back or reacts: the deployed profile has no place for it inside
		return extras, nil, e.keys.Lock(to, room), nil
	}
	if ask, waiting := e.keys.Needs(to); len(ask) > 0 || waiting {
		e.follow(e2ee.Step{Ask: ask})
		if _, waiting = e.keys.Needs(to); waiting {
			return nil, nil, lock, e2ee.ErrWaiting
		}
	}
	readers, without := e.readers(to, room)
	sealed, b, err := e.keys.Encrypt(e2ee.Outgoing{To: readers, Room: room, Text: body, XML: extras})
	sealed.Lock = lacking(sealed.Lock, without)
	if err != nil {
		return nil, nil, sealed.Lock, err
	}
	content = sealed.Content
	if !sealed.Inside {
		content = append(slices.Clip(content), extras...)
	}
	return content, b, sealed.Lock, nil
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
	for _, j := range to {
		if !slices.Contains(lock.Missing, j.String()) {
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

// recipients is for whom a chat's messages are: one person, or a room's members.
func (e *Engine) recipients(chat string) (to []jid.JID, room jid.JID, err error) {
	j, err := jid.Parse(chat)
	if err != nil {
		return nil, room, err
	}
	r := e.rooms[chat]
	if r == nil {
		return []jid.JID{j}, room, nil
	}
	for address := range r.Members {
		if m, err := jid.Parse(address); err == nil && m != e.own {
			to = append(to, m)
		}
	}
	slices.SortFunc(to, func(a, b jid.JID) int { return compare(a.String(), b.String()) })
	return to, j, nil
}

// encrypts tells whether a chat's messages are encrypted: always, but in rooms
// that anybody may enter or that hide their members, and where a person has
// switched it off.
func (e *Engine) encrypts(chat string) bool {
	if r := e.rooms[chat]; r != nil {
		return r.Encrypted
	}
	return !e.plain[chat]
}

// lockOf is what a message sent now would be.
func (e *Engine) lockOf(chat string) port.Lock {
	if !e.encrypts(chat) {
		why := "switched-off"
		if e.rooms[chat] != nil {
			why = "public-room"
		}
		return port.Lock{State: port.Open, Why: why}
	}
	to, room, err := e.recipients(chat)
	if err != nil {
		return port.Lock{State: port.Broken, Why: e2ee.WhyNoDevice}
	}
	readers, without := e.readers(to, room)
	return lacking(e.keys.Lock(readers, room), without)
}

// whyNot says in words why a message could not be encrypted, and whose keys it is about.
func whyNot(err error, lock port.Lock) string {
	who := strings.Join(lock.Missing, ", ")
	switch {
	case who == "":
		return err.Error()
	case errors.Is(err, e2ee.ErrUndecided):
		return "a new key of " + who + " must be compared first"
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

// compose puts a draft into the outbox, answers, and sends it if it can.
func (e *Engine) compose(c port.Command, d timeline.Draft) {
	if len(d.Text) > mostText {
		e.fail(c, port.Failf(port.TooLarge, "a message may have %d bytes, this one has %d", mostText, len(d.Text)))
		return
	}
	if _, err := jid.Parse(d.Chat); err != nil {
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not an address", d.Chat))
		return
	}
	d.Room = e.rooms[d.Chat] != nil
	d.Lock = e.lockOf(d.Chat)
	o, change, err := e.lines.Compose(d, e.Now())
	if f := composeFailure(err); f != nil {
		e.fail(c, f)
		return
	}
	if e.change(change, err) {
		e.done(c, port.Done{Message: o.Message, Chat: d.Chat})
		e.pump()
	}
}

// stanzaError is an answer's refusal, nil for one without.
func stanzaError(s *conn.Stanza, err error) error {
	if err == nil && s == nil {
		return conn.ErrLost
	}
	return err
}
