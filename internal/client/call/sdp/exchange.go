package sdp

import (
	"slices"

	"mirsal/internal/xmpp/jingle"
)

// Exchange is the SDP of one call: both sides' descriptions and the offer that
// waits for its answer, one at a time. It is used by one goroutine. After an
// error it is as it was before, but may have learned names.
type Exchange struct {
	Side                 jingle.Role // ours
	SID                  string
	Initiator, Responder string // put into sessions as they are; may be ""
	Limits               Limits
	// RelayOnly leaves of our addresses those of relays alone.
	RelayOnly bool

	names       Names
	here, there *Description // what holds: both or none
	ours        *offer       // waits for the other side's answer
	theirs      *offer       // waits for our seat's
	setup       jingle.Setup // what the other side does in the handshake, 0 until it is known
	past        []string     // ufrags of the other side that hold no more
	version     uint64
}

// offer is one that waits for an answer.
type offer struct {
	*Description
	by jingle.Action // what carries it
}

// Feed is what the seat is to be given: an SDP, if there is one, then addresses.
type Feed struct {
	SDP    string // "" for none
	Answer bool   // the SDP is an answer to the seat's offer; else it is an offer
	// Addresses are for addIceCandidate, after the SDP if there is one. They may come
	// before the first SDP: keep them until then.
	Addresses []Address
}

// Address is a candidate as addIceCandidate takes it; "" says that no more
// follow.
type Address struct{ Mid, Candidate string }

// Next is what follows an offer of the seat: what to send, and at once an answer
// to feed if the other side is not asked.
type Next struct {
	Sessions []jingle.Session
	Feed     Feed
}

// Offered takes an offer of the seat. The first becomes session-initiate. A later
// one with a new section becomes content-add, one with new credentials of ICE a
// transport-info with these alone (so Conversations asks for a restart, and knows
// no transport-replace), one in which only directions changed content-modify,
// which nobody answers: then the answer is in Feed. ErrCrossed means: answer
// the other side first. A restart takes the place of one that has no answer: whoever
// makes it knows that the other side has not heard of that. Fingerprints in what is to be
// sent are open; whoever encrypts them does it now.
func (x *Exchange) Offered(text string) (Next, error) {
	d, err := x.parse(text)
	if err != nil {
		return Next{}, err
	}
	if x.ours != nil && !x.Restarting() || x.theirs != nil {
		return Next{}, ErrCrossed
	}
	d = d.Prune()
	if x.here == nil {
		if x.Side != jingle.Initiator {
			return Next{}, ErrOrder
		}
		return x.offer(d, d, jingle.SessionInitiate)
	}
	added, restarted := d.Added(x.here), d.Restarted(x.here)
	switch {
	case x.ours != nil && (len(added) > 0 || len(restarted) == 0):
		return Next{}, ErrCrossed
	case len(added) > 0 && len(restarted) > 0:
		return Next{}, ErrOrder // one after the other
	case len(added) > 0:
		return x.offer(d, d.Only(added), jingle.ContentAdd)
	case len(restarted) > 0:
		only := d.Only(restarted)
		for i := range only.Media {
			only.Media[i].Way.Candidates = nil
		}
		return x.offer(d, only, jingle.TransportInfo)
	}
	return x.modify(d)
}

// Restarting tells whether a restart of ours waits for its answer.
func (x *Exchange) Restarting() bool { return x.ours != nil && x.ours.by == jingle.TransportInfo }

func (x *Exchange) offer(d, send *Description, by jingle.Action) (Next, error) {
	s, err := send.Session(x.head(by), &x.names)
	if err != nil {
		return Next{}, err
	}
	x.ours = &offer{d, by}
	return Next{Sessions: []jingle.Session{s}}, nil
}

// modify says which directions have changed, and answers for the other side: it
// goes on sending what it sends, as far as we receive.
// XEP-0166 §7.2.3
func (x *Exchange) modify(d *Description) (Next, error) {
	s := jingle.Session{Action: jingle.ContentModify, SID: x.SID, Initiator: x.Initiator, Responder: x.Responder}
	for i := range d.Media {
		m := &d.Media[i]
		if old := x.here.Of(m.Mid); m.Rejected || old == nil || old.Direction == m.Direction {
			continue
		}
		creator, name := x.names.Content(m.Mid, x.Side)
		s.Contents = append(s.Contents, jingle.Content{Creator: creator, Name: name, Senders: m.Direction.senders(x.Side), Disposition: "session"})
	}
	answer := x.there.clone()
	for i := range answer.Media {
		answer.Media[i].Direction |= RecvOnly
	}
	answer = answer.Answering(d, x.setup, &x.names)
	feed, err := x.feed(answer, true)
	if err != nil {
		return Next{}, err
	}
	next := Next{Feed: feed}
	if len(s.Contents) > 0 {
		if s, err = canonical(s); err != nil {
			return Next{}, err
		}
		next.Sessions = []jingle.Session{s}
	}
	x.here, x.there = d, answer
	return next, nil
}

