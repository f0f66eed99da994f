package server

import (
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/xep/caps"
	"mirsal/internal/xep/disco"
	"mirsal/internal/xep/entitytime"
	"mirsal/internal/xep/ping"
	"mirsal/internal/xep/sm"
	"mirsal/internal/xep/version"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
)

// features are those that others are hooked up to.
type features struct {
	people *people.People
}

// contacts answers the archive's question for a roster before there are people.
type contacts struct{ people *people.People }

// Contact satisfies archive.Contacts.
func (c *contacts) Contact(owner, peer string) (bool, error) {
	o, err := jid.Parse(owner)
	if err != nil {
		return false, err
	}
	p, err := jid.Parse(peer)
	if err != nil {
		return false, err
	}
	_, ok := c.people.Contact(o, p)
	return ok, nil
}

// addFeatures is the list: features attach in this order, and hooks of one
// phase run in it. To add a feature, add its lines here.
func (s *Server) addFeatures(h *core.Host, known *contacts) {
	r, kv, cfg := s.Router, s.store, &s.Config

	ppl := people.New(r, kv, s.Log)
	ppl.Register(h)
	known.people, s.features.people = ppl, ppl
	s.archive.Register(h, r)

	disco.New(r, software).Register(h)
	disco.Contacts(h, contactList(&cfg.Contact))
	ping.Register(h)
	version.Register(h, "Mirsal", Version)
	entitytime.Register(h)
	sm.New(r, s.archive.RecoveredH, cfg.Limits.Resumption.Duration).Register(h)

	c := caps.New(r)
	c.Register(h)
	ppl.OnPresence = append(ppl.OnPresence, c.Presence)
}

// software is the address that our capabilities name (XEP-0115 §4).
const software = "urn:mirsal:server:0"

func contactList(c *config.Contact) []disco.Contact {
	return []disco.Contact{
		{Purpose: "abuse", Addresses: c.Abuse}, {Purpose: "admin", Addresses: c.Admin},
		{Purpose: "feedback", Addresses: c.Feedback}, {Purpose: "sales", Addresses: c.Sales},
		{Purpose: "security", Addresses: c.Security}, {Purpose: "status", Addresses: c.Status},
		{Purpose: "support", Addresses: c.Support},
	}
}

var notAuthorized = &stream.Error{Condition: "not-authorized", Text: "this account was removed"}
