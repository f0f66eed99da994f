package client

import (
	"slices"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
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

	joined, joining bool
	tries           int                 // nicks tried
	occupants       map[string]occupant // by nick
	real            map[string]string   // occupant-id → address
	self            string              // our own occupant-id
	created         bool                // it did not exist before we came: to be configured
	wait            []func(error)       // who waits to be in
}

// occupant is somebody who is in a room now.
type occupant struct {
	address, id, affiliation string
}

// opened makes a room usable that was read from its row.
func (r *room) opened() *room {
	if r.Members == nil {
		r.Members = map[string]string{}
	}
	r.occupants, r.real = map[string]occupant{}, map[string]string{}
	return r
}

func (r *room) has(who jid.JID) bool { return r.Members[who.String()] != "" }

// keepRoom stores a room and tells of its chat.
func (e *Engine) keepRoom(r *room) bool {
	var b keep.Batch
	put(&b, roomTable, r.Address, r)
	if !e.keepBatch(&b) {
		return false
	}
	e.tell(e.lines.Touch(r.Address)...)
	return true
}

// enter joins a room. Its history is asked of the archive, not of the room.
// XEP-0045 §7.2
func (e *Engine) enter(r *room, then func(error)) {
	if then != nil {
		r.wait = append(r.wait, then)
	}
	if r.joined {
		r.entered(nil)
		return
	}
	if r.joining {
		return
	}
	r.joining = e.send([]byte("<presence xmlns='jabber:client' to='"+esc(r.Address+"/"+r.Nick)+"'><x xmlns='"+nsMUC+"'><history maxstanzas='0'/></x>"+
		e.capsElement()+"</presence>"), 0)
	if !r.joining {
		r.entered(conn.ErrDown)
	}
}

// entered tells everybody who has waited for it.
func (r *room) entered(err error) {
	wait := r.wait
	r.wait = nil
	for _, f := range wait {
		f(err)
	}
}

// leaveRooms notes that without a stream we are in no room.
func (e *Engine) leaveRooms() {
	for _, r := range e.rooms {
		r.joined, r.joining = false, false
		clear(r.occupants)
		e.lines.Offline(r.Address)
	}
}

// occupant takes presence from a room. XEP-0045 §7.2, §9
func (e *Engine) occupant(r *room, s *conn.Stanza) {
	x := s.Elem.Child(nsMUCUser, "x")
	codes, item := statusCodes(x), x.Child(nsMUCUser, "item")
	nick := s.From.Resource()
	switch s.Type {
	case stanza.Error:
		e.notLetIn(r, stanza.ReadError(s.Elem.Child(stanza.NSClient, "error")))
		return
	case "unavailable":
		e.wentOut(r, nick, codes, item)
		return
	case stanza.Available:
	default:
		return
	}
	o := occupant{id: s.Elem.Child(nsOccupant, "occupant-id").Attr("id"), affiliation: item.Attr("affiliation")}
	if j, err := jid.Parse(item.Attr("jid")); err == nil {
		o.address = j.Bare().String()
		r.affiliate(o.address, o.affiliation)
		if o.id != "" && len(r.real) < mostReal {
			r.real[o.id] = o.address
		}
	}
	if len(r.occupants) < mostReal {
		r.occupants[nick] = o
	}
	if slices.Contains(codes, "110") && !r.joined {
		r.Nick, r.self, r.created = nick, o.id, slices.Contains(codes, "201")
		e.isIn(r)
	}
}

// mostReal bounds what is remembered of a room's people.
const mostReal = 20_000

// affiliate notes what somebody is in the room; not whether it is news.
func (r *room) affiliate(address, affiliation string) (news bool) {
	member := affiliation == "owner" || affiliation == "admin" || affiliation == "member"
	before := r.Members[address]
	switch {
	case member && len(r.Members) < mostReal:
		r.Members[address] = affiliation
	case !member:
		delete(r.Members, address)
	}
	return before != r.Members[address]
}

func statusCodes(x xtok.Elem) (codes []string) {
	for c := range x.Children() {
		if c.Is(nsMUCUser, "status") {
			codes = append(codes, c.Attr("code"))
		}
	}
	return codes
}

// isIn follows on being let in: what the room is, who is its member, and what was
// said meanwhile.
func (e *Engine) isIn(r *room) {
	r.joined, r.joining, r.tries = true, false, 0
	if !e.keepRoom(r) {
		return
	}
	e.askRoom(r, func() {
		r.entered(nil)
		change, err := e.lines.Online(r.Address, false)
		switch {
		case !e.change(change, err):
			return
		case r.Archived:
			e.catchUp(r.Address)
		default:
			e.arrived(r.Address)
		}
		e.pump()
	})
}

// askRoom asks what a room is and who its members are.
func (e *Engine) askRoom(r *room, then func()) {
	to, err := jid.Parse(r.Address)
	if err != nil {
		return
	}
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<query xmlns='http://jabber.org/protocol/disco#info'/>")}, func(s *conn.Stanza, err error) {
		if err == nil {
			r.read(s.Elem.First())
		}
		e.askMembers(r, to, []string{"owner", "admin", "member"}, func() {
			if e.keepRoom(r) {
				then()
			}
		})
	})
}

// read takes what disco#info says of a room.
func (r *room) read(q xtok.Elem) {
	var private, open, archived bool
	for c := range q.Children() {
		switch {
		case c.Local() == "identity" && c.AttrIs("category", "conference") && c.Attr("name") != "":
			r.Name = c.Attr("name")
		case c.AttrIs("var", "muc_membersonly"):
			private = true
		case c.AttrIs("var", "muc_nonanonymous"):
			open = true
		case c.AttrIs("var", nsMAM):
			archived = true
		}
	}
	// Once encrypted it stays so: what the server says now must not open it.
	r.Encrypted = r.Encrypted || private && open
	r.Archived = archived
}

