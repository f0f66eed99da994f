package sdp

import (
	"slices"

	"mirsal/internal/xmpp/jingle"
)

// Hear takes a session of the other side and says what to feed the seat; an empty
// Feed for what is not about media. An offer in it is answered by Answered. The
// errors by which to decide: ErrSealed (decrypt, then again), ErrCrossed (both
// have offered; whoever began the session wins, XEP-0166 §7.2.16: refuse it as a
// tie, or take one's own back by Refused), ErrOrder, ErrInsecure (another
// fingerprint than that of the call), ErrNothing (no content is left: the call
// has ended).
func (x *Exchange) Hear(s jingle.Session) (Feed, error) {
	s, err := canonical(s)
	if err != nil {
		return Feed{}, err
	}
	switch s.Action {
	case jingle.SessionInitiate:
		return x.hearInitiate(s)
	case jingle.SessionAccept, jingle.ContentAccept:
		return x.hearAccept(s)
	case jingle.ContentAdd:
		return x.hearAdd(s)
	case jingle.ContentReject:
		return x.Refused()
	case jingle.ContentRemove, jingle.ContentModify:
		return x.hearChange(s)
	case jingle.TransportInfo, jingle.TransportReplace, jingle.TransportAccept:
		return x.hearWays(s)
	}
	return Feed{}, nil
}

func (x *Exchange) hearInitiate(s jingle.Session) (Feed, error) {
	if x.Side != jingle.Responder || x.there != nil || x.theirs != nil {
		return Feed{}, ErrOrder
	}
	d, err := FromSession(s, jingle.Initiator, &x.names)
	if err != nil {
		return Feed{}, err
	}
	return x.asked(d.Prune(), s.Action)
}

// asked feeds an offer.
func (x *Exchange) asked(d *Description, by jingle.Action) (Feed, error) {
	if d.open() == 0 {
		return Feed{}, ErrNothing
	}
	f, err := x.feed(d, false)
	if err == nil {
		x.theirs = &offer{d, by}
	}
	return f, err
}

// hearAccept feeds the answer to our offer.
func (x *Exchange) hearAccept(s jingle.Session) (Feed, error) {
	offers := map[jingle.Action]jingle.Action{jingle.SessionAccept: jingle.SessionInitiate, jingle.ContentAccept: jingle.ContentAdd}
	if x.ours == nil || x.ours.by != offers[s.Action] {
		return Feed{}, ErrOrder
	}
	d, err := fromSession(s, other(x.Side), &x.names)
	if err != nil {
		return Feed{}, err
	}
	if s.Action == jingle.ContentAccept {
		// It may be named otherwise than what was asked for, never as what was there.
		added := x.ours.Only(x.ours.Added(x.here))
		for i := range d.Media {
			if mid := d.Media[i].Mid; added.Of(mid) == nil && x.ours.Of(mid) != nil {
				return Feed{}, ErrOrder
			}
		}
		d.rename(added, &x.names)
		if d, err = x.more(d); err != nil {
			return Feed{}, err
		}
	}
	return x.settled(d)
}

// settled feeds an answer, after which it and our offer hold.
func (x *Exchange) settled(d *Description) (Feed, error) {
	d = d.Answering(x.ours.Description, x.setup, &x.names)
	if d.open() == 0 {
		return Feed{}, ErrNothing
	}
	f, err := x.feed(d, true)
	if err != nil {
		return Feed{}, err
	}
	if x.setup == 0 {
		x.setup = firstSetup(d, false)
	}
	x.here, x.there, x.ours = x.ours.rejecting(d), d, nil
	return f, nil
}

// more is what the other side says with what it adds. Who it is has been found
// out by the fingerprint that holds: another one is refused.
func (x *Exchange) more(d *Description) (*Description, error) {
	known := x.there.Fingerprints()
	for _, f := range d.Fingerprints() {
		if !slices.Contains(known, f) {
			return nil, ErrInsecure
		}
	}
	return x.there.With(d), nil
}

func (x *Exchange) hearAdd(s jingle.Session) (Feed, error) {
	if err := x.free(); err != nil {
		return Feed{}, err
	}
	d, err := fromSession(s, other(x.Side), &x.names)
	if err != nil {
		return Feed{}, err
	}
	for i := range d.Media {
		m := &d.Media[i]
		switch old := x.there.Of(m.Mid); {
		case old == nil:
		case !old.Rejected:
			return Feed{}, ErrOrder // it is there
		default: // a section that was rejected does not come back
			d.call(m, x.names.fresh(), &x.names)
		}
	}
	all, err := x.more(d.Prune())
	if err != nil {
		return Feed{}, err
	}
	if len(all.Media) > jingle.MostContents {
		return Feed{}, &Error{What: "too many contents in one call"}
	}
	return x.asked(all.offering(), s.Action)
}

