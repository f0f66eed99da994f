package call

import (
	"time"

	"mirsal/internal/call/filter"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/stanza"
)

// How a call ended, as traces and the server's word have it.
const (
	wasAnswered  = "answered"
	wasRejected  = "rejected"
	wasRetracted = "retracted"
	wasMissed    = "missed"
)

// step takes what follows a propose. Strangers say nothing of calls that the
// server does not know.
func (f *Calls) step(t *core.Transit, v jingle.Invite) error {
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	f.mu.Lock()
	c := f.find(from, to, v)
	if c == nil {
		swapped := f.calls[key{from, to, v.ID}] != nil || f.calls[key{to, from, v.ID}] != nil
		f.mu.Unlock()
		if swapped { // a caller who answers, or a callee who takes back
			return core.ErrSilently
		}
		return f.unknown(from, to)
	}
	o := f.follow(c, t, v)
	f.mu.Unlock()
	if o.how == wasAnswered && o.err == nil && len(f.rules.keys) > 0 {
		f.remember(c.offer)
	}
	f.carryOut(c, o)
	return o.err
}

// find looks a call up by who may say so of it; under mu.
func (f *Calls) find(from, to jid.JID, v jingle.Invite) *open {
	mine, theirs := f.calls[key{from, to, v.ID}], f.calls[key{to, from, v.ID}]
	switch v.Kind {
	case jingle.Retract:
		return mine
	case jingle.Finish:
		if mine == nil {
			return theirs
		}
		return mine
	}
	return theirs
}

// unknown is for calls that were begun before the server was: among contacts
// they go on.
func (f *Calls) unknown(from, to jid.JID) error {
	if f.router.Local(to) && !f.cfg.Contact(to, from) {
		return core.ErrSilently
	}
	return nil
}

// outcome is what a step leads to, beyond the call's state.
type outcome struct {
	err   error
	how   string  // for the trace and for the other devices, "" for nothing
	but   jid.JID // the device that need not be told
	late  jid.JID // a device that is told alone
	whole bool    // all devices are told
}

// follow is what a step makes of a call; under mu.
func (f *Calls) follow(c *open, t *core.Transit, v jingle.Invite) (o outcome) {
	switch {
	case c.state == silent && v.Kind == jingle.Retract:
		f.end(c, ended, t.Time)
		return outcome{err: core.ErrSilently, how: wasRetracted}
	case c.state == silent:
		return outcome{err: core.ErrSilently}
	case v.Kind == jingle.Proceed:
		return f.proceed(c, t)
	case v.Kind == jingle.Reject:
		return f.reject(c, t)
	case v.Kind == jingle.Retract && c.state == ringing:
		f.end(c, ended, t.Time)
		return outcome{how: wasRetracted, whole: true}
	case v.Kind == jingle.Retract || v.Kind == jingle.Finish:
		f.end(c, ended, t.Time)
	case c.state != ringing && t.Head.From != c.by:
		return outcome{err: core.ErrSilently} // it rings at another device, too late
	}
	return o
}

// proceed settles which device has accepted: the first whose word is here.
func (f *Calls) proceed(c *open, t *core.Transit) outcome {
	from := t.Head.From
	switch {
	case c.state == ringing:
		f.end(c, answered, t.Time)
		c.by = from
		if !c.rang.IsZero() {
			f.budgets.giveBack(c.caller, c.callee, c.rang)
		}
		return outcome{how: wasAnswered, but: from, whole: true}
	case c.by == from:
		return outcome{}
	case c.state == answered:
		f.note(t, "second", "proceed")
		return outcome{err: stanza.Errorf(stanza.Conflict, "another device has accepted this call"), how: wasAnswered, late: from}
	}
	return outcome{err: stanza.Errorf(stanza.ItemNotFound, "this call is over"), how: wasMissed, late: from}
}

// reject ends a call that no device has accepted.
func (f *Calls) reject(c *open, t *core.Transit) outcome {
	switch {
	case c.state == ringing:
		f.end(c, ended, t.Time)
		return outcome{how: wasRejected, but: t.Head.From, whole: true}
	case c.state == answered && c.by != t.Head.From:
		return outcome{err: core.ErrSilently}
	}
	f.end(c, ended, t.Time)
	return outcome{}
}