// askMembers asks for one list after the other; who is in none of them any more
// is no member. A list that is not to be had stays as it was. XEP-0045 §9.5
func (e *Engine) askMembers(r *room, to jid.JID, lists []string, then func()) {
	listed := map[string]string{}
	var next func(i int)
	next = func(i int) {
		if i == len(lists) {
			if len(listed) > 0 {
				r.Members = listed
			}
			then()
			return
		}
		payload := "<query xmlns='" + nsMUCAdmin + "'><item affiliation='" + lists[i] + "'/></query>"
		e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte(payload)}, func(s *conn.Stanza, err error) {
			if err != nil {
				r.copyMembers(listed, lists[i])
				next(i + 1)
				return
			}
			for item := range s.Elem.Child(nsMUCAdmin, "query").Children() {
				if j, err := jid.Parse(item.Attr("jid")); err == nil && len(listed) < mostReal {
					listed[j.Bare().String()] = lists[i]
				}
			}
			next(i + 1)
		})
	}
	next(0)
}

// copyMembers adds those of one affiliation who are not in a list yet.
func (r *room) copyMembers(to map[string]string, affiliation string) {
	for address, has := range r.Members {
		if to[address] == "" && has == affiliation {
			to[address] = has
		}
	}
}

// notLetIn takes a refusal to let us in. XEP-0045 §7.2.5–7.2.10
func (e *Engine) notLetIn(r *room, err *stanza.StanzaError) {
	if r.joined || !r.joining {
		return
	}
	r.joining = false
	if err != nil && err.Condition == stanza.Conflict && r.tries < 3 {
		r.tries++
		r.Nick += "_"
		e.enter(r, nil)
		return
	}
	r.entered(err)
}

// wentOut takes who has left, and why when it is us.
func (e *Engine) wentOut(r *room, nick string, codes []string, item xtok.Elem) {
	delete(r.occupants, nick)
	if j, err := jid.Parse(item.Attr("jid")); err == nil && item.HasAttr("affiliation") {
		r.affiliate(j.Bare().String(), item.Attr("affiliation"))
	}
	if !slices.Contains(codes, "110") && nick != r.Nick {
		return
	}
	if slices.Contains(codes, "303") { // a new name
		r.Nick = item.Attr("nick")
		return
	}
	r.joined, r.joining = false, false
	e.lines.Offline(r.Address)
	for code, notice := range map[string]string{"301": "banned", "307": "kicked", "321": "removed", "322": "removed"} {
		if slices.Contains(codes, code) {
			e.change(e.lines.Notice(r.Address, true, notice, nil, e.Now()))
		}
	}
	e.keepRoom(r)
}

// roomSays takes what a room itself tells all: a changed configuration, and who
// has become or is no longer a member. XEP-0045 §9, §10.2
func (e *Engine) roomSays(address string, el xtok.Elem) {
	r := e.rooms[address]
	x := el.Child(nsMUCUser, "x")
	if r == nil || !x.OK() || !r.joined {
		return
	}
	if slices.Contains(statusCodes(x), "104") {
		e.askRoom(r, e.pump)
	}
	news := false
	for item := range x.Children() {
		if j, err := jid.Parse(item.Attr("jid")); err == nil && item.Local() == "item" && item.HasAttr("affiliation") {
			news = r.affiliate(j.Bare().String(), item.Attr("affiliation")) || news
		}
	}
	if news && e.keepRoom(r) {
		e.pump()
	}
}

// roomEnvelope says who speaks in a room. Live, the room's own list of who is in it
// tells; of the past its archive does, and occupant-ids.
func (e *Engine) roomEnvelope(env timeline.Envelope, r *room, el xtok.Elem, from jid.JID) timeline.Envelope {
	env.Chat, env.Room = r.Address, true
	if from.IsBare() {
		env.FromRoom, env.Sender = true, r.Address
		return env
	}
	env.Name = from.Resource()
	env.Occupant = el.Child(nsOccupant, "occupant-id").Attr("id")
	switch env.Source {
	case timeline.Archive, timeline.Offline:
		if j, err := jid.Parse(el.Child(nsMUCUser, "x").Child(nsMUCUser, "item").Attr("jid")); err == nil {
			env.Real = j.Bare().String()
		} else {
			env.Real = r.real[env.Occupant]
		}
	default:
		env.Real = r.occupants[env.Name].address
	}
	env.Mine = env.Real == e.own.String() || env.Occupant != "" && env.Occupant == r.self
	if env.Mine {
		env.Real = e.own.String()
	}
	env.Sender = env.Real
	if env.Sender == "" {
		env.Sender = env.Name
	}
	return env
}

// defaultNick is what we are called in a room where nobody has said otherwise.
func (e *Engine) defaultNick() string {
	nick, _, _ := strings.Cut(e.own.String(), "@")
	return nick
}

// wanted is the room with that address, made if need be.
func (e *Engine) wanted(address, nick string) *room {
	r := e.rooms[address]
	if r == nil {
		r = (&room{Address: address}).opened()
		e.rooms[address] = r
	}
	switch {
	case nick != "" && !r.joined:
		r.Nick = nick
	case r.Nick == "":
		r.Nick = e.defaultNick()
	}
	return r
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
