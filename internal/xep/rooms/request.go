package rooms

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Bounds of requests to be let in: how many a room keeps, how long, how fast one account asks at
// rooms, and how many admins are told of one.
const (
	mostRequests = 200
	requestLife  = 14 * 24 * time.Hour
	askBurst     = 5
	askPause     = time.Minute
	mostTold     = 20
)

// request is somebody who asked to be let in. One that was declined is kept as well: who
// was told no does not ask again and again.
type request struct {
	Nick     string `json:",omitempty"` // that he would like, "" for none
	At       int64  // Unix seconds
	Declined bool   `json:",omitempty"`
}

func (a request) over(now time.Time) bool { return now.Unix()-a.At >= int64(requestLife/time.Second) }

// askedIn is a request with who made it.
type askedIn struct {
	request
	who jid.JID
}

// asking are those who wait for an answer, the first to ask first; under mu.
func (r *room) asking() (all []askedIn) {
	now := time.Now()
	for who, a := range r.requests {
		if !a.Declined && !a.over(now) {
			all = append(all, askedIn{a, who})
		}
	}
	slices.SortFunc(all, func(a, b askedIn) int {
		if a.At != b.At {
			return int(a.At - b.At)
		}
		return strings.Compare(a.who.String(), b.who.String())
	})
	return all
}

// waits tells whether somebody asked and was not answered; under mu.
func (r *room) waits(who jid.JID) bool {
	a, there := r.requests[who]
	return there && !a.Declined
}

// comesBy takes who shows the token of the room's link, and has passed mayCome: a member at once,
// or one who waits for an admin.
func (r *room) comesBy(who jid.JID, nick, token string) (waits bool, err error) {
	if err := r.opens(who, token); err != nil {
		return false, err
	}
	is := r.known(who)
	switch {
	case is.Affiliation >= Member:
		return false, nil
	case r.asks():
		return true, r.wants(who, nick)
	}
	is.Affiliation, is.Nick = Member, nick
	return false, r.becomes(who, is, departure{})
}

// mayCome refuses those to whom a link is of no use.
func (r *room) mayCome(who jid.JID) error {
	is := r.known(who)
	switch {
	case is.Affiliation == Outcast || r.locked:
		return stanza.Errorf(stanza.Forbidden, "you cannot come into this room")
	case is.Affiliation == None && len(r.affs) >= maxAffiliations:
		return stanza.Errorf(stanza.ResourceConstraint, "this room knows too many people")
	}
	return nil
}

// wants keeps a request, durable on return, and tells the admins once.
func (r *room) wants(who jid.JID, nick string) error {
	now := time.Now()
	if is, there := r.requests[who]; there && !is.over(now) {
		if is.Declined {
			return stanza.Errorf(stanza.NotAllowed, "an admin of this room has declined")
		}
		return nil
	}
	if err := r.makeRoom(now); err != nil {
		return err
	}
	if wait := r.svc.extras.requests.take(who, 1); wait > 0 {
		return stanza.Errorf(stanza.ResourceConstraint, "you ask to be let in too often: wait %s", wait.Round(time.Second))
	}
	if err := r.setRequest(who, &request{Nick: nick, At: now.Unix()}); err != nil {
		return err
	}
	r.tellAdmins(who, nick)
	return nil
}

// makeRoom has there be room for one more request: what is over goes, then the oldest that was declined.
func (r *room) makeRoom(now time.Time) error {
	var oldest jid.JID
	for who, a := range r.requests {
		if a.over(now) {
			if err := r.setRequest(who, nil); err != nil {
				return err
			}
		} else if a.Declined && (oldest.IsZero() || a.At < r.requests[oldest].At) {
			oldest = who
		}
	}
	switch {
	case len(r.requests) < mostRequests:
		return nil
	case oldest.IsZero():
		return stanza.Errorf(stanza.ResourceConstraint, "too many people ask to be let in here: try again another day")
	}
	return r.setRequest(oldest, nil)
}

// setRequest keeps a request, or (nil) none; durable on return, under mu.
func (r *room) setRequest(who jid.JID, a *request) error {
	op := r.svc.store.requests.Unset(who.String())
	if a != nil {
		b, _ := json.Marshal(a) // of these types it cannot fail
		op = r.svc.store.requests.Set(who.String(), b)
	}
	if err := r.keep(op); err != nil {
		return err
	}
	if a == nil {
		delete(r.requests, who)
	} else {
		r.requests[who] = *a
	}
	return nil
}

// unasked forgets a request that something else has answered; under mu.
func (r *room) unasked(who jid.JID) {
	if _, there := r.requests[who]; !there {
		return
	}
	if err := r.setRequest(who, nil); err != nil {
		r.svc.set.Log.Error("a request could not be forgotten", "room", r.jid.String(), "err", err)
	}
}

