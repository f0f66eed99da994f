package rooms

import (
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// back tells the occupants what happened, in the order in which it was entered,
// on a goroutine that runs only while there is something to tell. It keeps its
// own list of who is seated: the front may be ahead of it.
type back struct {
	room *room

	mu      sync.Mutex // guards the next four; held for single operations
	queue   []func(*back)
	running bool
	space   *sync.Cond // for less to be waiting
	waiting int        // how many wait for that

	// The goroutine's own.
	seats []listener
	at    map[*seat]int // index in seats
	open  bool          // all see real addresses
}

// listener is one session as the back knows it.
type listener struct {
	seat *seat
	mod  bool
}

func (b *back) init(r *room) {
	b.room, b.at = r, map[*seat]int{}
	b.space = sync.NewCond(&b.mu)
}

// How much may wait for a room's back before those who cause more of it wait:
// in packets, and at least and at most in what is to be told. A room that cannot
// keep up slows its own people and nobody else, and is never long behind.
const (
	waitPackets = 200_000
	waitLeast   = 16
	waitMost    = 1024
)

func (b *back) full() bool {
	n := b.room.entered.Load()
	return n >= waitMost || n >= waitLeast && n*b.room.size.Load() >= waitPackets
}

// wait waits until the back has little left to tell. Called without the
// room's lock.
func (b *back) wait() {
	if !b.full() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.full() && !b.room.svc.closed() {
		b.waiting++
		b.space.Wait()
		b.waiting--
	}
}

// add queues what is to be told. It does not block.
func (b *back) add(act func(*back)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, act)
	if !b.running {
		b.running = true
		b.room.svc.run.Go(b.work)
	}
}

func (b *back) work() {
	for {
		b.mu.Lock()
		queue := b.queue
		b.queue = nil
		b.running = len(queue) > 0
		b.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for i, act := range queue {
			b.do(act)
			queue[i] = nil
		}
	}
}

// do tells one thing. A bug in it costs the room that one thing.
func (b *back) do(act func(*back)) {
	defer func() {
		if p := recover(); p != nil {
			b.room.svc.panicked(p)
		}
		b.room.entered.Add(-1)
		b.mu.Lock()
		if b.waiting > 0 && !b.full() {
			b.space.Broadcast()
		}
		b.mu.Unlock()
	}()
	act(b)
}

// seat adds a session to those who are told.
func (b *back) seat(st *seat, mod bool) {
	if i, ok := b.at[st]; ok {
		b.seats[i].mod = mod
		return
	}
	b.at[st] = len(b.seats)
	b.seats = append(b.seats, listener{st, mod})
}

// unseat is the reverse.
func (b *back) unseat(st *seat) {
	i, ok := b.at[st]
	if !ok {
		return
	}
	last := len(b.seats) - 1
	b.seats[i] = b.seats[last]
	b.at[b.seats[i].seat] = i
	b.seats[last] = listener{}
	b.seats = b.seats[:last]
	delete(b.at, st)
	if cap(b.seats) > 64 && len(b.seats) < cap(b.seats)/4 {
		b.seats = append([]listener(nil), b.seats...)
	}
}

// hides tells whether a session is not shown what comes from an address of the room:
// its account has blocked that, or the room. Who has blocked somebody's real address
// sees him in a room as all others are seen.
// XEP-0191#block
func (r *room) hides(s *core.Session, from jid.JID) bool {
	return s.Flag(core.Blocks) && r.svc.router.Blocked(s.JID, from)
}

// block is for how many receivers the lists of segments are made in one piece.
const block = 64

// spread sends one stanza to every session. Its bytes are shared: of each
// receiver there is only the to attribute, which is shared by all it is sent.
// tail is what the room adds to the content, nil for nothing.
func (b *back) spread(st *stanza.Stanza, tail []byte) {
	name := 1 + len(st.Kind.String()) // "<message"
	head, rest, end := st.Raw[:name:name], st.Opening()[name:], st.Closing()
	prompt := !stanza.RuleOf(&st.Head).Waits
	const parts = 5
	var lists [][]byte
	for i := range b.seats {
		if b.room.hides(b.seats[i].seat.session, st.From) {
			continue
		}
		if len(lists) == 0 {
			lists = make([][]byte, parts*min(block, len(b.seats)-i))
		}
		list := lists[:parts:parts]
		lists = lists[parts:]
		to := b.seats[i].seat
		list[0], list[1], list[2], list[3], list[4] = head, to.to, rest, tail, end
		to.session.Push(core.Packet{Segments: list, Prompt: prompt})
	}
}

// addressed is a stanza without a to, for one session.
func addressed(st *stanza.Stanza, to []byte, tail []byte) core.Packet {
	name := 1 + len(st.Kind.String())
	return core.Packet{Segments: [][]byte{st.Raw[:name:name], to, st.Opening()[name:], tail, st.Closing()}}
}

// show sends a presence to all sessions but those of an occupant, who are told
// by tellSelf; to moderators only where all is false. Real addresses are shown to those
// who may see them.
func (b *back) show(p notice, all bool, self []*seat) {
	var variants [2]*stanza.Stanza
	for i := range b.seats {
		l := &b.seats[i]
		if !all && !l.mod || contains(self, l.seat) || b.room.hides(l.seat.session, p.from) {
			continue
		}
		v := 0
		if b.open || l.mod {
			v = 1
		}
		if variants[v] == nil {
			variants[v] = p.stanza(v == 1)
		}
		l.seat.session.Push(addressed(variants[v], l.seat.to, nil))
	}
}

// tellSelf sends an occupant's sessions their own presence.
func (b *back) tellSelf(p notice, seats []*seat) {
	p.codes = append(append([]int(nil), p.codes...), 110)
	st := p.stanza(true)
	for _, s := range seats {
		s.session.Push(addressed(st, s.to, nil))
	}
}

func contains(all []*seat, st *seat) bool {
	for _, s := range all {
		if s == st {
			return true
		}
	}
	return false
}

// toAttr is ` to='…'`.
func toAttr(address string) []byte {
	b := append(make([]byte, 0, 8+len(address)), " to='"...)
	return append(xtok.Escape(b, address), '\'')
}
