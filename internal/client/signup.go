package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file makes an account by an invitation. What is needed to sign in to it is kept before
// the server is asked for it, so that it is not lost whenever this program ends; once the
// device has its token (XEP-0484) nobody knows a password any more.

// signup is an account on its way, kept until others can see its name.
type signup struct {
	Address  string `json:"address"`
	Server   string `json:"server,omitempty"`
	Password string `json:"password,omitempty"` // "" once it is the profile's
	Name     string `json:"name,omitempty"`     // to be shown to others

	cmd    *port.SignUp // nil when the program was started anew meanwhile
	domain jid.JID
	token  string
}

// signupRow is its place in the profile's table.
const signupRow = "signup"

// signupTime bounds the conversation with the server before there is an account.
const signupTime = time.Minute

func (e *Engine) openSignup() error {
	raw, err := e.Store.Get(profileTable, signupRow)
	if err != nil || raw == nil {
		return err
	}
	e.signup = &signup{}
	return json.Unmarshal(raw, e.signup)
}

func (e *Engine) keepSignup() bool {
	var b keep.Batch
	put(&b, profileTable, signupRow, e.signup)
	return e.keepBatchEarly(&b)
}

func (e *Engine) dropSignup() bool {
	e.signup = nil
	var b keep.Batch
	b.Delete(profileTable, signupRow)
	return e.keepBatchEarly(&b)
}

// keepBatchEarly is keepBatch where there may be no account yet.
func (e *Engine) keepBatchEarly(b *keep.Batch) bool {
	if e.lines != nil {
		return e.keepBatch(b)
	}
	if err := e.Store.Apply(b); err != nil {
		e.breakDown(err)
	}
	return e.broken == nil
}

// signUp begins to make an account.
func (e *Engine) signUp(c *port.SignUp) {
	s, f := newSignup(c)
	switch {
	case f != nil:
		e.fail(c, f)
		return
	case e.profile.Signed:
		e.fail(c, port.Failf(port.BadCommand, "this profile is %s's already", e.own))
		return
	case e.joining != nil || e.signup != nil && e.signup.cmd != nil:
		e.fail(c, port.Failf(port.BadCommand, "this device is being set up already"))
		return
	}
	name := localpart(c.Name)
	if c.Name == "" {
		name = suggested(c.DisplayName)
	}
	var secret [24]byte
	_, err := io.ReadFull(e.Rand, secret[:])
	if _, bad := jid.New(name, s.domain.Domain(), ""); bad != nil || name == "" || err != nil {
		e.fail(c, port.Failf(port.BadName, "%q cannot be a name", c.Name+c.DisplayName))
		return
	}
	e.dropLink()
	s.Password, e.signup = hex.EncodeToString(secret[:]), s
	ctx, cancel := context.WithTimeout(e.ctx, signupTime)
	e.jobs[c.Ref.Ref] = cancel
	go func() {
		defer cancel()
		made, err := e.register(ctx, s, name)
		e.post(func() { e.registered(s, name, made, err) })
	}()
}

// newSignup reads what was asked for.
func newSignup(c *port.SignUp) (*signup, *port.Failure) {
	s := &signup{Server: c.Server, Name: strings.TrimSpace(c.DisplayName), cmd: c, token: strings.TrimSpace(c.Invitation)}
	domain := c.Domain
	if rest, ok := strings.CutPrefix(s.token, "xmpp:"); ok {
		address, query, _ := strings.Cut(rest, "?")
		s.token = ""
		for part := range strings.SplitSeq(query, ";") { // XEP-0401 §5.1: register;preauth=TOKEN
			if v, ok := strings.CutPrefix(part, "preauth="); ok {
				s.token = v
			}
		}
		if j, err := jid.Parse(address); err == nil && domain == "" {
			domain = j.Domain()
		}
	}
	j, err := jid.Parse(domain)
	if err != nil || !j.IsDomain() || s.token == "" || len(s.token) > 256 || len(s.Name) > 256 {
		return nil, port.Failf(port.BadCommand, "an invitation is a token and a domain")
	}
	s.domain = j
	return s, nil
}

// mostNames is how many names are tried: a server counts how often it has refused.
const mostNames = 8

// errDoubt is the error of an account of which it is not known whether it was made.
var errDoubt = errors.New("client: the answer did not come")

// register asks for the account, beside the engine; made is its address.
func (e *Engine) register(ctx context.Context, s *signup, name string) (made jid.JID, err error) {
	dial, err := e.Dialer(s.domain, s.Server)
	if err != nil {
		return made, err
	}
	v, err := conn.Knock(ctx, conn.Config{Address: s.domain, Dial: dial})
	if err != nil {
		return made, err
	}
	defer v.Close()
	// XEP-0445 §2.1
	token := append(xtok.AppendAttr([]byte("<preauth xmlns='urn:xmpp:pars:0'"), "token", s.token), "/>"...)
	if _, err := v.Ask(ctx, token); err != nil {
		return made, err
	}
	for range mostNames {
		if made, err = e.registerAs(ctx, v, s, name); !taken(err) || s.cmd.Name != "" {
			return made, err
		}
		name = another(name)
	}
	return made, err
}

