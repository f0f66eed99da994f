// Package limits says how fast things may be done: connections, handshakes,
// attempts to log in, stanzas, bytes and registrations, each by address, by
// prefix (a network of addresses) or by account. It knows no protocol: the ports
// ask before they work, and sleep or refuse as they are told.
//
// Invariants: what it remembers is bounded, whoever asks and however often, and
// is in memory only; names and places are kept as keyed hashes. No budget that an
// attacker from elsewhere can use up stands between people and their accounts: places from which an
// account has signed in are not held up by what others do to it, and everybody
// else waits a bounded time. What goes through a session only ever slows it down.
// docs/ops/limits.md is the manual.
package limits

import (
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Config is what can be chosen. The zero value lifts all paces; Strangers holds
// all the same.
type Config struct {
	Enabled bool
	// Exempt are networks whose addresses stand for many people: proxies, Tor,
	// this machine. Nothing is counted by address there.
	Exempt []netip.Prefix
	// Strangers is how many streams may be without a login at a time; 0 for any number.
	Strangers int
	// Web is how many connections over HTTP there may be at a time, with TLS and as many
	// without; 0 for any number.
	Web int
	// AddressStrangers is the same for one address; a prefix has crowd times as many.
	AddressStrangers int
	// Connections and Handshakes are new ones a second for one address, Connections
	// also requests over HTTP. A burst may be burstSeconds' worth, a prefix has crowd times as many.
	Connections, Handshakes int
	// Workers is how many handshakes may compute at a time; 0 for half of the processors.
	Workers int
	// Logins is how many attempts may fail in a minute before others wait: from one
	// address, from one familiar place, or for one account.
	Logins int
	// Delay is the longest that an attempt to log in waits.
	Delay time.Duration
	// Stanzas and Bytes are what one session may send in a second; an account
	// has crowd times as many for all its sessions.
	Stanzas, Bytes int
	// Registrations are the accounts that one address may make in an hour, and
	// OpenRegistrations what all may together in a minute.
	Registrations, OpenRegistrations int
}

// Sizes that nobody has had a reason to choose.
const (
	crowd        = 4  // addresses' worth for a prefix, sessions' worth for an account
	burstSeconds = 20 // of connections and handshakes
	// what a session may save up, in seconds
	stanzaBurst = 10
	byteBurst   = 8
	// debt is how long failed attempts to log in are held against somebody.
	debt = 10 * time.Minute

	sources  = 1 << 16 // addresses, and as many prefixes and accounts, that are remembered
	accounts = 1 << 16 // whose familiar places are remembered
)

// Default is what default.toml says.
func Default() Config {
	return Config{
		Enabled:   true,
		Exempt:    []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Strangers: 4096, Web: 4096, AddressStrangers: 256, Connections: 50, Handshakes: 50,
		Logins: 20, Delay: 3 * time.Second, Stanzas: 200, Bytes: 1 << 20,
		Registrations: 10, OpenRegistrations: 30,
	}
}

// Refused is why something may not be done now.
type Refused struct {
	Budget string // strangers, web, connections, requests, handshakes, logins or registrations
	Scope  string // address, prefix, account or server
}

func (r *Refused) Error() string {
	return "too many " + r.Budget + " for this " + r.Scope + "; try again later"
}

// Limits holds the budgets of one server. All methods may be called from any
// goroutine.
type Limits struct {
	cfg     Config
	seed    maphash.Seed
	born    time.Time
	rates   rates
	metrics *Metrics
	notes   *notes

	addrs, prefixes table[source]
	names           table[name]
	paced           table[paced]
	familiar        places
	queue           queue
	guests          [doors]guests

	regMu    sync.Mutex
	register bucket // of everybody; under regMu
}

// rates are the budgets as buckets count them.
type rates struct {
	connect, handshake, fail, join          rate // of an address
	stanza, bytes, acctStanza, acctBytes    rate
	crowdConnect, crowdHandshake, crowdFail rate
	crowdJoin, openJoin, stumble            rate
	strangerStanza, strangerBytes           rate
}

// New makes the budgets of a server.
func New(cfg Config, m *Metrics, log *slog.Logger) *Limits {
	l := &Limits{cfg: cfg, seed: maphash.MakeSeed(), born: time.Now(), metrics: m, notes: newNotes(log)}
	second, minute, hour := time.Second, time.Minute, time.Hour
	l.rates = rates{
		connect:        perTime(cfg.Connections, second, burstSeconds*cfg.Connections),
		crowdConnect:   perTime(crowd*cfg.Connections, second, crowd*burstSeconds*cfg.Connections),
		handshake:      perTime(cfg.Handshakes, second, burstSeconds*cfg.Handshakes),
		crowdHandshake: perTime(crowd*cfg.Handshakes, second, crowd*burstSeconds*cfg.Handshakes),
		fail:           perTime(cfg.Logins, minute, cfg.Logins),
		crowdFail:      perTime(crowd*cfg.Logins, minute, crowd*cfg.Logins),
		stumble:        perTime(1, minute, stumbles),
		join:           perTime(cfg.Registrations, hour, cfg.Registrations),
		crowdJoin:      perTime(crowd*cfg.Registrations, hour, crowd*cfg.Registrations),
		openJoin:       perTime(cfg.OpenRegistrations, minute, cfg.OpenRegistrations),
		stanza:         perTime(cfg.Stanzas, second, stanzaBurst*cfg.Stanzas),
		bytes:          perTime(cfg.Bytes, second, byteBurst*cfg.Bytes),
		acctStanza:     perTime(crowd*cfg.Stanzas, second, crowd*stanzaBurst*cfg.Stanzas),
		acctBytes:      perTime(crowd*cfg.Bytes, second, crowd*byteBurst*cfg.Bytes),
	}
	// a tenth: what comes before a login is little
	l.rates.strangerStanza = perTime(cfg.Stanzas/10, second, stanzaBurst*cfg.Stanzas/10)
	l.rates.strangerBytes = perTime(cfg.Bytes/10, second, byteBurst*cfg.Bytes/10)
	l.addrs.init(sources, l.sourceIdle)
	l.prefixes.init(sources, l.sourceIdle)
	l.names.init(sources, l.nameIdle)
	l.paced.init(sources, l.pacedIdle)
	l.familiar.init(accounts)
	l.queue.init(cfg.Workers, m)
	l.guests[Streams].init(Streams, "strangers", cfg.Strangers)
	l.guests[Web].init(Web, "web", cfg.Web)
	l.guests[Proxied].init(Proxied, "web", cfg.Web)
	l.guests[Ops].init(Ops, "web", opsPlaces)
	m.watch(l)
	return l
}

// Close stops the timers.
func (l *Limits) Close() { l.notes.close() }

// now is the time that buckets count with, in nanoseconds.
func (l *Limits) now() int64 { return int64(time.Since(l.born)) }

// refuse counts and notes a refusal.
func (l *Limits) refuse(budget, scope string, from netip.Prefix) error {
	l.metrics.refused.WithLabelValues(budget, scope).Inc()
	l.notes.add(budget, scope, from)
	return &Refused{Budget: budget, Scope: scope}
}
