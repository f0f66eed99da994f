// Package turn is the server's own STUN server and relay for calls (RFC 8489,
// RFC 8656), over UDP, TCP and TLS: those who cannot, or do not want to, reach each other
// send through it. The protocol is that of github.com/pion/turn; here is who may use it,
// to whom, how much and for how long.
//
// It relays UDP only, sees nothing of what it relays (calls are encrypted from end to end),
// and keeps nothing. Invariants: without a password that we made, and that is still good,
// nobody gets a relay address, and none outlives its password; no packet goes to, or comes
// from, an address that is not the internet's, or our own but for other allocations, unless
// the operator has opened that for a closed network; what strangers send is bounded in
// memory and in answers before the library looks at it.
package turn

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"

	"mirsal/internal/limits"
)

// Protocols are the names by which clients ask for STUN and TURN within TLS.
// RFC 7443 §3
var Protocols = []string{"stun.turn", "stun.nat-discovery"}

// Config is what a relay needs to know. Numbers are above 0.
type Config struct {
	// Realm is told to clients: the domain.
	Realm string
	// Credentials makes the passwords that are taken.
	Credentials *Credentials
	// Relay are the addresses that allocations have: one of IPv4, one of IPv6 or
	// both. None: STUN alone is served.
	Relay []netip.Addr
	// Own are the addresses of this machine.
	Own []netip.Addr
	// MinPort to MaxPort are given out.
	MinPort, MaxPort int
	// AllowPrivate also relays to networks that are not the internet's.
	AllowPrivate bool
	// Allocations at one time: of an account, of an address (of IPv6 a /64), of all.
	PerAccount, PerAddress, Most int
	// Rate is bytes a second that an allocation may relay, both ways together, with two
	// seconds' worth at once; Volume is bytes in all.
	Rate   int
	Volume int64
	// Lifetime is the longest that an allocation may be kept.
	Lifetime time.Duration
	Log      *slog.Logger
	Metrics  *Metrics // nil for none
}

// Server is a running relay.
type Server struct {
	cfg     Config
	rules   rules
	relays  *relays
	quotas  *quotas
	doors   *doors
	lib     *pion.Server
	metrics *Metrics
	begun   begun

	mu      sync.Mutex // held for moments
	clients map[netip.AddrPort]int
	gone    map[who]time.Time // passwords of an account that are no good: until then
	open    []net.Listener
	closed  bool
	run     sync.WaitGroup
}

// Start serves STUN and TURN on udp, which may be nil, and on what Serve and Conn are
// given. It owns udp from now on.
func Start(cfg Config, udp net.PacketConn) (*Server, error) {
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	s := &Server{
		cfg: cfg, metrics: cfg.Metrics, quotas: newQuotas(cfg.PerAccount, cfg.PerAddress, cfg.Most),
		rules:   rules{private: cfg.AllowPrivate, told: cfg.Relay, own: cfg.Own},
		begun:   begun{open: map[string]chan struct{}{}},
		clients: map[netip.AddrPort]int{}, gone: map[who]time.Time{},
	}
	s.doors = newDoors(2*cfg.PerAddress, 2*cfg.Most, cfg.Metrics, s.begun.settle)
	s.relays = &relays{cfg: &s.cfg, rules: &s.rules, read: cfg.Credentials.read, metrics: s.metrics, live: map[netip.AddrPort]*relay{}}
	c := pion.ServerConfig{
		Realm: cfg.Realm, LoggerFactory: silent{}, QuotaHandler: s.quota, EventHandler: s.events(),
		ListenerConfigs: []pion.ListenerConfig{{Listener: s.doors, RelayAddressGenerator: s.relays, PermissionHandler: s.permission}},
		// who does not say gets an address of the family that there is
		StrictAddressFamily: !has6(cfg.Relay),
	}
	if len(cfg.Relay) > 0 {
		c.AuthHandler = s.authenticate
	}
	if udp != nil {
		s.rules.listener = addrOf(udp.LocalAddr()).Port()
		c.PacketConnConfigs = []pion.PacketConnConfig{{
			PacketConn:            newGate(udp, s.isClient, func() { s.metrics.dropped.WithLabelValues("flood").Inc() }, s.begun.settle),
			RelayAddressGenerator: s.relays, PermissionHandler: s.permission,
		}}
	}
	lib, err := pion.NewServer(c)
	if err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	s.lib = lib
	return s, nil
}

func has6(list []netip.Addr) bool {
	for _, a := range list {
		if a.Is6() {
			return true
		}
	}
	return false
}

// authenticate gives the library the key for a user name, if we made it and it is
// still good. Whether the client has the password it finds out by an HMAC.
// RFC 8489 §9.2
func (s *Server) authenticate(ra *pion.RequestAttributes) (user string, key []byte, ok bool) {
	cl, ok := s.cfg.Credentials.read(ra.Username)
	if !ok || ra.Realm != s.cfg.Realm {
		s.metrics.refused.WithLabelValues("credentials").Inc()
		return "", nil, false
	}
	if !time.Now().Before(cl.until) || s.revoked(cl) {
		s.metrics.refused.WithLabelValues("expired").Inc()
		return "", nil, false
	}
	return ra.Username, pion.GenerateAuthKey(ra.Username, ra.Realm, s.cfg.Credentials.password(ra.Username)), true
}

func (s *Server) revoked(cl claim) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.gone[cl.account]
	return ok && !cl.until.After(until)
}

// Revoke ends an account's allocations and takes none of its passwords any more that
// are good for life at most.
func (s *Server) Revoke(account string, life time.Duration) {
	w := s.cfg.Credentials.who(account)
	now := time.Now()
	s.mu.Lock()
	for k, until := range s.gone {
		if now.After(until) {
			delete(s.gone, k)
		}
	}
	s.gone[w] = now.Add(life)
	s.mu.Unlock()
	s.relays.drop(func(r *relay) bool { return r.account == w })
}