// tellAdmins sends those who decide the form by which they can.
// XEP-0045#regapprove
func (r *room) tellAdmins(who jid.JID, nick string) {
	ask := form.Form{Kind: form.Ask, Of: formRegister, Title: "Somebody asks to become a member", Fields: []form.Field{
		{Var: "muc#register_jid", Kind: form.JIDSingle, Label: "Who asks", Values: []string{who.String()}},
		{Var: "muc#register_roomnick", Kind: form.TextSingle, Label: "The name in the room", Values: some(nick)},
		{Var: "muc#register_allow", Kind: form.Boolean, Label: "Let this person in?", Values: []string{"0"}},
	}}
	content, told := ask.Append(nil), 0
	for _, list := range []Affiliation{Owner, Admin} {
		for _, admin := range r.affiliates(list) {
			if told++; told > mostTold {
				return
			}
			if !r.svc.router.Blocked(admin, who) {
				r.writes(admin, content)
			}
		}
	}
}

// keepIt is for what has no words in it, and is to be heard of by who is away.
// XEP-0334#hints
const keepIt = "<store xmlns='urn:xmpp:hints'/>"

// writes sends what a room itself says to an account, wherever it is, also when it is back.
func (r *room) writes(to jid.JID, content []byte) {
	content = append(content, keepIt...)
	if err := silently(r.svc.router.Post(stanza.Head{Type: stanza.Normal, From: r.jid, To: to}, content)); err != nil {
		r.svc.set.Log.Error("a room could not tell somebody", "room", r.jid.String(), "err", err)
	}
}

// answers carries out what an admin decides of a request.
func (r *room) answers(q *core.Query, what xtok.Elem) error {
	who, err := jid.Parse(what.Attr("jid"))
	yes := what.Is(nsRooms, "accept")
	if err != nil || !yes && !what.Is(nsRooms, "decline") {
		return stanza.Errorf(stanza.BadRequest, "what is asked of the room is to make or revoke its link, or to accept or decline somebody")
	}
	if err := r.decide(q.Asker(), who.Bare(), yes); err != nil {
		return err
	}
	r.event(func(*back) { q.Reply(nil, nil) })
	return core.ErrLater
}

// decide lets somebody in who asked, or does not, and tells him. What another admin was faster to
// decide stays.
func (r *room) decide(by, who jid.JID, yes bool) error {
	a, there := r.requests[who]
	if !there || a.over(time.Now()) || a.Declined && !yes {
		return stanza.Errorf(stanza.ItemNotFound, "nobody of that address asks to be let in")
	}
	if !yes {
		a.Declined = true
		if err := r.setRequest(who, &a); err != nil {
			return err
		}
		r.writes(who, []byte("<answer xmlns='"+nsRooms+"' is='declined'/>"))
		return nil
	}
	is := r.known(who)
	if is.Affiliation == None {
		if len(r.affs) >= maxAffiliations {
			return stanza.Errorf(stanza.ResourceConstraint, "this room knows too many people")
		}
		if is.Affiliation = Member; a.Nick != "" && r.nickFor(who, a.Nick) == nil {
			is.Nick = a.Nick
		}
		if err := r.becomes(who, is, departure{}); err != nil {
			return err
		}
	}
	r.unasked(who)
	// programs that do not know of links take it for an invitation, which it is
	i := invitation{who: who, reason: r.cfg.Name}
	r.writes(who, append([]byte("<answer xmlns='"+nsRooms+"' is='accepted'/>"), i.content(by, "")...))
	return nil
}

// approval takes the form of tellAdmins back.
// XEP-0045#regapprove
func (r *room) approval(t *core.Transit, _ *seat) (taken bool, err error) {
	x := t.Elem.Child(form.NS, "x")
	if !x.OK() {
		return false, nil
	}
	f, err := form.Read(x)
	if err != nil || f.Of != formRegister {
		return false, nil // for others to look at
	}
	me := t.Session.JID.Bare()
	allow, ok := f.Bool("muc#register_allow")
	who, err := jid.Parse(f.Value("muc#register_jid"))
	switch {
	case r.affiliation(me) < Admin:
		return true, stanza.Errorf(stanza.Forbidden, "only admins decide who comes in")
	case f.Kind == form.Cancel:
		return true, nil
	case f.Kind != form.Submit || !ok || err != nil:
		return true, stanza.Errorf(stanza.BadRequest, "neither yes nor no, or to nobody")
	}
	return true, r.decide(me, who.Bare(), allow)
}

// loadRequests reads those of a room that were not answered.
func (k *keeper) loadRequests(ctx context.Context, r *room) error {
	return eachOf(ctx, k.requests, r.jid, func(who jid.JID, a request) { r.requests[who] = a })
}

// expireRequests forgets those that nobody has answered for long, also of rooms that nobody uses.
func (s *Rooms) expireRequests(now time.Time) {
	ctx := s.background()
	owners, err := s.store.requests.Owners(ctx)
	for _, room := range owners {
		items, bad := s.store.requests.Scan(ctx, room, store.Range{})
		if bad != nil {
			err = bad
		}
		for _, i := range items {
			var a request
			if json.Unmarshal(i.Value, &a) == nil && a.over(now) {
				if bad := s.store.requests.Delete(ctx, room, i.Key); bad != nil {
					err = bad
				}
			}
		}
	}
	if err != nil {
		s.set.Log.Error("requests to be let into rooms could not be forgotten", "err", err)
	}
}
