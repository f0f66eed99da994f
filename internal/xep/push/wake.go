package push

import (
	"bytes"
	"slices"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// How often a device is woken. The first message wakes it at once. While it does not
// come back, the next pushes are further and further apart; when it was back, the
// next message wakes it at once again.
const (
	gap        = 5 * time.Second  // between two pushes of a registration, whatever happens
	firstStep  = 10 * time.Second // after the first push that brought nobody back; then twice as much each time
	lastStep   = time.Hour
	budgetMost = 20              // pushes of one account at once …
	budgetGap  = 3 * time.Second // … and one more in so much time
	countMost  = 999             // messages that are counted
	bodyMost   = 512             // bytes of a text that goes into a notification
	queueMost  = 10_000          // pushes that may wait for a worker
	callsMost  = 10_000          // calls of which it is not yet known whether they may ring
)

// whereabouts of a device.
type whereabouts uint8

const (
	away      whereabouts = iota // no session
	sleeping                     // a session without a connection
	connected                    // whether anybody looks or not (XEP-0352)
)

// locate finds a registration's device: where it is, its hibernating session, and
// since when that hibernates.
func (f *Push) locate(r *registration) (at whereabouts, s *core.Session, since time.Time) {
	for _, o := range f.router.Directory().Sessions(r.owner) {
		if !f.belongs(r, o) {
			continue
		}
		when, asleep := o.Hibernating()
		if !asleep && !o.Ended() {
			return connected, nil, since
		}
		if asleep && !when.Before(since) {
			at, s, since = sleeping, o, when
		}
	}
	return at, s, since
}

// spread hears of every message that is delivered, on the release goroutine. Devices
// that sleep and were given it are asleep's business.
func (f *Push) spread(t *core.Transit, d *core.Delivery) {
	owner := t.Head.To.Bare()
	what := worth(&t.Head, owner)
	if what == stanza.NoPush || t.Head.Type == stanza.Groupchat {
		return
	}
	kept := t.Kept(owner)
	var body string
	var list []wakening
	for _, r := range f.registered(owner) {
		at, s, since := f.locate(r)
		given := at == sleeping && (slices.Contains(d.Direct(), s) || s.Flag(core.Carbons))
		// what is not kept, a device that comes back would not find; but calls ring
		if at == connected || given || !kept && (at == sleeping || what != stanza.Ring) {
			continue
		}
		if f.cfg.Body && body == "" {
			if e, err := t.Stanza.Elem(); err == nil {
				body = bodyOf(e)
			}
		}
		list = append(list, wakening{r, since, event{what == stanza.Ring, t.Head.From, body}})
	}
	f.wakeAll(list)
}

// asleep hears of every packet for a session without a connection. It runs wherever
// packets are pushed.
func (f *Push) asleep(s *core.Session, p core.Packet) {
	owner := s.JID.Bare()
	regs := f.registered(owner)
	if len(regs) == 0 || !bytes.HasPrefix(p.Segments[0], []byte("<message")) {
		return
	}
	h, e, ok := message(p, owner)
	if !ok {
		return
	}
	what := worth(&h, owner)
	if what == stanza.NoPush {
		return
	}
	body := ""
	if f.cfg.Body {
		body = bodyOf(e)
	}
	var list []wakening
	for _, r := range regs {
		if at, _, since := f.locate(r); f.belongs(r, s) && at == sleeping {
			list = append(list, wakening{r, since, event{what == stanza.Ring, h.From, body}})
		}
	}
	f.wakeAll(list)
}

// message reads a packet: the message itself, or what it is a copy of (XEP-0280). One's own
// sent messages are none.
func message(p core.Packet, owner jid.JID) (h stanza.Head, e xtok.Elem, ok bool) {
	raw := make([]byte, 0, p.Size())
	for _, segment := range p.Segments {
		raw = append(raw, segment...)
	}
	st, e, err := stanza.Parse(raw)
	if err != nil {
		return h, e, false
	}
	if st.Facts.Any(stanza.CarbonCopy) && st.From == owner {
		c := e.Child("urn:xmpp:carbons:2", "received")
		e = c.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message")
		if !e.OK() {
			return h, e, false
		}
		h, err = stanza.ReadHead(e)
		return h, e, err == nil
	}
	return st.Head, e, true
}

// worth tells what an owner's devices are woken for; whether somebody may ring is
// known later.
func worth(h *stanza.Head, owner jid.JID) stanza.Push {
	if h.From.Bare() == owner {
		return stanza.NoPush
	}
	return stanza.RuleOf(h).Push
}

func bodyOf(e xtok.Elem) string {
	if e.Child("urn:xmpp:eme:0", "encryption").OK() {
		return "" // it says that the text is encrypted
	}
	text := e.Child(stanza.NSClient, "body").Text()
	for n := bodyMost; n < len(text); n-- {
		if text[n]&0xc0 != 0x80 { // where a character begins
			return text[:n]
		}
	}
	return text
}

// registered are an account's registrations.
func (f *Push) registered(bare jid.JID) []*registration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.of[bare]; a != nil {
		return slices.Clone(a.regs)
	}
	return nil
}

