package rooms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// room is the front of one room: what it is and who is in it. Everything that
// happens is decided here, under mu, on the reader of whoever causes it, and
// given its place by enter; its back tells the occupants.
type room struct {
	svc  *Rooms
	jid  jid.JID
	back back
	// entered counts what has a place and was not told yet.
	entered atomic.Int64
	size    atomic.Int64 // sessions inside
	// buried is closed once a destroyed room has left nothing behind: until then
	// nobody can make another of the same name.
	buried chan struct{}

	// mu guards the rest. It is held while affiliations and configuration are
	// written, never by the archive's release goroutine or the back.
	mu       sync.Mutex
	gone     bool // destroyed or unloaded: look it up again
	fresh    bool // made, and nobody has entered yet
	noted    bool // see note
	locked   bool // nobody but its owners may enter before it is configured
	cfg      Config
	creator  jid.JID
	affs     map[jid.JID]affiliated // by bare address; who is not there has None
	subject  subject
	secret   []byte // of occupant ids
	avatar   []byte // content of the vCard, nil for none
	link     *Link  // by which people come, nil for none
	requests map[jid.JID]request
	nicks    map[string]*occupant
	looks    map[string][]*occupant // by what the nick looks like: of one person all
	seats    map[*core.Session]*seat
	reserved map[string]jid.JID // by what a registered nick looks like: whose it is
	mods     map[*occupant]struct{}
	shown    map[*occupant]struct{} // those whom everybody was told of
	recent   []utterance            // what newcomers are shown, oldest first; see remember
	used     time.Time
}

// affiliated is someone's lasting relation to a room.
type affiliated struct {
	Affiliation Affiliation
	Nick        string // registered, "" for none
	Reason      string // of a ban
	Came        bool   // has been in the room as a member: see keys
}

// subject is what the room is about, and who said so.
type subject struct {
	Text string
	By   string // nick, "" for the room itself
	ID   string // the stanza's
	At   time.Time
	// Content is the children of the message as it was reflected.
	Content []byte
}

// occupant is one person under one nick, with one or more sessions.
type occupant struct {
	nick  string
	addr  jid.JID // room/nick
	real  jid.JID // bare
	role  Role
	seats []*seat // the first is the one that others are shown
	face  face
}

// seat is one session in a room.
type seat struct {
	session *core.Session
	who     *occupant
	content []byte // of its last presence, cleaned, with the occupant id
	lang    string // of that presence
	to      []byte // ` to='…'`, shared by all that it is sent
	// leaving says that the session became unavailable, bye, set before, with what it
	// said of that, nil for nothing: it is on its way out.
	leaving atomic.Bool
	bye     *stanza.Stanza
}

func newRoom(s *Rooms, j jid.JID) *room {
	r := &room{
		svc: s, jid: j, buried: make(chan struct{}), reserved: map[string]jid.JID{}, affs: map[jid.JID]affiliated{},
		requests: map[jid.JID]request{},
		nicks:    map[string]*occupant{}, looks: map[string][]*occupant{}, seats: map[*core.Session]*seat{},
		mods: map[*occupant]struct{}{}, shown: map[*occupant]struct{}{}, used: time.Now(),
	}
	r.back.init(r)
	return r
}

// affiliation is that of a bare address; under mu.
func (r *room) affiliation(bare jid.JID) Affiliation {
	if a, ok := r.affs[bare]; ok {
		return a.Affiliation
	}
	return None
}

// standingOf is what a session is in the room: as an occupant where it is one; under mu.
func (r *room) standingOf(s *core.Session) Standing {
	is := Standing{r.affiliation(s.JID.Bare()), Nobody}
	if st := r.seat(s); st != nil {
		is.Role = st.who.role
	}
	return is
}

// owners is how many there are; under mu.
func (r *room) owners() (n int) {
	for _, a := range r.affs {
		if a.Affiliation == Owner {
			n++
		}
	}
	return n
}

// seat is a session's, nil when it is not in the room; under mu. One that
// became unavailable leaves now, before anything else that it does.
func (r *room) seat(s *core.Session) *seat {
	st := r.seats[s]
	if st != nil && st.leaving.Load() {
		r.leave(st, r.farewell(st))
		return nil
	}
	return st
}

// occupantsOf are those of a bare address; under mu.
func (r *room) occupantsOf(bare jid.JID) (all []*occupant) {
	for _, o := range r.nicks {
		if o.real == bare {
			all = append(all, o)
		}
	}
	return all
}

