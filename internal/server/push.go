package server

import (
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/webpush"
	"mirsal/internal/xep/push"
	"mirsal/internal/xmpp/jid"
)

// addPush wakes devices that are away.
func (s *Server) addPush(h *core.Host, ppl *people.People) {
	cfg := &s.Config.Push
	f := push.New(s.Router, s.store, s.Auth, push.Config{
		Body: cfg.Body, Sender: cfg.Sender, Site: s.pushSite(), Contact: s.mayRing, Requests: ppl.Requests, Log: s.Log, Metrics: s.metrics,
		Web: webpush.Config{Subject: s.pushSubject(), AllowPrivate: cfg.AllowPrivate},
	})
	f.Register(h)
	ppl.OnAvailable = append(ppl.OnAvailable, f.Available)
	s.features.push = f
	s.serveAdministrators(f.Commands())
	s.onClose(f.Close)
}

// pushSite is push.DOMAIN, zero where the operator wants none or has something else there.
func (s *Server) pushSite() jid.JID {
	name, err := jid.Parse("push." + s.Domain.String())
	if _, taken := s.Config.Components["push."+s.Domain.String()]; taken || err != nil || !s.Config.Push.Web {
		return jid.JID{}
	}
	return name
}

// pushSubject is where operators of push services may write to.
// RFC 8292 §2.1
func (s *Server) pushSubject() string {
	for _, list := range [][]string{s.Config.Contact.Admin, s.Config.Contact.Support, s.Config.Contact.Abuse} {
		for _, a := range list {
			if strings.HasPrefix(a, "mailto:") || strings.HasPrefix(a, "https:") {
				return a
			}
		}
	}
	return "https://" + s.Domain.String()
}