// Answered takes the seat's answer to an offer that Hear gave, and says what to
// send: session-accept; content-accept, and content-reject for what the seat
// rejected; transport-accept; nothing for what is not answered, and for a restart by
// transport-info: its answer are our addresses, with the new credentials.
// COMPAT: Conversations takes credentials without an address for an offer to restart.
func (x *Exchange) Answered(text string) ([]jingle.Session, error) {
	d, err := x.parse(text)
	if err != nil {
		return nil, err
	}
	if x.theirs == nil {
		return nil, ErrOrder
	}
	asked := x.theirs
	if !d.follows(asked.Description) {
		return nil, ErrOrder
	}
	out, err := x.reply(d, asked)
	if err != nil {
		return nil, err
	}
	x.outlived(asked.Description, x.there)
	if x.setup == 0 {
		x.setup = firstSetup(d, true)
	}
	x.here, x.there, x.theirs = d, asked.rejecting(d), nil
	return out, nil
}

func (x *Exchange) reply(d *Description, asked *offer) (out []jingle.Session, err error) {
	var send *Description
	by := asked.by
	switch by {
	case jingle.SessionInitiate:
		send, by = d, jingle.SessionAccept
	case jingle.ContentAdd:
		added := asked.Added(x.there)
		send, by = d.Only(added), jingle.ContentAccept
		if s, some := x.rejects(send); some {
			out = append(out, s)
		}
		if send.open() == 0 {
			return out, nil
		}
	case jingle.TransportReplace:
		send, by = d.Only(asked.Restarted(x.there)), jingle.TransportAccept
	default:
		return nil, nil
	}
	s, err := send.Session(x.head(by), &x.names)
	return append(out, s), err
}

// rejects is a content-reject of the sections that are.
func (x *Exchange) rejects(d *Description) (jingle.Session, bool) {
	s := jingle.Session{Action: jingle.ContentReject, SID: x.SID, Initiator: x.Initiator, Responder: x.Responder,
		Cause: jingle.Cause{Condition: jingle.FailedApplication}}
	for i := range d.Media {
		if m := &d.Media[i]; m.Rejected {
			creator, name := x.names.Content(m.Mid, other(x.Side))
			s.Contents = append(s.Contents, jingle.Content{Creator: creator, Name: name, Senders: jingle.Both, Disposition: "session"})
		}
	}
	return s, len(s.Contents) > 0
}

// Address takes an address that the seat has found, "" at the end of them. ok is
// false for one that is not for the other side.
func (x *Exchange) Address(mid, candidate string) (s jingle.Session, ok bool, err error) {
	d := x.here
	if x.ours != nil {
		d = x.ours.Description
	}
	m := d.Of(mid)
	if m == nil {
		return s, false, ErrOrder
	}
	way := jingle.Transport{Ufrag: m.Way.Ufrag, Pwd: m.Way.Pwd, Complete: candidate == ""}
	if candidate != "" {
		c, ok, err := ParseCandidate(candidate, x.Limits.Loopback)
		if ok && x.RelayOnly {
			c, ok = hide(c)
		}
		if err != nil || !ok {
			return s, false, err
		}
		way.Candidates = []jingle.Candidate{c}
	}
	one := &Description{Media: []Media{{Mid: mid, Direction: m.Direction, RTP: jingle.Description{Media: m.RTP.Media}, Way: way}}}
	s, err = one.Session(x.head(jingle.TransportInfo), &x.names)
	return s, err == nil, err
}

// Fingerprints are those of the two sides, as far as they are known: what was
// offered last, else what holds.
func (x *Exchange) Fingerprints() (here, there []jingle.Fingerprint) {
	a, b := x.here, x.there
	if x.ours != nil {
		a = x.ours.Description
	}
	if x.theirs != nil {
		b = x.theirs.Description
	}
	if a != nil {
		here = a.Fingerprints()
	}
	if b != nil {
		there = b.Fingerprints()
	}
	return here, there
}

func (x *Exchange) head(a jingle.Action) Head {
	return Head{Action: a, SID: x.SID, Initiator: x.Initiator, Responder: x.Responder, Side: x.Side}
}

func (x *Exchange) parse(text string) (*Description, error) {
	d, err := Parse(text, x.Limits)
	if err == nil && x.RelayOnly {
		d = d.Relayed()
	}
	return d, err
}

// feed writes a description of the other side's.
func (x *Exchange) feed(d *Description, answer bool) (Feed, error) {
	d.Version = x.version + 1
	text, err := d.Text()
	if err != nil {
		return Feed{}, err
	}
	x.version++
	return Feed{SDP: text, Answer: answer}, nil
}

// firstSetup is what the first section says about the handshake, or what the
// other side does then.
func firstSetup(d *Description, turn bool) jingle.Setup {
	at := slices.IndexFunc(d.Media, func(m Media) bool { return !m.Rejected })
	if at < 0 {
		return 0
	}
	s := d.Media[at].Way.Fingerprint.Setup
	if turn {
		return opposite(s)
	}
	return s
}
