package push

import (
	"slices"
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// State is a registration as its owner and the operator see it.
type State struct {
	ID       string
	Service  string // the app server's address, or the host of a browser's push service
	Device   string // its ID, as in the list of devices
	State    string // ok, failing, paused, ended or never-used
	Enabled  time.Time
	Success  time.Time // zero for never
	Failure  time.Time // the last one; zero for none since the last success
	Failures int       // since the last success
	Reason   string    // of the last failure, in words
}

// States are an account's registrations, the latest enabled first.
func (f *Push) States(bare jid.JID) []State {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.of[bare]
	if a == nil {
		return nil
	}
	all := make([]State, 0, len(a.regs))
	for _, r := range a.regs {
		all = append(all, State{
			ID: r.id, Service: r.where(f), Device: r.device, State: r.health.state(), Enabled: r.enabled, Success: at(r.health.Success),
			Failure: at(r.health.Failure), Failures: r.health.Failures, Reason: r.health.Reason,
		})
	}
	slices.SortFunc(all, func(x, y State) int { return y.Enabled.Compare(x.Enabled) })
	return all
}

func at(unix int64) (t time.Time) {
	if unix > 0 {
		t = time.Unix(unix, 0)
	}
	return t
}

// list tells a client how push does, for all devices of the account.
func (f *Push) list(q *core.Query) ([]byte, error) {
	if err := own(q, false); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b := []byte("<push xmlns='" + nsHealth + "'>")
	if a := f.of[q.Asker()]; a != nil {
		for _, r := range a.regs {
			b = f.appendState(b, r, q.Session)
		}
	}
	return append(b, "</push>"...), nil
}

// appendState appends one registration as s sees it; under mu.
func (f *Push) appendState(b []byte, r *registration, s *core.Session) []byte {
	b = append(b, "<registration"...)
	for _, a := range [][2]string{
		{"id", r.id}, {"jid", r.service.String()}, {"node", r.node}, {"host", r.host}, {"device", r.device}, {"state", r.health.state()},
		{"failures", strconv.Itoa(r.health.Failures)}, {"this", strconv.FormatBool(s != nil && f.belongs(r, s))},
	} {
		if a[1] != "" {
			b = append(xtok.Escape(append(b, " "+a[0]+"='"...), a[1]), '\'')
		}
	}
	b = append(stanza.AppendTime(append(b, " enabled='"...), r.enabled), "'>"...)
	if r.health.Success > 0 {
		b = append(appendTimed(b, "success", r.health.Success, ""), "/>"...)
	}
	if r.health.Failure > 0 {
		b = append(appendTimed(b, "failure", r.health.Failure, ""), '>')
		b = append(xtok.Escape(b, r.health.Reason), "</failure>"...)
	}
	return append(b, "</registration>"...)
}

// test sends a notification now and answers with what became of it.
func (f *Push) test(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	id := q.Payload.Attr("id")
	err := f.Test(q.Asker(), id, func(ok bool, reason string) {
		b := append([]byte("<test xmlns='"+nsHealth+"' id='"), xtok.Escape(nil, id)...)
		b = append(b, "' sent='"+strconv.FormatBool(ok)+"'>"...)
		q.Reply(append(xtok.Escape(b, reason), "</test>"...), nil)
	})
	if err != nil {
		return nil, err
	}
	return nil, core.ErrLater
}

// Test sends a notification that says that it is a test and has done called once
// with what became of it. It works for what is paused, too, which goes on when
// it succeeds. Errors are a *stanza.StanzaError.
func (f *Push) Test(bare jid.JID, id string, done func(ok bool, reason string)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.take(bare, id)
	if err == nil {
		f.run.Go(func() { f.send(r, note{Test: true}, func(res result) { done(f.tested(r, res)) }) })
	}
	return err
}

// tested notes the outcome of a test.
func (f *Push) tested(r *registration, res result) (ok bool, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.busy = false
	if !r.removed {
		f.note(r, res)
		f.schedule(r, time.Now())
	}
	return res.outcome == sent, res.reason
}

// take reserves a registration for a test: within the account's budget, and not
// while it is in use; under mu.
func (f *Push) take(bare jid.JID, id string) (*registration, error) {
	now := time.Now()
	r := f.find(bare, id)
	switch {
	case r == nil:
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such registration")
	case r.health.Ended:
		return nil, stanza.Errorf(stanza.NotAllowed, "%s: the device has to enable push again", r.health.Reason)
	case f.ctx.Err() != nil:
		return nil, stanza.Errorf(stanza.ResourceConstraint, "the server is about to stop")
	case r.busy:
		return nil, soon("a notification is on its way to this device", gap)
	case r.last.Add(gap).After(now):
		return nil, soon("a notification went out to this device just now", r.last.Add(gap).Sub(now))
	case !f.charge(bare, now):
		return nil, soon("this account has had many notifications just now", f.account(bare).refill())
	}
	r.busy, r.last = true, now
	delete(f.waiting, r)
	return r, nil
}

// soon refuses a test for now, and says when the next may be, in whole seconds.
func soon(why string, wait time.Duration) error {
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	return stanza.Errorf(stanza.ResourceConstraint, "%s: try again in %d %s", why, seconds, unit)
}

// Available tells a session, once, that its device is not woken any more; see
// people.OnAvailable.
func (f *Push) Available(s *core.Session) {
	var b []byte
	f.mu.Lock()
	if a := f.of[s.JID.Bare()]; a != nil {
		for _, r := range a.regs {
			if r.health.stopped() && !r.health.Told && f.belongs(r, s) {
				r.health.Told, r.dirty = true, true
				b = f.appendState(b, r, s)
			}
		}
	}
	f.mu.Unlock()
	if b == nil {
		return
	}
	h := stanza.Head{Kind: stanza.Message, Type: stanza.Headline, From: f.router.Domain, To: s.JID}
	content := "<body>This device is not woken for messages any more, because its push service did not take the notifications. " +
		"Turning notifications off and on again in the app may help.</body><push xmlns='" + nsHealth + "'>"
	s.PushStanza(stanza.New(h, append(append([]byte(content), b...), "</push>"...)))
}
