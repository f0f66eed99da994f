package client

import (
	"encoding/base64"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	pairing "mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is the old device's side of linking: docs/protocol/link.md. What is handed
// over afterwards is linkinghand.go, the new device's side linkingjoin.go.

const nsLink = "urn:mirsal:link:0"

// showing is a code on its way from being shown to a new device that has all.
type showing struct {
	id      string
	offer   *pairing.Offer
	asked   *pairing.Asked // somebody has answered the code
	network string         // that the server sees it in
	same    bool           // as this device
	told    bool           // and was told of: a person may decide
	self    jid.JID        // this session, as the server calls it
	confirm *port.LinkConfirm
	channel *pairing.Channel // after the person's yes
	hand    *hand
	moved   time.Time // when the new device last asked for something
}

// handTime is how long the old device waits for the new one to ask for more.
const handTime = 10 * time.Minute

// linkCommand carries out what is about linking on the old device.
func (e *Engine) linkCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.LinkShow:
		e.linkShow(c)
	case *port.LinkConfirm:
		e.linkConfirm(c)
	default:
		return false
	}
	return true
}

// linkShow makes a code. One that was shown before is worth nothing from then on.
func (e *Engine) linkShow(c *port.LinkShow) {
	e.linkOver(port.Failf(port.Canceled, "another code is shown"))
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<offer xmlns='" + nsLink + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			e.tell(&port.Code{Ref: c.Ref, Failure: port.Failf(port.Refused, "%s", words(err))})
			return
		}
		e.showCode(c, s.Elem.Child(nsLink, "offer"))
	})
}

func (e *Engine) showCode(c *port.LinkShow, offer xtok.Elem) {
	until, err := stanza.ParseTime(offer.Attr("until"))
	o, bad := pairing.NewOffer(e.Rand, pairing.Code{Address: e.own, Server: e.profile.Server, Token: offer.Attr("token")})
	if err != nil || bad != nil || offer.Attr("token") == "" {
		e.tell(&port.Code{Ref: c.Ref, Failure: port.Failf(port.Refused, "the server does not know how to link devices")})
		return
	}
	e.linkOver(port.Failf(port.Canceled, "another code is shown"))
	e.showing = &showing{id: offer.Attr("link"), offer: o}
	e.tell(&port.Code{Ref: c.Ref, Text: o.Code.String(), Until: until}, &port.LinkState{State: "waiting"})
}

// linkOver ends what is being shown, if anything is, and says why.
func (e *Engine) linkOver(f *port.Failure) {
	s := e.showing
	if s == nil {
		return
	}
	e.showing = nil
	e.tell(&port.LinkState{State: "failed", Failure: f})
	if s.confirm != nil {
		e.fail(s.confirm, f)
	}
}

// linkRequest answers what the server, or the new device, asks of this one.
func (e *Engine) linkRequest(s *conn.Stanza) {
	q := s.Elem.First()
	server := s.From.IsZero() || s.From == e.own
	switch {
	case server && q.Is(nsLink, "joined"):
		e.reply(s, nil)
		e.linkJoined(s, q)
	case server && q.Is(nsLink, "ended"):
		e.reply(s, nil)
		e.codeEnded(q)
	case q.Is(nsLink, "more"), q.Is(nsLink, "done"):
		e.linkMore(s, q)
	default:
		e.send(stanza.ErrorReply(s.Head, stanza.Errorf(stanza.ServiceUnavailable, "")).Raw, 0)
	}
}

// linkJoined takes what a device says that has the code: once. A person hears of it when
// the server has its answer.
func (e *Engine) linkJoined(s *conn.Stanza, q xtok.Elem) {
	w := e.showing
	if w == nil || w.id != q.Attr("link") || w.asked != nil {
		return
	}
	var hello []byte
	box, err := base64.StdEncoding.DecodeString(strings.TrimSpace(q.Text()))
	if err == nil {
		w.asked, hello, err = w.offer.Answer(e.Rand, box, e.Label)
	}
	if err != nil {
		e.linkRefuse(w)
		e.linkOver(port.Failf(port.Tampered, "somebody without the code has tried to link a device, or something between changes what is said: nobody was let in"))
		return
	}
	w.self, w.network, w.same = s.To, q.Attr("network"), q.AttrIs("same", "true")
	e.ask(linkAsk("hello", w.id, "", hello), func(_ *conn.Stanza, err error) {
		switch {
		case e.showing != w:
		case err != nil:
			e.linkOver(port.Failf(port.Refused, "%s", words(err)))
		default:
			w.told = true
			h := w.asked.Hello
			e.tell(&port.LinkState{State: "joined", Check: w.asked.Check}, &port.LinkAsked{Label: h.Label, Software: h.Software, Check: w.asked.Check,
				Network: w.network, Same: w.same})
		}
	})
}

