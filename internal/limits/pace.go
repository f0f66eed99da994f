package limits

import "time"

// Pace is how fast one session may send. It belongs to its reader. The zero
// Pace has no bound.
type Pace struct {
	l       *Limits
	account *entry[paced] // nil for strangers, and for raw
	login   bool          // raw, of a session
	stanza  bucket
	bytes   bucket
	// what was taken and is not yet counted
	stanzas, size int32
}

// How much is taken before it is counted: looking at the clock costs more than
// reading a stanza.
const (
	batch     = 16
	batchSize = 16 << 10
)

// paced is what the sessions of one account share.
type paced struct{ stanza, bytes shared }

func (l *Limits) pacedIdle(p *paced, now int64) bool {
	return max(p.stanza.at.Load(), p.bytes.at.Load()) <= now
}

// Pace is for a new session of an account, by its normalised name. Release it.
func (l *Limits) Pace(account string) Pace {
	if !l.cfg.Enabled {
		return Pace{}
	}
	p := Pace{l: l}
	l.paced.with(l.nameKey(account), l.now(), func(e *entry[paced]) {
		e.pins++
		p.account = e
	})
	return p
}

// Stranger is for a connection without a login.
func (l *Limits) Stranger() Pace {
	if !l.cfg.Enabled {
		return Pace{}
	}
	return Pace{l: l}
}

// Raw is for what carries a stream, before it is taken apart: with a login or
// without, and never an account's.
func (l *Limits) Raw(login bool) Pace {
	if !l.cfg.Enabled {
		return Pace{}
	}
	return Pace{l: l, login: login}
}

// Release ends it with its session. What the account owes stays.
func (p *Pace) Release(account string) {
	if p.account == nil {
		return
	}
	p.l.paced.with(p.l.nameKey(account), p.l.now(), func(e *entry[paced]) { e.pins-- })
	*p = Pace{}
}

// Take counts stanzas and bytes that have come and returns how long to pause
// before reading on.
func (p *Pace) Take(stanzas, bytes int) time.Duration {
	if p.l == nil {
		return 0
	}
	p.stanzas += int32(stanzas)
	p.size += int32(min(bytes, 1<<30))
	if p.stanzas < batch && p.size < batchSize {
		return 0
	}
	return p.settle()
}

// settle counts what was taken.
func (p *Pace) settle() time.Duration {
	r, now := &p.l.rates, p.l.now()
	s, b := int(p.stanzas), int(p.size)
	p.stanzas, p.size = 0, 0
	rs, rb, scope := r.stanza, r.bytes, "session"
	if p.account == nil && !p.login {
		rs, rb, scope = r.strangerStanza, r.strangerBytes, "stranger"
	}
	p.stanza.owe(rs, now, s, debt)
	p.bytes.owe(rb, now, b, debt)
	own := max(p.stanza.wait(rs, now), p.bytes.wait(rb, now))
	if p.account != nil {
		all := max(p.account.value.stanza.owe(r.acctStanza, now, s), p.account.value.bytes.owe(r.acctBytes, now, b))
		if all > own {
			own, scope = all, "account"
		}
	}
	if own > 0 {
		p.l.metrics.delayed.WithLabelValues("stanzas", scope).Inc()
	}
	return own
}
