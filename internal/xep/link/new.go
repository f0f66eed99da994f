package link

import (
	"crypto/subtle"
	"slices"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is what the new device asks for, on a stream that has not signed in.

type visitorKey struct{}

// guard runs what a stranger asks for, within bounds.
func (f *Feature) guard(q *core.Query, do func() ([]byte, error)) ([]byte, error) {
	refused, _ := q.Stream.Value(visitorKey{}).(int)
	switch {
	case !f.clear && !q.Stream.Secure():
		return nil, stanza.Errorf(stanza.NotAllowed, "this needs an encrypted connection")
	case refused >= tries:
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many attempts on one connection")
	case !q.Set():
		return nil, stanza.Errorf(stanza.BadRequest, "this is set, not asked for")
	}
	payload, err := do()
	if err != nil {
		q.Stream.SetValue(visitorKey{}, refused+1)
	}
	return payload, err
}

// join takes the new device's box, once. The same device may repeat it; another one
// that shows the same link ends it for both, since one of them saw a code that was not for it.
func (f *Feature) join(q *core.Query) ([]byte, error) {
	return f.guard(q, func() ([]byte, error) {
		e := q.Payload
		visit, g, mech := e.Attr("visit"), auth.Agent{ID: e.Attr("device")}, e.Attr("mechanism")
		box, err := boxOf(e)
		if err != nil || len(visit) < 22 || len(visit) > 64 || g.ID == "" || len(g.ID) > 64 ||
			!slices.Contains([]string{sasl.HTSHA256Exporter, sasl.HTSHA256EndPoint, sasl.HTSHA256None}, mech) {
			return nil, stanza.Errorf(stanza.BadRequest, "the device does not say what is needed")
		}
		l, again, err := f.visited(e.Attr("token"), visit)
		if err != nil || again {
			return nil, err
		}
		if err := f.fresh(q, l, g); err != nil {
			return nil, err
		}
		return nil, f.enter(q.Stream, l, visit, g, mech, box)
	})
}

// visited finds the link of a token, for who may be its new device; again tells that
// he is known as that.
func (f *Feature) visited(token, visit string) (l *link, again bool, err error) {
	f.mu.Lock()
	l = f.links[token]
	switch {
	case l == nil || l.state == ended && l.visit != visit || !time.Now().Before(l.until):
		err = errNoLink
	case l.visit == "":
	case subtle.ConstantTimeCompare([]byte(l.visit), []byte(visit)) == 1:
		again = true
	case l.state == accepted:
		err = errNoLink
	default:
		err = stanza.Errorf(stanza.Conflict, "another device has shown this code too: neither is let in")
		l.end("two")
		defer f.tellEnd(l, "two")
	}
	f.mu.Unlock()
	return l, again, err
}

// fresh refuses a device that the account knows: it would become that one, and nobody
// would see a new one in the list.
func (f *Feature) fresh(q *core.Query, l *link, g auth.Agent) error {
	name := l.owner.JID.Local()
	known, err := f.accounts.Devices(q.Ctx, name)
	if err != nil {
		return err
	}
	id := f.accounts.DeviceID(name, g)
	if slices.ContainsFunc(known, func(d auth.Device) bool { return d.ID == id }) {
		return stanza.Errorf(stanza.NotAllowed, "this device has signed in to the account before")
	}
	return nil
}

// enter makes who came the link's new device, and tells the old one.
func (f *Feature) enter(from core.Stream, l *link, visit string, g auth.Agent, mech, box string) error {
	f.mu.Lock()
	if l.state != shown {
		f.mu.Unlock()
		return errNoLink // somebody came first, or it was taken back
	}
	l.state, l.visit, l.agent, l.mech = joined, visit, g, mech
	f.mu.Unlock()
	b := []byte("<joined xmlns='" + ns + "' link='" + l.id + "'" + placeOf(from, l.owner) + ">")
	push(l.owner, append(xtok.Escape(b, box), "</joined>"...))
	return nil
}

// ask waits for what the old device says: after='join' for its hello, after='hello' for
// its welcome. After a while the answer is that there is nothing yet.
func (f *Feature) ask(q *core.Query) ([]byte, error) {
	return f.guard(q, func() ([]byte, error) {
		token, visit, after := q.Payload.Attr("token"), q.Payload.Attr("visit"), q.Payload.Attr("after")
		timer := time.NewTimer(patience)
		defer timer.Stop()
		for {
			answer, change, err := f.news(token, visit, after)
			if answer != nil || err != nil {
				return answer, err
			}
			select {
			case <-change:
				if b := f.held(token); b != nil {
					return b, nil // it is to know why nothing comes
				}
			case <-timer.C:
				return f.notYet(token), nil
			case <-q.Ctx.Done():
				return nil, q.Ctx.Err()
			}
		}
	})
}

// news is what there is for the new device, or what to wait for.
func (f *Feature) news(token, visit, after string) (answer []byte, change chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.links[token]
	if l == nil || l.visit == "" || subtle.ConstantTimeCompare([]byte(l.visit), []byte(visit)) != 1 {
		return nil, nil, errNoLink
	}
	switch {
	case l.state == ended:
		return nil, nil, l.ending()
	case after == "join" && l.hello != "":
		b := []byte("<hello xmlns='" + ns + "'>")
		return append(xtok.Escape(b, l.hello), "</hello>"...), nil, nil
	case after == "hello" && l.secret != "":
		return l.welcome(), nil, nil
	}
	return nil, l.change, nil
}

func (l *link) ending() error {
	switch l.why {
	case "refused":
		return stanza.Errorf(stanza.NotAllowed, "the other device has refused")
	case "two":
		return stanza.Errorf(stanza.Conflict, "another device has shown this code too: neither is let in")
	}
	return stanza.Errorf(stanza.ItemNotFound, "the code is out of date, or the device that showed it has gone")
}

// welcome is the token, and the old device's own words.
// XEP-0484 §3.3
func (l *link) welcome() []byte {
	b := []byte("<welcome xmlns='" + ns + "' mechanism='" + l.mech + "' expiry='")
	b = stanza.AppendTime(b, l.expiry)
	b = append(b, "' token='"...)
	b = append(xtok.Escape(b, l.secret), "'>"...)
	return append(xtok.Escape(b, l.box), "</welcome>"...)
}

// notYet tells the new device to ask again; and, once it was let in, until when there is nothing
// to hope for.
func (f *Feature) notYet(token string) []byte {
	if b := f.held(token); b != nil {
		return b
	}
	return []byte("<wait xmlns='" + ns + "'/>")
}

func (f *Feature) held(token string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.links[token]; l != nil && l.state == waiting {
		return appendUntil([]byte("<wait xmlns='"+ns+"'"), l.ripe)
	}
	return nil
}