// linkAsk is a request about a link, with a box.
func linkAsk(name, id, attrs string, box []byte) conn.Request {
	return conn.Request{Type: stanza.Set, Payload: []byte("<" + name + " xmlns='" + nsLink + "' link='" + esc(id) + "'" + attrs + ">" +
		base64.StdEncoding.EncodeToString(box) + "</" + name + ">")}
}

func (e *Engine) linkRefuse(w *showing) {
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<refuse xmlns='" + nsLink + "' link='" + esc(w.id) + "'/>")}, nil)
}

// codeEnded takes from the server that a link is over.
func (e *Engine) codeEnded(q xtok.Elem) {
	w := e.showing
	if w == nil || w.id != q.Attr("link") || w.channel != nil && q.Attr("reason") != "refused" {
		return
	}
	switch q.Attr("reason") {
	case "refused":
		e.linkOver(port.Failf(port.Canceled, "it was refused on another device of yours"))
	case "two":
		e.linkOver(port.Failf(port.Refused, "two devices have shown this code, so somebody else has seen it: neither was let in. Show a new one where nobody watches"))
	default:
		e.linkOver(port.Failf(port.Missing, "the code is out of date"))
	}
}

// linkConfirm takes the person's decision about the device that LinkAsked named.
func (e *Engine) linkConfirm(c *port.LinkConfirm) {
	w := e.showing
	switch {
	case c.Link != "":
		e.linkStop(c)
	case w == nil || !w.told || w.confirm != nil:
		e.fail(c, port.Failf(port.Missing, "no device asks to be let in"))
	case !c.Accept:
		e.showing = nil
		e.linkRefuse(w)
		e.tell(&port.LinkState{State: "failed", Failure: port.Failf(port.Canceled, "you have refused")})
		e.done(c, port.Done{})
	default:
		w.confirm = c
		e.linkAccept(w)
	}
}

// linkStop refuses what waits to sign in, whichever device has let it in.
func (e *Engine) linkStop(c *port.LinkConfirm) {
	if c.Accept {
		e.fail(c, port.Failf(port.BadCommand, "what was let in on another device can only be refused here"))
		return
	}
	e.ask(linkAsk("refuse", c.Link, "", nil), func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		e.done(c, port.Done{})
	})
}

// linkAccept lets the new device in: from here on it can sign in, or when the server's waiting
// period is over.
func (e *Engine) linkAccept(w *showing) {
	box, channel, err := w.asked.Accept(e.Rand, pairing.Welcome{Address: e.own.String(), Peer: w.self.String(), Device: e.keys.ID(), Fingerprint: e.keys.Fingerprint()})
	if err == nil {
		w.hand, err = e.newHand()
	}
	if err != nil {
		e.linkRefuse(w)
		e.linkOver(port.Failf(port.Internal, "%s", err))
		return
	}
	attrs := string(xtok.AppendAttr(xtok.AppendAttr(nil, "label", w.asked.Hello.Label), "software", w.asked.Hello.Software))
	e.ask(linkAsk("accept", w.id, attrs, box), func(s *conn.Stanza, err error) {
		switch {
		case e.showing != w:
		case err != nil:
			e.linkOver(port.Failf(port.Refused, "%s", words(err)))
		default:
			w.channel = channel
			e.linkLetIn(w, s.Elem.Child(nsLink, "held"))
		}
	})
}

// linkLetIn begins to wait for the new device's questions.
func (e *Engine) linkLetIn(w *showing, held xtok.Elem) {
	until, err := stanza.ParseTime(held.Attr("until"))
	if !held.OK() || err != nil {
		e.tell(&port.LinkState{State: "sending", Total: w.hand.lines})
		e.linkWatch(w, handTime)
		return
	}
	e.tell(&port.LinkState{State: "held", Until: until, Total: w.hand.lines})
	e.linkWatch(w, until.Sub(e.Now())+handTime)
}

// linkWatch gives up a new device that has asked for nothing for a while.
func (e *Engine) linkWatch(w *showing, patience time.Duration) {
	w.moved = e.Now()
	moved := w.moved
	time.AfterFunc(patience, func() {
		e.post(func() {
			if e.showing == w && w.moved.Equal(moved) {
				e.linkOver(port.Failf(port.Missing, "the new device was let in, but has not fetched everything: link it again for the rest, or remove it"))
			}
		})
	})
}

// linkSession notes that a new session has begun: what was only shown is over, since the
// server has ended it with the former one.
func (e *Engine) linkSession() {
	if e.showing != nil && e.showing.channel == nil {
		e.linkOver(port.Failf(port.Unreachable, "the connection was lost meanwhile: show a new code"))
	}
}

// linkAlert tells of a device that another one of this account has let in.
func (e *Engine) linkAlert(q xtok.Elem) {
	label := q.Attr("label")
	if software := q.Attr("software"); software != "" {
		label += " (" + software + ")"
	}
	until, _ := stanza.ParseTime(q.Attr("until"))
	e.tell(&port.KeyAlert{Address: e.own.String(), Kind: "linked", Label: label, Link: q.Attr("link"), Until: until})
}
