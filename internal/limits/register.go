package limits

// Register takes an open registration from the budgets of the peer's address, its prefix
// and the server. An invitation needs none. err is a *Refused.
func (p *Peer) Register() error {
	l := p.l
	if !l.cfg.Enabled {
		return nil
	}
	r := &l.rates
	ok, scope := l.takeBoth(p.origin, func(s *source, crowded bool, now int64) bool {
		if crowded {
			return s.join.take(r.crowdJoin, now, 1)
		}
		return s.join.take(r.join, now, 1)
	})
	if !ok {
		return l.refuse("registrations", scope, p.origin.net)
	}
	l.regMu.Lock()
	defer l.regMu.Unlock()
	if !l.register.take(r.openJoin, l.now(), 1) {
		return l.refuse("registrations", "server", p.origin.net)
	}
	return nil
}

// Key is under which a stream's values hold its *Peer, for those who make accounts.
type Key struct{}

// Values is a stream that keeps values.
type Values interface{ Value(key any) any }

// PeerOf is the peer behind a stream before its login, nil where nobody counts.
func PeerOf(v Values) *Peer {
	p, _ := v.Value(Key{}).(*Peer)
	return p
}
