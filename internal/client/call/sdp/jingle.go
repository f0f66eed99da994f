package sdp

import (
	"slices"

	"mirsal/internal/xmpp/jingle"
)

// Head is what a session says besides its contents.
type Head struct {
	Action               jingle.Action
	SID                  string
	Initiator, Responder string
	Side                 jingle.Role // whose description it is
}

// Session is the description as Jingle: whole for session-initiate,
// session-accept, content-add and content-accept; ICE's credentials and addresses
// alone for transport-info, transport-replace and transport-accept. Contents that
// names does not know yet are begun by whom the action is of. The session has
// been read back by the grammar's parser; the error is a *jingle.Refusal where it
// is over a limit, ErrNothing where nothing is left in it.
// XEP-0167 §6, XEP-0176 §5.3, XEP-0338 §2, XEP-0339 §2
func (d *Description) Session(h Head, names *Names) (jingle.Session, error) {
	s := jingle.Session{Action: h.Action, SID: h.SID, Initiator: h.Initiator, Responder: h.Responder}
	for i := range d.Media {
		if m := &d.Media[i]; !m.Rejected {
			s.Contents = append(s.Contents, m.content(h, names))
		}
	}
	if len(s.Contents) == 0 {
		return jingle.Session{}, ErrNothing
	}
	if bundle := d.Bundle; len(bundle) > 0 && whole(h.Action) {
		g := jingle.Group{Semantics: "BUNDLE"}
		for _, mid := range bundle {
			_, name := names.Content(mid, h.begins())
			g.Names = append(g.Names, name)
		}
		s.Groups = []jingle.Group{g}
	}
	return canonical(s)
}

// begins is who has begun the contents: not who answers.
func (h Head) begins() jingle.Role {
	if answers(h.Action) {
		return other(h.Side)
	}
	return h.Side
}

func answers(a jingle.Action) bool { return a == jingle.SessionAccept || a == jingle.ContentAccept }

// whole tells whether an action has media in it.
func whole(a jingle.Action) bool {
	return answers(a) || a == jingle.SessionInitiate || a == jingle.ContentAdd
}

func (m *Media) content(h Head, names *Names) jingle.Content {
	creator, name := names.Content(m.Mid, h.begins())
	c := jingle.Content{Creator: creator, Name: name, Senders: m.Direction.senders(h.Side), Disposition: "session"}
	way := m.Way
	if !whole(h.Action) {
		// A fingerprint has no place there: it would be a change of who is talked to.
		way.Fingerprint = jingle.Fingerprint{}
		c.Transport = &way
		return c
	}
	r := m.RTP
	r.Sources = slices.Clone(r.Sources)
	for i, s := range r.Sources {
		msid := jingle.Parameter{Name: "msid", Value: m.stream() + " " + track(m.Mid)}
		r.Sources[i].Parameters = append(slices.Clone(s.Parameters), msid)
	}
	c.Description, c.Transport = &r, &way
	return c
}

// FromSession is what a session-initiate, session-accept, content-add or
// content-accept says, side being its sender's. names learns contents that are
// new; those of an answer that is named otherwise than its offer are sorted out by
// Answering. A session that is not in the grammar is a *jingle.Refusal; one whose
// fingerprints are encrypted is ErrSealed: put what was in them into the
// transports first.
// XEP-0167 §6, XEP-0176 §5.3
func FromSession(s jingle.Session, side jingle.Role, names *Names) (*Description, error) {
	d, err := fromSession(s, side, names)
	if err != nil {
		return nil, err
	}
	if d.agree(); d.open() == 0 {
		return nil, ErrNothing
	}
	return d, nil
}

// fromSession leaves sections in a bundle that are not in this session.
func fromSession(s jingle.Session, side jingle.Role, names *Names) (*Description, error) {
	s, err := canonical(s)
	if err != nil {
		return nil, err
	}
	if !whole(s.Action) {
		return nil, ErrOrder
	}
	d := &Description{}
	for _, c := range s.Contents {
		m, err := media(s.Action, c, side, names)
		if err != nil {
			return nil, err
		}
		if d.Of(m.Mid) != nil {
			return nil, &Error{What: "a content twice"}
		}
		d.Media = append(d.Media, m)
	}
	d.Bundle = bundle(s, names)
	return d, nil
}

func media(a jingle.Action, c jingle.Content, side jingle.Role, names *Names) (Media, error) {
	m := Media{Direction: directionOf(c.Senders, side), RTP: *c.Description, Way: *c.Transport}
	if answers(a) {
		m.Mid = names.find(c.Creator, c.Name)
	}
	if m.Mid == "" {
		m.Mid = names.begin(c.Creator, c.Name)
	}
	switch {
	case m.Mid == "":
		return m, &Error{What: "too many contents in one call"}
	case m.Way.Sealed != nil:
		return m, ErrSealed
	}
	m.Way.Candidates = reachable(m.Way.Candidates)
	m.tidy()
	return m, nil
}

// reachable are the candidates of another machine.
func reachable(list []jingle.Candidate) (out []jingle.Candidate) {
	for _, c := range list {
		if !c.Address.Addr().IsLoopback() {
			out = append(out, c)
		}
	}
	return out
}

// bundle is the group of contents on one way, by their mids.
func bundle(s jingle.Session, names *Names) (out []string) {
	for _, g := range s.Groups {
		if g.Semantics != "BUNDLE" || out != nil {
			continue
		}
		for _, name := range g.Names {
			creator := jingle.Initiator
			for _, c := range s.Contents {
				if c.Name == name {
					creator = c.Creator
				}
			}
			if mid := names.find(creator, name); mid != "" && !slices.Contains(out, mid) {
				out = append(out, mid)
			}
		}
	}
	return out
}
