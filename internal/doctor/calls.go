package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"mirsal/internal/certs"
	"mirsal/internal/config"
	"mirsal/internal/turn"
)

// calls looks at what helps calls through firewalls: the server's own relay.
func (e *exam) calls(ctx context.Context) []Finding {
	l := &e.cfg.Listen
	if !l.Wanted() {
		if list, _ := e.cfg.Services.List(); slices.ContainsFunc(list, config.Service.Relays) {
			return []Finding{{"turn.relay", "", OK, "Calls are relayed by the servers in services.calls, which were not asked.", ""}}
		}
		return []Finding{{"turn.relay", "", Notice, "There is no relay for calls: people behind different firewalls will often not hear each other.",
			"Set listen.turn = \":3478\" and open the ports that docs/ops/calls.md names, or name a coturn in services.calls."}}
	}
	list := []Finding{e.relayAddress()}
	if e.cfg.Turn.AllowPrivate {
		list = append(list, Finding{"turn.private", "", Warning, "The relay leads everybody with an account to this machine and into private networks (turn.allow_private).",
			"Take it out, unless this network has no way to the internet and nothing in it to protect."})
	}
	shared := e.cfg.Turn.ShareHTTPS && !l.HTTP.Off()
	if l.Turns.Off() && !shared {
		list = append(list, Finding{"turn.tls", "", Notice, "The relay does not speak TLS: firewalls that let nothing but the web pass will not let calls pass.", "Set turn.share_https = true, or listen.turns = \":5349\" where a proxy stands before the web side."})
	}
	list = append(list, e.relayName(ctx)...)
	for _, p := range []struct {
		name string
		addr config.Address
		here bool
	}{{"turn", l.Turn, true}, {"turns", l.Turns, true}, {"http", l.HTTP, shared}} {
		if p.here && !p.addr.Off() {
			list = append(list, e.relayPort(ctx, p.name, p.addr))
		}
	}
	return list
}

// relayAddress looks whether others can reach what is relayed.
func (e *exam) relayAddress() Finding {
	const check = "turn.address"
	given, mine := e.cfg.Turn.Addresses(), e.Addresses()
	if len(given) == 0 {
		for _, a := range mine {
			if turn.Public(a) {
				return Finding{check, "", OK, "Calls are relayed at " + a.String() + ", a public address of this machine.", ""}
			}
		}
		return Finding{check, "", Problem, "Calls are not relayed: this machine has no public address, and none is named.",
			"Set turn.relay_address to the address by which the internet reaches this machine, and lead the ports of the relay here."}
	}
	ports := fmt.Sprintf("UDP ports %d to %d", e.cfg.Turn.MinPort, e.cfg.Turn.MaxPort)
	for _, a := range given {
		switch {
		case !turn.Public(a) && !e.cfg.Turn.AllowPrivate:
			return Finding{check, "", Problem, a.String() + " (turn.relay_address) is no address of the internet: nobody outside can reach what is relayed there.",
				"Name the public address. In a closed network set turn.allow_private as well."}
		case !slices.Contains(mine, a):
			return Finding{check, "", Notice, a.String() + " (turn.relay_address) is not an address of this machine, so a router has to lead " + ports + " of it here; that cannot be seen from inside.", "Ask somebody outside to call."}
		}
	}
	return Finding{check, "", OK, "Calls are relayed at " + given[0].String() + "; " + ports + " have to be open.", ""}
}

// relayName looks whether clients find the relay by the name that they are told.
func (e *exam) relayName(ctx context.Context) []Finding {
	name := e.cfg.Turn.Host
	if name == "" {
		name = certs.ASCII(e.domain)
	}
	if _, err := netip.ParseAddr(name); err == nil || e.isLocal() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := e.LookupHost(ctx, name); err != nil {
		return []Finding{{"turn.host", "", Problem, "Clients are told that the relay is " + name + ", which DNS does not know: " + short(err) + ".", "Give it a record with the address of this machine, or set turn.host to a name that has one."}}
	}
	return nil
}

// relayPort asks the relay for our address, over UDP or TLS, at one of its ports or at the
// web's.
func (e *exam) relayPort(ctx context.Context, name string, addr config.Address) Finding {
	check, at := "port."+name, string(addr)
	if name == "http" {
		check = "turn.web" // the port itself is looked at elsewhere
	}
	if portOf(addr) == 0 {
		if at = e.server.status.Ports[name]; at == "" || at == "off" {
			return Finding{check, "", Notice, "The system chooses the port of " + name + " at each start, so it was not looked at.", "Give listen." + name + " a port that firewalls can know."}
		}
	}
	err := e.askRelay(ctx, name, reachable(at))
	place := fmt.Sprintf("%s (%s)", name, at)
	switch closed := errors.Is(err, syscall.ECONNREFUSED); {
	case err == nil:
		return Finding{check, "", OK, place + ": the relay answers.", ""}
	case !e.server.answers && closed:
		return Finding{check, "", OK, place + ": nothing listens; the port is free for the server.", ""}
	case !e.server.answers:
		return Finding{check, "", Notice, place + ": no relay answers, and no server runs on this data: " + short(err) + ".", "Start it and run this command again."}
	case closed:
		return Finding{check, "", Problem, place + ": nothing listens, though the server runs.", "The server was started with other addresses than this command: give it the same --config, flags and --set."}
	}
	return Finding{check, "", Problem, place + ": no relay answers: " + short(err) + ".", "Look at the firewall of this machine, and whether another program has the port."}
}

func (e *exam) askRelay(ctx context.Context, name, at string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	network := "udp"
	if name != "turn" {
		network = "tcp"
	}
	c, err := e.Dial(ctx, network, at)
	if err != nil {
		return err
	}
	defer c.Close()
	if t, ok := ctx.Deadline(); ok {
		c.SetDeadline(t)
	}
	if network == "udp" {
		return lookTwice(c)
	}
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: certs.ASCII(e.domain), NextProtos: turn.Protocols}
	if name == "http" {
		cfg.NextProtos = nil // as browsers ask
	}
	t := tls.Client(c, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	_, err = turn.Look(t)
	return err
}

// lookTwice asks once more when a packet may have been lost.
func lookTwice(c net.Conn) error {
	c.SetReadDeadline(time.Now().Add(patience / 3))
	_, err := turn.Look(c)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() || err != nil && strings.Contains(err.Error(), "no answer") {
		c.SetReadDeadline(time.Now().Add(patience / 3))
		_, err = turn.Look(c)
	}
	return err
}
