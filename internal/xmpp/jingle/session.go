package jingle

import "mirsal/internal/xmpp/xtok"

// Action is what a session's stanza does.
type Action uint8

// XEP-0166 §7.2
const (
	ContentAccept Action = iota + 1
	ContentAdd
	ContentModify
	ContentReject
	ContentRemove
	DescriptionInfo
	SecurityInfo
	SessionAccept
	SessionInfo
	SessionInitiate
	SessionTerminate
	TransportAccept
	TransportInfo
	TransportReject
	TransportReplace
)

// String is the action as it is written, "" for none.
func (a Action) String() string {
	switch a {
	case ContentAccept:
		return "content-accept"
	case ContentAdd:
		return "content-add"
	case ContentModify:
		return "content-modify"
	case ContentReject:
		return "content-reject"
	case ContentRemove:
		return "content-remove"
	case DescriptionInfo:
		return "description-info"
	case SecurityInfo:
		return "security-info"
	case SessionAccept:
		return "session-accept"
	case SessionInfo:
		return "session-info"
	case SessionInitiate:
		return "session-initiate"
	case SessionTerminate:
		return "session-terminate"
	case TransportAccept:
		return "transport-accept"
	case TransportInfo:
		return "transport-info"
	case TransportReject:
		return "transport-reject"
	case TransportReplace:
		return "transport-replace"
	}
	return ""
}

// carries is what the contents of an action have in them.
type carries uint8

const (
	nothing      carries = iota // no contents
	names                       // only which contents are meant
	descriptions                // what changes about the media
	transports                  // what changes about the way
	whole                       // media that can be sent: codecs, a way and a fingerprint
)

// carries is XEP-0166 §7.2
func (a Action) carries() carries {
	switch a {
	case SessionInitiate, SessionAccept, ContentAdd, ContentAccept:
		return whole
	case TransportInfo, TransportReplace, TransportAccept:
		return transports
	case DescriptionInfo:
		return descriptions
	case SessionInfo, SessionTerminate:
		return nothing
	}
	return names
}

// answers tells whether the action answers an offer: who answers says which side
// begins the DTLS handshake.
func (a Action) answers() bool { return a == SessionAccept || a == ContentAccept }

// Session is a stanza of a session that is about a call.
// XEP-0166 §7.1
type Session struct {
	Action Action
	SID    string // 1–128 characters
	// Initiator and Responder are what the sender claims, "" if nothing; who sent the
	// stanza is known from its from alone.
	Initiator, Responder string
	Contents             []Content // at most MostContents
	Groups               []Group   // at most MostGroups
	Cause                Cause
	Info                 Info // of SessionInfo
}

// Group says which contents belong together, such as those on one way (BUNDLE).
// XEP-0338
type Group struct {
	Semantics string
	Names     []string // at most MostContents, never none
}

// Info is what a session-info tells; the zero Info asks whether the other is
// still there.
// XEP-0167 §8, XEP-0166 §6.8
type Info struct {
	Kind InfoKind
	// Creator and Name say which content is muted or not; none: all.
	Creator Role
	Name    string
}

// InfoKind is what happened.
type InfoKind uint8

// XEP-0167 §8
const (
	Active InfoKind = iota + 1
	Hold
	Unhold
	Mute
	Unmute
	IsRinging
)

// String is the kind's element, "" for none.
func (k InfoKind) String() string {
	switch k {
	case Active:
		return "active"
	case Hold:
		return "hold"
	case Unhold:
		return "unhold"
	case Mute:
		return "mute"
	case Unmute:
		return "unmute"
	case IsRinging:
		return "ringing"
	}
	return ""
}

