package jingle

import (
	"net/netip"
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// Transport is a way for media by ICE.
// XEP-0176 §5.3
type Transport struct {
	// Ufrag and Pwd are both there in a description. Elsewhere both may be missing, or Pwd: then Ufrag says which
	// credentials the candidates belong to.
	Ufrag, Pwd string
	// Trickle and Renomination are options of ICE that the sender knows.
	Trickle, Renomination bool
	Fingerprint           Fingerprint
	Sealed                *Sealed // in the fingerprint's place, encrypted
	Candidates            []Candidate
	Remotes               []Remote // the peer's candidates that are in use: at most one a component
	Complete              bool     // no candidates follow
}

// Candidate is an address at which media may arrive. Those by name (of multicast
// DNS), of protocols but udp and tcp, and of TCP without a tcptype are not read:
// nobody could use them.
// XEP-0176 §5.3, RFC 8839 §5.1
type Candidate struct {
	Component  uint8  // 1 for RTP, 2 for RTCP
	Foundation string // 1–32 characters
	Generation uint8
	ID         string // "" if it is not said
	Address    netip.AddrPort
	Priority   uint32  // 1 to 2³¹-1
	TCP        TCPType // 0 for udp
	Type       CandidateType
	Related    netip.AddrPort // the address behind this one; the zero AddrPort if it is not said
}

// Remote is a candidate of the other side that is in use.
// XEP-0176 §5.7
type Remote struct {
	Component uint8
	Address   netip.AddrPort
}

// CandidateType is where a candidate comes from.
type CandidateType uint8

// XEP-0176 §5.3
const (
	Host CandidateType = iota + 1
	ServerReflexive
	PeerReflexive
	Relay
)

// String is the type as it is written, "" for none.
func (t CandidateType) String() string {
	switch t {
	case Host:
		return "host"
	case ServerReflexive:
		return "srflx"
	case PeerReflexive:
		return "prflx"
	case Relay:
		return "relay"
	}
	return ""
}

// TCPType is which side of a TCP candidate opens the connection.
type TCPType uint8

// RFC 6544 §4.5
const (
	TCPActive TCPType = iota + 1
	TCPPassive
	TCPSimultaneous
)

// String is the type as it is written, "" for none.
func (t TCPType) String() string {
	switch t {
	case TCPActive:
		return "active"
	case TCPPassive:
		return "passive"
	case TCPSimultaneous:
		return "so"
	}
	return ""
}

const mostPriority = 1<<31 - 1 // RFC 8445 §5.1.2

func (r *reader) transport(e xtok.Elem) *Transport {
	if !e.OK() {
		r.refuse(Missing, "transport")
		return nil
	}
	t := &Transport{
		Ufrag:        r.word(e, "ufrag", false, 256, iceChar),
		Pwd:          r.word(e, "pwd", false, 256, iceChar),
		Trickle:      r.only(e, NSOption, "trickle").OK(),
		Renomination: r.only(e, NSOption, "renomination").OK(),
		Complete:     r.only(e, NSICE, "gathering-complete").OK(),
	}
	r.credentials(t)
	r.fingerprint(t, e)
	r.each(e, NSICE, "candidate", MostCandidates, func(c xtok.Elem) { r.candidate(t, c) })
	r.each(e, NSICE, "remote-candidate", 2, func(c xtok.Elem) { r.remote(t, c) })
	return t
}

// credentials are long enough for ICE to be safe.
// COMPAT: stanza.js sends candidates with a ufrag alone, where XEP-0176 §5.3 wants the pwd again.
// RFC 8839 §5.4
func (r *reader) credentials(t *Transport) {
	switch {
	case t.Ufrag == "" && t.Pwd != "":
		r.refuse(Missing, "ufrag")
	case t.Ufrag != "" && len(t.Ufrag) < 4, t.Pwd != "" && len(t.Pwd) < 22:
		r.refuse(Malformed, "pwd")
	}
}

func (r *reader) candidate(t *Transport, e xtok.Elem) {
	tcp := named(e.Attr("tcptype"), TCPActive, TCPSimultaneous)
	switch e.Attr("protocol") {
	case "udp":
		tcp = 0
	case "tcp":
		if tcp == 0 {
			return
		}
	default:
		return
	}
	if strings.HasSuffix(e.Attr("ip"), ".local") {
		return
	}
	c := Candidate{
		Component:  uint8(r.number(e, "component", 1, 2, -1)),
		Foundation: r.word(e, "foundation", true, 32, iceChar),
		Generation: uint8(r.number(e, "generation", 0, 255, 0)),
		ID:         r.word(e, "id", false, mostID, graphic),
		Address:    r.endPoint(e, "ip", "port"),
		Priority:   uint32(r.number(e, "priority", 1, mostPriority, -1)),
		TCP:        tcp,
		Type:       oneOf(r, e, "type", Host, Relay, 0),
	}
	if e.Attr("rel-addr") != "" {
		c.Related = r.related(e)
	}
	t.Candidates = append(t.Candidates, c)
}

func (r *reader) endPoint(e xtok.Elem, ip, port string) netip.AddrPort {
	return netip.AddrPortFrom(r.address(e, ip), uint16(r.number(e, port, 1, 65535, -1)))
}

// related is the address behind a candidate. Who hides it writes 0.0.0.0 and 0.
func (r *reader) related(e xtok.Elem) netip.AddrPort {
	a, err := netip.ParseAddr(e.Attr("rel-addr"))
	if err != nil || a.Zone() != "" {
		r.refuse(Malformed, "rel-addr")
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(r.number(e, "rel-port", 0, 65535, 0)))
}

func (r *reader) remote(t *Transport, e xtok.Elem) {
	c := Remote{uint8(r.number(e, "component", 1, 2, -1)), r.endPoint(e, "ip", "port")}
	for _, before := range t.Remotes {
		if before.Component == c.Component {
			r.refuse(Doubled, "remote-candidate")
		}
	}
	t.Remotes = append(t.Remotes, c)
}

func (w *writer) transport(t *Transport) {
	w.open("transport", NSICE)
	w.attr("ufrag", t.Ufrag)
	w.attr("pwd", t.Pwd)
	start := len(w.b)
	w.inside()
	if t.Trickle {
		w.empty("trickle", NSOption)
	}
	if t.Renomination {
		w.empty("renomination", NSOption)
	}
	w.fingerprint(t)
	for i := range t.Candidates {
		w.candidate(&t.Candidates[i])
	}
	for _, c := range t.Remotes {
		w.open("remote-candidate", "")
		w.number("component", int64(c.Component), 0)
		w.endPoint("ip", "port", c.Address)
		w.leaf()
	}
	if t.Complete {
		w.empty("gathering-complete", "")
	}
	if len(w.b) == start+1 {
		w.b = w.b[:start]
		w.leaf()
		return
	}
	w.close("transport")
}

func (w *writer) endPoint(ip, port string, a netip.AddrPort) {
	w.attr(ip, a.Addr().String())
	w.number(port, int64(a.Port()), -1)
}

func (w *writer) candidate(c *Candidate) {
	w.open("candidate", "")
	w.number("component", int64(c.Component), 0)
	w.attr("foundation", c.Foundation)
	w.number("generation", int64(c.Generation), -1)
	w.attr("id", c.ID)
	w.endPoint("ip", "port", c.Address)
	w.number("priority", int64(c.Priority), 0)
	if c.TCP == 0 {
		w.attr("protocol", "udp")
	} else {
		w.attr("protocol", "tcp")
		w.attr("tcptype", c.TCP.String())
	}
	w.attr("type", c.Type.String())
	if c.Related.Addr().IsValid() {
		w.endPoint("rel-addr", "rel-port", c.Related)
	}
	w.leaf()
}