// quota decides whether a client whose password is right may have one more.
func (s *Server) quota(user, _ string, from net.Addr) bool {
	cl, _ := s.cfg.Credentials.read(user)
	full := s.quotas.ask(cl.account, from)
	if full != "" {
		s.metrics.refused.WithLabelValues(full).Inc()
		return false
	}
	return true
}

// permission decides whether a client may name a peer.
func (s *Server) permission(client net.Addr, peer net.IP) bool {
	s.begun.settle(client)
	a, _ := netip.AddrFromSlice(peer)
	if !s.rules.host(a) {
		s.metrics.refused.WithLabelValues("peer").Inc()
		return false
	}
	return true
}

func (s *Server) isClient(a netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients[a] > 0
}

// client notes that an address has one more allocation, or one less.
func (s *Server) client(a net.Addr, n int) {
	p := addrOf(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[p] += n; s.clients[p] <= 0 {
		delete(s.clients, p)
	}
}

// events keep the counts true to what the library does.
func (s *Server) events() pion.EventHandler {
	ofUser := func(user string) who {
		cl, _ := s.cfg.Credentials.read(user)
		return cl.account
	}
	return pion.EventHandler{
		OnAuth: func(_, _ net.Addr, _, _, _, _ string, ok bool) {
			if !ok {
				s.metrics.refused.WithLabelValues("credentials").Inc()
			}
		},
		OnAllocationCreated: func(from, _ net.Addr, _, user, _ string, _ net.Addr, _ int) {
			s.quotas.made(ofUser(user), from)
			s.client(from, 1)
			s.metrics.made.Inc()
			s.metrics.allocations.Inc()
		},
		OnAllocationDeleted: func(from, _ net.Addr, _, user, _ string) {
			s.quotas.gone(ofUser(user), from)
			s.client(from, -1)
			s.metrics.allocations.Dec()
		},
		OnAllocationError: func(from, _ net.Addr, _, _ string) {
			s.quotas.failed(from)
			s.metrics.failed.Inc()
		},
		OnPermissionCreated: func(from, _ net.Addr, _, _, _ string, at net.Addr, peer net.IP) {
			s.begun.begin(from)
			s.on(at, peer, (*relay).permit)
		},
		OnPermissionDeleted: func(from, _ net.Addr, _, _, _ string, at net.Addr, peer net.IP) {
			s.begun.wait(from)
			s.on(at, peer, (*relay).forbid)
		},
		OnChannelCreated: func(from, _ net.Addr, _, _, _ string, at, peer net.Addr, number uint16) {
			s.begun.settle(from)
			if r := s.relays.at(at); r != nil {
				r.bind(number, addrOf(peer).Addr())
			}
		},
		OnChannelDeleted: func(_, _ net.Addr, _, _, _ string, at, _ net.Addr, number uint16) {
			if r := s.relays.at(at); r != nil {
				r.unbind(number)
			}
		},
	}
}

func (s *Server) on(at net.Addr, peer net.IP, do func(*relay, netip.Addr)) {
	a, _ := netip.AddrFromSlice(peer)
	if r := s.relays.at(at); r != nil {
		do(r, a.Unmap())
	}
}

// handshakeWait is how long a TLS handshake may take, its waiting for its turn too.
const handshakeWait = 10 * time.Second

// Serve serves the connections of a listener, of TLS or of TCP, until Close.
func (s *Server) Serve(l net.Listener) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return
	}
	s.open = append(s.open, l)
	s.mu.Unlock()
	s.run.Go(func() {
		limits.Accept(context.Background(), l, s.cfg.Log, func(c net.Conn) { go s.Conn(c) })
	})
}

// Conn serves one connection and returns when it has ended.
func (s *Server) Conn(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeWait)
		err := t.HandshakeContext(ctx)
		cancel()
		if err != nil {
			c.Close()
			return
		}
	}
	if p := limits.PeerBehind(c); p != nil {
		p.Close() // it is among ours now
	}
	if ended, ok := s.doors.enter(c); ok {
		<-ended
	}
}

// Allocations tells how many there are.
func (s *Server) Allocations() int { return s.lib.AllocationCount() }

// Close ends all allocations and connections; more than once is nothing.
func (s *Server) Close() {
	s.mu.Lock()
	was, open := s.closed, s.open
	s.closed = true
	s.mu.Unlock()
	if was {
		return
	}
	for _, l := range open {
		l.Close()
	}
	if err := s.lib.Close(); err != nil {
		s.cfg.Log.Warn("the relay did not close", "err", err)
	}
	s.doors.Close()
	s.relays.drop(func(*relay) bool { return true })
	s.run.Wait()
}

// Look asks a STUN server over a connection what our address is, which shows that it
// is one. It takes one packet each way; deadlines are the caller's.
// RFC 8489 §5
func Look(c net.Conn) (netip.AddrPort, error) {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := c.Write(m.Raw); err != nil {
		return netip.AddrPort{}, err
	}
	b := make([]byte, frameMost)
	n, err := c.Read(b)
	if err != nil {
		return netip.AddrPort{}, err
	}
	answer := &stun.Message{Raw: b[:n]}
	var mapped stun.XORMappedAddress
	if err := answer.Decode(); err != nil {
		return netip.AddrPort{}, err
	}
	if err := mapped.GetFrom(answer); err != nil || answer.TransactionID != m.TransactionID {
		return netip.AddrPort{}, fmt.Errorf("no answer to what was asked: %w", err)
	}
	a, _ := netip.AddrFromSlice(mapped.IP)
	return netip.AddrPortFrom(a.Unmap(), uint16(mapped.Port)), nil
}
