package client

import (
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is passkeys, as far as a session has to do with them: the page makes them with the
// site (docs/protocol/passkey.md).

const nsPasskey = "urn:mirsal:passkey:0"

// mostPasskeys is how many are read.
const mostPasskeys = 100

func (e *Engine) passkeyTicket(c *port.PasskeyTicket) {
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<ticket xmlns='" + nsPasskey + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			e.tell(&port.Code{Ref: c.Ref, Failure: refusalOf(err)})
			return
		}
		t := s.Elem.Child(nsPasskey, "ticket")
		until, _ := stanza.ParseTime(t.Attr("until"))
		e.tell(&port.Code{Ref: c.Ref, Text: t.Attr("token"), Until: until})
	})
}

func (e *Engine) listPasskeys(c *port.ListPasskeys) {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<passkeys xmlns='" + nsPasskey + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			e.tell(&port.PasskeyList{Ref: c.Ref, Failure: refusalOf(err)})
			return
		}
		e.tell(&port.PasskeyList{Ref: c.Ref, Passkeys: readPasskeys(s.Elem.Child(nsPasskey, "passkeys"))})
	})
}

func readPasskeys(list xtok.Elem) (out []port.Passkey) {
	for el := range list.Children() {
		if !el.Is(nsPasskey, "passkey") || len(out) == mostPasskeys {
			continue
		}
		p := port.Passkey{ID: el.Attr("id"), Name: el.Attr("name"), Site: el.Attr("site")}
		p.Added, _ = stanza.ParseTime(el.Attr("added"))
		p.Used, _ = stanza.ParseTime(el.Attr("used"))
		out = append(out, p)
	}
	return out
}

func (e *Engine) removePasskey(c *port.RemovePasskey) {
	payload := xtok.AppendAttr([]byte("<remove xmlns='"+nsPasskey+"'"), "id", c.ID)
	e.ask(conn.Request{Type: stanza.Set, Payload: append(payload, "/>"...)}, func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		e.done(c, port.Done{})
	})
}

// wayBackAlert tells of a recovery code or a passkey that another device has made.
func (e *Engine) wayBackAlert(el xtok.Elem) bool {
	if q := el.Child(nsRecovery, "made"); q.OK() {
		e.tell(&port.KeyAlert{Address: e.own.String(), Kind: "recovery-code", Label: q.Attr("by"), Link: q.Attr("id")})
		return true
	}
	q := el.Child(nsPasskey, "added")
	if q.OK() {
		e.tell(&port.KeyAlert{Address: e.own.String(), Kind: "passkey", Label: q.Attr("name"), Link: q.Attr("id")})
	}
	return q.OK()
}

// newsLife is how long a device that was away is still told of what others have done.
const newsLife = 14 * 24 * time.Hour

// ownNews takes what the server tells of the account in words for every client: here it is told by KeyAlert,
// and is no message. Of a new device its key tells as well, wherever we were meanwhile.
func (e *Engine) ownNews(el xtok.Elem, o origin) bool {
	if l := el.Child(nsLink, "linked"); l.OK() {
		if until, err := stanza.ParseTime(l.Attr("until")); err == nil && until.After(e.Now()) && o.source != timeline.Live {
			e.linkAlert(l)
		}
		return true
	}
	if o.source == timeline.Live || e.Now().Sub(o.time) > newsLife {
		return el.Child(nsRecovery, "made").OK() || el.Child(nsPasskey, "added").OK()
	}
	return e.wayBackAlert(el)
}
