package client

import (
	"errors"
	"maps"
	"slices"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// noteAlert puts a line where it is about a contact or a member, which stays, into the
// conversations with them, and returns what to tell of it. A new device of a member whom nobody
// has compared is no line in rooms: in a large one there would be many a day.
func (e *Engine) noteAlert(b *keep.Batch, a port.KeyAlert) (events []port.Event, err error) {
	if a.Address == e.own.String() || a.Address == "" {
		return nil, nil
	}
	line := func(chat string, room bool) {
		if _, listed := e.lines.Chat(chat); !listed || err != nil {
			return
		}
		var c timeline.Change
		c, err = e.lines.Notice(chat, room, a.Kind, []string{a.Address}, e.Now())
		b.Add(c.Batch)
		events = append(events, c.Events...)
	}
	line(a.Address, false)
	if who, bad := jid.Parse(a.Address); bad != nil || a.Kind == "new-device" && !e.keys.Compared(who) {
		return events, err
	}
	for _, r := range e.rooms {
		if r.Encrypted && r.Members[a.Address] != "" {
			line(r.Address, true)
		}
	}
	return events, err
}

// follow sends and asks what a step of the keys says; its batch is already kept.
func (e *Engine) follow(s e2ee.Step) {
	for _, note := range s.Send {
		e.send(append(append([]byte("<message xmlns='jabber:client' type='chat' to='"+esc(note.To.String())+"'>"), note.Content...), "</message>"...), 0)
	}
	for _, r := range s.Ask {
		e.askKeys(r)
	}
}

// discreet leaves out of a step that somebody's message has caused what would go to
// people who do not know us: it would tell them that we are here.
func (e *Engine) discreet(s e2ee.Step) e2ee.Step {
	s.Send = slices.DeleteFunc(s.Send, func(n e2ee.Note) bool { return !e.shares(n.To) })
	asks := s.Ask
	s.Ask = nil
	for _, r := range asks {
		if r.To.IsZero() || e.shares(r.To) {
			s.Ask = append(s.Ask, r)
			continue
		}
		if s.Batch == nil {
			s.Batch = &keep.Batch{}
		}
		s.Batch.Add(e.keys.Withdraw(r).Batch)
	}
	return s
}

// shares tells whether somebody knows of us by our own doing.
func (e *Engine) shares(who jid.JID) bool {
	who = who.Bare()
	c := e.people[who.String()]
	if who == e.own || e.chats[who.String()].Wrote || c != nil && (c.Asked || c.Subscription != "" && c.Subscription != "none") {
		return true
	}
	for _, r := range e.rooms {
		if r.Encrypted && r.has(who) {
			return true
		}
	}
	return false
}

// mostKeyAsks bounds how many questions about keys are under way: a room of thousands asks
// for theirs one after the other, and leaves room for all else.
const mostKeyAsks = 64

// askKeys asks what the keys want to know; what waits for them goes on afterwards.
func (e *Engine) askKeys(r e2ee.Request) {
	e.keyQueue = append(e.keyQueue, r)
	e.nextKeys()
}

// nextKeys asks what is at the head of the queue. An answer may come at once; it then
// finds this at work.
func (e *Engine) nextKeys() {
	if e.keyRun {
		return
	}
	e.keyRun = true
	for e.broken == nil && e.keyAsks < mostKeyAsks && len(e.keyQueue) > 0 {
		r := e.keyQueue[0]
		e.keyQueue = e.keyQueue[1:]
		e.keyAsks++
		e.ask(conn.Request{To: r.To, Type: r.Type, Payload: r.Payload}, func(s *conn.Stanza, _ error) {
			e.keyAsks--
			e.keyAnswer(r, s)
			e.nextKeys()
		})
	}
	e.keyRun = false
}

// keyAnswer hands on an answer. Only its own chat goes on at once; rooms, which wait for
// many, when all is there.
func (e *Engine) keyAnswer(r e2ee.Request, s *conn.Stanza) {
	var iq xtok.Elem
	if s != nil {
		iq = s.Elem
	}
	if !e.take(e.keys.Answer(r, iq)) {
		return
	}
	e.touchKeys(r.To)
	if r.To.IsZero() && !e.keys.Offering() {
		e.arrived(ownKeys)
	}
	switch {
	case e.keyAsks == 0 && len(e.keyQueue) == 0:
		for _, chat := range slices.Collect(maps.Keys(e.looked)) {
			e.askKeysOf(chat)
		}
		e.tellLocks()
		e.pump()
	case !r.To.IsZero():
		e.pumpAgain(r.To.Bare().String())
	}
	e.callKeys()
}

// touchKeys tells again of the chat whose lock may be another one now; of rooms a little
// later (tellLocks).
func (e *Engine) touchKeys(who jid.JID) {
	if who.IsZero() || who.Bare() == e.own {
		return
	}
	e.tell(e.lines.Touch(who.Bare().String())...)
	for _, r := range e.rooms {
		if r.Encrypted && r.has(who.Bare()) {
			e.keyNews[r.Address] = true
		}
	}
}

// tellLocks tells again of rooms whose lock may be another one now.
func (e *Engine) tellLocks() {
	for address := range e.keyNews {
		e.tell(e.lines.Touch(address)...)
	}
	clear(e.keyNews)
}

// mostLooked bounds for how many people all keys are asked for when a room is only looked at: of a
// larger one the lists alone are, and its lock says that keys are waited for.
const mostLooked = 100

// askKeysOf asks for the keys of a chat that is being looked at, so that its lock
// tells what a message would be before one is written: not of strangers, who would
// hear of it. What the answers name is asked for behind them.
func (e *Engine) askKeysOf(chat string) {
	delete(e.looked, chat)
	j, err := jid.Parse(chat)
	if err != nil || !e.online() || !e.encrypts(chat) || e.rooms[chat] == nil && !e.shares(j) {
		return
	}
	to, _ := e.recipients(chat)
	ask, waiting := e.keys.Needs(to)
	if waiting && len(to) <= mostLooked {
		e.looked[chat] = true
	}
	for _, r := range ask {
		e.askKeys(r)
	}
}

// askOwnKeys asks for the keys of one's own devices where they are looked at: only a device whose key
// is here can be said to be one's own.
func (e *Engine) askOwnKeys() {
	if !e.online() {
		return
	}
	ask, _ := e.keys.Needs([]jid.JID{e.own})
	for _, r := range ask {
		e.askKeys(r)
	}
}

func (e *Engine) listDevices(c *port.ListDevices) {
	who := []jid.JID{e.own}
	if c.Address != "" {
		j, err := jid.Parse(c.Address)
		if err != nil {
			e.tell(&port.DeviceList{Ref: c.Ref, Address: c.Address, Failure: port.Failf(port.BadCommand, "%q is not an address", c.Address)})
			return
		}
		who, _ = e.recipients(j.Bare().String())
	}
	list := []port.Device{}
	for _, w := range who {
		list = append(list, e.keys.Devices(w)...)
	}
	answer := &port.DeviceList{Ref: c.Ref, Address: c.Address, Devices: list}
	if c.Address != "" {
		e.tell(answer)
		return
	}
	e.askOwnKeys()
	e.clients(func(found []client, _ error) { // without them where there is no connection
		addAccess(answer, found)
		e.tell(answer)
	})
}

func (e *Engine) setTrust(c *port.SetTrust) {
	who, err := jid.Parse(c.Address)
	if err != nil {
		e.fail(c, port.Failf(port.BadCommand, "%q is not an address", c.Address))
		return
	}
	t := e2ee.Trust(c.Trust)
	if t != e2ee.Verified && t != e2ee.FirstUse && t != e2ee.Refused {
		e.fail(c, port.Failf(port.BadCommand, "a key is verified, first-use or refused, not %q", c.Trust))
		return
	}
	step, err := e.keys.SetTrust(who.Bare(), c.Fingerprint, t)
	e.decided(c, who, step, err)
}

func (e *Engine) verify(c *port.Verify) {
	if f := e.notMeant(c); f != nil {
		e.fail(c, f)
		return
	}
	who, step, err := e.keys.Verify(c.Code)
	if errors.Is(err, e2ee.ErrNoKey) {
		e.fail(c, port.Failf(port.Missing, "%s has no device with this key, as far as is known here, so nothing was compared: have them show the code of a device that is signed in", who))
		return
	}
	e.decided(c, who, step, err)
}

// notMeant refuses a code of somebody else than whom one compares with: one that claims to be one's
// own would have its keys taken for those of one's own devices.
func (e *Engine) notMeant(c *port.Verify) *port.Failure {
	who, err := e2ee.CodeOf(c.Code)
	if err != nil {
		return nil // said by who reads it
	}
	meant := jid.JID{}
	if c.Address != "" {
		if meant, err = jid.Parse(c.Address); err != nil {
			return port.Failf(port.BadCommand, "%q is not an address", c.Address)
		}
	}
	switch {
	case c.Address != "" && meant.Bare() != who:
		return port.Failf(port.Tampered, "the code is of %s, not of %s: nothing was compared", who, meant.Bare())
	case c.Address == "" && who == e.own:
		return port.Failf(port.Tampered, "the code says that it is of your own account: say so if you compare with a device of your own")
	}
	return nil
}

// decided carries out a decision about keys, answers, and sends what has waited for it.
func (e *Engine) decided(c port.Command, who jid.JID, step e2ee.Step, err error) {
	switch {
	case errors.Is(err, e2ee.ErrNoKey):
		e.fail(c, port.Failf(port.Missing, "there is no such key"))
		return
	case errors.Is(err, e2ee.ErrCode):
		e.fail(c, port.Failf(port.BadCommand, "that is not a safety code"))
		return
	case errors.Is(err, e2ee.ErrMismatch):
		e.fail(c, port.Failf(port.Tampered, "the code does not match the keys of %s: do not trust this conversation before you know why", who))
		return
	case err != nil:
		e.breakDown(err)
		return
	}
	if e.take(step) {
		e.touchKeys(who)
		e.tellLocks()
		e.done(c, port.Done{Chat: who.Bare().String()})
		e.pump()
	}
}

func (e *Engine) safetyCode(c *port.SafetyCode) {
	e.tell(&port.Code{Ref: c.Ref, Text: e.keys.SafetyCode()})
}
