package e2ee

import (
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Outgoing is a message to be encrypted.
type Outgoing struct {
	To   []jid.JID // bare addresses of people; in a room all members (one's own is ignored)
	Room jid.JID   // the room's address, zero in a chat of two
	Text string    // the body
	XML  []byte    // further self-contained elements; profile Two carries them inside, Legacy not at all
}

// Sealed is what takes the place of a message's content.
type Sealed struct {
	// Content is an <encrypted/> for each profile that is needed, <encryption/> (XEP-0380) and the hint to
	// store it, self-contained.
	Content []byte
	// Inside: Outgoing.XML is inside for everybody (all in profile Two); else the caller puts beside it
	// what may be seen, for those who read Legacy.
	Inside bool
	Report Report
	Lock   port.Lock
}

// Encrypt makes a message for all decided devices of all of To, and one's own others. Somebody without
// one makes it fail: leaving a member out is the caller's (a person's) decision. The batch is applied
// before Content leaves. Errors: ErrNobody, ErrUndecided, ErrTooMany, ErrWaiting (Sealed.Lock and
// Report are set with them too), or the store's.
//
// Each device is written to in one profile, so a message may have two <encrypted/>: who knows one of them only
// passes over the other.
func (b *Book) Encrypt(m Outgoing) (Sealed, *keep.Batch, error) {
	pl, err := b.plan(m.To)
	if err != nil {
		return Sealed{}, nil, err
	}
	out := Sealed{Lock: pl.lock(), Report: pl.report()}
	if err := pl.refusal(); err != nil {
		return out, nil, err
	}
	if pl.tooMany() {
		return out, nil, ErrTooMany
	}
	spoken := pl.spoken()
	var content []byte
	for _, p := range spoken {
		if content, err = b.seal(content, m, &pl, p); err != nil {
			return out, nil, err
		}
	}
	out.Inside = spoken[0] == omemo.Two
	out.Content = beside(content, spoken[0])
	b.began(m.chat(&pl))
	return out, b.flush(), nil
}

// Encloses tells whether a message to these would be read in profile Two by everybody, so that also what has no
// text may be encrypted.
func (b *Book) Encloses(to []jid.JID) bool {
	pl, err := b.plan(to)
	return err == nil && pl.refusal() == nil && pl.spoken()[0] == omemo.Two
}

// seal appends the message in one profile.
func (b *Book) seal(to []byte, m Outgoing, pl *plan, p omemo.Profile) ([]byte, error) {
	plain, err := b.inside(m, pl, p)
	if err != nil {
		return nil, err
	}
	key, payload, err := omemo.Seal(p, b.rand, plain)
	if err != nil {
		return nil, err
	}
	e, err := b.envelope(p, pl.targets, key, &payload)
	return e.Append(to, p), err
}

// chat is what the message belongs to: the room, or the other.
func (m Outgoing) chat(pl *plan) jid.JID {
	if !m.Room.IsZero() {
		return m.Room
	}
	return pl.people[0].who
}

// inside is what is encrypted: the body in Legacy, an envelope of its own in Two.
func (b *Book) inside(m Outgoing, pl *plan, p omemo.Profile) ([]byte, error) {
	if p == omemo.Legacy {
		return []byte(m.Text), nil
	}
	var body []byte
	if m.Text != "" {
		body = append(xtok.Escape([]byte("<body xmlns='"+stanza.NSClient+"'>"), m.Text), "</body>"...)
	}
	// XEP-0384#usecases-messagesend
	return omemo.Wrap(b.rand, omemo.Content{
		From: b.own.String(), To: m.chat(pl).Bare().String(), Time: b.now(), XML: append(body, m.XML...),
	})
}

// envelope puts the key through the ratchet of each reader in a profile, and keeps what they become.
func (b *Book) envelope(p omemo.Profile, readers []target, key []byte, payload *omemo.Payload) (omemo.Envelope, error) {
	e := omemo.Envelope{Sender: b.device.ID, Payload: payload}
	for _, t := range readers {
		if t.reach != ready || t.profile != p {
			continue
		}
		next, msg, err := t.ratchet.Encrypt(b.rand, key)
		if err != nil {
			return e, err
		}
		if err := b.putSession(t.session, next); err != nil {
			return e, err
		}
		k := omemo.Key{Device: t.id, PreKey: msg.PreKey, Data: msg.Data}
		if p == omemo.Two {
			k.Address = t.a.who.String()
		}
		e.Keys = append(e.Keys, k)
	}
	return e, nil
}

// beside adds what servers and older clients are told; of two profiles, the one that more programs know.
// XEP-0380#usecases, XEP-0334#usecases
func beside(b []byte, p omemo.Profile) []byte {
	b = append(b, "<encryption xmlns='urn:xmpp:eme:0'"...)
	b = xtok.AppendAttr(b, "namespace", p.Namespace())
	b = append(b, " name='OMEMO'/>"...)
	return append(b, "<store xmlns='urn:xmpp:hints'/>"...)
}

// empty writes a message without content in a device's session, to move its ratchet or
// to make it known. Nothing goes to a key that is not decided.
// XEP-0384#usecases-messagesend
func (b *Book) empty(s *Step, a *account, id uint32, p omemo.Profile) {
	d := a.Devices[id]
	delete(d.Answer, p)
	b.touch(a)
	if t := a.trust(d.Key); t != FirstUse && t != Verified {
		return
	}
	k, ratchet, err := b.front(a, id, p)
	if err != nil || ratchet == nil {
		return
	}
	key, err := omemo.Empty(p, b.rand)
	if err != nil {
		return
	}
	e, err := b.envelope(p, []target{{a: a, id: id, profile: p, reach: ready, session: k, ratchet: ratchet}}, key, nil)
	if err == nil {
		s.Send = append(s.Send, Note{To: a.who, Content: beside(e.Append(nil, p), p)})
	}
}
