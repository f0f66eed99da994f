package link

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
	"unicode"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
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

// waits finds what was let in and waits: any session of the account may refuse it.
func (f *Feature) waits(bare jid.JID, id string) *link {
	for _, l := range f.links {
		if l.id == id && l.state == waiting && l.owner.JID.Bare() == bare {
			return l
		}
	}
	return nil
}

// refuse ends a link: the new device hears that, and has nothing.
func (f *Feature) refuse(q *core.Query) ([]byte, error) {
	if err := own(q); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of(q.Session, q.Payload.Attr("link"))
	if l == nil {
		l = f.waits(q.Asker(), q.Payload.Attr("link"))
	}
	if l == nil || !l.end("refused") {
		return nil, errNoLink
	}
	if l.owner != q.Session {
		defer f.tellEnd(l, "refused")
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
	l, err := f.take(q, box)
	if err != nil {
		return nil, err
	}
	f.alert(q.Session, l)
	if f.wait > 0 {
		return appendUntil([]byte("<held xmlns='"+ns+"'"), l.ripe), nil
	}
	return nil, f.admit(q.Ctx, l)
}

func appendUntil(b []byte, t time.Time) []byte {
	return append(stanza.AppendTime(append(b, " until='"...), t), "'/>"...)
}

// admit gives an accepted device its token.
func (f *Feature) admit(ctx context.Context, l *link) error {
	name := l.owner.JID.Local()
	secret, expiry, err := f.accounts.IssueFirstToken(ctx, name, l.agent, l.mech, life)
	if err != nil {
		f.give(l, "refused")
		return refusal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l.secret, l.expiry, l.device = secret, expiry, f.accounts.DeviceID(name, l.agent)
	l.until = time.Now().Add(life)
	l.changed()
	f.log.Info("device linked", "jid", l.owner.JID.Bare().String(), "device", l.device, "by", l.owner.Device)
	return nil
}

// take makes an acceptance the only one.
func (f *Feature) take(q *core.Query, box string) (*link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of(q.Session, q.Payload.Attr("link"))
	if l == nil || l.state != greeted || !time.Now().Before(l.until) {
		return nil, errNoLink
	}
	l.state, l.box = accepted, box
	if f.wait > 0 {
		l.state, l.ripe = waiting, time.Now().Add(f.wait)
		l.until = l.ripe.Add(life)
		l.changed()
	}
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
	l.state, l.box = greeted, ""
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
func (f *Feature) alert(by *core.Session, l *link) {
	bare, g := by.JID.Bare(), l.agent
	b := []byte("<linked xmlns='" + ns + "'")
	b = xtok.AppendAttr(b, "label", g.Device)
	b = xtok.AppendAttr(b, "software", g.Software)
	b = xtok.AppendAttr(b, "by", by.JID.Resource())
	when := ""
	if f.wait > 0 {
		b = appendUntil(xtok.AppendAttr(b, "link", l.id), l.ripe)
		when = "It cannot sign in before " + l.ripe.UTC().Format("2 January 15:04") + " UTC: until then you can refuse it on any of your devices. "
	} else {
		b = append(b, "/>"...)
	}
	for _, s := range f.router.Directory().Sessions(bare) {
		if s != by {
			s.PushStanza(stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Headline, ID: newID(), From: bare, To: s.JID}, b))
		}
	}
	text := "A new device that calls itself “" + g.Device + "” (" + g.Software + ") was linked to your account and can read and write all your messages. " +
		"It was let in on the device “" + by.JID.Resource() + "”. " + when + "If that was not you, remove it from your devices and change your password."
	m := append(xtok.Escape([]byte("<body>"), text), "</body>"...)
	m = append(append(append(m, b...), "<origin-id xmlns='urn:xmpp:sid:0' id='"...), newID()+"'/>"...)
	if err := f.router.Post(stanza.Head{Type: stanza.Normal, ID: newID(), From: f.router.Domain, To: bare}, m); err != nil {
		f.log.Warn("the message about a linked device goes nowhere", "jid", bare.String(), "err", err)
	}
}