// occupantID names a person within the room for good and tells nothing else.
// XEP-0421#id-generation
func (r *room) occupantID(bare jid.JID) string {
	h := hmac.New(sha256.New, r.secret)
	h.Write([]byte(bare.String()))
	if n := r.svc.former.of(bare); n > 0 {
		fmt.Fprintf(h, "\x00%d", n) // is in no address
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// appendID appends a person's <occupant-id/>.
func (r *room) appendID(b []byte, bare jid.JID) []byte {
	return appendOccupant(b, r.occupantID(bare))
}

func appendOccupant(b []byte, id string) []byte {
	return append(append(append(b, "<occupant-id xmlns='"+nsOccupant+"' id='"...), id...), "'/>"...)
}

// enter gives a transit its place: act tells the occupants, on the back, after
// everything that was entered before, once that is durable. Under mu.
func (r *room) enter(t *core.Transit, act func(b *back)) {
	r.entered.Add(1)
	r.used = t.Time
	r.svc.router.Enter(t, func(t *core.Transit) {
		if t.Repeats {
			act = func(*back) {}
		}
		r.back.add(act)
	})
}

// event enters what no stanza of a session stands for.
func (r *room) event(act func(b *back)) {
	r.enter(&core.Transit{Time: time.Now(), Head: stanza.Head{From: r.jid}}, act)
}

// address is that of an occupant of this nick, which was checked.
func (r *room) address(nick string) jid.JID {
	j, err := r.jid.WithResource(nick)
	if err != nil {
		return r.jid
	}
	return j
}

// put gives a seat its occupant, who may be there already; under mu.
func (r *room) put(st *seat, nick string, role Role) *occupant {
	o := r.nicks[nick]
	if o == nil {
		o = &occupant{nick: nick, addr: r.address(nick), real: st.session.JID.Bare(), role: role}
		r.nicks[nick] = o
		for _, l := range looks(nick) {
			r.looks[l] = append(r.looks[l], o)
		}
	}
	o.seats = append(o.seats, st)
	st.who = o
	r.seats[st.session] = st
	r.size.Store(int64(len(r.seats)))
	r.setRole(o, o.role)
	return o
}

// take is the reverse: the last seat takes the occupant with it.
func (r *room) take(st *seat) {
	o := st.who
	delete(r.seats, st.session)
	r.size.Store(int64(len(r.seats)))
	for i, other := range o.seats {
		if other == st {
			o.seats = append(o.seats[:i:i], o.seats[i+1:]...)
			break
		}
	}
	if len(o.seats) == 0 {
		r.forget(o)
	}
}

func (r *room) forget(o *occupant) {
	delete(r.nicks, o.nick)
	for _, l := range looks(o.nick) {
		r.looks[l] = slices.DeleteFunc(r.looks[l], func(other *occupant) bool { return other == o })
		if len(r.looks[l]) == 0 {
			delete(r.looks, l)
		}
	}
	delete(r.mods, o)
	delete(r.shown, o)
}

func (r *room) setRole(o *occupant, role Role) {
	o.role = role
	if role == Moderator {
		r.mods[o] = struct{}{}
	} else {
		delete(r.mods, o)
	}
}

// crowd is from how many sessions on a room does not tell everybody of everyone
// who comes and goes, but only moderators: one joining in a room of n costs n
// packets, and n joining cost n². At this size a join costs what a message does
// in the largest groups of friends, and a list of it is 150 kB.
const crowd = 500

// tells decides whether all are told of an occupant's presence. Once they were,
// they are told of everything until he leaves; under mu.
// XEP-0045#roomconfig (muc#roomconfig_presencebroadcast)
func (r *room) tells(o *occupant) bool {
	if _, ok := r.shown[o]; ok {
		return true
	}
	if r.cfg.Broadcast[o.role] && (o.role == Moderator || len(r.seats) <= crowd) {
		r.shown[o] = struct{}{}
		return true
	}
	return false
}

// listMost is how many a newcomer to a crowd is shown besides moderators: who
// speaks is seen anyway, and a list of all would be a megabyte.
const listMost = 50

// listed are the occupants that a newcomer is shown, those of self excepted;
// under mu.
func (r *room) listed(self *occupant) []*occupant {
	most := len(r.shown)
	if len(r.seats) > crowd {
		most = listMost
	}
	all := make([]*occupant, 0, most+len(r.mods))
	for o := range r.mods {
		if _, ok := r.shown[o]; o != self && (ok || self.role == Moderator) {
			all = append(all, o)
		}
	}
	for o := range r.shown {
		if most--; most < 0 {
			break
		}
		if o != self && o.role != Moderator {
			all = append(all, o)
		}
	}
	return all
}
