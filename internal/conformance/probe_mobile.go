package conformance

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// tryStreamManagement counts, drops the connection without a word, and comes
// back for what was sent meanwhile.
// XEP-0198 §3, §4, §5
func (e *exam) tryStreamManagement(ctx context.Context) {
	res, evidence := e.streamManagement(ctx)
	e.say("im.sm", res, "%s", evidence)
	e.say("mobile.sm", res, "%s", evidence)
}

func (e *exam) streamManagement(ctx context.Context) (Result, string) {
	w, err := e.fresh(ctx)
	if err != nil {
		return Untested, "no further device can sign in"
	}
	if !w.features.Child(nsSM, "sm").OK() {
		w.end()
		return Missing, "not offered"
	}
	d, err := e.settle(ctx, w, "d")
	if err != nil {
		return Untested, "no further device can sign in"
	}
	defer d.w.close()
	e.appear(ctx, d)
	id, err := d.enable(ctx)
	if err != nil {
		return Missing, "offered, but turning it on " + reason(err)
	}
	if err := d.acknowledged(ctx); err != nil {
		return Partly, "turned on, but what was sent is not acknowledged"
	}
	if id == "" {
		return Partly, "acknowledges, but sessions cannot be resumed"
	}
	return e.resume(ctx, d, id)
}

// enable turns stream management on and returns the id to resume by.
func (s *session) enable(ctx context.Context) (string, error) {
	mark := s.mark()
	if err := s.w.send("<enable xmlns='" + nsSM + "' resume='true'/>"); err != nil {
		return "", err
	}
	x, err := s.await(ctx, mark, func(x xtok.Elem) bool { return x.Is(nsSM, "enabled") || x.Is(nsSM, "failed") })
	if err != nil {
		return "", err
	}
	if x.Is(nsSM, "failed") {
		return "", &answerError{condition: x.First().Local()}
	}
	return x.Attr("id"), nil
}

// acknowledged sends a request and wants it counted.
func (s *session) acknowledged(ctx context.Context) error {
	mark := s.mark()
	_ = s.w.send("<iq type='get' id='counted'><ping xmlns='urn:xmpp:ping'/></iq><r xmlns='" + nsSM + "'/>")
	_, err := s.await(ctx, mark, func(x xtok.Elem) bool {
		h, err := strconv.Atoi(x.Attr("h"))
		return x.Is(nsSM, "a") && err == nil && h >= 1
	})
	return err
}

func (e *exam) resume(ctx context.Context, d *session, id string) (Result, string) {
	d.w.close()
	<-d.done
	message := e.token + "-m4"
	_ = e.a.w.send("<message type='chat' id='" + message + "' to='" + esc(d.me.String()) + "'><body>" + idle + "</body><no-store xmlns='urn:xmpp:hints'/></message>")
	_, _ = e.a.get(ctx, e.account.Domain(), "<query xmlns='"+nsInfo+"'/>") // it has arrived
	w, err := e.fresh(ctx)
	if err != nil {
		return Partly, "acknowledges; coming back fails: " + inWords(err)
	}
	defer w.end()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	d.mu.Lock()
	h := d.handled
	d.mu.Unlock()
	if err := w.send(fmt.Sprintf("<resume xmlns='%s' previd='%s' h='%d'/>", nsSM, esc(id), h)); err != nil {
		return Partly, "acknowledges; coming back fails: " + inWords(err)
	}
	resumed := false
	for {
		x, err := w.next(ctx)
		switch {
		case err != nil && resumed:
			return Partly, "resumed after a dropped connection, but a message sent meanwhile is lost"
		case err != nil:
			return Partly, "acknowledges; resuming " + reason(err)
		case x.Is(nsSM, "failed"):
			return Partly, "acknowledges, but does not resume: " + orDash(x.First().Local())
		case x.Is(nsSM, "resumed"):
			resumed = true
		case x.Is(stanza.NSClient, "message") && x.AttrIs("id", message) && resumed:
			return Works, "resumed after a dropped connection; the message sent meanwhile came"
		}
	}
}

// tryMobile tests what spares phones.
func (e *exam) tryMobile(ctx context.Context) {
	e.tryClientState(ctx)
	e.tryPush(ctx)
}

// XEP-0352 §4
func (e *exam) tryClientState(ctx context.Context) {
	const key, ns = "mobile.csi", "urn:xmpp:csi:0"
	if !e.a.w.features.Child(ns, "csi").OK() {
		e.missing(key, "not offered")
		return
	}
	if e.b == nil {
		e.unknown(key, "offered; no second device to try it with")
		return
	}
	_ = e.b.w.send("<inactive xmlns='" + ns + "'/>")
	_, _ = e.b.get(ctx, e.account.Domain(), "<query xmlns='"+nsInfo+"'/>") // it has arrived
	err := e.tryMessage(ctx)
	_ = e.b.w.send("<active xmlns='" + ns + "'/>")
	if _, gone := e.b.get(ctx, e.account.Domain(), "<query xmlns='"+nsInfo+"'/>"); gone != nil {
		e.missing(key, "offered, but saying so %s", reason(gone))
		return
	}
	if err != nil {
		e.partly(key, "offered, but a message does not reach an inactive device at once")
		return
	}
	e.works(key, "offered; an inactive device still gets messages at once")
}

// tryCalls asks for relays.
// XEP-0215 §3
func (e *exam) tryCalls(ctx context.Context) {
	const key, ns = "av.turn", "urn:xmpp:extdisco:2"
	answer, err := e.a.get(ctx, e.account.Domain(), "<services xmlns='"+ns+"'/>")
	if err != nil {
		e.broken(key, e.server.has(ns), "asking for relays", err)
		return
	}
	found := map[string]bool{}
	var names []string
	secret := true
	for c := range answer.Child(ns, "services").Children() {
		kind := c.Attr("type")
		if !found[kind] {
			found[kind] = true
			names = append(names, kind)
		}
		if strings.HasPrefix(kind, "turn") && !c.HasAttr("password") && !c.AttrIs("restricted", "true") && !c.AttrIs("restricted", "1") {
			secret = false
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case len(names) == 0:
		e.missing(key, "asked, it names none")
	case !found["turn"] && !found["turns"]:
		e.partly(key, "%s; no relay (TURN), so calls between strict networks fail", list)
	case !secret:
		e.partly(key, "%s; a relay without a password", list)
	default:
		e.works(key, "%s", list)
	}
}
