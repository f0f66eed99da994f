package sdp

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/jingle"
)

// ParseCandidate reads a=candidate, with or without the "a=". ok is false for one
// that is right and of no use to the other side: by a name of multicast DNS, of a
// protocol but udp and tcp, by TCP without a tcptype, for RTCP alone, or of the
// loopback unless that is wanted.
// RFC 8839 §5.1, RFC 6544 §4.5
func ParseCandidate(line string, loopback bool) (c jingle.Candidate, ok bool, err error) {
	bad := &Error{What: "not a candidate"}
	value, found := strings.CutPrefix(strings.TrimPrefix(line, "a="), "candidate:")
	words := strings.Fields(value)
	if !found || len(value) > mostLine || !all(value, printable) || len(words) < 8 || words[6] != "typ" {
		return c, false, bad
	}
	component, ok1 := number(words[1], 256)
	priority, ok2 := number(words[3], 1<<31-1)
	port, ok3 := number(words[5], 65535)
	c = jingle.Candidate{Component: uint8(min(component, 255)), Foundation: words[0], Priority: uint32(priority)}
	for t := jingle.Host; t <= jingle.Relay; t++ {
		if t.String() == words[7] {
			c.Type = t
		}
	}
	if !ok1 || !ok2 || !ok3 || c.Type == 0 || priority == 0 || !word(words[0], 32, iceChar) {
		return c, false, bad
	}
	if !extend(&c, words[8:]) {
		return c, false, bad
	}
	ip, err := netip.ParseAddr(words[4])
	ip = ip.Unmap()
	if err != nil {
		// A name. RFC 8839 §5.1 allows them, and nobody could use that of a browser.
		if word(words[4], 255, token) {
			return c, false, nil
		}
		return c, false, bad
	}
	c.Address = netip.AddrPortFrom(ip, uint16(port))
	protocol := strings.ToLower(words[2])
	ok = ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast() && (loopback || !ip.IsLoopback()) &&
		component == 1 && port > 0 && (protocol == "udp" && c.TCP == 0 || protocol == "tcp" && c.TCP != 0)
	c.ID = identity(c)
	return c, ok, nil
}

// extend reads what may stand behind the type, in pairs. Others' extensions are
// left out.
func extend(c *jingle.Candidate, words []string) bool {
	var address string
	var port uint64
	for ok := true; len(words) >= 2 && ok; words = words[2:] {
		switch words[0] {
		case "raddr":
			address = words[1]
		case "rport":
			port, ok = number(words[1], 65535)
		case "generation":
			var n uint64
			n, ok = number(words[1], 255)
			c.Generation = uint8(n)
		case "tcptype":
			for t := jingle.TCPActive; t <= jingle.TCPSimultaneous; t++ {
				if t.String() == words[1] {
					c.TCP = t
				}
			}
		}
		if !ok {
			return false
		}
	}
	if ip, err := netip.ParseAddr(address); err == nil && ip.Zone() == "" {
		c.Related = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return true
}

// identity is an id that the same candidate always has: SDP has none, and
// Jingle's readers want one.
// XEP-0176 §5.3
func identity(c jingle.Candidate) string {
	h := fnv.New64a()
	h.Write([]byte(Line(c)))
	return strconv.FormatUint(h.Sum64(), 36)
}

// Line is the candidate as it stands behind a=, and as browsers' addIceCandidate
// takes it.
// RFC 8839 §5.1
func Line(c jingle.Candidate) string {
	protocol := "udp"
	if c.TCP != 0 {
		protocol = "tcp"
	}
	s := fmt.Sprintf("candidate:%s %d %s %d %s %d typ %s", c.Foundation, c.Component, protocol, c.Priority, c.Address.Addr(), c.Address.Port(), c.Type)
	if c.Related.Addr().IsValid() {
		s += fmt.Sprintf(" raddr %s rport %d", c.Related.Addr(), c.Related.Port())
	}
	if c.TCP != 0 {
		s += " tcptype " + c.TCP.String()
	}
	return s + fmt.Sprintf(" generation %d", c.Generation)
}

// hide makes of a relayed candidate one that tells nothing of who is behind it.
// ok is false for all others, which tell who is.
// RFC 8828 §5.2
func hide(c jingle.Candidate) (out jingle.Candidate, ok bool) {
	if c.Type != jingle.Relay {
		return out, false
	}
	nowhere := netip.IPv4Unspecified()
	if c.Address.Addr().Is6() {
		nowhere = netip.IPv6Unspecified()
	}
	c.Related = netip.AddrPortFrom(nowhere, 0)
	c.ID = identity(c)
	return c, true
}

// Relayed is the description with relayed addresses alone, and nothing of those
// behind them.
func (d *Description) Relayed() *Description {
	out := d.clone()
	for i := range out.Media {
		var kept []jingle.Candidate
		for _, c := range out.Media[i].Way.Candidates {
			if c, ok := hide(c); ok {
				kept = append(kept, c)
			}
		}
		out.Media[i].Way.Candidates = kept
	}
	return out
}
