// Package extdisco tells an account's clients which servers outside of XMPP help
// their calls, XEP-0215 version 1.0.0: STUN servers, and TURN servers with a
// password of limited life. It speaks to none of them: a relay that has the same
// secret can check a password by itself, and this server's own makes its passwords.
//
// Invariants: only accounts of this domain are told; a user name at a relay says
// nothing about the account, and no two are the same; without services the
// feature is not there.
package extdisco

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "urn:xmpp:extdisco:2"

// Service is one server.
type Service struct {
	Type      string // stun, stuns, turn or turns
	Host      string // a name or an address
	Port      int
	Transport string // udp or tcp
	// Restricted tells that it takes a user name and a password.
	Restricted bool

	issue Issue // nil for the shared secret
}

// Issue makes a password for an account at this server's own relay.
type Issue func(account jid.JID, until time.Time) (user, password string)

// Services is the feature.
type Services struct {
	router *core.Router
	list   []Service
	secret []byte
	life   time.Duration

	ownLife time.Duration
}

// New returns the feature. secret is shared with the restricted services; a
// password made with it is good for life.
func New(r *core.Router, list []Service, secret string, life time.Duration) *Services {
	return &Services{router: r, list: list, secret: []byte(secret), life: life}
}

// Own adds the services of this server itself, before Register. They are told first.
func (s *Services) Own(list []Service, life time.Duration, issue Issue) {
	list = slices.Clone(list)
	for i := range list {
		list[i].issue = issue
	}
	s.list, s.ownLife = append(list, s.list...), life
}

// Register attaches the feature, if there is anything to tell.
func (s *Services) Register(h *core.Host) {
	if len(s.list) == 0 {
		return
	}
	h.IQ(core.Server, ns, "services", s.services)
	h.IQ(core.Server, ns, "credentials", s.credentials)
	// XEP-0215#disco
	h.Disco(core.Server, ns)
}

// may refuses those who have no account here: a relay costs its operator.
func (s *Services) may(q *core.Query) error {
	switch {
	case q.Set():
		return stanza.Errorf(stanza.BadRequest, "services are asked for by an iq of type get")
	case !s.router.Exists(q.Asker()):
		return stanza.Errorf(stanza.Forbidden, "only accounts of this server may use these services")
	}
	return nil
}

// services lists all services, or those of one type.
// XEP-0215#all, XEP-0215#select
func (s *Services) services(q *core.Query) ([]byte, error) {
	if err := s.may(q); err != nil {
		return nil, err
	}
	kind := q.Payload.Attr("type")
	b := append(xtok.AppendAttr([]byte("<services xmlns='"+ns+"'"), "type", kind), '>')
	for i := range s.list {
		if kind == "" || s.list[i].Type == kind {
			b = s.append(b, &s.list[i], q.Asker())
		}
	}
	return append(b, "</services>"...), nil
}

// credentials answers with a password for a service that the client knows of.
// XEP-0215#credentials
func (s *Services) credentials(q *core.Query) ([]byte, error) {
	if err := s.may(q); err != nil {
		return nil, err
	}
	wanted := q.Payload.Child(ns, "service")
	if !wanted.HasAttr("host") || !wanted.HasAttr("type") {
		return nil, stanza.Errorf(stanza.BadRequest, "a service is named by its host and its type")
	}
	b := []byte("<credentials xmlns='" + ns + "'>")
	found := false
	for i := range s.list {
		if v := &s.list[i]; v.Restricted && v.is(wanted) {
			b, found = s.append(b, v, q.Asker()), true
		}
	}
	if !found {
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such service that takes a password")
	}
	return append(b, "</credentials>"...), nil
}

// is tells whether a request means the service.
func (v *Service) is(wanted xtok.Elem) bool {
	return wanted.AttrIs("host", v.Host) && wanted.AttrIs("type", v.Type) &&
		(!wanted.HasAttr("port") || wanted.AttrIs("port", strconv.Itoa(v.Port)))
}

// append appends a service, with a fresh password where it takes one.
// XEP-0215#protocol
func (s *Services) append(b []byte, v *Service, account jid.JID) []byte {
	b = xtok.AppendAttr(append(b, "<service"...), "type", v.Type)
	b = xtok.AppendAttr(b, "host", v.Host)
	b = xtok.AppendAttr(b, "port", strconv.Itoa(v.Port))
	b = xtok.AppendAttr(b, "transport", v.Transport)
	if v.Restricted {
		user, password, until := s.access(v, account)
		b = xtok.AppendAttr(b, "restricted", "true")
		b = xtok.AppendAttr(b, "username", user)
		b = xtok.AppendAttr(b, "password", password)
		b = append(stanza.AppendTime(append(b, " expires='"...), until), '\'')
	}
	return append(b, "/>"...)
}

// access is a fresh password for a service, and until when it is good.
func (s *Services) access(v *Service, account jid.JID) (user, password string, until time.Time) {
	if v.issue != nil {
		until = time.Now().Add(s.ownLife).UTC()
		user, password = v.issue(account, until)
		return user, password, until
	}
	until = time.Now().Add(s.life).UTC()
	user, password = s.password(until)
	return user, password, until
}

// password makes a user name and its password as relays check them: the name is
// the time until which it is good, in Unix seconds, and after a colon anything;
// the password is the name's HMAC-SHA1 (draft-uberti-behave-turn-rest §2.2).
func (s *Services) password(until time.Time) (user, password string) {
	user = strconv.FormatInt(until.Unix(), 10) + ":" + rand.Text()[:16]
	mac := hmac.New(sha1.New, s.secret)
	mac.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
