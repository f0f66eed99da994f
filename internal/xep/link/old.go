package link

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"
	"unicode"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is what the old device asks for.

func newID() string { return rand.Text()[:12] }

// own lets nobody speak about an account's links but its own sessions.
func own(q *core.Query) error {
	switch {
	case !q.Own() || q.Session == nil:
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case !q.Set():
		return stanza.Errorf(stanza.BadRequest, "this is set, not asked for")
	}
	return nil
}

var errNoLink = stanza.Errorf(stanza.ItemNotFound, "there is no such link, or it is over")

// offer makes a link. A session has one at a time: a new one ends the former.
func (f *Feature) offer(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	l := &link{
		token: rand.Text(), id: newID(), owner: q.Session, since: f.accounts.Epoch(),
		until: time.Now().Add(life), change: make(chan struct{}),
	}
	if !f.add(l) {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many links; wait a few minutes")
	}
	b := []byte("<offer xmlns='" + ns + "' link='" + l.id + "' token='" + l.token + "' until='")
	b = stanza.AppendTime(b, l.until)
	return append(b, "'/>"...), nil
}

func (f *Feature) add(l *link) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for key, o := range f.links {
		if o.owner == l.owner && o.end("refused") && o.visit == "" {
			delete(f.links, key) // nobody will ask about it
		} else if o.owner.JID.Bare() == l.owner.JID.Bare() {
			n++
		}
	}
	if n >= most {
		return false
	}
	f.links[l.token] = l
	return true
}

// boxOf is what a request carries, sealed.
func boxOf(e xtok.Elem) (string, error) {
	box := e.Text()
	if box == "" || len(box) > mostBox {
		return "", stanza.Errorf(stanza.BadRequest, "what is sealed is missing, or too long")
	}
	return box, nil
}

// hello hands the old device's answer on.
func (f *Feature) hello(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	box, err := boxOf(q.Payload)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of(q.Session, q.Payload.Attr("link"))
	if l == nil || l.state != joined {
		return nil, errNoLink
	}
	l.hello, l.state = box, greeted
	l.changed()
	return nil, nil
}

// refuse ends a link: the new device hears that, and has nothing.
func (f *Feature) refuse(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of(q.Session, q.Payload.Attr("link"))
	if l == nil || !l.end("refused") {
		return nil, errNoLink
	}
	if l.visit == "" {
		delete(f.links, l.token) // nobody will ask about it
	}
	return nil, nil
}

// accept lets the new device in: it gets a token, and every other device is told. The
// name under which it is known is what the old device has shown to its owner.
func (f *Feature) accept(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	box, err := boxOf(q.Payload)
	if err != nil {
		return nil, err
	}
	l, err := f.take(q)
	if err != nil {
		return nil, err
	}
	name := q.Asker().Local()
	secret, expiry, err := f.accounts.IssueFirstToken(q.Ctx, name, l.agent, l.mech, life)
	if err != nil {
		f.give(l, "refused")
		return nil, refusal(err)
	}
	f.alert(q.Session, l.agent)
	f.mu.Lock()
	defer f.mu.Unlock()
	l.secret, l.expiry, l.device, l.box = secret, expiry, f.accounts.DeviceID(name, l.agent), box
	l.until = time.Now().Add(life)
	l.changed()
	f.log.Info("device linked", "jid", q.Asker().String(), "device", l.device, "by", q.Session.Device)
	return nil, nil
}

// take makes an acceptance the only one.
func (f *Feature) take(q *core.Query) (*link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of(q.Session, q.Payload.Attr("link"))
	if l == nil || l.state != greeted || !time.Now().Before(l.until) {
		return nil, errNoLink
	}
	l.state = accepted
	l.agent.Device, l.agent.Software, l.agent.Since = short(q.Payload.Attr("label")), short(q.Payload.Attr("software")), l.since
	return l, nil
}

// mostName bounds a name that people are shown, in characters.
const mostName = 64

// short keeps of a name what is printed in one line.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > mostName {
		s = string(runes[:mostName])
	}
	return strings.TrimSpace(s)
}

// give ends a link whose acceptance came to nothing.
func (f *Feature) give(l *link, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.state = greeted
	l.end(why)
}

func refusal(err error) error {
	switch {
	case errors.Is(err, auth.ErrChanged), errors.Is(err, auth.ErrNotFound):
		return stanza.Errorf(stanza.NotAuthorized, "the account was changed meanwhile")
	case errors.Is(err, auth.ErrRevoked):
		return stanza.Errorf(stanza.NotAllowed, "this device was removed from the account: another password lets it in again")
	}
	return err
}

// alert tells every other device of one that was let in: at once those that are
// connected, and by a message that is kept those that are away.
func (f *Feature) alert(by *core.Session, g auth.Agent) {
	bare := by.JID.Bare()
	b := []byte("<linked xmlns='" + ns + "'")
	b = xtok.AppendAttr(b, "label", g.Device)
	b = xtok.AppendAttr(b, "software", g.Software)
	b = xtok.AppendAttr(b, "by", by.JID.Resource())
	b = append(b, "/>"...)
	for _, s := range f.router.Directory().Sessions(bare) {
		if s != by {
			s.PushStanza(stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Headline, ID: newID(), From: bare, To: s.JID}, b))
		}
	}
	text := "A new device that calls itself “" + g.Device + "” (" + g.Software + ") was linked to your account and can read and write all your messages. " +
		"It was let in on the device “" + by.JID.Resource() + "”. If that was not you, remove it from your devices and change your password."
	m := append(xtok.Escape([]byte("<body>"), text), "</body>"...)
	m = append(append(m, "<origin-id xmlns='urn:xmpp:sid:0' id='"...), newID()+"'/>"...)
	if err := f.router.Post(stanza.Head{Type: stanza.Normal, ID: newID(), From: f.router.Domain, To: bare}, m); err != nil {
		f.log.Warn("the message about a linked device goes nowhere", "jid", bare.String(), "err", err)
	}
}
