package c2s

import (
	"crypto/rand"
	"errors"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// Register answers what clients of an older specification ask for once they
// have bound a resource.
func Register(h *core.Host) {
	// COMPAT: RFC 3921 §3; features offers it as optional
	yes := func(*core.Query) ([]byte, error) { return nil, nil }
	h.IQ(core.Account, stream.NSSession, "session", yes)
	h.IQ(core.Server, stream.NSSession, "session", yes)
}

// negotiate takes a new connection to a bound session and hands it over to
// serve, on a goroutine whose stack the handshake has not grown.
func (c *conn) negotiate(direct bool) {
	c.tcp.SetReadDeadline(c.deadline)
	err := c.guard(func() error {
		if direct {
			if err := c.secure(); err != nil {
				return err
			}
		}
		return c.loop(func() bool { return c.session != nil })
	})
	if err != nil {
		c.end(err)
		c.leave()
		return
	}
	c.neg = nil
	go c.serve()
}

// secure makes the TLS handshake. Bytes that came behind <starttls/> in clear
// are thrown away: they were not said inside TLS.
func (c *conn) secure() error {
	c.in.discard()
	c.in.giveBack()
	c.neg.sasl, c.neg.req = nil, nil // RFC 6120 §5.4.3.3
	ctx, endPoint := c.srv.cfg.EndPoint(c.srv.ctx)
	t, err := c.handshake(ctx)
	if err != nil {
		c.srv.cfg.Metrics.handshakes.WithLabelValues("failed").Inc()
		c.log().Debug("TLS handshake failed", "err", err)
		return err
	}
	c.srv.cfg.Metrics.handshakes.WithLabelValues("done").Inc()
	c.wmu.Lock()
	c.tls, c.net, c.opened = t, t, false
	c.wmu.Unlock()
	st := t.ConnectionState()
	c.neg.bindings = Bindings(&st, endPoint(&st))
	return nil
}

// openStream answers a stream header with ours and the features.
func (c *conn) openStream(e xtok.Elem) error {
	h, bad := stream.ReadHeader(e)
	c.lang, c.from = h.Lang, h.From.Bare()
	b := stream.Header{From: c.srv.router.Domain, To: h.From, ID: rand.Text(), Lang: "en"}.Append(nil)
	c.wmu.Lock()
	c.opened = true
	_, err := c.write(b)
	c.wmu.Unlock()
	switch {
	case err != nil:
		return err
	case bad != nil:
		return bad
	case !h.To.IsZero() && h.To != c.srv.router.Domain:
		return &stream.Error{Condition: "host-unknown"}
	}
	_, err = c.Write(c.features(nil))
	return err
}

// features lists what may be negotiated now (RFC 6120 §4.3.2).
func (c *conn) features(b []byte) []byte {
	b = append(b, "<stream:features>"...)
	switch {
	case c.session != nil || c.neg.bound:
		b = c.srv.router.Host().Offers(c, b)
	case !c.account.IsZero():
		b = append(b, "<bind xmlns='"+stream.NSBind+"'/>"...)
		// COMPAT: clients of RFC 3921 ask for a session
		b = append(b, "<session xmlns='"+stream.NSSession+"'><optional/></session>"...)
		b = c.srv.router.Host().Offers(c, b)
	case !c.mayLogin():
		b = append(b, "<starttls xmlns='"+stream.NSTLS+"'><required/></starttls>"...)
	default:
		if c.mayStartTLS() {
			b = append(b, "<starttls xmlns='"+stream.NSTLS+"'/>"...)
		}
		c.neg.offered = c.offered()
		b = c.mechanisms(b)
		b = c.authentication(b)
		b = c.channelBindings(b)
		b = c.srv.router.Host().Offers(c, b)
	}
	return append(b, "</stream:features>"...)
}

func (c *conn) mechanisms(b []byte) []byte {
	b = append(b, "<mechanisms xmlns='"+stream.NSSASL+"'>"...)
	b = c.appendMechanisms(b)
	return append(b, "</mechanisms>"...)
}

func (c *conn) appendMechanisms(b []byte) []byte {
	for _, m := range c.neg.offered {
		b = append(b, "<mechanism>"+m+"</mechanism>"...)
	}
	return b
}

// offered are the mechanisms that take a password, for the account that the
// client says it comes for.
// XEP-0388 §2.1
func (c *conn) offered() []string {
	list := sasl.Mechanisms(c.neg.bindings)
	if c.from.Local() != "" && c.from.DomainOnly() == c.srv.router.Domain {
		list = sasl.Without(list, c.srv.auth.Lacks(c.from.Local()))
	}
	if c.mayPlain() {
		list = append(list, sasl.PLAIN)
	}
	return list
}

// channelBindings names the types of binding that the channel has.
// XEP-0440 §3
func (c *conn) channelBindings(b []byte) []byte {
	if len(c.neg.bindings) == 0 {
		return b
	}
	b = append(b, "<sasl-channel-binding xmlns='"+stream.NSBinding+"'>"...)
	for _, cb := range c.neg.bindings {
		b = append(b, "<channel-binding type='"+cb.Type+"'/>"...)
	}
	return append(b, "</sasl-channel-binding>"...)
}

// mayPlain tells whether passwords may be sent: never in clear.
// RFC 6120 §13.8.3
func (c *conn) mayPlain() bool { return c.srv.cfg.Plain && c.Secure() }

func (c *conn) mayLogin() bool { return c.Secure() || !c.srv.cfg.RequireTLS }

func (c *conn) mayStartTLS() bool { return c.tls == nil && c.via.Name == "" && c.srv.cfg.TLS != nil }

// stranger handles an element of a connection that has bound no resource.
func (c *conn) stranger(e xtok.Elem) error {
	switch {
	case e.Is(stream.NSTLS, "starttls"):
		return c.startTLS()
	case e.NS() == stream.NSSASL && c.mayLogin() && c.account.IsZero():
		return c.authenticate(e)
	case e.NS() == stream.NSSASL2 && c.mayLogin() && c.account.IsZero():
		return c.authenticate2(e)
	case e.Is(stanza.NSClient, "iq") && c.account.IsZero() && c.mayLogin() && c.neg.sasl == nil && c.neg.req == nil:
		return c.earlyIQ(e)
	case e.Is(stanza.NSClient, "iq") && !c.account.IsZero():
		return c.bindIQ(e)
	case c.account.IsZero():
		// RFC 6120 §4.9.3.12
		return &stream.Error{Condition: "not-authorized"}
	}
	if f := c.srv.router.Host().NonzaHandler(e); f != nil {
		return f(c, e)
	}
	return &stream.Error{Condition: "not-authorized", Text: "bind a resource first"}
}

func (c *conn) startTLS() error {
	if !c.mayStartTLS() || !c.account.IsZero() {
		c.Write([]byte("<failure xmlns='" + stream.NSTLS + "'/>"))
		return errClosed
	}
	if _, err := c.Write([]byte("<proceed xmlns='" + stream.NSTLS + "'/>")); err != nil {
		return err
	}
	if err := c.secure(); err != nil {
		return err
	}
	c.scan.Restart()
	return nil
}

// bindIQ binds a resource (RFC 6120 §7).
func (c *conn) bindIQ(e xtok.Elem) error {
	h, err := stanza.ReadHead(e)
	if err != nil {
		return c.reply(stanza.ErrorReply(h, err))
	}
	if !e.First().Is(stream.NSBind, "bind") || h.Type != stanza.Set {
		return &stream.Error{Condition: "not-authorized", Text: "bind a resource first"}
	}
	wanted := e.First().Child(stream.NSBind, "resource").Text()
	full, err := c.resource(wanted)
	if err != nil {
		return c.reply(stanza.ErrorReply(h, stanza.Errorf(stanza.BadRequest, "this resource cannot be used")))
	}
	agent, device := c.agent(full.Resource()), c.device
	if device == "" {
		if wanted == "" {
			agent.Resource = "" // one of our making would be another device each time
		}
		if device, err = c.note(full.Local(), agent, "password"); err != nil {
			return c.reply(stanza.ErrorReply(h, c.noSession(err)))
		}
	}
	payload := append([]byte("<bind xmlns='"+stream.NSBind+"'><jid>"), xtok.Escape(nil, full.String())...)
	hello := stanza.New(stanza.Head{Kind: stanza.IQ, Type: stanza.Result, ID: h.ID}, append(payload, "</jid></bind>"...))
	s, err := c.srv.router.Bind(core.Binding{Conn: c, JID: full, CID: c.id, Lang: c.lang, Device: device, Hello: func(*core.Session) []byte { return hello.Raw }})
	if err != nil {
		return c.reply(stanza.ErrorReply(h, err))
	}
	c.bound(s, "session bound")
	c.confirm(s, agent)
	return nil
}

// agent is who has signed in: as SASL2 told, or else known by the resource.
func (c *conn) agent(resource string) auth.Agent {
	if c.device != "" {
		return c.neg.agent
	}
	return auth.Agent{Resource: resource, Since: c.neg.since}
}

// noSession is what a client hears whose sign-in could not be noted.
func (c *conn) noSession(err error) error {
	if errors.Is(err, auth.ErrChanged) || errors.Is(err, auth.ErrNotFound) {
		return stanza.Errorf(stanza.NotAuthorized, "the account was changed since you signed in")
	}
	return err
}

// confirm ends a session that was let in by what is no longer true: a password
// that was changed, or a device that was revoked, before others could see it.
func (c *conn) confirm(s *core.Session, g auth.Agent) {
	if c.srv.auth.Changed(c.account.Local(), g) {
		s.Close(&stream.Error{Condition: "not-authorized", Text: "the account was changed since you signed in"})
	}
}

func (c *conn) resource(wanted string) (jid.JID, error) {
	if wanted == "" {
		wanted = rand.Text()[:12]
	}
	return c.account.WithResource(wanted)
}

func (c *conn) reply(s *stanza.Stanza) error {
	_, err := c.Write(s.Raw)
	return err
}

// earlyIQ answers a request before authentication, where a feature offers that.
func (c *conn) earlyIQ(e xtok.Elem) error {
	h, err := stanza.ReadHead(e)
	if err != nil {
		return c.reply(stanza.ErrorReply(h, err))
	}
	f := c.srv.router.Host().EarlyHandler(e.First())
	if f == nil || !h.IsRequest() {
		return &stream.Error{Condition: "not-authorized"}
	}
	q := &core.Query{Ctx: c.srv.ctx, Head: h, Payload: e.First(), Stream: c}
	payload, err := f(q)
	if err != nil {
		return c.reply(stanza.ErrorReply(h, err))
	}
	return c.reply(stanza.ResultReply(h, payload))
}
