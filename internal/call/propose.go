package call

import (
	"slices"
	"time"

	"mirsal/internal/call/filter"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
)

// Why a call is silent.
const (
	stranger = "stranger" // its caller is no contact
	often    = "often"    // a budget is spent
	rule     = "rule"     // an operator's rule is against it
)

// propose decides whether a call rings. What does not is told to nobody but the
// trace, and its caller cannot tell it from a call that nobody answers.
func (f *Calls) propose(t *core.Transit, v jingle.Invite) error {
	caller, callee := t.Head.From.Bare(), t.Head.To.Bare()
	offer := jingle.Invite{Kind: v.Kind, Audio: v.Audio, Video: v.Video}
	c := &open{key: key{caller, callee, v.ID}, since: t.Time, offer: f.about(t, filter.Call{Invite: &offer})}
	token, err := takeToken(t)
	if err != nil {
		return err
	}
	if token != "" { // of two who show it, one rings
		defer f.links.lock.of(callee.String())()
	}
	why, link, err := f.who(c, token, t.Time)
	if err != nil {
		return err
	}
	local := f.router.Local(callee)
	forbidden := why == "" && f.ruled(t, c.offer)
	if forbidden {
		why = rule
	}
	if why, err = f.begin(c, t, why, f.limits(caller), local); err != nil {
		return err
	}
	if !local && forbidden {
		return byRule()
	}
	if !local {
		return nil
	}
	if why != "" {
		return f.silence(c, v, why)
	}
	return f.ring(c, t, v, link)
}

// who tells why a caller may not ring, "" if he may, and the link by which he may.
func (f *Calls) who(c *open, token string, now time.Time) (why, link string, err error) {
	if !f.router.Local(c.callee) || f.cfg.Everyone || f.cfg.Contact(c.callee, c.caller) {
		return "", "", nil
	}
	if link, err = f.links.find(c.callee.String(), token, now); link != "" || err != nil {
		return "", link, err
	}
	return stranger, "", nil
}

// silence leaves the trace of a call that does not ring.
func (f *Calls) silence(c *open, v jingle.Invite, why string) error {
	trace, err := f.traces.add(c.callee, traceOf(c, v, why, ""))
	if err != nil {
		f.drop(c)
		return err
	}
	f.metrics.attempts.WithLabelValues(why).Inc()
	f.noted(c, trace)
	f.hint(c.callee)
	if why == rule {
		return byRule()
	}
	return core.ErrSilently
}

// ring lets a call pass on once its trace is durable, and the link used up by which
// it rings.
func (f *Calls) ring(c *open, t *core.Transit, v jingle.Invite, link string) error {
	var spent []store.Op
	outcome := "ring"
	if link != "" {
		spent, outcome = append(spent, f.links.bucket.Unset(link)), "link"
	}
	trace, err := f.traces.add(c.callee, traceOf(c, v, "", linkID(link)), spent...)
	if err != nil { // no trace, no ring
		f.drop(c)
		return err
	}
	f.metrics.attempts.WithLabelValues(outcome).Inc()
	if !f.noted(c, trace) {
		return core.ErrSilently // another device of the caller took it back meanwhile
	}
	if link != "" {
		return sayLink(t, v, link)
	}
	return nil
}

func traceOf(c *open, v jingle.Invite, why, link string) attempt {
	return attempt{ID: v.ID, By: c.caller.String(), At: c.since.Unix(), Media: mediaOf(v), Why: why, Link: link}
}

// noted notes where a call's trace is, and tells whether the call still rings.
func (f *Calls) noted(c *open, trace string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.trace = trace
	return c.state == ringing
}

func mediaOf(v jingle.Invite) string {
	switch {
	case v.Audio && v.Video:
		return "audio video"
	case v.Video:
		return "video"
	}
	return "audio"
}

// limits are a caller's: accounts that are new have less.
func (f *Calls) limits(caller jid.JID) most {
	m := most{f.cfg.Pair, f.cfg.Callee, f.cfg.Caller}
	if f.cfg.Created == nil || !f.router.Local(caller) {
		return m
	}
	if made := f.cfg.Created(caller); !made.IsZero() && time.Since(made) < f.cfg.Young {
		m.caller = min(m.caller, f.cfg.Newcomer)
	}
	return m
}