// free tells whether the other side may offer now.
func (x *Exchange) free() error {
	switch {
	case x.there == nil:
		return ErrOrder
	case x.ours != nil || x.theirs != nil:
		return ErrCrossed
	}
	return nil
}

// Refused answers our offer for the other side, which took nothing of it: what was
// new in it is rejected, what was there goes on. It is for a content-reject, and
// for an error in answer to what Offered sent. Of a session-initiate and of a
// restart nothing goes on: ErrNothing.
func (x *Exchange) Refused() (Feed, error) {
	switch {
	case x.ours == nil:
		return Feed{}, ErrOrder
	case x.ours.by != jingle.ContentAdd:
		return Feed{}, ErrNothing
	}
	return x.settled(x.there)
}

// hearChange offers what is there with other directions, or without something.
// XEP-0166 §7.2.3, XEP-0166 §7.2.5
func (x *Exchange) hearChange(s jingle.Session) (Feed, error) {
	if err := x.free(); err != nil {
		return Feed{}, err
	}
	d := x.there.clone()
	for _, c := range s.Contents {
		m := d.Of(x.names.find(c.Creator, c.Name))
		switch {
		case m == nil || m.Rejected:
			return Feed{}, ErrOrder
		case s.Action == jingle.ContentRemove:
			m.reject()
		default:
			m.Direction = directionOf(c.Senders, other(x.Side))
			m.oneTrack()
		}
	}
	d.agree()
	return x.asked(d.offering(), s.Action)
}

// hearWays feeds addresses, and other credentials of ICE as the restart that they
// mean, or as the answer to ours.
// XEP-0176 §5.3
func (x *Exchange) hearWays(s jingle.Session) (f Feed, err error) {
	changed := map[string]jingle.Transport{}
	for _, c := range s.Contents {
		mid := x.names.find(c.Creator, c.Name)
		if mid == "" || c.Transport == nil || slices.Contains(x.past, c.Transport.Ufrag) {
			continue
		}
		if x.renews(c.Transport.Ufrag) {
			if c.Transport.Pwd == "" {
				continue // of credentials that nobody knows
			}
			changed[mid] = *c.Transport
		}
		f.Addresses = append(f.Addresses, addresses(mid, *c.Transport)...)
	}
	if len(changed) == 0 {
		return f, nil
	}
	sdp, err := x.restart(changed, s.Action)
	sdp.Addresses = f.Addresses
	return sdp, err
}

// renews tells whether these credentials are new.
func (x *Exchange) renews(ufrag string) bool {
	if x.there == nil || ufrag == "" {
		return false
	}
	known := x.there
	if x.theirs != nil {
		known = x.theirs.Description
	}
	return !slices.ContainsFunc(known.Media, func(m Media) bool { return m.Way.Ufrag == ufrag })
}

func addresses(mid string, t jingle.Transport) (out []Address) {
	for _, c := range reachable(t.Candidates) {
		if c.Component == 1 {
			out = append(out, Address{mid, Line(c)})
		}
	}
	if t.Complete {
		out = append(out, Address{Mid: mid})
	}
	return out
}

func (x *Exchange) restart(changed map[string]jingle.Transport, by jingle.Action) (Feed, error) {
	mine := x.ours != nil && x.ours.by == jingle.TransportInfo
	if err := x.free(); err != nil && !mine {
		return Feed{}, err
	}
	d := x.there.renewed(changed)
	if !mine {
		return x.asked(d.offering(), by)
	}
	old := x.there
	f, err := x.settled(d)
	if err != nil {
		return Feed{}, err
	}
	x.outlived(d, old)
	return f, nil
}

// outlived notes credentials that hold no more: what comes late for them means
// nothing.
func (x *Exchange) outlived(now, before *Description) {
	for _, mid := range now.Restarted(before) {
		x.past = append(x.past, before.Of(mid).Way.Ufrag)
	}
	x.past = x.past[max(0, len(x.past)-2*jingle.MostContents):]
}

// renewed has other credentials and no addresses in the sections that changed; in
// a bundle all change that had the same. Fingerprints stay: whoever could change
// them here would be talked to in another's name.
func (d *Description) renewed(changed map[string]jingle.Transport) *Description {
	out := d.clone()
	for i := range out.Media {
		m := &out.Media[i]
		t, ok := changed[m.Mid]
		for mid, way := range changed {
			if old := d.Of(mid); !ok && old != nil && old.Way.Ufrag == m.Way.Ufrag {
				t, ok = way, true
			}
		}
		if ok && !m.Rejected {
			m.Way.Ufrag, m.Way.Pwd, m.Way.Candidates, m.Way.Complete = t.Ufrag, t.Pwd, nil, false
		}
	}
	return out
}
