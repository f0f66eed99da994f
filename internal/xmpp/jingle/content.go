package jingle

import "mirsal/internal/xmpp/xtok"

// Role is a side of a session.
type Role uint8

// XEP-0166 §7.3
const (
	Initiator Role = iota + 1
	Responder
)

// String is the role as it is written, "" for none.
func (r Role) String() string {
	switch r {
	case Initiator:
		return "initiator"
	case Responder:
		return "responder"
	}
	return ""
}

// Senders are the sides that send media.
type Senders uint8

// XEP-0166 §7.3
const (
	Both Senders = iota + 1
	OnlyInitiator
	OnlyResponder
	Neither
)

// String is the senders as they are written, "" for none.
func (s Senders) String() string {
	switch s {
	case Both:
		return "both"
	case OnlyInitiator:
		return "initiator"
	case OnlyResponder:
		return "responder"
	case Neither:
		return "none"
	}
	return ""
}

// unlessBoth is what is written: both is meant where nothing is.
func (s Senders) unlessBoth() string {
	if s == Both {
		return ""
	}
	return s.String()
}

// Content is one medium and its way. Its creator and name together are its name.
// XEP-0166 §7.3
type Content struct {
	Creator     Role
	Name        string // 1–64 characters
	Senders     Senders
	Disposition string // "session" if not said otherwise
	Description *Description
	Transport   *Transport
}

const usual = "session" // a content's disposition

func (r *reader) contents(s *Session, e xtok.Elem) {
	r.each(e, NS, "content", MostContents, func(c xtok.Elem) {
		out := Content{
			Creator:     oneOf(r, c, "creator", Initiator, Responder, 0),
			Name:        r.word(c, "name", true, mostName, graphic),
			Senders:     oneOf(r, c, "senders", Both, Neither, Both),
			Disposition: r.word(c, "disposition", false, mostName, token),
		}
		if out.Disposition == "" {
			out.Disposition = usual
		}
		for _, before := range s.Contents {
			if before.Name == out.Name && before.Creator == out.Creator {
				r.refuse(Doubled, "content")
			}
		}
		r.parts(&out, c, s.Action)
		s.Contents = append(s.Contents, out)
	})
	if len(s.Contents) == 0 {
		r.refuse(Missing, "content")
	}
}

// parts reads what the action's contents have in them; the rest is left out.
func (r *reader) parts(out *Content, c xtok.Elem, a Action) {
	carries := a.carries()
	if carries == whole || carries == descriptions {
		out.Description = r.description(r.only(c, NSRTP, "description"), carries == whole)
	}
	if carries == whole || carries == transports {
		out.Transport = r.transport(r.only(c, NSICE, "transport"))
	}
	if carries == whole && !r.failed() {
		r.secured(out.Transport, a)
	}
}

// secured refuses media without DTLS, and an answer that does not say who
// begins the handshake.
// XEP-0320 §2, RFC 8842 §5.3
func (r *reader) secured(t *Transport, a Action) {
	setup := t.Fingerprint.Setup
	if t.Sealed != nil {
		setup = t.Sealed.Setup
	}
	switch {
	case setup == 0:
		r.refuse(Insecure, "fingerprint")
	case t.Pwd == "":
		r.refuse(Missing, "pwd")
	case setup == ActPass && a.answers():
		r.refuse(Malformed, "setup")
	}
}

func (w *writer) content(c *Content) {
	w.open("content", "")
	w.attr("creator", c.Creator.String())
	w.attr("name", c.Name)
	w.attr("senders", c.Senders.unlessBoth())
	if c.Disposition != usual {
		w.attr("disposition", c.Disposition)
	}
	if c.Description == nil && c.Transport == nil {
		w.leaf()
		return
	}
	w.inside()
	if c.Description != nil {
		w.description(c.Description)
	}
	if c.Transport != nil {
		w.transport(c.Transport)
	}
	w.close("content")
}
