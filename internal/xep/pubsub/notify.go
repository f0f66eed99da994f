package pubsub

import (
	"context"
	"crypto/rand"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// itemEvent tells of an item.
// XEP-0060#publisher-publish-success-withpayload
func itemEvent(n *node, owner jid.JID, e *entry, payload []byte) []byte {
	if !n.Payloads {
		payload = nil
	}
	b := xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><items"), "node", n.name)
	b = appendItem(append(b, '>'), n, owner, e, payload)
	return append(b, "</items></event>"...)
}

// retractEvent tells that items are gone.
// XEP-0060#publisher-delete-success-notify
func retractEvent(n *node, gone []entry) []byte {
	b := xtok.AppendAttr([]byte("<event xmlns='"+nsEvent+"'><items"), "node", n.name)
	b = append(b, '>')
	for _, e := range gone {
		b = append(xtok.AppendAttr(append(b, "<retract"...), "id", e.id), "/>"...)
	}
	return append(b, "</items></event>"...)
}

// notify sends an event to all who are to have it; under owner's lock. It goes
// past the archive: an event is read from the node when it was missed.
// XEP-0163#notify
func (s *Service) notify(owner jid.JID, n *node, event []byte) {
	if n.Deliver {
		s.send(s.recipients(owner, n, false), owner, n, event)
	}
}

// recipients are whom an event goes to.
type recipients struct {
	sessions map[*core.Session]struct{}
	away     []jid.JID // at other host names
}

func (r *recipients) add(to *core.Session) {
	if r.sessions == nil {
		r.sessions = map[*core.Session]struct{}{}
	}
	r.sessions[to] = struct{}{}
}

func (r *recipients) count() int { return len(r.sessions) + len(r.away) }

// send sends an event, under owner's lock. What the service for all has to say to many,
// and all that it says meanwhile, is sent by a goroutine of its own, in its order.
func (s *Service) send(list recipients, owner jid.JID, n *node, event []byte) {
	style := n.Style
	f := func() {
		id := "e" + rand.Text()[:12]
		for to := range list.sessions {
			to.Push(packet(to, owner, style, id, event))
		}
		for _, to := range list.away {
			s.router.Send(stanza.New(stanza.Head{Kind: stanza.Message, Type: style, ID: id, From: owner, To: to}, event))
		}
	}
	if s.general(owner) {
		s.outbox.put(f, list.count())
		return
	}
	f()
}

// packet is an event for one session. The event's bytes are shared.
// XEP-0163#notify-addressing
func packet(to *core.Session, owner jid.JID, style, id string, event []byte) core.Packet {
	head := stanza.New(stanza.Head{Kind: stanza.Message, Type: style, ID: id, From: owner, To: to.JID}, nil)
	return core.Packet{Segments: [][]byte{head.Opening(), event, head.Closing()}}
}

// recipients are whom an event of a node goes to: of an account's the owner's own
// sessions and those of who sees his presence, where they show an interest and the access
// model lets them; and those subscribed by a request. all takes in those whose
// subscriptions wait, or no longer give anything.
// XEP-0163#notify-num
func (s *Service) recipients(owner jid.JID, n *node, all bool) recipients {
	var out recipients
	if !s.general(owner) {
		s.interested(owner, n, &out)
	}
	lets := map[jid.JID]bool{} // bare; one person may have subscribed many addresses
	for who, state := range n.subs {
		bare := who.Bare()
		if _, known := lets[bare]; !known {
			lets[bare] = all || s.may(owner, bare, n) == nil
		}
		if lets[bare] && (all || state == subscribed) {
			s.reachTo(owner, who, &out)
		}
	}
	return out
}

// interested adds those who need no subscription, for they show an interest.
// XEP-0163#notify-filterednotifications
func (s *Service) interested(owner jid.JID, n *node, out *recipients) {
	dir := s.router.Directory()
	add := func(list []*core.Session) {
		for _, to := range list {
			if s.reachable(owner, to) && s.interests.Notify(to, n.name) {
				out.add(to)
			}
		}
	}
	add(dir.Sessions(owner))
	watchers := s.people.Watchers(owner)
	if s.Beside != nil {
		watchers = append(watchers[:len(watchers):len(watchers)], s.Beside(owner, n.name)...)
	}
	for _, w := range watchers {
		if list := dir.Sessions(w); len(list) > 0 && s.may(owner, w, n) == nil {
			add(list)
		}
	}
}

// reach is where a message to one address goes.
func (s *Service) reach(owner, who jid.JID) (to recipients) {
	s.reachTo(owner, who, &to)
	return to
}

// reachTo adds the sessions of an address: the one it names, or all that are
// available; or the address itself where it is another host name's.
// RFC 6121 §8.5.2, RFC 6121 §8.5.3
func (s *Service) reachTo(owner, who jid.JID, out *recipients) {
	dir := s.router.Directory()
	switch {
	case !s.router.Local(who):
		if site := s.router.Site(who); site != nil && site.Any != nil {
			out.away = append(out.away, who)
		}
	case who.IsFull():
		if to := dir.Session(who); to != nil && !s.router.Apart(owner, who) {
			out.add(to)
		}
	default:
		for _, to := range dir.Sessions(who) {
			if s.reachable(owner, to) {
				out.add(to)
			}
		}
	}
}

// reachable tells whether a session is available, and no block keeps it apart
// from the owner of a node.
// XEP-0191#block
func (s *Service) reachable(owner jid.JID, to *core.Session) bool {
	return to.Presence() != nil && !s.router.Apart(owner, to.JID)
}

// last is a node's last item for one session; ok is false when there is none to
// send. Under owner's lock.
// XEP-0163#notify-last
func (s *Service) last(to *core.Session, owner jid.JID, n *node) (p core.Packet, ok bool) {
	event, ok := s.lastEvent(context.Background(), owner, n)
	if !ok {
		return p, false
	}
	if m := s.mirror(owner, n.name); m != nil {
		s.saw(context.Background(), owner, n.acct, m, to)
	}
	return packet(to, owner, n.Style, "l"+rand.Text()[:12], event), true
}

// lastEvent tells of a node's last item; ok is false when there is none to send.
func (s *Service) lastEvent(ctx context.Context, owner jid.JID, n *node) (event []byte, ok bool) {
	e, payload, ok, err := s.lastItem(ctx, owner, n)
	if err != nil {
		s.log.Error("last item unreadable", "jid", owner.String(), "node", n.name, "err", err)
	}
	if !ok || !n.Deliver || n.expired(&e, time.Now()) {
		return nil, false
	}
	return itemEvent(n, owner, &e, payload), true
}

// Known sends a session the last items of the nodes that its client has just
// shown an interest in: its own account's and those of the contacts it sees. It
// does not block.
// XEP-0163#notify-when
func (s *Service) Known(to *core.Session, interests []string) {
	if len(interests) == 0 || to.Presence() == nil {
		return
	}
	want := make(map[string]struct{}, len(interests))
	for _, node := range interests {
		want[node] = struct{}{}
	}
	to.Feed(&recent{service: s, to: to, want: func(node string) bool { _, ok := want[node]; return ok }})
}

// subscribed sends one who may see owner's presence from now on what he would
// have been sent had he come online now.
// XEP-0163#impl-subscriptions
func (s *Service) subscribed(owner, watcher jid.JID) {
	for _, to := range s.router.Directory().Sessions(watcher) {
		if to.Presence() != nil {
			want := func(node string) bool { return s.interests.Notify(to, node) }
			to.Feed(&recent{service: s, to: to, want: want, owners: []jid.JID{owner}})
		}
	}
}

// recent is a source of last items.
type recent struct {
	service *Service
	to      *core.Session
	want    func(node string) bool
	owners  []jid.JID // nil before the first portion of all
	at      int       // the account to look at
	after   string    // its last node that was looked at, "" for none
}

// recentStep is how many accounts one portion looks at, recentBytes how much it
// holds, unless a single item is larger.
const (
	recentStep  = 16
	recentBytes = 64 << 10
)

// Next satisfies core.Source. Each account's items are taken under that
// account's lock. What is published later is pushed, and so comes behind all that
// is handed out here: the last word is the newest.
func (r *recent) Next() []core.Packet {
	if r.owners == nil {
		me := r.to.JID.Bare()
		r.owners = append([]jid.JID{me}, r.service.people.Watched(me)...)
	}
	if r.at == len(r.owners) {
		return nil
	}
	packets := []core.Packet{}
	for size, end := 0, min(r.at+recentStep, len(r.owners)); r.at < end; r.at++ {
		var whole bool
		if packets, whole = r.take(r.owners[r.at], packets, &size); !whole {
			break
		}
		r.after = ""
	}
	return packets
}

// take appends an account's items, from where the last portion ended; whole is
// false when there was no room for all of them.
func (r *recent) take(owner jid.JID, packets []core.Packet, size *int) (_ []core.Packet, whole bool) {
	s, me := r.service, r.to.JID.Bare()
	if !s.router.Local(owner) || s.router.Apart(owner, r.to.JID) {
		return packets, true
	}
	defer s.lock(owner)()
	acct, err := s.load(context.Background(), owner)
	if err != nil {
		s.log.Error("nodes unreadable", "jid", owner.String(), "err", err)
		return packets, true
	}
	for _, n := range acct.sorted() {
		if n.name <= r.after || n.SendLast != sendPresence || !r.want(n.name) || s.may(owner, me, n) != nil {
			continue
		}
		if len(packets) > 0 && *size+n.lastSize() > recentBytes {
			return packets, false
		}
		if p, ok := s.last(r.to, owner, n); ok {
			packets = append(packets, p)
			*size += p.Size()
		}
		r.after = n.name
	}
	return packets, true
}
