package doctor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"

	"mirsal/internal/component"
	"mirsal/internal/xmpp/stream"
)

// reach is about a listener for clients that only this machine can reach, and one
// for components that others can.
func (e *exam) reach(ctx context.Context, l listener) []Finding {
	if l.name == "component" {
		return e.components(ctx, l)
	}
	if e.isLocal() || !l.addr.Loopback() || l.name == "ops" || l.name == "http-plain" {
		return nil
	}
	return []Finding{{"port.reach", "", Notice, fmt.Sprintf("%s listens on %s, which only this machine can reach.", l.name, l.addr),
		fmt.Sprintf("Unless a proxy leads clients there, set %s = \":%d\".", l.key, l.port)}}
}

// components must not be met by strangers: their connections have no TLS.
func (e *exam) components(ctx context.Context, l listener) []Finding {
	if l.addr.Off() || l.addr.Loopback() || e.private(ctx, string(l.addr)) {
		return nil
	}
	return []Finding{{"port.component-reach", "", Problem, fmt.Sprintf("component listens on %s, where everybody may come: what components and people say to each other goes there without TLS.", l.addr),
		fmt.Sprintf("Set %s to an address of this machine alone (\"127.0.0.1:%d\") or of a network that nobody else is on.", l.key, l.port)}}
}

// private tells whether all addresses of a listener are of this machine or of private
// networks. One on every interface is not.
func (e *exam) private(ctx context.Context, addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return false
	}
	hosts := []string{host}
	if _, err := netip.ParseAddr(host); err != nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if hosts, err = e.LookupHost(ctx, host); err != nil {
			return false
		}
	}
	for _, h := range hosts {
		ip, err := netip.ParseAddr(h)
		ip = ip.Unmap()
		if err != nil || !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
			return false
		}
	}
	return true
}

// probeComponents opens a stream as a component does, and shows no secret.
// XEP-0114 §3
func (e *exam) probeComponents(conn net.Conn) answer {
	name := e.domain.String()
	if names := slices.Sorted(maps.Keys(e.cfg.Components)); len(names) > 0 {
		name = names[0]
	}
	io.WriteString(conn, "<?xml version='1.0'?><stream:stream to='"+name+"' xmlns='"+component.NS+"' xmlns:stream='"+stream.NS+"'>")
	got := readUntil(bufio.NewReader(io.LimitReader(conn, most)), "<stream:stream")
	switch {
	case !bytes.Contains(got, []byte(component.NS)):
		return answer{what: "something else answers: " + nameOf(got)}
	case len(e.cfg.Components) == 0:
		return answer{what: "a server for components answers", level: OK}
	case attribute(got, "from") != name:
		return answer{what: "a server for components answers that does not know " + name}
	}
	return answer{what: "a server for components answers, for " + name, level: OK}
}