// begin notes a call, and charges it where it may ring. An id rings once: what is
// sent again goes nowhere.
func (f *Calls) begin(c *open, t *core.Transit, why string, m most, local bool) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	many := len(f.calls) >= mostCalls || f.opened[c.caller] >= mostOpen
	switch {
	case f.calls[c.key] != nil:
		return "", core.ErrSilently
	case many && !local:
		return "", stanza.Errorf(stanza.ResourceConstraint, "too many calls wait for an answer")
	case local && why == "" && (many || !f.budgets.take(c.caller, c.callee, m, t.Time)):
		why = often
	case local && why == "":
		c.rang = t.Time
	}
	if why != "" {
		c.state = silent
	}
	if many {
		return why, nil // silent, and only the trace knows of it
	}
	if why == "" {
		f.at[c.callee] = append(f.at[c.callee], c)
		f.landing[t] = c
		c.transit = t
	}
	f.makeRoom(c.caller)
	f.calls[c.key] = c
	f.known[c.caller] = append(f.known[c.caller], c)
	f.opened[c.caller]++
	return why, nil
}

// makeRoom forgets the oldest call of a caller with too many that neither rings nor is silent; under mu.
// What follows of it is taken as of one that is older than the server.
func (f *Calls) makeRoom(caller jid.JID) {
	if len(f.known[caller]) < mostCalled {
		return
	}
	for _, c := range f.known[caller] {
		if c.state == answered || c.state == ended {
			f.forget(c)
			return
		}
	}
}

// landed hears of an invitation that its callee's devices are being given: others
// that come while it rings will be.
func (f *Calls) landed(t *core.Transit, d *core.Delivery) {
	if !t.Head.Facts.Any(stanza.CallOffer) {
		return
	}
	f.mu.Lock()
	c := f.landing[t]
	if c == nil {
		f.mu.Unlock()
		return
	}
	delete(f.landing, t)
	c.transit = nil
	late := c.state == ended
	came := c.came
	c.came = nil
	var give []arriving
	if c.state == ringing {
		c.invitation, c.seq, c.given = t.Stanza, t.SeqFor(c.callee), slices.Clone(d.Direct())
		for _, s := range came {
			give = f.give(give, c, s)
		}
	}
	f.mu.Unlock()
	push(give)
	if late { // what ended it has overtaken it
		f.tellAll(c, outcome{how: wasRetracted})
	}
}

// Presence hears of devices that come while a call rings: it rings there as well. One
// that comes between the choice of the devices that an invitation is given to and its
// landing waits for that.
func (f *Calls) Presence(s *core.Session, initial bool) {
	if !initial || !s.Online() {
		return
	}
	var give []arriving
	f.mu.Lock()
	for _, c := range f.at[s.JID.Bare()] {
		switch {
		case c.transit != nil:
			c.came = append(c.came, s)
		case c.invitation != nil:
			give = f.give(give, c, s)
		}
	}
	f.mu.Unlock()
	push(give)
}

// arriving is an invitation for a device that has come later than it.
type arriving struct {
	to     *core.Session
	packet core.Packet
}

// give adds a call's invitation to what a device is given, unless it has it; under mu.
func (f *Calls) give(to []arriving, c *open, s *core.Session) []arriving {
	if slices.Contains(c.given, s) {
		return to
	}
	c.given = append(c.given, s)
	return append(to, arriving{s, f.router.Packet(c.invitation, c.seq, c.callee)})
}

func push(all []arriving) {
	for _, a := range all {
		a.to.Push(a.packet)
	}
}

// end changes a call's state for good or until its end; under mu.
func (f *Calls) end(c *open, to state, now time.Time) {
	if c.state == ringing || c.state == silent {
		f.quiet(c)
	}
	c.state, c.since, c.invitation, c.given, c.came = to, now, nil, nil, nil
}

// quiet takes a call from those that wait for an answer; under mu.
func (f *Calls) quiet(c *open) {
	if f.calls[c.key] != c {
		return // of which only the trace knows
	}
	if f.opened[c.caller]--; f.opened[c.caller] <= 0 {
		delete(f.opened, c.caller)
	}
	left := slices.DeleteFunc(f.at[c.callee], func(o *open) bool { return o == c })
	if len(left) == 0 {
		delete(f.at, c.callee)
	} else {
		f.at[c.callee] = left
	}
}

// forget removes a call; under mu.
func (f *Calls) forget(c *open) {
	if c.state == ringing || c.state == silent {
		f.quiet(c)
	}
	if c.transit != nil {
		delete(f.landing, c.transit)
	}
	delete(f.calls, c.key)
	left := slices.DeleteFunc(f.known[c.caller], func(o *open) bool { return o == c })
	if len(left) == 0 {
		delete(f.known, c.caller)
	} else {
		f.known[c.caller] = left
	}
}

// drop removes a call that has not begun.
func (f *Calls) drop(c *open) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[c.key] == c {
		f.forget(c)
	}
}
