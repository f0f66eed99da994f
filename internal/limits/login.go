package limits

import (
	"context"
	"time"
)

// name is what is remembered of an account that somebody wants to be: whether
// there is one makes no difference.
type name struct {
	fail    bucket
	waiting int32
}

func (l *Limits) nameIdle(n *name, now int64) bool { return n.fail <= bucket(now) && n.waiting == 0 }

// How many attempts may wait at a time: the delay by this is how fast a
// password can be guessed.
const (
	addressWaits = 8
	prefixWaits  = crowd * addressWaits
	nameWaits    = 64
	// stumbles are the failures that people make; one is forgiven each minute. An
	// address with no more is never refused for what others do to the account.
	stumbles = 3
)

// Login waits, before the proof of an attempt to log in is looked at, as long as the budgets
// ask: not longer than Config.Delay. account is the normalised name. known tells
// that a device shows a token of ours, which cannot be guessed: it never waits. err is a *Refused,
// or ctx's.
//
// An attempt from a place familiar to the account waits only for failures from that
// very place, and is never refused. Others wait for those of their address, their
// prefix and the account; they are refused when too many of their address wait,
// or when their address has failed again and again and too many wait for the account.
func (p *Peer) Login(ctx context.Context, account string, known bool) error {
	l := p.l
	if !l.cfg.Enabled || known {
		return nil
	}
	key, now := l.nameKey(account), l.now()
	if d, familiar := l.familiar.wait(key, p.origin, l.rates.fail, now); familiar && !p.origin.exempt() {
		return l.delay(ctx, "place", d)
	}
	d, scope := l.loginWait(p.origin, key, now)
	if d == 0 {
		return nil
	}
	full := l.queueUp(p.origin, key, now)
	defer l.goOn(p.origin, key)
	if full != "" {
		return l.refuse("logins", full, p.origin.net)
	}
	return l.delay(ctx, scope, d)
}

// loginWait is the longest of the debts, and whose it is.
func (l *Limits) loginWait(o Origin, key uint64, now int64) (d time.Duration, scope string) {
	longer := func(w time.Duration, whose string) {
		if w > d {
			d, scope = w, whose
		}
	}
	l.names.with(key, now, func(e *entry[name]) { longer(e.value.fail.wait(l.rates.fail, now), "account") })
	if !o.exempt() {
		l.addrs.with(o.addr, now, func(e *entry[source]) { longer(e.value.fail.wait(l.rates.fail, now), "address") })
		l.prefixes.with(o.prefix, now, func(e *entry[source]) { longer(e.value.fail.wait(l.rates.crowdFail, now), "prefix") })
	}
	return d, scope
}

// queueUp counts one who waits; goOn counts him off. full is the scope in
// which too many wait already.
func (l *Limits) queueUp(o Origin, key uint64, now int64) (full string) {
	repeated := false // exempt ones never: they cannot be told apart
	wait := func(scope string, most int32) func(*entry[source]) {
		return func(e *entry[source]) {
			e.value.waiting++
			e.pins++
			repeated = repeated || scope == "address" && e.value.stumble.wait(l.rates.stumble, now) > 0
			if e.value.waiting > most {
				full = scope
			}
		}
	}
	if !o.exempt() {
		l.addrs.with(o.addr, now, wait("address", addressWaits))
		l.prefixes.with(o.prefix, now, wait("prefix", prefixWaits))
	}
	l.names.with(key, now, func(e *entry[name]) {
		e.value.waiting++
		e.pins++
		if repeated && e.value.waiting > nameWaits && full == "" {
			full = "account"
		}
	})
	return full
}

func (l *Limits) goOn(o Origin, key uint64) {
	now := l.now()
	off := func(e *entry[source]) { e.value.waiting--; e.pins-- }
	if !o.exempt() {
		l.addrs.with(o.addr, now, off)
		l.prefixes.with(o.prefix, now, off)
	}
	l.names.with(key, now, func(e *entry[name]) { e.value.waiting--; e.pins-- })
}

func (l *Limits) delay(ctx context.Context, scope string, d time.Duration) error {
	if d = min(d, l.cfg.Delay); d <= 0 {
		return nil
	}
	l.metrics.delayed.WithLabelValues("logins", scope).Inc()
	l.metrics.logins.Inc()
	defer l.metrics.logins.Dec()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Failed charges an attempt with a wrong proof. From a place that is familiar to the account
// it is charged to that place alone, so that a neighbour's guesses cost the account nothing elsewhere.
func (p *Peer) Failed(account string) {
	l := p.l
	if !l.cfg.Enabled {
		return
	}
	key, now, o := l.nameKey(account), l.now(), p.origin
	if !o.exempt() {
		l.addrs.with(o.addr, now, func(e *entry[source]) {
			e.value.fail.owe(l.rates.fail, now, 1, debt)
			e.value.stumble.owe(l.rates.stumble, now, 1, debt)
		})
		l.prefixes.with(o.prefix, now, func(e *entry[source]) { e.value.fail.owe(l.rates.crowdFail, now, 1, debt) })
		if _, familiar := l.familiar.wait(key, o, l.rates.fail, now); familiar {
			l.familiar.owe(key, o, l.rates.fail, now)
			return
		}
	}
	l.names.with(key, now, func(e *entry[name]) { e.value.fail.owe(l.rates.fail, now, 1, debt) })
}

// Succeeded remembers the place as one from which the account signs in.
func (p *Peer) Succeeded(account string) {
	if p.l.cfg.Enabled && !p.origin.exempt() {
		p.l.familiar.add(p.l.nameKey(account), p.origin)
	}
}

// Gone forgets an account that was removed.
func (l *Limits) Gone(account string) { l.familiar.gone(l.nameKey(account)) }
