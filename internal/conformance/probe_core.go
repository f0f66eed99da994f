package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// noteSignIn reports what the sign-in itself has shown. first are the features
// of the encrypted stream before it.
func (e *exam) noteSignIn(first xtok.Elem, h how) {
	e.report.Address = e.place.addr
	e.noteBinding(first, h)
	e.noteDowngrade(h)
	if e.a.w.features.Child("urn:xmpp:features:rosterver", "ver").OK() {
		e.report.row("beyond.roster-versions").Evidence = "announced"
	}
	e.noteLimits(first)
}

// noteBinding reports XEP-0440 and what was bound to.
func (e *exam) noteBinding(first xtok.Elem, h how) {
	var types []string
	for c := range first.Child(stream.NSBinding, "sasl-channel-binding").Children() {
		types = append(types, c.Attr("type"))
	}
	plus := strings.HasSuffix(h.mechanism, "-PLUS")
	switch {
	case len(types) > 0 && plus:
		e.works("beyond.binding-types", "%s; bound by %s", strings.Join(types, ", "), h.binding)
	case len(types) > 0:
		e.partly("beyond.binding-types", "%s; nothing was bound with %s", strings.Join(types, ", "), h.mechanism)
	case plus:
		e.partly("beyond.binding-types", "none told, yet bound by %s, which was a guess", h.binding)
	case h.tried != "":
		e.missing("beyond.binding-types", "none told; %s offered, and refused with what TLS %s has", h.tried, version(e.a.w.secure.Version))
	default:
		e.missing("beyond.binding-types", "none told, and nothing to bind by")
	}
}

// noteDowngrade reports XEP-0474 and XEP-0515.
func (e *exam) noteDowngrade(h how) {
	var found []string
	for a := range strings.SplitSeq(h.first, ",") {
		switch {
		case strings.HasPrefix(a, "h="):
			found = append(found, "mechanisms vouched for")
		case strings.HasPrefix(a, "t="):
			found = append(found, "TLS version vouched for")
		}
	}
	switch len(found) {
	case 0:
		e.missing("beyond.downgrade", "the server vouches for nothing it offered")
	case 1:
		e.partly("beyond.downgrade", "%s, and right", found[0])
	default:
		e.works("beyond.downgrade", "%s, and right", strings.Join(found, ", "))
	}
}

// noteLimits reports XEP-0478, before and after the sign-in.
func (e *exam) noteLimits(first xtok.Elem) {
	const ns = "urn:xmpp:stream-limits:0"
	l := e.a.w.features.Child(ns, "limits")
	if !l.OK() {
		l = first.Child(ns, "limits")
	}
	if !l.OK() {
		e.missing("beyond.limits", "no limits told")
		return
	}
	e.works("beyond.limits", "stanzas up to %s bytes", orDash(l.Child(ns, "max-bytes").Text()))
}

func orDash(s string) string {
	if s == "" {
		return "unnamed"
	}
	return s
}

func version(v uint16) string { return strings.TrimPrefix(tls.VersionName(v), "TLS ") }

// tryTLS reports the encryption and looks for direct TLS.
func (e *exam) tryTLS(ctx context.Context) {
	e.noteTLS(ctx)
	e.tryDirect(ctx)
}

func (e *exam) noteTLS(ctx context.Context) {
	s := e.a.w.secure
	cert := s.PeerCertificates[0]
	evidence := fmt.Sprintf("TLS %s, %s; certificate for %s, good until %s", version(s.Version),
		strings.TrimPrefix(tls.CipherSuiteName(s.CipherSuite), "TLS_"), namesOf(cert), cert.NotAfter.Format("2 January 2006"))
	var faults []string
	if err := e.verify(s); err != nil {
		faults = append(faults, inWords(err))
	}
	if e.before.Child(stream.NSSASL, "mechanisms").OK() || e.before.Child(stream.NSSASL2, "authentication").OK() {
		faults = append(faults, "takes logins without encryption")
	}
	if e.takesOldTLS(ctx) {
		faults = append(faults, "also takes TLS 1.0 or 1.1")
	}
	if left := cert.NotAfter.Sub(e.now()); left < 7*24*time.Hour {
		faults = append(faults, fmt.Sprintf("the certificate ends in %d days", int(left.Hours()/24)))
	}
	if len(faults) > 0 {
		e.partly("core.tls", "%s; but: %s", evidence, strings.Join(faults, "; "))
		return
	}
	e.works("core.tls", "%s", evidence)
}

