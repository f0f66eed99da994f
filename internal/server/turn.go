package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/certs"
	"mirsal/internal/core"
	"mirsal/internal/httpd"
	"mirsal/internal/limits"
	"mirsal/internal/store"
	"mirsal/internal/turn"
	"mirsal/internal/xep/extdisco"
	"mirsal/internal/xmpp/jid"
)

// relay is the server's own relay for calls: its parts, before it runs and after.
type relay struct {
	credentials *turn.Credentials // nil where there is no relay
	addresses   []netip.Addr
	udp         net.PacketConn
	server      *turn.Server
}

// bindRelay opens the UDP port beside the one of TCP.
func (s *Server) bindRelay(ctx context.Context) (err error) {
	l := s.open["turn"]
	if l == nil {
		return nil
	}
	at := l.Addr().String()
	if s.relay.udp, err = net.ListenPacket("udp", at); err != nil {
		return s.portError(ctx, "turn", at, err)
	}
	s.onClose(func() { s.relay.udp.Close() })
	return nil
}

// loadRelay reads the key by which passwords are made, which outlives restarts as
// the passwords do.
func (s *Server) loadRelay(ctx context.Context) error {
	if !s.Config.Listen.Wanted() {
		return nil
	}
	const keySize = 32
	keys := s.store.Declare(store.Space{
		Name: "turn", Fields: "the key by which passwords for the relay of calls are made", Purpose: "passwords stay good when the server starts again", Until: "the server itself is gone",
	})
	has, err := keys.Get(ctx, s.Domain.String(), "key")
	if errors.Is(err, store.ErrNotFound) || err == nil && len(has.Value) != keySize {
		has.Value = make([]byte, keySize)
		rand.Read(has.Value)
		err = keys.Put(ctx, s.Domain.String(), "key", has.Value)
	}
	if err != nil {
		return fmt.Errorf("the key of the relay: %w", err)
	}
	s.relay.credentials = turn.NewCredentials(has.Value)
	if s.relay.addresses = s.Config.Turn.Addresses(); len(s.relay.addresses) == 0 {
		s.relay.addresses = publicOf(machineAddresses())
	}
	if len(s.relay.addresses) == 0 {
		s.Log.Warn("calls are not relayed: this machine has no public address; name the one that others see in turn.relay_address")
	}
	return nil
}

// publicOf is one address of each family by which the internet reaches us.
func publicOf(list []netip.Addr) (found []netip.Addr) {
	for _, a := range list {
		same := func(b netip.Addr) bool { return a.Is4() == b.Is4() }
		if turn.Public(a) && !slices.ContainsFunc(found, same) {
			found = append(found, a)
		}
	}
	return found
}

func machineAddresses() (list []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}

// addCalls tells clients which servers help their calls.
func (s *Server) addCalls(h *core.Host) {
	cfg := &s.Config
	f := extdisco.New(s.Router, serviceList(&cfg.Services), cfg.Services.Secret, cfg.Services.Life.Duration)
	if c := s.relay.credentials; c != nil {
		f.Own(s.ownServices(), cfg.Turn.Password.Duration, func(account jid.JID, until time.Time) (string, string) {
			return c.Issue(account.Bare().String(), until)
		})
		h.AccountGone = append(h.AccountGone, func(bare jid.JID) {
			if s.relay.server != nil {
				s.relay.server.Revoke(bare.String(), cfg.Turn.Password.Duration)
			}
		})
	}
	f.Register(h)
}

// ownServices are those of the listeners that there are.
func (s *Server) ownServices() (list []extdisco.Service) {
	host := s.Config.Turn.Host
	if host == "" {
		host = certs.ASCII(s.Domain)
	}
	add := func(kind, transport, listener string) {
		port, _ := strconv.Atoi(portOf(s.Addr(listener)))
		if relays := kind != "stun"; port > 0 && (!relays || len(s.relay.addresses) > 0) {
			list = append(list, extdisco.Service{Type: kind, Host: host, Port: port, Transport: transport, Restricted: relays})
		}
	}
	add("stun", "udp", "turn")
	add("turn", "udp", "turn")
	add("turn", "tcp", "turn")
	add("turns", "tcp", "turns")
	if s.Config.Turn.ShareHTTPS {
		add("turns", "tcp", "http")
	}
	return list
}

// startRelay starts the relay, if there is to be one.
func (s *Server) startRelay() (err error) {
	if s.relay.credentials == nil {
		return nil
	}
	t := &s.Config.Turn
	s.relay.server, err = turn.Start(turn.Config{
		Realm: s.Domain.String(), Credentials: s.relay.credentials, Relay: s.relay.addresses, Own: machineAddresses(),
		MinPort: t.MinPort, MaxPort: t.MaxPort, AllowPrivate: t.AllowPrivate,
		PerAccount: t.PerAccount, PerAddress: t.PerAddress, Most: t.Allocations, Rate: t.ByteRate, Volume: int64(t.Volume), Lifetime: t.Lifetime.Duration,
		Log: s.Log, Metrics: turn.NewMetrics(s.metrics),
	}, s.relay.udp)
	if err != nil {
		return err
	}
	s.onClose(s.closeRelay)
	if l := s.open["turn"]; l != nil {
		s.relay.server.Serve(s.features.limits.Listener(l, limits.Web))
	}
	if l := s.open["turns"]; l != nil {
		t := limits.NewHandshaker(s.certs.TLS(turn.Protocols...)).Config()
		s.relay.server.Serve(tls.NewListener(s.features.limits.Listener(l, limits.Web), t))
	}
	return nil
}

func (s *Server) closeRelay() {
	if s.relay.server != nil {
		s.relay.server.Close()
	}
}

// sharesRelay tells whether the web side's port is the relay's as well.
func (s *Server) sharesRelay() bool { return s.relay.server != nil && s.Config.Turn.ShareHTTPS }

// shareRelay lets those in at the web side's port who name the relay within TLS, and
// those who name nothing and speak STUN, as browsers do. Whoever names both wants the
// relay.
// RFC 7443 §3
func (s *Server) shareRelay(l net.Listener) net.Listener {
	share := httpd.Share{
		TLS: s.webTLS(turn.Protocols...), Protocols: turn.Protocols,
		May: turn.MayBegin, Most: turn.HeadSize, Serve: s.relay.server.Conn,
	}
	return share.Listener(l)
}