// ParseSession reads a <jingle/>. The error is a *Refusal; its reason is
// NotACall where the session is of another kind, such as a file transfer.
func ParseSession(e xtok.Elem) (Session, error) {
	if !e.Is(NS, "jingle") || foreign(e) {
		return Session{}, &Refusal{NotACall, "jingle"}
	}
	r := new(reader)
	s := Session{
		Action:    oneOf(r, e, "action", ContentAccept, TransportReplace, 0),
		SID:       r.word(e, "sid", true, mostID, graphic),
		Initiator: r.party(e, "initiator"),
		Responder: r.party(e, "responder"),
		Cause:     r.cause(e),
	}
	if s.Action == SessionInfo {
		s.Info = r.info(e)
	}
	if s.Action.carries() != nothing && !r.failed() {
		r.contents(&s, e)
	}
	if s.Action.carries() == whole {
		r.groups(&s, e)
	}
	if !r.failed() && len(s.Append(nil)) > MostSession {
		r.refuse(TooLong, "jingle")
	}
	if r.failed() {
		return Session{}, r.err()
	}
	return s, nil
}

// foreign tells whether a session has to do with something else than a call, as
// far as one stanza shows: it has contents of other kinds alone, or tells what no
// call tells. File transfers are Jingle too. Where nothing shows it, such as in a
// session-terminate, it is read as a call's.
func foreign(e xtok.Elem) bool {
	other := false
	for c := e.First(); c.OK(); c = c.Next() {
		switch c.NS() {
		case NSInfo:
			return false
		case NS:
			for part := c.First(); part.OK() && c.Local() == "content"; part = part.Next() {
				if part.NS() == NSRTP || part.NS() == NSICE {
					return false
				}
				other = true
			}
		default:
			other = other || e.AttrIs("action", SessionInfo.String())
		}
	}
	return other
}

func (r *reader) info(e xtok.Elem) (out Info) {
	for c := e.First(); c.OK(); c = c.Next() {
		if c.NS() != NSInfo {
			continue
		}
		k := named(c.Local(), Active, IsRinging)
		if k == 0 {
			continue
		}
		if out.Kind != 0 {
			r.refuse(Doubled, "info")
			return out
		}
		out.Kind = k
		if k == Mute || k == Unmute {
			r.muted(&out, c)
		}
	}
	return out
}

func (r *reader) muted(out *Info, e xtok.Elem) {
	if e.Attr("creator") != "" {
		out.Creator = oneOf(r, e, "creator", Initiator, Responder, 0)
	}
	out.Name = r.word(e, "name", false, mostName, graphic)
}

func (r *reader) groups(s *Session, e xtok.Elem) {
	r.each(e, NSGroup, "group", MostGroups, func(g xtok.Elem) {
		out := Group{Semantics: r.word(g, "semantics", true, mostName, token)}
		r.each(g, NSGroup, "content", MostContents, func(c xtok.Elem) {
			out.Names = append(out.Names, r.word(c, "name", true, mostName, graphic))
		})
		if len(out.Names) > 0 {
			s.Groups = append(s.Groups, out)
		}
	})
}

// Append writes the element, at most MostSession bytes of one that was read.
func (s Session) Append(dst []byte) []byte {
	w := &writer{dst}
	w.open("jingle", NS)
	w.attr("action", s.Action.String())
	w.attr("sid", s.SID)
	w.attr("initiator", s.Initiator)
	w.attr("responder", s.Responder)
	w.inside()
	for _, g := range s.Groups {
		w.group(g)
	}
	for i := range s.Contents {
		w.content(&s.Contents[i])
	}
	w.cause(s.Cause)
	w.info(s.Info)
	w.close("jingle")
	return w.b
}

func (w *writer) group(g Group) {
	w.open("group", NSGroup)
	w.attr("semantics", g.Semantics)
	w.inside()
	for _, name := range g.Names {
		w.open("content", "")
		w.attr("name", name)
		w.leaf()
	}
	w.close("group")
}

func (w *writer) info(i Info) {
	if i.Kind == 0 {
		return
	}
	w.open(i.Kind.String(), NSInfo)
	w.attr("creator", i.Creator.String())
	w.attr("name", i.Name)
	w.leaf()
}
