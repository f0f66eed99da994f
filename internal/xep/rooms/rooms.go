package rooms

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/lru"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Settings are what the operator decides of the service.
type Settings struct {
	// AdminsOnly lets only administrators of the server make rooms.
	AdminsOnly bool
	// MaxOccupants is how many sessions may be in one room, MaxRooms how many rooms that
	// stay one account may have made; administrators may make more.
	MaxOccupants, MaxRooms int
	// History is how many messages of the past a new room shows.
	History int
	// Unpaced lifts the limits on how much one session may cause.
	Unpaced bool
	// Decorate may edit, by t.Edit, a presence that goes to a room; nil for nothing.
	Decorate func(t *core.Transit)
	// Links makes the links by which people come to rooms; nil for none.
	Links Links
	// Admin tells whether a bare JID is an administrator of the server.
	Admin func(bare jid.JID) bool
	Log   *slog.Logger
}

// Past is what rooms ask of the archive.
type Past interface {
	// Page returns rows of the room's archive: see store.Log.
	Page(ctx context.Context, q store.Query) (rows []store.Row, more bool, err error)
	// Find returns those of some places that are in the room's archive.
	Find(ctx context.Context, owner string, seqs []uint64) ([]store.Row, error)
	// Replace puts another stanza in the place of one, durable on return.
	Replace(ctx context.Context, seq uint64, by *stanza.Stanza) error
	// ParseStanzaID is the place that a stanza-id stands for.
	ParseStanzaID(id string) (seq uint64, ok bool)
	// Forget removes the room's archive.
	Forget(ctx context.Context, owner string) error
}

// Rooms is the service. Make it with New.
type Rooms struct {
	router *core.Router
	site   *core.Site
	past   Past
	set    Settings
	store  *keeper
	former *former
	notes  *store.Bucket // archives of rooms that do not stay, by room: see note
	asks   asks
	// whispers remembers which session sent a message to one occupant.
	whispers *lru.Cache[whispered, jid.JID]
	extras   *extras

	// letters take messages to a room that are not for all: each tells whether it
	// was for it. Under the room's lock; st is nil for who is not inside.
	letters []func(r *room, t *core.Transit, st *seat) (bool, error)

	// features of a room that depend on it, "" for one that it does not have. Under
	// the room's lock.
	features []func(r *room) string

	stop chan struct{} // closed by Close
	run  sync.WaitGroup

	mu    sync.Mutex // guards the rest; held for single operations
	slots map[jid.JID]*slot
	index map[jid.JID]listing // rooms that stay
	in    map[*core.Session]*presenceIn
	paces map[jid.JID]*pace // by account
}

// slot is a room in memory, or on its way there.
type slot struct {
	ready chan struct{} // closed once room or err is set
	room  *room
	err   error
	maker jid.JID // zero for a room that was there before
	gate  pace    // of arrivals, under Rooms.mu
}

// presenceIn is where a session is.
type presenceIn struct {
	seats map[*room]*seat
}

// New makes the service at a host name. It is attached by Register and filled by
// Load.
func New(r *core.Router, site *core.Site, kv store.KV, past Past, set Settings) *Rooms {
	if set.Log == nil {
		set.Log = slog.New(slog.DiscardHandler)
	}
	return &Rooms{
		router: r, site: site, past: past, set: set, store: newKeeper(kv), former: newFormer(kv), notes: newNotes(kv), extras: newExtras(),
		whispers: lru.New[whispered, jid.JID](whispersBytes),
		asks:     asks{waiting: map[string]asked{}, by: map[jid.JID]int{}, of: map[jid.JID]int{}},
		stop:     make(chan struct{}), slots: map[jid.JID]*slot{}, index: map[jid.JID]listing{}, in: map[*core.Session]*presenceIn{}, paces: map[jid.JID]*pace{},
	}
}

// Register attaches the service.
func (s *Rooms) Register(h *core.Host) {
	s.site.Message, s.site.Presence, s.site.IQ = s.message, s.presence, s.iq
	h.IQ(s.site.Node, nsAdmin, "query", s.paced(s.adminIQ))
	h.IQ(s.site.Node, nsOwner, "query", s.paced(s.ownerIQ))
	s.registerDisco(h)
	s.registerExtras(h)
	h.Gone = append(h.Gone, s.gone)
	h.AccountGone = append(h.AccountGone, s.accountGone)
	h.Every(sweepEvery, s.sweep)
	h.Every(time.Minute, s.restPaces)
	h.Every(askTimeout/4, s.asks.expire)
	h.Every(time.Hour, s.expireRequests)
}

