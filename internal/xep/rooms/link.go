package rooms

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsRooms is what is ours of rooms: docs/protocol/rooms.md.
const nsRooms = "urn:mirsal:rooms:0"

// A Link leads people to a room: who shows its token is let in, or may ask to be.
type Link struct {
	Token   string
	URL     string // of the web page, "" where there is none
	URI     string // for apps
	Expires time.Time
	Account bool // who has no account gets one by it
}

// Links makes the links of rooms and knows which are good. It is not called under a room's
// lock, but for Good, which must not wait for anybody who calls rooms.
type Links interface {
	// Make makes one in an account's name; an error is for people.
	Make(ctx context.Context, by, room jid.JID) (Link, error)
	// Good tells whether a token can be used now, for this room.
	Good(ctx context.Context, token string, room jid.JID) bool
	// End ends one; one that has ended already is no error.
	End(ctx context.Context, token string) error
}

// How many wrong tokens one account may show at once, and how long it takes until it may show another.
const (
	tokenBurst = 10
	tokenPause = time.Minute
)

// linked tells who holds a token of what it is good for, without the room: nil for
// none that is good.
func (r *room) linked() *Link {
	if r.link == nil || r.svc.set.Links == nil || r.cfg.Password != "" || !r.stays() {
		return nil
	}
	if !r.svc.set.Links.Good(r.svc.background(), r.link.Token, r.jid) {
		return nil
	}
	return r.link
}

// opens decides whether a token that somebody shows is the room's. A wrong one costs the asker.
func (r *room) opens(who jid.JID, token string) error {
	shown := r.svc.extras.tokens
	if wait := shown.take(who, 1); wait > 0 { // who is right now would learn it
		return stanza.Errorf(stanza.ResourceConstraint, "too many links that lead nowhere: wait %s", wait.Round(time.Second))
	}
	l := r.linked()
	if l == nil || subtle.ConstantTimeCompare([]byte(token), []byte(l.Token)) == 0 {
		return stanza.Errorf(stanza.ItemNotFound, "this link is not good any more")
	}
	shown.give(who, 1)
	return nil
}

// About is what a room tells who holds its link, but neither who is in it nor what is said.
type About struct {
	Name, Description string
	Type              string // of Picture, as it was declared; "" for none
	Picture           []byte
	Asks              bool // an admin decides who comes in
}

// Linked tells about the room to which a token leads; ok is false for one that is not good.
func (s *Rooms) Linked(j jid.JID, token string) (a About, ok bool) {
	_ = s.with(j, jid.JID{}, func(r *room) error {
		if l := r.linked(); l != nil && subtle.ConstantTimeCompare([]byte(token), []byte(l.Token)) == 1 {
			a, ok = About{Name: r.cfg.Name, Description: r.cfg.Description, Asks: r.asks()}, true
			a.Type, a.Picture = r.photo()
		}
		return nil
	})
	return a, ok
}

// asks tells whether an admin decides about who comes by the link.
func (r *room) asks() bool { return r.cfg.MembersOnly && !r.cfg.LinkOpens }

// accessIQ is for admins: the link, and who asks to be let in.
func (s *Rooms) accessIQ(q *core.Query) (payload []byte, err error) {
	what := q.Payload.First()
	if q.Set() && (what.Is(nsRooms, "make") || what.Is(nsRooms, "revoke")) {
		return s.relink(q, what.Is(nsRooms, "make"))
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		if err := r.leads(q); err != nil {
			return err
		}
		if !q.Set() {
			payload = r.access()
			return nil
		}
		return r.answers(q, what)
	})
	return payload, err
}

// leads refuses who does not lead the room.
func (r *room) leads(q *core.Query) error {
	if q.Session == nil || r.affiliation(q.Asker()) < Admin {
		return stanza.Errorf(stanza.Forbidden, "only admins decide who comes in")
	}
	return nil
}

// mayLink is the feature of a room that can have a link.
func (r *room) mayLink() string {
	if r.svc.set.Links == nil || !r.stays() || r.cfg.Password != "" {
		return ""
	}
	return nsRooms + "#link"
}

// relink puts a new link in the place of the old one, or none. The old one is ended first: what fails
// after that leaves the room without a link.
func (s *Rooms) relink(q *core.Query, make bool) (payload []byte, err error) {
	var mine *Link
	if make {
		if mine, err = s.makeLink(q); err != nil {
			return nil, err
		}
	}
	var old *Link
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		if err := r.leads(q); err != nil {
			return err
		}
		old = r.link
		if err := r.keep(r.opLink(mine)); err != nil {
			old = nil
			return err
		}
		r.link = mine
		payload = r.access()
		return nil
	})
	if err != nil {
		old = mine
	}
	s.endLink(q.Head.To, old)
	return payload, err
}

// makeLink has one made for who may have it.
func (s *Rooms) makeLink(q *core.Query) (*Link, error) {
	err := s.with(q.Head.To, jid.JID{}, func(r *room) error {
		if err := r.leads(q); err != nil {
			return err
		}
		switch {
		case s.set.Links == nil:
			return stanza.Errorf(stanza.FeatureNotImplemented, "this server makes no links to rooms")
		case !r.stays() || r.cfg.Password != "":
			return stanza.Errorf(stanza.NotAllowed, "a room that does not stay, or asks for a password, has no link")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l, err := s.set.Links.Make(q.Ctx, q.Asker(), q.Head.To.Bare())
	return &l, err
}

// endLink ends a link that no room has any more, in its own time.
func (s *Rooms) endLink(room jid.JID, l *Link) {
	if l == nil || s.set.Links == nil {
		return
	}
	s.run.Go(func() {
		if err := s.set.Links.End(s.background(), l.Token); err != nil {
			s.set.Log.Error("the link of a room could not be ended", "room", room.String(), "err", err)
		}
	})
}

// unlink drops the link of a room that goes; under mu.
func (r *room) unlink() {
	r.svc.endLink(r.jid, r.link)
	r.link = nil
}

func (r *room) opLink(l *Link) store.Op {
	if l == nil {
		return r.svc.store.rooms.Unset(keyLink)
	}
	b, _ := json.Marshal(l) // of these types it cannot fail
	return r.svc.store.rooms.Set(keyLink, b)
}

// access is what admins see: the link, and who asks, the first to ask first.
func (r *room) access() []byte {
	b := xtok.AppendAttr([]byte("<access xmlns='"+nsRooms+"'"), "approve", yes(r.asks())[0])
	b = append(b, '>')
	if l := r.linked(); l != nil {
		b = xtok.AppendAttr(append(b, "<link"...), "url", l.URL)
		b = xtok.AppendAttr(xtok.AppendAttr(b, "uri", l.URI), "account", yes(l.Account)[0])
		b = append(xtok.AppendAttr(b, "expires", l.Expires.UTC().Format(time.RFC3339)), "/>"...)
	}
	for _, a := range r.asking() {
		b = xtok.AppendAttr(xtok.AppendAttr(append(b, "<request"...), "jid", a.who.String()), "nick", a.Nick)
		b = append(xtok.AppendAttr(b, "at", time.Unix(a.At, 0).UTC().Format(time.RFC3339)), "/>"...)
	}
	return append(b, "</access>"...)
}