// registerAs asks for one name. What signs in to it is kept before. XEP-0077 §3.1
func (e *Engine) registerAs(ctx context.Context, v *conn.Visit, s *signup, name string) (jid.JID, error) {
	own, err := jid.New(name, s.domain.Domain(), "")
	if err != nil {
		return own, err
	}
	kept := make(chan bool, 1)
	e.post(func() {
		s.Address = own.String()
		kept <- e.signup == s && e.keepSignup()
	})
	select {
	case ok := <-kept:
		if !ok {
			return own, context.Canceled
		}
	case <-ctx.Done():
		return own, ctx.Err()
	}
	b := []byte("<query xmlns='jabber:iq:register'>")
	b = xtok.AppendElement(b, "username", own.Local())
	b = append(xtok.AppendElement(b, "password", s.Password), "</query>"...)
	_, err = v.Ask(ctx, b)
	if refusal := (*stanza.StanzaError)(nil); err != nil && !errors.As(err, &refusal) {
		err = errDoubt
	}
	return own, err
}

func taken(err error) bool {
	var refusal *stanza.StanzaError
	return errors.As(err, &refusal) && refusal.Condition == stanza.Conflict
}

// registered signs in to the account; where it is in doubt whether there is one, that shows it.
func (e *Engine) registered(s *signup, name string, own jid.JID, err error) {
	delete(e.jobs, s.cmd.Ref.Ref)
	if e.signup != s || e.broken != nil {
		return
	}
	if err != nil && !errors.Is(err, errDoubt) {
		if e.dropSignup() {
			e.done(s.cmd, signupRefusal(err, name))
		}
		return
	}
	c := s.cmd
	if s.Address = own.String(); e.signInTo(s) {
		e.signIn = c
	}
}

// signInTo makes the profile that of the account that was asked for, and connects.
func (e *Engine) signInTo(s *signup) bool {
	own, err := jid.Parse(s.Address)
	if err == nil {
		err = e.adopt(own, &port.SignIn{Password: s.Password, Server: s.Server})
	}
	if err != nil {
		e.breakDown(err)
		return false
	}
	if s.Password = ""; !e.keepSignup() {
		return false
	}
	e.connect()
	return true
}

// goOnSigningUp takes up what a former run of the program has begun.
func (e *Engine) goOnSigningUp() {
	if s := e.signup; s != nil && s.Password != "" && !e.profile.Signed {
		e.signInTo(s)
	}
}

// neverMade notes that the account to be made is not there, and forgets it.
func (e *Engine) neverMade() bool {
	if e.signup == nil || e.profile.Signed || e.signup.Address != e.own.String() {
		return false
	}
	var b keep.Batch
	b.Delete(profileTable, "account")
	b.Delete(profileTable, signupRow)
	if !e.keepBatch(&b) {
		return true
	}
	e.signup, e.profile, e.own = nil, profile{}, jid.JID{}
	e.state("offline", nil, time.Time{})
	e.refuseSignIn(port.Failf(port.Unreachable, "the connection was lost before there was an account"))
	return true
}

// signupRefusal says why there is no account, and what name to try.
func signupRefusal(err error, name string) port.Done {
	var refusal *stanza.StanzaError
	if !errors.As(err, &refusal) {
		return port.Done{Failure: joinFailure(err)}
	}
	switch refusal.Condition {
	case stanza.Conflict:
		return port.Done{Suggest: another(name), Failure: port.Failf(port.Taken, "%s", words(err))}
	case stanza.ItemNotFound:
		return port.Done{Failure: port.Failf(port.Missing, "%s", words(err))}
	case stanza.NotAcceptable, stanza.JIDMalformed:
		first, _, more := strings.Cut(name, ".")
		if !more {
			first = ""
		}
		return port.Done{Suggest: first, Failure: port.Failf(port.BadName, "%s", words(err))}
	}
	return port.Done{Failure: refusalOf(err)}
}

// introduce tells others the name of a new account.
func (e *Engine) introduce() {
	s := e.signup
	if s == nil {
		return
	}
	if s.Name == "" || s.Address != e.own.String() { // another account was signed in to
		e.dropSignup()
		return
	}
	e.publishNick(s.Name, func(err error) {
		if err == nil && e.signup == s {
			e.dropSignup()
		}
	})
}

// friends are those of a roster's rows who are contacts in both directions already.
func (e *Engine) friends(q xtok.Elem) map[string]bool {
	out := map[string]bool{}
	for item := range q.Children() {
		if j, err := jid.Parse(item.Attr("jid")); err == nil {
			address := j.Bare().String()
			c := e.people[address]
			out[address] = c != nil && c.Subscription == "both"
		}
	}
	return out
}

// meet puts new contacts on the list of chats: who has come by an invitation is seen by both.
func (e *Engine) meet(changed []string, before map[string]bool) {
	for _, address := range changed {
		if c := e.people[address]; c != nil && c.Subscription == "both" && !before[address] {
			if !e.change(e.lines.Begin(address, false, e.Now())) {
				return
			}
		}
	}
}
