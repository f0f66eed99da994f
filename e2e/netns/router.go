//go:build linux

package netns

import (
	"fmt"
	"strings"
)

// Kind is how a router translates addresses, and what it lets through.
type Kind int

// The kinds of routers.
const (
	// Cone: a port inside has one port outside, whoever it speaks with, and whoever sends
	// there reaches it.
	Cone Kind = iota
	// Restricted: one port outside too, but only those reach it whom it has sent to.
	Restricted
	// Symmetric: another port outside for everybody it speaks with.
	Symmetric
	// NoUDP: nothing but TCP leaves.
	NoUDP
)

// String is for messages of tests.
func (k Kind) String() string {
	return [...]string{"cone", "restricted", "symmetric", "no UDP"}[k]
}

// Translate makes a router of a space, between a device to the world and a host inside;
// what it did before is forgotten, connections too. It lets no TCP out to the blocked ports.
func (s *Space) Translate(k Kind, world, host string, blocked ...int) {
	s.t.Helper()
	s.write("/proc/sys/net/ipv4/ip_forward", "1")
	s.input(rules(k, world, host, blocked), "nft", "-f", "-")
}

// rules are those of a router, for nft.
func rules(k Kind, world, host string, blocked []int) string {
	var b strings.Builder
	masquerade := "masquerade"
	if k == Symmetric {
		masquerade = "masquerade fully-random"
	}
	b.WriteString("flush ruleset\n")
	fmt.Fprintf(&b, "table ip nat {\n\tchain out { type nat hook postrouting priority srcnat; oifname %q %s; }\n", world, masquerade)
	if k == Cone {
		fmt.Fprintf(&b, "\tchain in { type nat hook prerouting priority dstnat; iifname %q udp dport 1024-65535 dnat to %s; }\n", world, host)
	}
	// what nobody waits for is dropped before it can take a port from somebody inside
	fmt.Fprintf(&b, "}\ntable ip filter {\n\tchain input { type filter hook input priority filter; iifname %q drop; }\n", world)
	fmt.Fprintf(&b, "\tchain forward {\n\t\ttype filter hook forward priority filter;\n")
	if k == NoUDP {
		b.WriteString("\t\tip protocol udp drop;\n")
	}
	for _, port := range blocked {
		fmt.Fprintf(&b, "\t\ttcp dport %d drop;\n", port)
	}
	if k != Cone {
		fmt.Fprintf(&b, "\t\tiifname %q ct state new drop;\n", world)
	}
	b.WriteString("\t}\n}\n")
	return b.String()
}
