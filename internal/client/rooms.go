package client

import (
	"errors"
	"slices"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	// enterTime bounds how long a room may take to let us in or not.
	enterTime = 20 * time.Second
	// quietTime is how long a room may say nothing until it is asked whether we are in it.
	// XEP-0410 §3
	quietTime = 15 * time.Minute
)

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
		return
	}
	r.until = e.Now().Add(enterTime)
	e.roomsBy = sooner(r.until, e.roomsBy)
}

// leaveRooms notes that without a session we are in no room.
func (e *Engine) leaveRooms() {
	for _, r := range e.rooms {
		r.out(conn.ErrLost)
		e.membersChanged(r)
	}
}

// lookAfterRooms gives up on rooms that do not answer, and asks those that have been quiet for
// long whether we are still in them.
func (e *Engine) lookAfterRooms(now time.Time) {
	if e.roomsBy.IsZero() || now.Before(e.roomsBy) {
		return
	}
	e.roomsBy = time.Time{}
	for _, r := range e.rooms {
		switch {
		case r.joining && !now.Before(r.until):
			r.out(conn.ErrTimeout)
			e.arrived(r.Address)
		case r.joining:
			e.roomsBy = sooner(r.until, e.roomsBy)
		case r.joined && now.Sub(r.heard) >= quietTime:
			e.selfPing(r)
		}
		if r.joined {
			e.roomsBy = sooner(r.heard.Add(quietTime), e.roomsBy)
		}
	}
}

// selfPing asks a room whether we are in it; if not we enter again.
// XEP-0410 §3
func (e *Engine) selfPing(r *room) {
	to, err := jid.Parse(r.Address + "/" + r.Nick)
	if err != nil || r.pinging {
		return
	}
	r.pinging, r.heard = true, e.Now()
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<ping xmlns='urn:xmpp:ping'/>")}, func(_ *conn.Stanza, err error) {
		r.pinging = false
		var no *stanza.StanzaError
		if !r.joined || e.rooms[r.Address] != r || !errors.As(err, &no) {
			return
		}
		switch no.Condition {
		case stanza.ServiceUnavailable, stanza.FeatureNotImplemented, stanza.ItemNotFound: // asked one of us, who is in
		case stanza.RemoteServerNotFound, stanza.RemoteServerTimeout: // not known
		default:
			e.lines.Offline(r.Address)
			r.out(err)
			e.enter(r, nil)
		}
	})
}

// occupant takes presence from a room. XEP-0045 §7.2, §9
func (e *Engine) occupant(r *room, s *conn.Stanza) {
	x := s.Elem.Child(nsMUCUser, "x")
	codes, item := statusCodes(x), x.Child(nsMUCUser, "item")
	nick := s.From.Resource()
	r.heard = e.Now()
	switch {
	case s.Type == stanza.Error:
		e.notLetIn(r, stanza.ReadError(s.Elem))
	case nick == "": // of the room itself: it is nobody in it
	case s.Type == "unavailable":
		e.wentOut(r, nick, codes, x)
	case s.Type == stanza.Available:
		e.cameIn(r, nick, occupantOf(s.Elem, item), codes)
	}
}

func occupantOf(el, item xtok.Elem) occupant {
	o := occupant{id: el.Child(nsOccupant, "occupant-id").Attr("id"), affiliation: item.Attr("affiliation")}
	if j, err := jid.Parse(item.Attr("jid")); err == nil {
		o.address = j.Bare().String()
	}
	return o
}

func (e *Engine) cameIn(r *room, nick string, o occupant, codes []string) {
	r.comes(nick, o)
	e.membersChanged(r)
	if o.address != "" && r.affiliate(o.address, o.affiliation) && r.joined {
		e.keepRoom(r)
	}
	if slices.Contains(codes, "110") && r.joining {
		e.isMe(r, nick, o, slices.Contains(codes, "201"))
	}
}

// isMe takes one's own presence: we are in. A room that did not exist before is none that
// anybody meant: a name mistyped, or one that was destroyed. It is left as it was.
// XEP-0045 §10.1
func (e *Engine) isMe(r *room, nick string, o occupant, made bool) {
	r.Nick, r.self = nick, o.id
	if !made || r.making {
		e.isIn(r)
		return
	}
	to, _ := jid.Parse(r.Address)
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: []byte("<query xmlns='" + nsMUCOwner + "'><x xmlns='jabber:x:data' type='cancel'/></query>")}, nil)
	e.send([]byte("<presence xmlns='jabber:client' type='unavailable' to='"+esc(r.Address+"/"+r.Nick)+"'/>"), 0)
	r.out(stanza.Errorf(stanza.ItemNotFound, "there is no such room"))
	e.arrived(r.Address)
}

