package c2s

import (
	"encoding/base64"
	"errors"
	"strings"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// This file is SASL2, XEP-0388: one request authenticates, and binds or
// resumes. What stands behind it: Bind 2 in bind2.go, FAST in fast.go, upgrade
// tasks in upgrade.go.

// Namespaces inside SASL2.
const (
	nsBind2 = "urn:xmpp:bind:0" // XEP-0386
	nsFast  = "urn:xmpp:fast:0" // XEP-0484
)

// request is what a client asks for in <authenticate/>, besides to be let in.
// It is a copy: what it asks for is done some elements later.
type request struct {
	mech     string
	agent    auth.Agent
	account  jid.JID   // once proven
	data     []byte    // of the mechanism's success, until it is sent
	bind     xtok.Elem // these are not OK where they are not asked for
	resume   xtok.Elem
	fast     xtok.Elem
	token    xtok.Elem
	shown    string   // which token was shown
	upgrades []string // tasks that the client wants to do, and that are left
	upgrade  *upgrade // the task at hand
}

// authentication offers SASL2.
// XEP-0388 §2.1
func (c *conn) authentication(b []byte) []byte {
	host := c.srv.router.Host()
	b = append(b, "<authentication xmlns='"+stream.NSSASL2+"'>"...)
	b = c.appendMechanisms(b)
	b = append(b, "<inline>"...)
	b = appendBind2(b, host)
	if ns, f := host.ResumeHandler(); f != nil {
		b = append(b, "<sm xmlns='"+ns+"'/>"...)
	}
	b = c.appendFast(b)
	b = append(b, "</inline>"...)
	b = appendUpgrades(b)
	return append(b, "</authentication>"...)
}

// authenticate2 runs one step of SASL2 (XEP-0388 §2.3).
func (c *conn) authenticate2(e xtok.Elem) error {
	if c.neg.req != nil && !c.neg.req.account.IsZero() {
		return c.task(e)
	}
	out, done, err := c.sasl2Step(e)
	switch {
	case err != nil:
		return c.refuse(err, stream.NSSASL2)
	case !done:
		_, err = c.Write(dataElement("challenge", out))
		return err
	}
	r := c.neg.req
	r.shown = c.neg.sasl.TokenID()
	if r.account, err = c.proven(); err != nil || c.from.Local() != "" && c.from != r.account {
		// XEP-0388 §2.3: who the stream is said to be for
		return c.refuse(&sasl.Failure{Condition: sasl.InvalidAuthzid}, stream.NSSASL2)
	}
	r.data = out
	return c.proceed()
}

func (c *conn) sasl2Step(e xtok.Elem) (out []byte, done bool, err error) {
	in := e
	switch e.Local() {
	case "authenticate":
		if c.neg.req, err = readRequest(e); err != nil {
			return nil, false, err
		}
		c.neg.since = c.srv.auth.Epoch()
		c.neg.req.agent.Since = c.neg.since
		if c.neg.sasl, err = c.startSASL2(c.neg.req); err != nil {
			return nil, false, err
		}
		if in = e.Child(stream.NSSASL2, "initial-response"); !in.OK() {
			return nil, false, nil
		}
	case "response":
		if c.neg.req == nil || c.neg.sasl == nil {
			return nil, false, &sasl.Failure{Condition: sasl.MalformedRequest}
		}
	case "abort":
		return nil, false, &sasl.Failure{Condition: "aborted"}
	default:
		return nil, false, &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(in.Text()))
	if err != nil {
		return nil, false, &sasl.Failure{Condition: "incorrect-encoding"}
	}
	return c.neg.sasl.Next(raw)
}

// readRequest reads <authenticate/>.
func readRequest(e xtok.Elem) (*request, error) {
	own, err := xtok.Parse(e.AppendTo(nil), xtok.Limits{}) // its limits were applied when it came
	if err != nil {
		return nil, &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	agent := own.Child(stream.NSSASL2, "user-agent")
	r := &request{
		mech: own.Attr("mechanism"),
		agent: auth.Agent{
			ID:       agent.Attr("id"),
			Software: agent.Child(stream.NSSASL2, "software").Text(),
			Device:   agent.Child(stream.NSSASL2, "device").Text(),
		},
		bind: own.Child(nsBind2, "bind"), fast: own.Child(nsFast, "fast"), token: own.Child(nsFast, "request-token"),
		resume: own.Child(core.NSStreamManagement, "resume"),
	}
	for child := range own.Children() {
		if child.Is(sasl.NSUpgrade, "upgrade") {
			r.upgrades = append(r.upgrades, child.Text())
		}
	}
	return r, nil
}

func (c *conn) startSASL2(r *request) (*sasl.Exchange, error) {
	if isTokenMechanism(r.mech) {
		return c.startToken(r)
	}
	return c.startSASL(r.mech)
}

func dataElement(name string, data []byte) []byte {
	b := []byte("<" + name + " xmlns='" + stream.NSSASL2 + "'>")
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, "</"+name+">"...)
}

// succeed does what was asked for and says so, all in one answer.
// XEP-0388 §2.6.1
func (c *conn) succeed() error {
	r := c.neg.req
	token, err := c.settleToken(r)
	if err != nil {
		return c.refuse(err, stream.NSSASL2)
	}
	by := "password"
	if isTokenMechanism(r.mech) {
		by = "token"
	}
	if c.device, err = c.note(r.account.Local(), r.agent, by); err != nil {
		return c.refuse(notNow(err), stream.NSSASL2)
	}
	c.neg.agent = r.agent
	c.loggedIn(r.account)
	failed, err := c.resumeInline(r, token)
	if err != nil || c.session != nil {
		return err
	}
	if r.bind.OK() {
		return c.bind2(r, failed, token)
	}
	c.neg.req = nil
	_, err = c.Write(c.features(c.success(r, r.account, failed, token)))
	return err
}

// note has it written down that a device signs in. A full disk keeps nobody out
// who has proved the password: the device is listed while it is here.
func (c *conn) note(name string, g auth.Agent, by string) (device string, err error) {
	device, err = c.srv.auth.SignedIn(c.srv.ctx, name, g, by)
	if errors.Is(err, auth.ErrNotKept) && by == "password" {
		c.log().Error("a sign-in could not be noted", "err", err)
		err = nil
	}
	return device, err
}

// notNow is the failure for a sign-in that was proved and could not be noted.
func notNow(err error) error {
	if errors.Is(err, auth.ErrRevoked) {
		return &sasl.Failure{Condition: sasl.CredentialsExpired, Text: "this device was removed from the account; after a change of the password it may sign in again"}
	}
	if errors.Is(err, auth.ErrChanged) || errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrToken) {
		return &sasl.Failure{Condition: sasl.NotAuthorized}
	}
	return &sasl.Failure{Condition: sasl.TemporaryAuthFailure, Cause: err}
}

