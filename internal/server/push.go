package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mirsal/internal/control"
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
		Body: cfg.Body, Sender: cfg.Sender, Site: s.pushSite(), Contact: s.contact, Requests: ppl.Requests, Log: s.Log, Metrics: s.metrics,
		Web: webpush.Config{Subject: s.pushSubject(), AllowPrivate: cfg.AllowPrivate},
	})
	f.Register(h)
	ppl.OnAvailable = append(ppl.OnAvailable, f.Available)
	s.features.push = f
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

// pushControl is push for the command line.
type pushControl struct{ s *Server }

// Registrations satisfies control.Push.
func (c pushControl) Registrations(_ context.Context, name string) ([]control.Registration, error) {
	bare, err := c.account(name)
	if err != nil {
		return nil, err
	}
	var list []control.Registration
	for _, st := range c.s.features.push.States(bare) {
		list = append(list, control.Registration(st))
	}
	return list, nil
}

// TestPush satisfies control.Push.
func (c pushControl) TestPush(ctx context.Context, name, id string) error {
	bare, err := c.account(name)
	if err != nil {
		return err
	}
	outcome := make(chan error, 1)
	err = c.s.features.push.Test(bare, id, func(sent bool, reason string) {
		if sent {
			outcome <- nil
			return
		}
		outcome <- errors.New(reason)
	})
	if err != nil {
		return err
	}
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// account is the address of an account that somebody named.
func (c pushControl) account(name string) (jid.JID, error) {
	own, err := c.s.Auth.Name(name)
	if err != nil {
		return jid.JID{}, err
	}
	if !c.s.Auth.Exists(own) {
		return jid.JID{}, fmt.Errorf("there is no account %s", own)
	}
	return jid.Parse(own + "@" + c.s.Domain.String())
}