// Site is the name of the service.
func (s *Rooms) Site() jid.JID { return s.site.Name }

// errAgain says that the room went away under the caller: look it up again.
var errAgain = stanza.Errorf(stanza.RecipientUnavailable, "this room is just being closed")

var errNoRoom = stanza.Errorf(stanza.ItemNotFound, "there is no such room")

// with calls f with a room, under its lock. One that is not there is made by the
// account maker, if it may; by nobody when that is zero. It waits while the room has
// more to tell its occupants than it can.
func (s *Rooms) with(j jid.JID, maker jid.JID, f func(r *room) error) error {
	for {
		r, err := s.find(j, maker)
		if err != nil {
			return err
		}
		r.back.wait()
		if err, done := r.try(f); done {
			return err
		}
		select {
		case <-r.buried:
		case <-s.stop:
			return errAgain
		}
	}
}

// try calls f unless the room is no longer the one of its name.
func (r *room) try(f func(*room) error) (err error, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return nil, false
	}
	err = f(r)
	return err, err != error(errAgain)
}

// find is a room, read from disk or made where need be.
func (s *Rooms) find(j jid.JID, maker jid.JID) (*room, error) {
	sl, mine, err := s.slot(j, maker)
	if err != nil {
		return nil, err
	}
	if mine {
		s.fill(sl, j)
	}
	<-sl.ready
	return sl.room, sl.err
}

// slot is a room's; mine says that the caller is to fill it.
func (s *Rooms) slot(j, maker jid.JID) (sl *slot, mine bool, err error) {
	s.mu.Lock()
	sl, kept, there := s.look(j)
	s.mu.Unlock()
	switch {
	case there:
		return sl, false, nil
	case !kept && maker.IsZero():
		return nil, false, errNoRoom
	case !kept:
		if err := s.mayCreate(maker); err != nil {
			return nil, false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sl, _, there = s.look(j); there {
		return sl, false, nil
	}
	sl = &slot{ready: make(chan struct{})}
	if !kept {
		sl.maker = maker
	}
	s.slots[j] = sl
	return sl, true, nil
}

// look is under mu.
func (s *Rooms) look(j jid.JID) (sl *slot, kept, there bool) {
	_, kept = s.index[j]
	sl, there = s.slots[j]
	return sl, kept, there
}

// fill reads or makes the room of a slot.
func (s *Rooms) fill(sl *slot, j jid.JID) {
	defer close(sl.ready)
	r := newRoom(s, j)
	if sl.maker.IsZero() {
		sl.err = s.store.load(r)
		if sl.err == nil {
			sl.err = r.recall(s.background())
		}
	} else if sl.err = s.clear(j); sl.err == nil {
		r.create(sl.maker)
	}
	if sl.err != nil {
		s.set.Log.Error("a room could not be read", "room", j.String(), "err", sl.err)
		s.mu.Lock()
		delete(s.slots, j)
		s.mu.Unlock()
		return
	}
	r.back.open = r.cfg.NonAnonymous
	sl.room = r
}

// bury ends a room that is gone: its name is free again.
func (s *Rooms) bury(r *room) {
	s.mu.Lock()
	delete(s.slots, r.jid)
	s.mu.Unlock()
	close(r.buried)
}

// mayCreate decides who may make rooms.
// XEP-0045#createroom
func (s *Rooms) mayCreate(who jid.JID) error {
	switch {
	case s.set.Admin != nil && s.set.Admin(who):
		return nil
	case s.set.AdminsOnly:
		return stanza.Errorf(stanza.NotAllowed, "only administrators of this server make rooms")
	case s.made(who) >= s.set.MaxRooms:
		return stanza.Errorf(stanza.ResourceConstraint, "you have made as many rooms as this server allows")
	}
	return nil
}

// made is how many rooms that are there an account has made, those that stay
// and those that do not.
func (s *Rooms) made(who jid.JID) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.index {
		if l.creator == who {
			n++
		}
	}
	for j, sl := range s.slots {
		if _, kept := s.index[j]; !kept && sl.maker == who {
			n++
		}
	}
	return n
}

// tooMany tells whether an account has made more rooms than it may.
func (s *Rooms) tooMany(who jid.JID) bool {
	return s.made(who) > s.set.MaxRooms && (s.set.Admin == nil || !s.set.Admin(who))
}

// joined is how many rooms a session is in.
func (s *Rooms) joined(sess *core.Session) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.in[sess]; p != nil {
		return len(p.seats)
	}
	return 0
}

