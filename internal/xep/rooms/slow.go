package rooms

import (
	"math"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// pace is how much may be caused at once: by an account, in packets, where what one
// sends to a room of n is n packets; or of arrivals in a room.
type pace struct {
	left float64
	at   time.Time
}

// An account may cause paceBurst packets at once and pacePerSecond for long: in a room
// of 10,000 that is twenty messages and then one a second, in a room of 100 more than
// anybody is read with. A packet counts once more for each paceBytes of what was
// sent, which with what the room adds is a KiB: so one account causes at most 10 MiB a
// second for long, ten times what a session may send (limits.byte_rate). Entering,
// leaving and showing another status costs arrivalCost and who is told of it, so that
// a client can enter all its rooms at once.
const (
	paceBurst     = 200_000
	pacePerSecond = 10_000
	paceBytes     = 640
	arrivalCost   = 200
)

// A room shows gateBurst arrivals and statuses at once and gatePerSecond for long, to
// whomever they belong, where all are told of them: who is inside can read that over any
// line. Who comes at a worse time waits for his turn.
const (
	gateBurst     = 600
	gatePerSecond = 100
)

// turn waits for a session's turn to be shown in a room.
func (s *Rooms) turn(j jid.JID) error {
	wait := s.place(j)
	if wait <= 0 || s.set.Unpaced {
		return nil
	}
	return s.rest(wait)
}

// rest waits, unless the rooms are being closed.
func (s *Rooms) rest(wait time.Duration) error {
	clock := time.NewTimer(wait)
	defer clock.Stop()
	select {
	case <-clock.C:
		return nil
	case <-s.stop:
		return stanza.Errorf(stanza.ServiceUnavailable, "the rooms are being closed")
	}
}

// place takes the next turn, and tells how long until it comes.
func (s *Rooms) place(j jid.JID) time.Duration {
	if s.size(j) > crowd {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slots[j]
	if sl == nil {
		return 0
	}
	sl.gate.refill(time.Now(), gateBurst, gatePerSecond)
	sl.gate.left--
	return time.Duration(math.Ceil(-sl.gate.left / gatePerSecond * float64(time.Second))) // never early
}

// fan is the cost of telling some of something of so many bytes.
func fan(listeners, bytes int) int { return listeners * (1 + bytes/paceBytes) }

// size is how many sessions are in a room, 0 for one that is not in memory.
func (s *Rooms) size(j jid.JID) int {
	s.mu.Lock()
	sl := s.slots[j]
	s.mu.Unlock()
	if sl == nil {
		return 0
	}
	<-sl.ready
	if sl.room == nil {
		return 0
	}
	return int(sl.room.size.Load())
}

// toldOf is how many are told of a session's presence in a room: in a crowd all hear
// of moderators, and of those whom they were shown before it became one.
func (s *Rooms) toldOf(sess *core.Session, j jid.JID) int {
	n := s.size(j)
	if n <= crowd {
		return n
	}
	err := s.with(j, jid.JID{}, func(r *room) error {
		st := r.seat(sess)
		if r.gone {
			return errAgain
		}
		switch {
		case st != nil && r.tells(st.who), st == nil && r.cfg.RoleOf(r.affiliation(sess.JID.Bare())) == Moderator:
		default:
			n = len(r.mods)
		}
		return nil
	})
	if err != nil {
		return 0
	}
	return n
}

// paced has a handler of requests that change a room, of which all in it are told, wait
// likewise.
func (s *Rooms) paced(handle core.IQFunc) core.IQFunc {
	return func(q *core.Query) ([]byte, error) {
		if q.Set() && q.Session != nil {
			times := 2
			for range q.Payload.Children() {
				times++
			}
			if err := s.slow(q.Session, times*s.size(q.Head.To.Bare())); err != nil {
				return nil, err
			}
		}
		return handle(q)
	}
}

// slow makes a session wait whose account is over its pace: what it sends is read later, and
// nothing is lost.
func (s *Rooms) slow(sess *core.Session, cost int) error {
	for !s.set.Unpaced {
		wait := s.due(sess, float64(cost))
		if wait == 0 {
			break
		}
		if err := s.rest(wait); err != nil {
			return err
		}
	}
	return nil
}

// due takes a cost from the account's budget, or tells how long until it can be
// taken.
func (s *Rooms) due(sess *core.Session, cost float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paceOf(sess.JID.Bare())
	// what costs more than a burst waits for a whole one, and is owed
	if need := min(cost, paceBurst); p.left < need {
		return max(time.Duration((need-p.left)/pacePerSecond*float64(time.Second)), time.Millisecond)
	}
	p.left -= cost
	return 0
}

// paceOf is an account's pace now; under mu.
func (s *Rooms) paceOf(who jid.JID) *pace {
	p := s.paces[who]
	if p == nil {
		p = &pace{}
		s.paces[who] = p
	}
	p.refill(time.Now(), paceBurst, pacePerSecond)
	return p
}

// refill adds what has come since the last time; the zero pace is full.
func (p *pace) refill(now time.Time, burst, perSecond float64) {
	if p.at.IsZero() {
		p.left = burst
	} else {
		p.left = min(burst, p.left+now.Sub(p.at).Seconds()*perSecond)
	}
	p.at = now
}

// restPaces forgets accounts that may do all again, as if they had done nothing.
func (s *Rooms) restPaces(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for who, p := range s.paces {
		if p.refill(now, paceBurst, pacePerSecond); p.left == paceBurst {
			delete(s.paces, who)
		}
	}
}