func statusCodes(x xtok.Elem) (codes []string) {
	for c := range x.Children() {
		if c.Is(nsMUCUser, "status") && len(codes) < 16 {
			codes = append(codes, c.Attr("code"))
		}
	}
	return codes
}

// isIn follows on being let in: what the room is, who is its member, and what was
// said meanwhile.
func (e *Engine) isIn(r *room) {
	r.joined, r.joining, r.tries, r.until, r.Left = true, false, 0, time.Time{}, false
	e.roomsBy = sooner(r.heard.Add(quietTime), e.roomsBy)
	if !e.cameInside(r) || !e.keepRoom(r) {
		return
	}
	e.askRoom(r, func() {
		e.askDoor(r)
		r.entered(nil)
		r.live = true
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

// askRoom asks what a room is and who its members are; then is called when we are
// still in it.
func (e *Engine) askRoom(r *room, then func()) {
	to, _ := jid.Parse(r.Address)
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<query xmlns='" + nsInfo + "'/>")}, func(s *conn.Stanza, err error) {
		if err == nil {
			r.read(s.Elem.First())
		}
		e.askMembers(r, to, []string{"owner", "admin", "member"}, func() {
			r.Told = r.Told || r.joined && r.Encrypted
			if r.joined && e.keepRoom(r) {
				then()
			}
		})
	})
}

// read takes what disco#info says of a room.
func (r *room) read(q xtok.Elem) {
	var private, open, archived, linked bool
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
		case c.AttrIs("var", nsRooms+"#link"):
			linked = true
		}
	}
	// Once encrypted it stays so: what the server says now must not open it.
	r.Encrypted = r.Encrypted || private && open
	r.Archived, r.linked = archived, linked
	r.readDetails(q)
}

// askMembers asks for one list after the other; who is in none of them any more is no member.
// A list that is not told leaves those who were on it. XEP-0045 §9.5
func (e *Engine) askMembers(r *room, to jid.JID, lists []string, then func()) {
	listed, told := map[string]string{}, map[string]bool{}
	var next func(i int)
	next = func(i int) {
		if i == len(lists) {
			r.replaceMembers(listed, told)
			then()
			return
		}
		payload := "<query xmlns='" + nsMUCAdmin + "'><item affiliation='" + lists[i] + "'/></query>"
		e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte(payload)}, func(s *conn.Stanza, err error) {
			if err == nil {
				told[lists[i]] = true
				for item := range s.Elem.Child(nsMUCAdmin, "query").Children() {
					if j, err := jid.Parse(item.Attr("jid")); err == nil && len(listed) < mostReal {
						listed[j.Bare().String()] = lists[i]
					}
				}
			}
			next(i + 1)
		})
	}
	next(0)
}

// replaceMembers takes the lists that a room has told. Every room has an owner: when nobody is
// on any, it has told nothing.
func (r *room) replaceMembers(listed map[string]string, told map[string]bool) {
	if len(listed) == 0 {
		return
	}
	for address, affiliation := range r.Members {
		if _, known := listed[address]; !known && !told[affiliation] {
			listed[address] = affiliation
		}
	}
	for address := range r.Members {
		r.changing(address)
	}
	for address := range listed {
		r.changing(address)
	}
	r.Members, r.to, r.lock = listed, nil, nil
}

// notLetIn takes a refusal to let us in. XEP-0045 §7.2.5–7.2.10
func (e *Engine) notLetIn(r *room, err *stanza.StanzaError) {
	if r.joined || !r.joining {
		return
	}
	r.joining = false
	if err.Condition == stanza.Conflict && r.tries < 3 {
		r.tries++
		r.Nick += "_"
		e.enter(r, nil)
		return
	}
	r.out(err)
	e.arrived(r.Address)
}

