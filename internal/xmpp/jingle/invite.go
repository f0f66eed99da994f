package jingle

import (
	"strings"

	"mirsal/internal/xmpp/xtok"
)

// Kind is what an invitation says.
type Kind uint8

// XEP-0353 §3, and the <accept/> of its first versions, which clients still
// send to their own other devices.
const (
	Propose Kind = iota + 1
	Ringing
	Proceed
	Accept
	Reject
	Retract
	Finish
)

// String is the kind's element, "" for none.
func (k Kind) String() string {
	switch k {
	case Propose:
		return "propose"
	case Ringing:
		return "ringing"
	case Proceed:
		return "proceed"
	case Accept:
		return "accept"
	case Reject:
		return "reject"
	case Retract:
		return "retract"
	case Finish:
		return "finish"
	}
	return ""
}

// Invite is a message about a call that is to be, or was: all that may be said
// before the callee has accepted. Two are the same if they are ==.
// XEP-0353
type Invite struct {
	Kind Kind
	ID   string // of the call, and later the session's sid: 1–128 characters

	Audio, Video bool   // of Propose: one of them at least
	Device       uint32 // of Proceed: the OMEMO device that accepts, 0 if it is not said
	Cause        Cause  // of Reject, Retract and Finish
	TieBreak     bool   // of Reject and Retract: both had proposed (XEP-0353 §4.1)
	Migrated     string // of Finish: the call that goes on in this one's place (§4.2), or ""
}

// ParseInvite reads an element of NSInvite. The error is a *Refusal.
func ParseInvite(e xtok.Elem) (Invite, error) {
	r := new(reader)
	v := Invite{}
	if e.NS() == NSInvite {
		v.Kind = named(e.Local(), Propose, Finish)
	}
	if v.Kind == 0 {
		return v, &Refusal{NotACall, "invite"}
	}
	v.ID = r.word(e, "id", true, mostID, graphic)
	switch v.Kind {
	case Propose:
		r.media(&v, e)
	case Proceed:
		if d := r.only(e, NSSealed, "device"); d.OK() {
			v.Device = uint32(r.number(d, "id", 1, 1<<31-1, -1))
		}
	case Reject, Retract:
		v.Cause = r.cause(e)
		v.TieBreak = r.only(e, NSInvite, "tie-break").OK()
	case Finish:
		v.Cause = r.cause(e)
		if m := r.only(e, NSInvite, "migrated"); m.OK() {
			v.Migrated = r.word(m, "to", true, mostID, graphic)
		}
	}
	if r.failed() {
		return Invite{}, r.err()
	}
	return v, nil
}

// media reads what a call is proposed with. Descriptions of anything but RTP are
// left out, and all that is in one: payload types come after the callee has
// accepted.
func (r *reader) media(v *Invite, e xtok.Elem) {
	r.each(e, NSRTP, "description", 2, func(d xtok.Elem) {
		m := oneOf(r, d, "media", Audio, Video, 0)
		seen := &v.Audio
		if m == Video {
			seen = &v.Video
		}
		if *seen {
			r.refuse(Doubled, "description")
		}
		*seen = true
	})
	if !v.Audio && !v.Video {
		r.refuse(Missing, "description")
	}
}

// InviteIn reads the invitation in a message; none is false without an error.
// Two are refused: which of them would count is for nobody to guess.
func InviteIn(message xtok.Elem) (Invite, bool, error) {
	var found xtok.Elem
	for c := message.First(); c.OK(); c = c.Next() {
		if c.NS() != NSInvite {
			continue
		}
		if found.OK() {
			return Invite{}, true, &Refusal{Doubled, "invite"}
		}
		found = c
	}
	if !found.OK() {
		return Invite{}, false, nil
	}
	v, err := ParseInvite(found)
	return v, true, err
}

// Append writes the element, at most MostInvite bytes. It is for values that
// were read, or that keep to the limits of their fields.
func (v Invite) Append(dst []byte) []byte {
	w := &writer{dst}
	name := v.Kind.String()
	w.open(name, NSInvite)
	w.attr("id", v.ID)
	w.inside()
	empty := len(w.b)
	v.content(w)
	if len(w.b) == empty {
		w.b = w.b[:empty-1]
		w.leaf()
		return w.b
	}
	w.close(name)
	return w.b
}

func (v Invite) content(w *writer) {
	switch v.Kind {
	case Propose:
		w.described(v.Audio, Audio)
		w.described(v.Video, Video)
	case Proceed:
		if v.Device != 0 {
			w.open("device", NSSealed)
			w.number("id", int64(v.Device), 0)
			w.leaf()
		}
	case Reject, Retract:
		w.cause(v.Cause)
		if v.TieBreak {
			w.empty("tie-break", "")
		}
	case Finish:
		w.cause(v.Cause)
		if v.Migrated != "" {
			w.open("migrated", "")
			w.attr("to", v.Migrated)
			w.leaf()
		}
	}
}

func (w *writer) described(there bool, m Media) {
	if there {
		w.open("description", NSRTP)
		w.attr("media", m.String())
		w.leaf()
	}
}

// Lower tells whether the call a goes before b where both sides have proposed
// at once: ids by their bytes, and for equal ids the proposers' addresses.
// XEP-0353 §4.1
func Lower(a, b, byA, byB string) bool {
	if c := strings.Compare(a, b); c != 0 {
		return c < 0
	}
	return byA < byB
}
