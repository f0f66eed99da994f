package turn

import (
	"net/netip"
	"slices"
)

// rules say to whom may be relayed: a relay stands inside its operator's network, and
// must not be a way into it.
type rules struct {
	// private allows networks that are not the internet's, for a closed one.
	private bool
	// told are the addresses that allocations are told to have.
	told []netip.Addr
	// own are the addresses of this machine.
	own []netip.Addr
	// listener is the port of our own UDP listener, 0 where there is none.
	listener uint16
}

// never are addresses that are nobody's, or from which clouds hand out secrets.
var never = prefixes(
	"0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", // this network, multicast, reserved and broadcast
	"169.254.169.254/32", "169.254.170.0/24", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", // metadata
	"fd00:ec2::254/128", "fd20:ce::254/128", "fe80::a9fe:a9fe/128",
	"::/128", "ff00::/8",
	// what carries an IPv4 address inside would go round the rules for those
	"::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32",
)

// inside are networks that are not the internet's.
// RFC 6890
var inside = prefixes(
	"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"2001::/23", "2001:db8::/32", "3fff::/20",
)

// global is what IPv6 has given out for the internet.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) (all []netip.Prefix) {
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func in(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// public tells whether an address is one of the internet's.
func public(a netip.Addr) bool {
	switch {
	case !a.IsValid() || a.Zone() != "" || a.Is4In6() || in(never, a) || in(inside, a):
		return false
	case a.Is4():
		return true
	}
	return global.Contains(a)
}

// Public tells whether an address is one of the internet's, as a relay's has to be.
func Public(a netip.Addr) bool { return public(a.Unmap()) }

// host tells whether there may be anybody to relay to at an address.
// RFC 8656 §21.2, RFC 6156 §9.1
func (r *rules) host(a netip.Addr) bool {
	a = a.Unmap()
	switch {
	case slices.Contains(r.told, a):
		return true // which ports is decided with each packet
	case !r.private:
		return public(a) && !slices.Contains(r.own, a)
	}
	return a.IsValid() && a.Zone() == "" && !in(never, a) && (a.Is4() || !compatible.Contains(a) || a.IsLoopback())
}

// compatible are addresses of IPv6 with one of IPv4 inside.
// RFC 4291 §2.5.5.1
var compatible = netip.MustParsePrefix("::/96")

// place tells whether packets may go to, or come from, an address with a port. live
// tells whether an address is that of an allocation.
func (r *rules) place(p netip.AddrPort, live func(netip.AddrPort) bool) bool {
	p = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	if p.Port() == 0 || !r.host(p.Addr()) {
		return false
	}
	ours := slices.Contains(r.told, p.Addr()) || slices.Contains(r.own, p.Addr()) || p.Addr().IsLoopback()
	switch {
	case !ours:
		return true
	case r.private:
		return p.Port() != r.listener
	}
	// both ends of a call may be relayed here
	return live(p)
}