// success is <success/> with what it holds. The features that hold now come behind
// it, but not where a session goes on. XEP-0388 §2.6.1, XEP-0198#inline-resume
func (c *conn) success(r *request, who jid.JID, inner, token []byte) []byte {
	b := []byte("<success xmlns='" + stream.NSSASL2 + "'>")
	b = r.appendData(b)
	b = append(b, "<authorization-identifier>"...)
	b = xtok.Escape(b, who.String())
	b = append(b, "</authorization-identifier>"...)
	b = append(b, inner...)
	b = append(b, token...)
	return append(b, "</success>"...)
}

// appendData appends what the mechanism says at its end, once.
func (r *request) appendData(b []byte) []byte {
	if len(r.data) > 0 {
		b = append(b, "<additional-data>"...)
		b = base64.StdEncoding.AppendEncode(b, r.data)
		b = append(b, "</additional-data>"...)
		r.data = nil
	}
	return b
}

// resumeInline continues an older session where that is asked for. failed is
// what to tell of one that cannot be.
// XEP-0386 §3.2: before anything is bound, and instead of it
func (c *conn) resumeInline(r *request, token []byte) (failed []byte, err error) {
	_, f := c.srv.router.Host().ResumeHandler()
	if !r.resume.OK() || f == nil {
		return nil, nil
	}
	return f(c, r.resume, func(s *core.Session, answer []byte) []byte {
		c.neg.bound = true
		return c.success(r, s.JID, answer, token)
	})
}