// carryOut tells devices and the trace, under no lock.
func (f *Calls) carryOut(c *open, o outcome) {
	switch {
	case o.how == "":
		return
	case !o.late.IsZero():
		if s := f.router.Directory().Session(o.late); s != nil {
			f.tell(s, c, o.how)
		}
		return
	case o.whole:
		f.tellAll(c, o)
	}
	f.mu.Lock()
	trace := c.trace
	f.mu.Unlock()
	if trace == "" {
		return
	}
	if err := f.traces.ended(c.callee, trace, o.how); err != nil {
		f.cfg.Log.Error("the end of a call cannot be noted", "err", err)
	}
}

// session lets a Jingle session of a call begin with the device that has accepted
// it, and with no other. From strangers nothing else of a session passes either.
func (f *Calls) session(t *core.Transit) error {
	e := t.Elem.Child(jingle.NS, "jingle")
	if !e.OK() {
		return nil
	}
	s, err := jingle.ParseSession(e)
	if err != nil {
		return nil // of another kind
	}
	from, to := t.Head.From.Bare(), t.Head.To.Bare()
	forbidden := f.ruled(t, filter.Call{Session: &s})
	switch {
	case forbidden && f.router.Local(to) && !f.cfg.Contact(to, from):
		return stanza.Errorf(stanza.ServiceUnavailable, "") // as from nobody
	case forbidden:
		return byRule()
	case !f.router.Local(to):
		return nil // its own server's affair
	}
	f.mu.Lock()
	mine, theirs := f.calls[key{from, to, s.SID}], f.calls[key{to, from, s.SID}]
	accepted := mine != nil && mine.state == answered && mine.by == t.Head.To
	under := accepted || theirs != nil && theirs.state == answered && theirs.by == t.Head.From
	f.mu.Unlock()
	if under && (accepted || s.Action != jingle.SessionInitiate) {
		f.record(t, s)
		return nil
	}
	return f.uninvited(t, s.Action)
}

// uninvited is for what belongs to no call that was accepted. To strangers it looks
// as if nobody were there. What contacts send within a session may be of one that
// is older than the server.
func (f *Calls) uninvited(t *core.Transit, a jingle.Action) error {
	switch {
	case !f.cfg.Contact(t.Head.To.Bare(), t.Head.From.Bare()):
		f.note(t, "uninvited", a.String())
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case a != jingle.SessionInitiate || f.cfg.Direct || f.router.Directory().Session(t.Head.To) == nil:
		return nil
	}
	f.note(t, "uninvited", a.String())
	// XEP-0353 §3: in two steps, or not at all
	return stanza.Errorf(stanza.NotAcceptable, "this device has not accepted the call").WithApp(NS, "uninvited")
}

// tick ends what nobody answered and forgets what is over.
func (f *Calls) tick(now time.Time) {
	var missed []*open
	f.mu.Lock()
	for _, c := range f.calls {
		switch age := now.Sub(c.since); {
		case (c.state == ringing || c.state == silent) && age >= rings:
			if c.state == ringing {
				missed = append(missed, c)
			}
			f.end(c, ended, now)
		case c.state == ended && age >= after, c.state == answered && age >= longest:
			f.forget(c)
		}
	}
	f.mu.Unlock()
	for _, c := range missed {
		f.carryOut(c, outcome{how: wasMissed, whole: true})
	}
	f.tellNews(now)
}

// sweep removes what is too old.
func (f *Calls) sweep(now time.Time) {
	f.mu.Lock()
	f.budgets.sweep(now)
	f.mu.Unlock()
	if err := f.traces.sweep(now); err != nil {
		f.cfg.Log.Error("old traces of calls cannot be removed", "err", err)
	}
	if err := f.links.sweep(now); err != nil {
		f.cfg.Log.Error("call links that have ended cannot be removed", "err", err)
	}
}