// sweepEvery is how often rooms are looked at that nobody is in, idle how long
// one stays in memory after it was used last.
const (
	sweepEvery = time.Minute
	idle       = 5 * time.Minute
)

// sweep drops rooms from memory that nobody uses.
func (s *Rooms) sweep(now time.Time) {
	for _, r := range s.rooms() {
		r.mu.Lock()
		if len(r.seats) == 0 && !r.gone && r.entered.Load() == 0 && now.Sub(r.used) > idle {
			r.gone = true
			s.bury(r)
		}
		r.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for sess, p := range s.in {
		if len(p.seats) == 0 && sess.Ended() {
			delete(s.in, sess) // it did one thing more than its end noticed
		}
	}
}

// rooms are those in memory.
func (s *Rooms) rooms() (all []*room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sl := range s.slots {
		select {
		case <-sl.ready:
			if sl.room != nil {
				all = append(all, sl.room)
			}
		default:
		}
	}
	return all
}

// sat notes where a session is; left is the reverse.
func (s *Rooms) sat(st *seat, r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entry(st.session).seats[r] = st
}

func (s *Rooms) left(st *seat, r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.in[st.session]; p != nil && p.seats[r] == st {
		delete(p.seats, r)
	}
}

// entry is under mu.
func (s *Rooms) entry(sess *core.Session) *presenceIn {
	p := s.in[sess]
	if p == nil {
		p = &presenceIn{seats: map[*room]*seat{}}
		s.in[sess] = p
	}
	return p
}

// gone takes a session that ended out of its rooms, in its own time: it may
// end on any goroutine.
func (s *Rooms) gone(sess *core.Session) {
	s.Unavailable(sess, nil)
	s.mu.Lock()
	delete(s.in, sess)
	s.mu.Unlock()
}

// Unavailable takes a session that is no longer available out of its rooms,
// with what it said on leaving. It does not block: for people's OnFarewell.
// XEP-0045#exit
func (s *Rooms) Unavailable(sess *core.Session, st *stanza.Stanza) {
	s.mu.Lock()
	p := s.in[sess]
	if p == nil || len(p.seats) == 0 {
		s.mu.Unlock()
		return
	}
	seats := p.seats
	p.seats = map[*room]*seat{}
	for _, seat := range seats {
		seat.bye = st
		seat.leaving.Store(true)
	}
	s.mu.Unlock()
	s.run.Go(func() { s.leaveAll(seats) })
}

func (s *Rooms) leaveAll(seats map[*room]*seat) {
	for r, seat := range seats {
		r.mu.Lock()
		if r.seats[seat.session] == seat {
			r.leave(seat, r.farewell(seat))
		}
		r.mu.Unlock()
	}
}

// closePatience is how long Close waits until everybody was told: longer only when
// the disk does not answer.
const closePatience = 2 * time.Second

// Close tells everybody in every room that the service ends, and lets nobody in
// any more. It is called before connections are closed.
// XEP-0045#service-shutdown-kick
func (s *Rooms) Close() {
	if s.closed() {
		return
	}
	close(s.stop)
	ctx, cancel := context.WithTimeout(s.background(), closePatience)
	defer cancel()
	done := make(chan struct{})
	s.run.Go(func() { // it may have to wait for a room
		defer close(done)
		s.tellEnd(ctx)
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *Rooms) tellEnd(ctx context.Context) {
	var told []chan struct{}
	for _, r := range s.rooms() {
		told = append(told, r.close())
	}
	for _, done := range told {
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}

// close tells those inside; the channel is closed once they were.
func (r *room) close() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.nicks {
		seats := append([]*seat(nil), o.seats...)
		n := r.goodbye(o, seats[0], departure{codes: []int{statusShutdown}})
		r.event(func(b *back) { b.tellSelf(n, seats) })
	}
	done := make(chan struct{})
	r.event(func(*back) { close(done) })
	return done
}

// Wait waits until everything that was entered has been told. Called after the
// archive was closed.
func (s *Rooms) Wait() { s.run.Wait() }

// background is the context of work that no request waits for.
func (s *Rooms) background() context.Context { return context.Background() }

func (s *Rooms) closed() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

func (s *Rooms) panicked(p any) {
	s.set.Log.Error("a room could not tell its occupants", "panic", p, "stack", string(debug.Stack()))
}
