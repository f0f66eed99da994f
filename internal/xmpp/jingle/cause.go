package jingle

import "mirsal/internal/xmpp/xtok"

// Condition is why something ended.
type Condition uint8

// XEP-0166 §7.4
const (
	NoCondition Condition = iota
	AlternativeSession
	Busy
	Cancel
	ConnectivityError
	Decline
	Expired
	FailedApplication
	FailedTransport
	GeneralError
	Gone
	IncompatibleParameters
	MediaError
	SecurityError
	Success
	Timeout
	UnsupportedApplications
	UnsupportedTransports
)

// String is the condition's element, "" for none.
func (c Condition) String() string {
	switch c {
	case AlternativeSession:
		return "alternative-session"
	case Busy:
		return "busy"
	case Cancel:
		return "cancel"
	case ConnectivityError:
		return "connectivity-error"
	case Decline:
		return "decline"
	case Expired:
		return "expired"
	case FailedApplication:
		return "failed-application"
	case FailedTransport:
		return "failed-transport"
	case GeneralError:
		return "general-error"
	case Gone:
		return "gone"
	case IncompatibleParameters:
		return "incompatible-parameters"
	case MediaError:
		return "media-error"
	case SecurityError:
		return "security-error"
	case Success:
		return "success"
	case Timeout:
		return "timeout"
	case UnsupportedApplications:
		return "unsupported-applications"
	case UnsupportedTransports:
		return "unsupported-transports"
	}
	return ""
}

// Cause is a <reason/>; the zero Cause is none.
// XEP-0166 §7.4
type Cause struct {
	Condition   Condition
	Alternative string // the other session, of AlternativeSession alone
	Text        string // for people: one line, at most 256 bytes as it is written
}

// cause reads the <reason/> in e. Elements of others in it are left out.
func (r *reader) cause(e xtok.Elem) (c Cause) {
	reason := r.only(e, NS, "reason")
	if !reason.OK() {
		return c
	}
	for child := reason.First(); child.OK(); child = child.Next() {
		if child.NS() != NS {
			continue
		}
		if k := named(child.Local(), AlternativeSession, UnsupportedTransports); k != NoCondition {
			r.condition(&c, k, child)
		}
	}
	if c.Condition == NoCondition {
		r.refuse(Missing, "reason")
	}
	if text := r.only(reason, NS, "text"); text.OK() {
		c.Text = plain(text.Text())
	}
	return c
}

func (r *reader) condition(c *Cause, k Condition, e xtok.Elem) {
	if c.Condition != NoCondition {
		r.refuse(Doubled, "reason")
	}
	c.Condition = k
	if sid := r.only(e, NS, "sid"); k == AlternativeSession && sid.OK() {
		c.Alternative = sid.Text()
		r.check(c.Alternative, "sid", mostID, graphic)
	}
}

func (w *writer) cause(c Cause) {
	if c.Condition == NoCondition {
		return
	}
	w.open("reason", NS)
	w.inside()
	name := c.Condition.String()
	if c.Alternative != "" {
		w.open(name, "")
		w.inside()
		w.b = xtok.AppendElement(w.b, "sid", c.Alternative)
		w.close(name)
	} else {
		w.empty(name, "")
	}
	w.b = xtok.AppendElement(w.b, "text", c.Text)
	w.close("reason")
}

// enum is one of the closed sets of this grammar. Its zero is none.
type enum interface {
	~uint8
	String() string
}

// named is the value of a set, from first to last, that is called so, else 0.
func named[E enum](s string, first, last E) E {
	for e := first; e <= last && s != ""; e++ {
		if e.String() == s {
			return e
		}
	}
	return 0
}

// oneOf reads an attribute that is one of a closed set; otherwise is meant where
// it is not there, 0 where it must be.
func oneOf[E enum](r *reader, e xtok.Elem, name string, first, last, otherwise E) E {
	s := e.Attr(name)
	if s == "" {
		if otherwise == 0 {
			r.refuse(Missing, name)
		}
		return otherwise
	}
	v := named(s, first, last)
	if v == 0 {
		r.refuse(Malformed, name)
	}
	return v
}
