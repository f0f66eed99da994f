package core

import (
	"sort"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func (r *Router) resumable(id [16]byte, s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bySM[id] = s
}

// Resumable finds a session by its resumption id, or nil.
func (r *Router) Resumable(id [16]byte) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bySM[id]
}

// hibernated ends the account's longest hibernating sessions when there are
// more than the limit.
func (r *Router) hibernated(s *Session) {
	type sleeper struct {
		s     *Session
		since time.Time
	}
	var asleep []sleeper
	for _, o := range r.dir.Sessions(s.JID.Bare()) {
		if since, yes := o.Hibernating(); yes {
			asleep = append(asleep, sleeper{o, since})
		}
	}
	sort.Slice(asleep, func(i, j int) bool { return asleep[i].since.Before(asleep[j].since) })
	for i := 0; i < len(asleep)-r.limits.Hibernating; i++ {
		asleep[i].s.Close(nil)
	}
}

// endHibernation ends sessions whose time to resume is over.
func (r *Router) endHibernation(now time.Time) {
	r.dir.Each(func(s *Session) {
		if since, yes := s.Hibernating(); yes && now.Sub(since) > r.limits.Resumption {
			s.Close(nil)
		}
	})
}

// Frozen is a hibernating session in a form that outlives the process.
type Frozen struct {
	JID      string
	Device   string
	ID       [16]byte
	H        uint32 // stanzas received from the peer
	Acked    uint32 // stanzas that the peer acknowledged
	Since    int64  // hibernating since, Unix seconds
	Flags    uint32
	Presence []byte // the broadcast presence, nil when unavailable
	Priority int8
	Queue    []FrozenPacket
}

// FrozenPacket is one unacknowledged stanza.
type FrozenPacket struct {
	Bytes []byte
	Seq   uint64
}

// Drain takes into the queue what sources still have for a hibernating session,
// while a quarter of its budget holds: a connection that broke while a contact's
// presence was on its way should not cost the session when the server restarts.
// For a graceful stop, while the stores still answer.
func (s *Session) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && s.conn == nil && !s.writing && s.sm.resume && len(s.sources) > 0 {
		s.writing = true // nobody else takes from a source
		more := s.nextSource()
		s.writing = false
		if !more {
			return
		}
	}
}

// Freeze takes a hibernating, resumable session apart, for a graceful stop;
// ok is false for any other session, and for one that is still owed what a
// source has for it: sources do not outlive the process, so to resume would miss
// it, while to bind anew asks for it again.
func (s *Session) Freeze() (f Frozen, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.conn != nil || !s.sm.resume || len(s.sources) > 0 {
		return f, false
	}
	f = Frozen{JID: s.JID.String(), Device: s.Device, ID: s.sm.id, H: s.h(), Acked: s.out.acked, Since: s.sm.idle.Unix(), Flags: s.flags.Load()}
	if p := s.presence.Load(); p != nil {
		f.Presence, f.Priority = p.Stanza.Raw, p.Priority
	}
	for i := range s.out.n {
		p := s.out.at(i)
		if p.Nonza {
			continue
		}
		var b []byte
		for _, seg := range p.Segments {
			b = append(b, seg...)
		}
		f.Queue = append(f.Queue, FrozenPacket{b, p.Seq})
	}
	return f, true
}

// Thaw puts a frozen session back, hibernating. The Bound hooks hear of it.
func (r *Router) Thaw(f Frozen) error {
	full, err := jid.Parse(f.JID)
	if err != nil {
		return err
	}
	s := &Session{JID: full, CID: "thawed", Device: f.Device, Born: time.Now(), router: r}
	s.flags.Store(f.Flags)
	s.in.received, s.in.handled = f.H, f.H
	// the count was told in the former process's log at best: what is told in
	// this one is marked in the log anew
	s.sm = smState{on: true, resume: true, id: f.ID, turn: make(chan struct{}, 1), marked: max(f.H, 1) - 1, idle: time.Unix(f.Since, 0)}
	s.out.keep, s.out.acked = true, f.Acked
	for _, p := range f.Queue {
		s.out.push(Packet{Segments: [][]byte{p.Bytes}, Seq: p.Seq})
	}
	// what is in the queue counts as sent: the peer may acknowledge it in <resume/>
	s.out.written, s.out.unread = s.out.n, s.out.n
	if f.Presence != nil {
		st, _, err := stanza.Parse(f.Presence)
		if err != nil {
			return err
		}
		s.presence.Store(&Presence{Stanza: st, Priority: f.Priority})
	}
	if _, ok := r.dir.add(s, r.limits.Sessions); !ok {
		return stanza.Errorf(stanza.ResourceConstraint, "too many sessions of this account")
	}
	r.resumable(f.ID, s)
	for _, hook := range r.host.Bound {
		hook(s)
	}
	return nil
}
