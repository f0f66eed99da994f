package rooms

import (
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// reshow makes it so for those inside that an owner has decided anew whose presence is
// shown: who is no longer is gone for all but moderators and himself, who is again
// comes. In a crowd it is as for roles: who was shown stays so until he leaves. It
// returns how many packets that is.
// XEP-0045#roomconfig (muc#roomconfig_presencebroadcast)
func (r *room) reshow(was Config) (packets int) {
	if was.Broadcast == r.cfg.Broadcast || len(r.seats) > crowd {
		return 0
	}
	for _, o := range r.sorted() {
		_, shown := r.shown[o]
		n := r.noticeOf(o, o.seats[0])
		switch {
		case shown && !r.cfg.Broadcast[o.role]:
			delete(r.shown, o)
			n = r.goodbye(o, o.seats[0], departure{})
		case shown || !r.tells(o):
			continue
		}
		seats := append([]*seat(nil), o.seats...)
		r.event(func(b *back) { b.showPlain(n, seats) })
		packets += len(r.seats)
	}
	return packets
}

// showPlain sends a presence to all sessions but moderators' and an occupant's own.
func (b *back) showPlain(p notice, self []*seat) {
	var st *stanza.Stanza
	for i := range b.seats {
		l := &b.seats[i]
		if l.mod || contains(self, l.seat) {
			continue
		}
		if st == nil {
			st = p.stanza(b.open)
		}
		l.seat.session.Push(addressed(st, l.seat.to, nil))
	}
}

// reveal shows those inside again to each other, now that all may see the addresses:
// to each, as many as a newcomer is shown. It returns how many packets that is.
// XEP-0045#roomconfig-notify
func (r *room) reveal(was Config) (packets int) {
	if was.NonAnonymous || !r.cfg.NonAnonymous {
		return 0
	}
	var all []*welcome
	for _, st := range r.seats {
		if st.who.role == Moderator {
			continue // saw them before
		}
		w := &welcome{room: r, seat: st, step: onlyList}
		for _, other := range r.listed(st.who) {
			w.list = append(w.list, r.faceOf(other, true))
		}
		packets += len(w.list)
		all = append(all, w)
	}
	r.event(func(*back) {
		for _, w := range all {
			w.give(w.seat.session)
		}
	})
	return packets
}

// owe has an account pay for what it caused and nobody could tell beforehand: it is
// read again once that is paid. It does not block.
func (s *Rooms) owe(who jid.JID, packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paceOf(who).left -= float64(packets)
}