// wentOut takes who has left, and why when it is us.
func (e *Engine) wentOut(r *room, nick string, codes []string, x xtok.Elem) {
	item := x.Child(nsMUCUser, "item")
	r.goes(nick)
	e.membersChanged(r)
	if j, err := jid.Parse(item.Attr("jid")); err == nil && item.HasAttr("affiliation") {
		if r.affiliate(j.Bare().String(), item.Attr("affiliation")) && r.joined && nick != r.Nick {
			e.keepRoom(r)
		}
	}
	if !r.joined || !slices.Contains(codes, "110") && nick != r.Nick {
		return
	}
	if slices.Contains(codes, "303") { // a new name, under which we come in next
		if name := item.Attr("nick"); validNick(r.Address, name) {
			r.Nick = name
			e.keepRoom(r)
		}
		return
	}
	e.putOut(r, codes, x.Child(nsMUCUser, "destroy").OK())
}

// putOut follows on our being out of a room by somebody else's doing. One that is destroyed
// is not entered again: that would make it anew.
// XEP-0045 §8.2, §9.1, §10.9
func (e *Engine) putOut(r *room, codes []string, destroyed bool) {
	e.lines.Offline(r.Address)
	r.out(stanza.Errorf(stanza.NotAllowed, "we were put out of the room"))
	notice := ""
	for _, w := range [][2]string{{"307", "kicked"}, {"321", "removed"}, {"322", "removed"}, {"301", "banned"}} {
		if slices.Contains(codes, w[0]) {
			notice = w[1]
		}
	}
	if destroyed {
		notice, r.Left = "destroyed", true
		e.unbookmark(r.Address)
	}
	if notice == "" || e.change(e.lines.Notice(r.Address, true, notice, nil, e.Now())) {
		e.keepRoom(r)
	}
}

// roomSays takes what a room itself tells all: a changed configuration, and who
// has become or is no longer a member. XEP-0045 §9, §10.2
func (e *Engine) roomSays(address string, el xtok.Elem) {
	r := e.rooms[address]
	x := el.Child(nsMUCUser, "x")
	if r != nil && r.joined && el.Child(form.NS, "x").OK() { // somebody asks to be let in
		e.askDoor(r)
	}
	if r == nil || !x.OK() || !r.joined {
		return
	}
	e.membersChanged(r)
	if slices.Contains(statusCodes(x), "104") {
		e.reconfigured(r)
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

// reconfigured asks a room anew what it is; a line says so when it is called otherwise.
func (e *Engine) reconfigured(r *room) {
	before, making := r.Name, r.making
	e.askRoom(r, func() {
		if r.Name == before || before == "" || making || e.change(e.lines.Notice(r.Address, true, "renamed", []string{r.Name}, e.Now())) {
			e.pump()
		}
	})
}

// defaultNick is what we are called in a room where nobody has said otherwise.
func (e *Engine) defaultNick() string {
	nick, _, _ := strings.Cut(e.own.String(), "@")
	return nick
}

// validNick tells whether we can be called so in a room.
func validNick(address, nick string) bool {
	j, err := jid.Parse(address + "/" + nick)
	return err == nil && nick != "" && j.Resource() != ""
}

// roomAddress reads a room's address; "" for what is none, or cannot be one: a person with whom we
// have to do does not become a room, which is perhaps not encrypted, because a server says so.
func (e *Engine) roomAddress(text string, byHand bool) string {
	j, err := jid.Parse(strings.TrimSpace(text))
	if err != nil || j.Local() == "" || j.Bare() == e.own {
		return ""
	}
	address := j.Bare().String()
	c := e.people[address]
	friend := c != nil && c.Subscription != "" && c.Subscription != "none"
	if friend || !byHand && e.rooms[address] == nil && (e.chats[address].Wrote || e.wroteSecretly(j.Bare())) {
		return ""
	}
	return address
}

// wroteSecretly tells whether there is a conversation of two with somebody that was encrypted once.
func (e *Engine) wroteSecretly(who jid.JID) bool {
	c, there := e.lines.Chat(who.String())
	return there && !c.Room && e.keys.Encrypted(who)
}

// wanted is the room with that address, made if need be.
func (e *Engine) wanted(address, nick string) *room {
	r := e.rooms[address]
	if r == nil {
		r = (&room{Address: address, Encrypted: e.chats[address].Room}).opened()
		e.rooms[address] = r
	}
	switch {
	case !r.joined && validNick(address, nick):
		r.Nick = nick
	case r.Nick == "":
		r.Nick = e.defaultNick()
	}
	return r
}
