package passkey

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/go-webauthn/webauthn/webauthn"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is what a session of the account asks for, and what devices are told.

// ticket lets a page that the session is on add one passkey.
type ticket struct {
	owner  *core.Session
	until  time.Time
	begun  bool
	origin string                // of the page that has begun
	asked  *webauthn.SessionData // what it was told to ask for, nil before
}

func newID() string { return rand.Text()[:12] }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// own lets nobody speak about an account's passkeys but its own sessions.
func own(q *core.Query, set bool) error {
	switch {
	case !q.Own() || q.Session == nil:
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set() != set:
		return stanza.Errorf(stanza.BadRequest, "the list is asked for; all else is set")
	}
	return nil
}

// ticket makes a ticket.
func (f *Feature) ticket(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	t := &ticket{owner: q.Session, until: time.Now().Add(life)}
	key := rand.Text()
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, o := range f.tickets {
		if o.owner == t.owner {
			n++
		}
	}
	if n >= tickets {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "too many tickets; wait a few minutes")
	}
	f.tickets[key] = t
	b := []byte("<ticket xmlns='" + ns + "' token='" + key + "' until='")
	return append(stanza.AppendTime(b, t.until), "'/>"...), nil
}

// list answers with the account's passkeys.
func (f *Feature) list(q *core.Query) ([]byte, error) {
	if err := own(q, false); err != nil {
		return nil, err
	}
	all, err := f.all(q.Ctx, q.Asker())
	if err != nil {
		return nil, err
	}
	b := []byte("<passkeys xmlns='" + ns + "'>")
	for _, p := range all {
		b = append(b, "<passkey id='"+p.ID.String()+"'"...)
		b = xtok.AppendAttr(b, "name", p.Name)
		b = xtok.AppendAttr(b, "site", p.RP)
		b = appendTime(b, "added", p.Added)
		b = appendTime(b, "used", p.Used)
		b = append(b, "/>"...)
	}
	return append(b, "</passkeys>"...), nil
}

func appendTime(b []byte, name string, unix int64) []byte {
	if unix == 0 {
		return b
	}
	return append(stanza.AppendTime(append(b, " "+name+"='"...), time.Unix(unix, 0)), '\'')
}

// remove ends a passkey. Devices that it let in stay: they are in the list of devices.
func (f *Feature) remove(q *core.Query) ([]byte, error) {
	if err := own(q, true); err != nil {
		return nil, err
	}
	err := f.forget(q.Ctx, q.Asker(), q.Payload.Attr("id"))
	if errors.Is(err, store.ErrNotFound) {
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such passkey")
	}
	if err == nil {
		f.cfg.Log.Info("passkey removed", "jid", q.Asker().String(), "by", q.Session.Device)
	}
	return nil, err
}

// mostName bounds a name that people are shown, in characters.
const mostName = 64

// short keeps of a name what is printed in one line.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 16*mostName)], ""))
	if runes := []rune(s); len(runes) > mostName {
		s = string(runes[:mostName])
	}
	return strings.TrimSpace(s)
}

// alertAdded tells all other devices of a new passkey.
func (f *Feature) alertAdded(by *core.Session, name string) {
	b := xtok.AppendAttr([]byte("<added xmlns='"+ns+"' id='"+newID()+"'"), "name", name)
	b = append(xtok.AppendAttr(b, "by", by.JID.Resource()), "/>"...)
	f.alert(by.JID.Bare(), by, b, "A passkey named “"+name+"” was added to your account on the device “"+by.JID.Resource()+
		"”. Whoever has it can sign in. If that was not you, remove the passkey and that device, and change your password.")
}

// alertIn tells all devices of one that a passkey let in, as they are told of one that was linked.
func (f *Feature) alertIn(bare jid.JID, g auth.Agent, name string) {
	b := xtok.AppendAttr([]byte("<linked xmlns='"+nsLink+"'"), "label", g.Device)
	b = xtok.AppendAttr(b, "software", g.Software)
	b = append(xtok.AppendAttr(b, "by", "passkey "+name), "/>"...)
	f.alert(bare, nil, b, "A new device that calls itself “"+g.Device+"” ("+g.Software+") has signed in to your account with the passkey “"+name+
		"” and can read and write all your messages from now on. If that was not you, remove it from your devices, and remove the passkey.")
}

// alert tells sessions at once, and by a message that is kept devices that are away.
func (f *Feature) alert(bare jid.JID, by *core.Session, payload []byte, text string) {
	for _, s := range f.router.Directory().Sessions(bare) {
		if s != by {
			s.PushStanza(stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Headline, ID: newID(), From: bare, To: s.JID}, payload))
		}
	}
	m := append(xtok.Escape([]byte("<body>"), text), "</body>"...)
	m = append(append(append(m, payload...), "<origin-id xmlns='urn:xmpp:sid:0' id='"...), newID()+"'/>"...)
	if err := f.router.Post(stanza.Head{Type: stanza.Normal, ID: newID(), From: f.router.Domain, To: bare}, m); err != nil {
		f.cfg.Log.Warn("the message about a passkey goes nowhere", "jid", bare.String(), "err", err)
	}
}

// handle names an account to authenticators. It is the same each time, so that one of them
// keeps one passkey for an account, and says nothing of the name.
func (f *Feature) handle(name string) []byte {
	return []byte(f.accounts.DeviceID(name, auth.Agent{ID: ns}))
}
