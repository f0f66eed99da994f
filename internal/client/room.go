package client

import (
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// room is a group chat we are in, or want to be in. Exported fields are kept.
type room struct {
	Address   string            `json:"address"`
	Name      string            `json:"name,omitempty"`
	Nick      string            `json:"nick"`
	Encrypted bool              `json:"encrypted,omitempty"` // private: its members are known to each other
	Members   map[string]string `json:"members,omitempty"`   // address → owner, admin, member
	Archived  bool              `json:"archived,omitempty"`  // it has an archive
	Left      bool              `json:"left,omitempty"`      // from another device, or it is gone: not entered by itself
	Told      bool              `json:"told,omitempty"`      // its members were asked for once: who comes later is news
	Openly    bool              `json:"openly,omitempty"`    // a person writes in the clear here although others encrypt
	Asked     bool              `json:"asked,omitempty"`     // we wait for an admin to let us in
	Asking    []string          `json:"asking,omitempty"`    // who asks us, an admin, to be let in
	Since     time.Time         `json:"since,omitzero"`      // when we have come, from this device; zero: not known

	joined, joining bool
	live            bool                // what is said in it comes to its place, since its archive was asked where we are
	making          bool                // CreateRoom has made its name: it is to be new
	until           time.Time           // when to give up joining
	heard           time.Time           // when it last said something
	pinging         bool                // whether we are in it is being asked
	tries           int                 // nicks tried
	occupants       map[string]occupant // by nick
	nicks           map[string]string   // address → a nick of theirs, of who is in now
	real            map[string]string   // occupant-id → address
	self            string              // our own occupant-id; "": the room gives none out
	wait            []func(error)       // who waits to be in
	was             map[string]bool     // who was a member before what people are not told yet, or was none
	naming          map[string]bool     // whom we make a member ourselves
	noted           int                 // lines about members since notedAt
	notedAt         time.Time

	listed  bool // who is here was asked for, and nothing of it has changed
	linked  bool // it can have a link
	knocked bool // who asks to be let in is being asked

	details  details
	to       []jid.JID // members but oneself, nil when it is to be made anew
	lock     *port.Lock
	lockAt   uint64 // the keys' generation then
	lockTime time.Time
}

// occupant is somebody who is in a room now.
type occupant struct {
	address, id, affiliation string
}

// mostReal bounds what is remembered of a room's people.
const mostReal = 20_000

// opened makes a room usable that was read from its row.
func (r *room) opened() *room {
	if r.Members == nil {
		r.Members = map[string]string{}
	}
	r.occupants, r.nicks, r.real = map[string]occupant{}, map[string]string{}, map[string]string{}
	r.was, r.naming = map[string]bool{}, map[string]bool{}
	return r
}

func (r *room) has(who jid.JID) bool { return r.Members[who.String()] != "" }

// others are the members that a message is for, by address.
func (r *room) others(own jid.JID) []jid.JID {
	if r.to != nil {
		return r.to
	}
	r.to = make([]jid.JID, 0, len(r.Members))
	for address := range r.Members {
		if m, err := jid.Parse(address); err == nil && m != own {
			r.to = append(r.to, m)
		}
	}
	slices.SortFunc(r.to, func(a, b jid.JID) int { return compare(a.String(), b.String()) })
	return r.to
}

// affiliate notes what somebody is in the room, and tells whether it is news.
func (r *room) affiliate(address, affiliation string) (news bool) {
	member := affiliation == "owner" || affiliation == "admin" || affiliation == "member"
	before := r.Members[address]
	r.changing(address)
	switch {
	case member && (before != "" || len(r.Members) < mostReal):
		r.Members[address] = affiliation
	case !member:
		delete(r.Members, address)
	}
	if news = before != r.Members[address]; news {
		r.to, r.lock = nil, nil
		r.Asking = slices.DeleteFunc(r.Asking, func(a string) bool { return member && a == address })
	}
	return news
}

// comes notes who is in now.
func (r *room) comes(nick string, o occupant) {
	r.goes(nick)
	if len(r.occupants) >= mostReal {
		return
	}
	r.occupants[nick] = o
	if o.address == "" {
		return
	}
	r.nicks[o.address] = nick
	if o.id != "" && (r.real[o.id] != "" || len(r.real) < mostReal) {
		r.real[o.id] = o.address
	}
}

// goes notes who is not in any more.
func (r *room) goes(nick string) {
	o, in := r.occupants[nick]
	if !in {
		return
	}
	delete(r.occupants, nick)
	if r.nicks[o.address] == nick {
		delete(r.nicks, o.address)
	}
}

// out notes that we are in it no more; who waits to be in hears why.
func (r *room) out(why error) {
	r.joined, r.joining, r.live, r.pinging, r.until = false, false, false, false, time.Time{}
	clear(r.occupants)
	clear(r.nicks)
	r.entered(why)
}

// entered tells everybody who has waited for it.
func (r *room) entered(err error) {
	wait := r.wait
	r.wait = nil
	for _, f := range wait {
		f(err)
	}
}

// keepRoom stores a room, with the lines that tell of its members, and tells of its chat.
func (e *Engine) keepRoom(r *room) bool {
	var b keep.Batch
	events, err := e.noteMembers(&b, r)
	if err != nil {
		e.breakDown(err)
		return false
	}
	put(&b, roomTable, r.Address, r)
	if s := e.chats[r.Address]; r.Encrypted && !s.Room {
		s.Room = true
		e.chats[r.Address] = s
		put(&b, chatTable, r.Address, s)
	}
	if !e.keepBatch(&b) {
		return false
	}
	e.tell(events...)
	e.tell(e.lines.Touch(r.Address)...)
	e.tellRoom(r)
	return e.broken == nil
}

// roomEnvelope says who speaks in a room. Live, the room's own list of who is in it tells;
// of the past its archive does, and occupant-ids where it gives those out. What the
// message itself claims counts for nothing.
// XEP-0421 §4, XEP-0313 §4.1.2
func (e *Engine) roomEnvelope(env timeline.Envelope, r *room, el xtok.Elem, from jid.JID) timeline.Envelope {
	env.Chat, env.Room = r.Address, true
	if from.IsBare() {
		env.FromRoom, env.Sender = true, r.Address
		return env
	}
	env.Name = from.Resource()
	if r.self != "" {
		env.Occupant = el.Child(nsOccupant, "occupant-id").Attr("id")
	}
	switch env.Source {
	case timeline.Archive:
		env.Real = r.inArchive(env.Occupant, el)
	case timeline.Offline:
		env.Real = r.real[env.Occupant]
	default:
		env.Real = r.occupants[env.Name].address
		env.Mine = r.joined && env.Name == r.Nick
	}
	env.Mine = env.Mine || env.Real == e.own.String() || env.Occupant != "" && env.Occupant == r.self
	if env.Mine {
		env.Real = e.own.String()
	}
	if env.Sender = env.Real; env.Sender == "" {
		env.Sender = r.nickName(env.Name)
	}
	return env
}

// inArchive is who said what an archive holds: who is known by that occupant-id, or whom the
// archive names.
func (r *room) inArchive(occupant string, el xtok.Elem) string {
	if known := r.real[occupant]; known != "" {
		return known
	}
	j, err := jid.Parse(el.Child(nsMUCUser, "x").Child(nsMUCUser, "item").Attr("jid"))
	if err != nil {
		return ""
	}
	return j.Bare().String()
}

// nickName is a nick as a sender's name: never what could be taken for an address.
func (r *room) nickName(nick string) string {
	if strings.Contains(nick, "@") {
		return r.Address + "/" + nick
	}
	return nick
}

// members is what ListMembers is answered by.
func (r *room) members() []port.Member {
	here := map[string]string{}
	var list []port.Member
	for nick, o := range r.occupants {
		if o.address == "" {
			list = append(list, port.Member{Nick: nick, Role: o.affiliation, Here: true})
		} else {
			here[o.address] = nick
		}
	}
	for address, role := range r.Members {
		nick, in := here[address]
		list = append(list, port.Member{Nick: nick, Address: address, Role: role, Here: in})
		delete(here, address)
	}
	for address, nick := range here {
		list = append(list, port.Member{Nick: nick, Address: address, Role: "none", Here: true})
	}
	slices.SortFunc(list, func(a, b port.Member) int { return compare(a.Address+a.Nick, b.Address+b.Nick) })
	return list
}