// event is one message that a device is woken for.
type event struct {
	ring bool
	from jid.JID
	body string
}

// wakening is an event for one device, and since when that is away, where it is known.
type wakening struct {
	r     *registration
	since time.Time
	event event
}

// wakeAll wakes an owner's devices for one message. Whether somebody may ring is
// written in a roster, which may have to be read from the disk: not on the
// goroutines that deliver messages.
func (f *Push) wakeAll(list []wakening) {
	if len(list) == 0 || !list[0].event.ring {
		f.wakeThose(list)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) >= callsMost || f.ctx.Err() != nil {
		return
	}
	f.calls = append(f.calls, list)
	if !f.deciding {
		f.deciding = true
		f.run.Go(f.decide)
	}
}

func (f *Push) wakeThose(list []wakening) {
	for _, w := range list {
		f.wake(w.r, w.since, w.event)
	}
}

// decide lets those calls ring that come from contacts, until there are no more.
func (f *Push) decide() {
	for {
		f.mu.Lock()
		if len(f.calls) == 0 || f.ctx.Err() != nil {
			f.deciding = false
			f.mu.Unlock()
			return
		}
		list := f.calls[0]
		f.calls[0] = nil
		f.calls = f.calls[1:]
		f.mu.Unlock()
		if f.cfg.Contact(list[0].r.owner, list[0].event.from.Bare()) { // strangers do not ring
			f.wakeThose(list)
		}
	}
}

// wake counts a message and has the device pushed to when its time has come. since
// is when the device was last connected, where that is known.
func (f *Push) wake(r *registration, since time.Time, e event) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if since.After(r.seen) {
		r.seen = since
	}
	r.returned()
	r.count = min(r.count+1, countMost)
	r.owed, r.ring = true, r.ring || e.ring
	if f.cfg.Sender {
		r.sender = e.from.String()
	}
	r.body = e.body
	f.schedule(r, now)
}

// returned begins to count anew when the device was here since the last push; under mu.
func (r *registration) returned() {
	if r.step > 0 && r.seen.After(r.last) {
		r.count, r.step = 0, 0
	}
}

// allowed is when the next push may go; under mu.
func (r *registration) allowed() time.Time {
	wait := gap
	if r.step > 0 && !r.ring {
		wait = min(firstStep<<min(r.step-1, 20), lastStep)
	}
	at := r.last.Add(wait)
	if r.notBefore.After(at) {
		at = r.notBefore
	}
	return at
}

// schedule queues a registration, or notes when to; under mu.
func (f *Push) schedule(r *registration, now time.Time) {
	switch {
	case r.removed || r.busy || !r.owed || r.health.Ended:
		return
	case r.allowed().After(now) || len(f.queue) >= queueMost || !f.charge(r.owner, now):
		r.due = r.allowed()
		f.waiting[r] = struct{}{}
		return
	}
	delete(f.waiting, r)
	r.busy = true
	f.queue = append(f.queue, r)
	if f.workers < maxWorkers && f.ctx.Err() == nil {
		f.workers++
		f.run.Go(f.work)
	}
}

// charge takes one push out of an account's budget; false when there is none; under mu.
func (f *Push) charge(bare jid.JID, now time.Time) bool {
	a := f.account(bare)
	a.budget = min(budgetMost, a.budget+float64(now.Sub(a.at))/float64(budgetGap))
	a.at = now
	if a.budget < 1 {
		return false
	}
	a.budget--
	return true
}

// refill is how long it takes until an account whose budget is spent may cause one more.
func (a *account) refill() time.Duration { return time.Duration((1 - a.budget) * float64(budgetGap)) }

// tick sends what has waited long enough.
func (f *Push) tick(now time.Time) {
	var due []*registration
	f.mu.Lock()
	for r := range f.waiting {
		if !r.due.After(now) {
			due = append(due, r)
		}
	}
	f.mu.Unlock()
	for _, r := range due {
		at, _, _ := f.locate(r)
		f.mu.Lock()
		if at == connected {
			f.here(r, now)
		}
		f.schedule(r, now)
		f.mu.Unlock()
	}
}

// here notes that the device is connected: it gets everything itself; under mu.
func (f *Push) here(r *registration, now time.Time) {
	r.seen, r.count, r.step, r.owed, r.ring, r.sender, r.body = now, 0, 0, false, false, "", ""
	delete(f.waiting, r)
}

// bound hears of a session, also of one that a restart brought back asleep.
func (f *Push) bound(s *core.Session) {
	if _, asleep := s.Hibernating(); asleep {
		return
	}
	f.met(s)
}

// gone hears of a session's end.
func (f *Push) gone(s *core.Session) {
	if since, _ := s.Hibernating(); since.IsZero() { // it was connected
		f.met(s)
	}
}

func (f *Push) met(s *core.Session) {
	now := time.Now()
	for _, r := range f.registered(s.JID.Bare()) {
		if f.belongs(r, s) {
			f.mu.Lock()
			f.here(r, now)
			f.mu.Unlock()
		}
	}
}
