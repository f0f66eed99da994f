package c2s

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// appendBind2 offers Bind 2 and what can be turned on with it.
// XEP-0386 §3.1
func appendBind2(b []byte, host *core.Host) []byte {
	b = append(b, "<bind xmlns='"+nsBind2+"'><inline>"...)
	for _, ns := range host.Bindable() {
		b = append(b, "<feature var='"+ns+"'/>"...)
	}
	return append(b, "</inline></bind>"...)
}

// bind2 binds a resource inside SASL2. failed is what a resumption that was
// asked for as well came to.
// XEP-0386 §3.2
func (c *conn) bind2(r *request, failed, token []byte) error {
	full, err := c.resource2(r)
	if err != nil {
		return c.unbound(&sasl.Failure{Condition: sasl.MalformedRequest})
	}
	hello := func(s *core.Session) []byte {
		s.SetFlag(core.Modern, true)
		c.neg.bound = true
		return c.features(c.success(r, full, append(failed, c.boundElement(s, r)...), token))
	}
	s, err := c.srv.router.Bind(core.Binding{Conn: c, JID: full, CID: c.id, Lang: c.lang, Device: c.device, Hello: hello})
	if err != nil {
		return c.unbound(err)
	}
	c.bound(s, "session bound")
	c.replace(s, r)
	c.confirm(s, r.agent)
	return nil
}

// unbound refuses a login that could not be given a session.
func (c *conn) unbound(err error) error {
	c.account, c.device, c.neg.bound = jid.JID{}, "", false
	var failure *sasl.Failure
	switch e := stanza.AsError(err); {
	case errors.As(err, &failure):
	case e.Condition == stanza.NotAuthorized:
		failure = &sasl.Failure{Condition: sasl.NotAuthorized}
	default:
		failure = &sasl.Failure{Condition: sasl.TemporaryAuthFailure}
	}
	return c.refuse(failure, stream.NSSASL2)
}

// boundElement turns on what was asked for and tells of it.
func (c *conn) boundElement(s *core.Session, r *request) []byte {
	host := c.srv.router.Host()
	b := []byte("<bound xmlns='" + nsBind2 + "'>")
	for child := range r.bind.Children() {
		if f := host.BindHandler(child); f != nil {
			b = append(b, f(s, child)...)
		}
	}
	for _, f := range host.Told {
		b = append(b, f(s)...)
	}
	return append(b, "</bound>"...)
}

// resource2 makes a resource of the client's tag and of its device, the same for
// the same device, which nobody can tell from it.
// XEP-0386 §3.2.1
func (c *conn) resource2(r *request) (jid.JID, error) {
	id := rand.Text()[:12]
	if r.agent.ID != "" {
		sum := sha256.Sum256([]byte("resource\x00" + c.device))
		id = hex.EncodeToString(sum[:6])
	}
	if tag := r.bind.Child(nsBind2, "tag").Text(); tag != "" {
		id = tag + "/" + id
	}
	return c.account.WithResource(id)
}

// replace ends the earlier sessions of the same client.
// XEP-0386 §3.2
func (c *conn) replace(s *core.Session, r *request) {
	if r.agent.ID == "" {
		return
	}
	all := c.srv.router.Directory().Sessions(c.account)
	// those that came later replace this one, or have
	for _, o := range all[:max(0, slices.Index(all, s))] {
		if o.Device == c.device {
			o.Close(&stream.Error{Condition: "conflict", Text: "replaced by a new connection"})
		}
	}
}