func (e *exam) now() time.Time {
	if e.o.Now.IsZero() {
		return time.Now()
	}
	return e.o.Now
}

// verify checks a chain as the handshake does where it is not told to look away.
func (e *exam) verify(s *tls.ConnectionState) error {
	if len(s.VerifiedChains) > 0 {
		return nil
	}
	o := x509.VerifyOptions{Roots: e.roots, DNSName: ascii(e.account.Domain()), Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}

// takesOldTLS tells whether the server agrees to a version of TLS that is out of
// use.
func (e *exam) takesOldTLS(ctx context.Context) bool {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", e.place.addr)
	if err != nil {
		return false
	}
	w := newWire(nc, e.account.DomainOnly())
	defer w.close()
	cfg := e.tlsConfig(e.place.direct)
	cfg.MinVersion, cfg.MaxVersion, cfg.InsecureSkipVerify = tls.VersionTLS10, tls.VersionTLS11, true
	if e.place.direct {
		return w.handshake(ctx, cfg) == nil
	}
	if w.open(ctx) != nil {
		return false
	}
	_ = w.startTLS(ctx, cfg)
	return w.secure != nil
}

// tryDirect looks for TLS from the first byte.
// XEP-0368 §3
func (e *exam) tryDirect(ctx context.Context) {
	list, told := e.directPlaces()
	var last error
	for _, addr := range list {
		w, err := e.connect(ctx, place{addr, true})
		if err != nil {
			last = err
			continue
		}
		alpn := w.secure.NegotiatedProtocol
		w.end()
		if alpn == "" {
			alpn = "without ALPN"
		} else {
			alpn = "ALPN " + alpn
		}
		if !told {
			e.partly("core.direct-tls", "%s answers (%s), but no SRV record says so", addr, alpn)
			return
		}
		e.works("core.direct-tls", "at %s, %s", addr, alpn)
		return
	}
	if told {
		e.missing("core.direct-tls", "%s: %s", strings.Join(list, ", "), inWords(last))
		return
	}
	e.missing("core.direct-tls", "no SRV record, and nothing at %s", strings.Join(list, ", "))
}

// directPlaces are where direct TLS should be, and whether we were told so.
func (e *exam) directPlaces() (list []string, told bool) {
	switch {
	case e.o.ServerTLS != "":
		return []string{e.o.ServerTLS}, true
	case e.place.direct:
		return []string{e.place.addr}, e.o.Server != "" || slices.Contains(e.srvDirect, e.place.addr)
	case len(e.srvDirect) > 0:
		return e.srvDirect, true
	}
	host, _, err := net.SplitHostPort(e.place.addr)
	if err != nil {
		host = ascii(e.account.Domain())
	}
	return []string{net.JoinHostPort(host, "5223")}, false
}

// tryComponents looks whether the place that was named speaks with components.
// More needs a secret, and no account can tell where that place is.
// XEP-0114 §3
func (e *exam) tryComponents(ctx context.Context) {
	const key, ns = "core.components", "jabber:component:accept"
	if e.o.Component == "" {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", e.o.Component)
	if err != nil {
		e.missing(key, "%s: %s", e.o.Component, inWords(err))
		return
	}
	w := newWire(nc, e.account.DomainOnly())
	defer w.close()
	_ = w.send("<?xml version='1.0'?><stream:stream xmlns='" + ns + "' xmlns:stream='" + stream.NS + "' to='" + esc(e.token+"."+e.account.Domain()) + "'>")
	ev, _, err := w.event(ctx)
	if err != nil || ev != xtok.Open || w.sc.Root().DefaultNS() != ns {
		e.missing(key, "%s does not speak with components", e.o.Component)
		return
	}
	e.works(key, "a component's stream opens at %s", e.o.Component)
}

// trySecond signs in a second time, and sees whether what is unknown is refused
// as RFC 6120 §8.4 wants.
func (e *exam) trySecond(ctx context.Context) {
	h := e.way
	evidence := h.mechanism
	if h.binding != "" {
		evidence += " bound by " + h.binding
	}
	b, err := e.another(ctx, "b")
	if err != nil {
		e.partly("core.core", "%s; a second device cannot sign in: %s", evidence, inWords(err))
		return
	}
	e.b = b
	if _, err := e.a.get(ctx, e.account.Domain(), "<query xmlns='urn:mirsal:conformance:no-such-thing'/>"); err == nil || !isAnswer(err) {
		e.partly("core.core", "%s; a request that nobody knows is not refused", evidence)
		return
	}
	if h.mechanism == "PLAIN" {
		e.partly("core.core", "only PLAIN: the server is sent the password itself")
		return
	}
	e.works("core.core", "%s; two devices at once; unknown requests are refused", evidence)
}

func isAnswer(err error) bool {
	_, ok := err.(*answerError)
	return ok
}

// tryPeople tests contacts, and messages between two devices.
func (e *exam) tryPeople(ctx context.Context) {
	roster, err := e.a.get(ctx, "", "<query xmlns='jabber:iq:roster' ver=''/>")
	if err != nil {
		e.missing("im.core", "the contact list %s", reason(err))
		return
	}
	list := roster.Child("jabber:iq:roster", "query")
	e.tryRosterVersions(ctx, list)
	e.show(ctx, list)
	var good, bad []string
	note := func(what string, err error) {
		if err != nil {
			bad = append(bad, what+" "+reason(err))
			return
		}
		good = append(good, what)
	}
	note("contact list", nil)
	if e.b != nil {
		note("a change told to the other device", e.tryRosterPush(ctx))
		note("a message between devices", e.tryMessage(ctx))
	}
	if len(bad) > 0 {
		e.partly("im.core", "%s", strings.Join(append(good, bad...), "; "))
		return
	}
	e.works("im.core", "%s", strings.Join(good, ", "))
}

// tryRosterVersions asks again with the version that was given.
// RFC 6121 §2.6
func (e *exam) tryRosterVersions(ctx context.Context, list xtok.Elem) {
	const key = "beyond.roster-versions"
	if !list.HasAttr("ver") {
		e.missing(key, "the contact list has no version")
		return
	}
	again, err := e.a.get(ctx, "", "<query xmlns='jabber:iq:roster' ver='"+esc(list.Attr("ver"))+"'/>")
	switch {
	case err != nil:
		e.broken(key, true, "asking with a version", err)
	case again.Child("jabber:iq:roster", "query").OK():
		e.partly(key, "the whole list comes although nothing changed")
	default:
		e.works(key, "nothing comes when nothing has changed")
	}
}

// show makes both devices available, with a priority that takes nobody's
// messages. That is broadcast only when no contact could see it; else each is
// shown to the own account alone.
func (e *exam) show(ctx context.Context, list xtok.Elem) {
	alone := true
	for c := range list.Children() {
		if s := c.Attr("subscription"); s == "from" || s == "both" {
			alone = false
		}
	}
	e.shown = alone
	e.a.be([]string{nsInfo})
	e.appear(ctx, e.a)
	if e.b != nil {
		e.b.be([]string{nsInfo, e.node("event") + "+notify"})
		_, _ = e.b.get(ctx, "", "<query xmlns='jabber:iq:roster'/>") // interest in pushes
		e.appear(ctx, e.b)
	}
}

func (e *exam) tryRosterPush(ctx context.Context) error {
	who := e.token + "@conformance.invalid"
	mark := e.b.mark()
	item := func(attrs string) string {
		return "<query xmlns='jabber:iq:roster'><item jid='" + who + "'" + attrs + "/></query>"
	}
	if _, err := e.a.set(ctx, "", item(" name='mirsal conformance'")); err != nil {
		return err
	}
	_, err := e.b.await(ctx, mark, func(x xtok.Elem) bool {
		return x.Child("jabber:iq:roster", "query").Child("jabber:iq:roster", "item").AttrIs("jid", who)
	})
	_, removed := e.a.set(ctx, "", item(" subscription='remove'"))
	e.left("the contact "+who, removed)
	if err != nil {
		return err
	}
	return removed
}

// passing marks a message as nothing to be kept or copied.
const passing = "<no-store xmlns='urn:xmpp:hints'/><no-permanent-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/><private xmlns='urn:xmpp:carbons:2'/>"

// idle is what people read who see a test's message.
const idle = "mirsal conformance: a test message; nothing to do"

func (e *exam) tryMessage(ctx context.Context) error {
	mark := e.b.mark()
	id := e.token + "-m1"
	err := e.a.w.send("<message type='chat' id='" + id + "' to='" + esc(e.b.me.String()) + "'><body>" + idle + "</body>" + passing + "</message>")
	if err != nil {
		return err
	}
	_, err = e.b.await(ctx, mark, func(x xtok.Elem) bool {
		return x.Is(stanza.NSClient, "message") && x.AttrIs("id", id) && x.Child(stanza.NSClient, "body").OK()
	})
	return err
}
