package push

import (
	"context"
	"encoding/json"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
)

// When a registration that fails is left alone.
const (
	failuresMost = 6              // in a row; of outages also pausedAfter …
	pausedAfter  = 24 * time.Hour // … since the first of them
	pausedRetry  = 24 * time.Hour // a message may try a paused one once in so much time
	stoppedLife  = 30 * 24 * time.Hour
	backoffFirst = 30 * time.Second
	backoffMost  = time.Hour
	flushEvery   = 30 * time.Second
	sweepEvery   = time.Hour
)

// health is how a registration does; times are Unix seconds, 0 for never.
type health struct {
	Success  int64  `json:"success,omitempty"`
	Failure  int64  `json:"failure,omitempty"`
	Reason   string `json:"reason,omitempty"`   // of the last failure, in words
	Failures int    `json:"failures,omitempty"` // since the last success
	Since    int64  `json:"since,omitempty"`    // the first of these
	Paused   int64  `json:"paused,omitempty"`
	Ended    bool   `json:"ended,omitempty"` // the service wants no more; set with Paused
	Told     bool   `json:"told,omitempty"`  // its device was told of the pause
}

// stopped tells whether it is left alone.
func (h *health) stopped() bool { return h.Paused > 0 }

// state is the health in a word.
func (h *health) state() string {
	switch {
	case h.Ended:
		return "ended"
	case h.stopped():
		return "paused"
	case h.Failures > 0:
		return "failing"
	case h.Success == 0:
		return "never-used"
	}
	return "ok"
}

// outcome is what became of one push.
type outcome uint8

const (
	sent    outcome = iota
	gone            // the service knows nothing of us any more
	refused         // the same again would be refused too
	later           // it may work later
)

func (o outcome) String() string { return [...]string{"sent", "ended", "refused", "later"}[o] }

// result is an outcome and why.
type result struct {
	outcome outcome
	reason  string        // "" when sent
	after   time.Duration // how long the service wants to be left alone
}

// note makes the outcome of a push part of the registration's health and tells the
// log of what matters; under mu.
// XEP-0357#publishing
func (f *Push) note(r *registration, res result) {
	now := time.Now()
	f.metrics.outcomes.WithLabelValues(r.way(f), res.outcome.String()).Inc()
	f.serviceDid(r.where(f), res)
	h := &r.health
	r.dirty = true
	if res.outcome == sent {
		if h.stopped() {
			f.cfg.Log.Info("push works again", "jid", r.owner.String(), "registration", r.id, "service", r.where(f))
		}
		*h = health{Success: now.Unix()}
		r.notBefore = time.Time{}
		return
	}
	h.Failure, h.Reason, h.Failures = now.Unix(), res.reason, h.Failures+1
	if h.Failures == 1 {
		h.Since = now.Unix()
	}
	r.notBefore = now.Add(max(res.after, min(backoffFirst<<min(h.Failures-1, 20), backoffMost)))
	h.Ended = h.Ended || res.outcome == gone
	long := now.Sub(time.Unix(h.Since, 0)) >= pausedAfter
	if h.Ended || h.Failures >= failuresMost && (res.outcome == refused || long) {
		f.pause(r, now)
	}
}

// pause leaves a registration alone; under mu.
func (f *Push) pause(r *registration, now time.Time) {
	if !r.health.stopped() {
		r.health.Paused, r.health.Told = now.Unix(), false
		f.cfg.Log.Warn("push paused: its device is not woken any more", "jid", r.owner.String(), "registration", r.id,
			"service", r.where(f), "failures", r.health.Failures, "why", r.health.Reason)
	}
	r.notBefore = now.Add(pausedRetry)
	if r.health.Ended {
		r.owed = false
		delete(f.waiting, r)
	}
}

// service is how a push service does, for the log.
type service struct {
	failures int
	alarmed  bool
}

const (
	alarmAfter   = 10 // failures in a row, of whatever registrations
	servicesMost = 1000
)

// serviceDid raises one alarm for a service that does not work at all; under mu.
func (f *Push) serviceDid(where string, res result) {
	s := f.services[where]
	switch {
	case res.outcome == sent || res.outcome == gone: // it answers
		if s != nil && s.alarmed {
			f.cfg.Log.Info("push service works again", "service", where)
		}
		delete(f.services, where)
		return
	case s == nil && len(f.services) >= servicesMost:
		return
	case s == nil:
		s = &service{}
		f.services[where] = s
	}
	if s.failures++; s.failures >= alarmAfter && !s.alarmed {
		s.alarmed = true
		f.cfg.Log.Error("push service does not work", "service", where, "failures", s.failures, "why", res.reason)
	}
}

// flush writes down what became of pushes since the last time. A crash costs half a
// minute of it.
func (f *Push) flush() {
	ops := map[string][]store.Op{}
	written := map[string][]*registration{}
	f.mu.Lock()
	for bare, a := range f.of {
		for _, r := range a.regs {
			if !r.dirty {
				continue
			}
			r.dirty = false
			value, err := json.Marshal(r.health)
			if err != nil {
				panic(err) // strings and numbers only
			}
			owner := bare.String()
			ops[owner] = append(ops[owner], f.healths.Set(r.id, value))
			written[owner] = append(written[owner], r)
		}
	}
	f.mu.Unlock()
	for owner, list := range ops {
		if err := f.writeHealth(written[owner], list); err != nil {
			f.cfg.Log.Error("push health cannot be kept", "jid", owner, "err", err)
			f.mu.Lock()
			for _, r := range written[owner] {
				r.dirty = true
			}
			f.mu.Unlock()
		}
	}
}

// writeHealth writes unless the registrations ended meanwhile. What ended for good
// loses its secrets.
func (f *Push) writeHealth(regs []*registration, ops []store.Op) error {
	owner := regs[0].owner
	defer f.hold(owner)()
	var still []store.Op
	f.mu.Lock()
	for i, r := range regs {
		if !r.removed && f.router.Exists(owner) {
			still = append(still, ops[i])
			if r.health.Ended {
				still = append(still, f.regs.Set(r.id, r.without()))
			}
		}
	}
	f.mu.Unlock()
	if len(still) == 0 {
		return nil
	}
	return f.kv.Apply(context.Background(), owner.String(), still...)
}

// without is what is kept of a registration that ended: no options.
func (r *registration) without() []byte {
	value, err := json.Marshal(record{
		Service: r.service.String(), Node: r.node, Device: r.device, Resource: r.resource, Host: r.host, Enabled: r.enabled.Unix(),
	})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return value
}

// sweep removes what was paused for long, and budgets that are full anyway.
func (f *Push) sweep(now time.Time) {
	f.flush()
	var owners []*registration
	f.mu.Lock()
	for bare, a := range f.of {
		if len(a.regs) == 0 && now.Sub(a.at) > budgetMost*budgetGap {
			delete(f.of, bare)
		}
		for _, r := range a.regs {
			if old(r, now) {
				owners = append(owners, r)
			}
		}
	}
	f.mu.Unlock()
	for _, r := range owners {
		f.drop(r.owner, "they were paused for "+stoppedLife.String(), func(o *registration) bool { return old(o, now) })
	}
}

func old(r *registration, now time.Time) bool {
	return r.health.stopped() && now.Sub(time.Unix(r.health.Paused, 0)) > stoppedLife
}

// appendTimed appends a child that says when, and why where there is a reason.
func appendTimed(b []byte, name string, at int64, attr string) []byte {
	b = append(b, "<"+name+attr+" time='"...)
	b = stanza.AppendTime(b, time.Unix(at, 0))
	return append(b, '\'')
}
