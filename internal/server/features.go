package server

import (
	"context"
	"time"

	"mirsal/internal/c2s"
	"mirsal/internal/call"
	"mirsal/internal/component"
	"mirsal/internal/config"
	"mirsal/internal/core"
	"mirsal/internal/limits"
	"mirsal/internal/people"
	"mirsal/internal/transparency"
	"mirsal/internal/xep/blocking"
	"mirsal/internal/xep/bookmarks"
	"mirsal/internal/xep/caps"
	"mirsal/internal/xep/carbons"
	"mirsal/internal/xep/csi"
	"mirsal/internal/xep/devices"
	"mirsal/internal/xep/disco"
	"mirsal/internal/xep/displayed"
	"mirsal/internal/xep/e2ee"
	"mirsal/internal/xep/entitytime"
	"mirsal/internal/xep/extdisco"
	"mirsal/internal/xep/invite"
	"mirsal/internal/xep/lastactivity"
	"mirsal/internal/xep/link"
	"mirsal/internal/xep/mam"
	"mirsal/internal/xep/offline"
	"mirsal/internal/xep/ping"
	"mirsal/internal/xep/private"
	"mirsal/internal/xep/pubsub"
	"mirsal/internal/xep/push"
	"mirsal/internal/xep/register"
	"mirsal/internal/xep/rooms"
	"mirsal/internal/xep/sid"
	"mirsal/internal/xep/sm"
	"mirsal/internal/xep/streamlimits"
	"mirsal/internal/xep/upload"
	"mirsal/internal/xep/vcard"
	"mirsal/internal/xep/version"
	"mirsal/internal/xmpp/jid"
)

// features are those that others are hooked up to.
type features struct {
	people   *people.People
	offline  *offline.Offline
	limits   *limits.Limits
	blocking *blocking.Blocking
	last     *lastactivity.Last
	invite   *invite.Feature
	running  running
	upload   *upload.Upload
	pubsub   *pubsub.Service
	rooms    *rooms.Rooms // nil where there are none
	push     *push.Push
	calls    *call.Calls
}

// addFeatures is the list: features attach in this order, and hooks of one
// phase run in it. To add a feature, add its lines here.
func (s *Server) addFeatures(h *core.Host) {
	r, kv, cfg := s.Router, s.store, &s.Config

	ppl := people.New(r, kv, s.Log)
	ppl.Register(h)
	s.features.people = ppl
	s.archive.Register(h, r)

	calls := s.newCalls()
	calls.Register(h) // first: all others see what it has written
	s.features.calls = calls
	sid.Register(h, r)
	e2ee.Register(h, r, e2ee.Mode(cfg.E2EE))
	// behind those that refuse whoever it is for: else they would tell a block from
	// an account that is not there
	blk := blocking.New(r, kv, ppl)
	blk.Register(h)
	s.features.blocking = blk
	calls.Guard(h)
	last := lastactivity.New(r, kv, ppl, s.Log)
	last.Register(h)
	s.features.last = last
	carbons.Register(h, r)
	off := offline.New(r, s.archive, kv, s.Log)
	off.Register(h)
	s.features.offline = off
	ppl.OnPresence = append(ppl.OnPresence, off.Presence, ringsLate(calls))

	past := mam.New(s.archive, cfg.Archive.Page, s.Log)
	past.Register(h)
	devices.New(r, s.Auth, s.Log).Register(h)
	link.New(r, s.Auth, !cfg.C2S.RequireTLS, cfg.Auth.LinkWait.Duration, s.Log).Register(h)
	s.addPasskeys(h)
	transparency.New(kv, s.whatIsSeen()).Register(h)
	register.New(s.Auth, register.Config{Open: cfg.Register.Open, Clear: !cfg.C2S.RequireTLS, Router: r, Log: s.Log}).Register(h)
	s.addAdministration(h, ppl, blk)
	s.addInvitations(h, ppl)

	disco.New(r, software).Register(h)
	disco.Contacts(h, contactList(&cfg.Contact))
	ping.Register(h)
	version.Register(h, "Mirsal", Version)
	entitytime.Register(h)
	csi.New().Register(h)
	s.addCalls(h)
	streamlimits.Register(h, cfg.Limits.StanzaBeforeAuth, cfg.Limits.Stanza)
	sm.New(r, s.archive.RecoveredH, cfg.Limits.Resumption.Duration).Register(h)

	c := caps.New(r)
	c.Register(h)
	ppl.OnPresence = append(ppl.OnPresence, c.Presence)
	pep := pubsub.New(r, kv, ppl, c, s.Log)
	pep.Register(h)
	s.addNodes(h, pep)
	c.OnKnown = append(c.OnKnown, pep.Known)
	pep.Mirror(roomList())
	bookmarks.Register(h)
	px := private.New(kv)
	px.Home(bookmarks.Old, "storage", oldRooms(pep))
	px.Register(h)
	cards := vcard.New(kv, cardNodes{pep}, ppl)
	cards.Register(h)
	ppl.Stamp = append(ppl.Stamp, cards.Stamp)
	pep.OnChange = append(pep.OnChange, cards.Changed)
	displayed.New(ownNode(pep), s.Log).Register(h)

	s.addRooms(h, ppl, past, pep)
	s.addUploads(h)
	s.addComponents(h, ppl)
	// behind devices: those end the sessions of a device before its registrations go
	s.addPush(h, ppl)
	s.features.limits = s.newLimits()
	h.AccountGone = append(h.AccountGone, func(bare jid.JID) { s.features.limits.Gone(bare.Local()) })
	c2s.Register(h)
}

// addComponents gives names of their own to the programs that are configured.
func (s *Server) addComponents(h *core.Host, ppl *people.People) {
	before, after := s.stanzaLimits()
	s.components = component.New(s.Router, component.Config{
		Before: before, After: after, Handshake: 10 * time.Second, Write: s.Config.C2S.Write.Duration,
		Queue: 16 << 20, Strangers: 64, Log: s.Log,
	})
	for name, secret := range s.Config.Components {
		s.components.Add(h, jid.MustParse(name), secret) // checked by config
	}
	ppl.OnFarewell = append(ppl.OnFarewell, s.components.Unavailable)
}

// ownNode publishes how far chats were read, for nobody but the account.
func ownNode(pep *pubsub.Service) displayed.Publish {
	return func(ctx context.Context, owner jid.JID, id string, payload []byte) error {
		return pep.Change(ctx, owner, func(d *pubsub.Draft) error {
			return d.Publish(displayed.Node, id, payload, "whitelist")
		})
	}
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

// serviceList takes the services apart; they were checked.
func serviceList(c *config.Services) (all []extdisco.Service) {
	list, _ := c.List()
	for _, v := range list {
		all = append(all, extdisco.Service{Type: v.Type, Host: v.Host, Port: v.Port, Transport: v.Transport, Restricted: v.Relays()})
	}
	return all
}
