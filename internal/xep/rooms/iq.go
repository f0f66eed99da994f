package rooms

import (
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// maxItems is how many changes one request may ask for, maxReason how long a
// reason may be, in bytes, maxAffiliations how many people a room may know.
const (
	maxItems        = 1000
	maxReason       = 1024
	maxAffiliations = 20_000
)

// adminIQ reads and changes lists of people.
// XEP-0045#moderator, XEP-0045#admin, XEP-0045#owner
func (s *Rooms) adminIQ(q *core.Query) (payload []byte, err error) {
	if q.Session == nil {
		return nil, stanza.Errorf(stanza.Forbidden, "")
	}
	items, err := readItems(q.Payload)
	if err != nil {
		return nil, err
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		r.seat(q.Session)
		if r.gone {
			return errAgain
		}
		if !q.Set() {
			payload, err = r.people(q, items)
			return err
		}
		return r.changePeople(q, items)
	})
	return payload, err
}

// item is one <item/> of a request.
type item struct {
	nick   string
	jid    jid.JID // bare
	aff    Affiliation
	role   Role
	hasAff bool
	hasOf  bool // a role
	named  bool // there is a nick, be it the empty one
	reason string
}

func readItems(query xtok.Elem) (items []item, err error) {
	for c := range query.Children() {
		if !c.Is(nsAdmin, "item") {
			continue
		}
		if len(items) == maxItems {
			return nil, stanza.Errorf(stanza.NotAcceptable, "these are too many changes at once")
		}
		i, err := readItem(c)
		if err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if len(items) == 0 {
		return nil, stanza.Errorf(stanza.BadRequest, "no <item/>")
	}
	return items, nil
}

func readItem(c xtok.Elem) (i item, err error) {
	i.nick, i.named, i.reason = c.Attr("nick"), c.HasAttr("nick"), c.Child(nsAdmin, "reason").Text()
	ok := true
	if i.hasAff = c.HasAttr("affiliation"); i.hasAff {
		i.aff, ok = ParseAffiliation(c.Attr("affiliation"))
	}
	if i.hasOf = c.HasAttr("role"); i.hasOf && ok {
		i.role, ok = ParseRole(c.Attr("role"))
	}
	if !ok || i.hasAff == i.hasOf || len(i.reason) > maxReason {
		return i, stanza.Errorf(stanza.BadRequest, "an item names either an affiliation or a role")
	}
	if c.HasAttr("jid") {
		j, err := jid.Parse(c.Attr("jid"))
		if err != nil {
			return i, stanza.Errorf(stanza.JIDMalformed, "an item has a malformed address")
		}
		if j.Local() == "" && i.hasAff && i.aff != None {
			return i, stanza.Errorf(stanza.NotAcceptable, "a whole domain can be neither banned nor anything else in a room: name people")
		}
		i.jid = j.Bare()
	}
	return i, nil
}

// people is a list, for those who may read it.
func (r *room) people(q *core.Query, items []item) ([]byte, error) {
	want, by := items[0], r.standingOf(q.Session)
	if len(items) != 1 {
		return nil, stanza.Errorf(stanza.BadRequest, "one list at a time")
	}
	b := []byte("<query xmlns='" + nsAdmin + "'>")
	if want.hasOf {
		if by.Role != Moderator && by.Affiliation < Admin {
			return nil, stanza.Errorf(stanza.Forbidden, "only moderators read this list")
		}
		for _, o := range r.sorted() {
			if o.role == want.role {
				b = r.appendOccupant(b, o)
			}
		}
		return append(b, "</query>"...), nil
	}
	if !r.mayRead(by, want.aff) {
		return nil, stanza.Errorf(stanza.Forbidden, "this list is not for everybody")
	}
	for _, who := range r.affiliates(want.aff) {
		b = r.appendAffiliate(b, who, by.Affiliation >= Admin)
	}
	return append(b, "</query>"...), nil
}

// mayRead tells who may read a list of affiliations: owners all of them, and admins,
// except for who owns and administers a room that hides addresses. In a room of members all of whom see each other, the members know who else is one, as
// they need to for encryption.
// XEP-0045#modifymember, XEP-0045#modifyowner, XEP-0045#modifyadmin, XEP-0045#registrar-formtype-owner (muc#roomconfig_getmemberlist)
func (r *room) mayRead(by Standing, list Affiliation) bool {
	if by.Affiliation >= Admin && (list < Admin || by.Affiliation == Owner || r.cfg.NonAnonymous) {
		return true
	}
	inside := by.Role != Nobody || by.Affiliation >= Member
	if by.Role == Nobody && by.Affiliation >= Member {
		by.Role = r.cfg.RoleOf(by.Affiliation)
	}
	return list >= Member && inside && r.cfg.MembersOnly && r.cfg.NonAnonymous && r.cfg.MemberList[by.Role]
}

func (r *room) sorted() []*occupant {
	all := make([]*occupant, 0, len(r.nicks))
	for _, o := range r.nicks {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *occupant) int { return strings.Compare(a.nick, b.nick) })
	return all
}

func (r *room) affiliates(a Affiliation) (all []jid.JID) {
	for who, is := range r.affs {
		if is.Affiliation == a {
			all = append(all, who)
		}
	}
	slices.SortFunc(all, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func (r *room) appendOccupant(b []byte, o *occupant) []byte {
	b = xtok.AppendAttr(append(b, "<item"...), "affiliation", r.affiliation(o.real).String())
	b = xtok.AppendAttr(xtok.AppendAttr(b, "role", o.role.String()), "nick", o.nick)
	return append(xtok.AppendAttr(b, "jid", o.seats[0].session.JID.String()), "/>"...)
}

func (r *room) appendAffiliate(b []byte, who jid.JID, reasons bool) []byte {
	a := r.affs[who]
	b = xtok.AppendAttr(xtok.AppendAttr(append(b, "<item"...), "affiliation", a.Affiliation.String()), "jid", who.String())
	b = xtok.AppendAttr(b, "nick", a.Nick)
	if !reasons || a.Reason == "" {
		return append(b, "/>"...)
	}
	return append(xtok.AppendElement(append(b, '>'), "reason", a.Reason), "</item>"...)
}

// changePeople checks every change that is asked for, then makes them all. The
// answer comes behind what the occupants are told.
func (r *room) changePeople(q *core.Query, items []item) error {
	by := r.standingOf(q.Session)
	actor := ""
	if st := r.seat(q.Session); st != nil {
		actor = st.who.nick
	}
	plan := draft{r: r, by: by, me: q.Asker(), affs: map[jid.JID]affiliated{}, owners: r.owners()}
	for _, i := range items {
		if err := plan.add(i); err != nil {
			return err
		}
	}
	if err := plan.write(); err != nil {
		return err
	}
	plan.tell(actor)
	r.event(func(*back) { q.Reply(nil, nil) })
	return core.ErrLater
}

// draft gathers the changes of one request.
type draft struct {
	r      *room
	by     Standing
	me     jid.JID // bare
	owners int
	affs   map[jid.JID]affiliated
	steps  []step
}

// step is one change that was checked: of an address, or of an occupant's role.
type step struct {
	who    jid.JID
	of     *occupant
	role   Role
	reason string
}

func (d *draft) add(i item) error {
	if i.hasOf {
		return d.addRole(i)
	}
	return d.addAffiliation(i)
}

func (d *draft) addRole(i item) error {
	o := d.r.nicks[i.nick]
	if o == nil {
		return stanza.Errorf(stanza.ItemNotFound, "nobody of that name is in the room")
	}
	if err := mayChangeRole(d.by, Standing{d.r.affiliation(o.real), o.role}, i.role); err != nil {
		return err
	}
	d.steps = append(d.steps, step{of: o, role: i.role, reason: i.reason})
	return nil
}

func (d *draft) addAffiliation(i item) error {
	who := i.jid
	if who.IsZero() {
		o := d.r.nicks[i.nick]
		if i.nick == "" || o == nil {
			return stanza.Errorf(stanza.ItemNotFound, "nobody of that name is in the room")
		}
		who = o.real
	}
	was, planned := d.affs[who]
	if !planned {
		was = d.r.affs[who]
		if _, known := d.r.affs[who]; !known {
			was.Affiliation = None
		}
	}
	if err := mayChangeAffiliation(d.by, Standing{Affiliation: was.Affiliation}, who == d.me, i.aff, d.owners); err != nil {
		return err
	}
	d.count(was.Affiliation, i.aff)
	is := was
	is.Affiliation, is.Reason = i.aff, ""
	if i.aff == Outcast {
		is.Reason, is.Nick = i.reason, ""
	}
	if i.aff < Member {
		is.Nick, is.Came = "", false
	} else if i.named && !i.jid.IsZero() {
		nick, err := d.reserve(who, i.nick)
		if err != nil {
			return err
		}
		is.Nick = nick
	}
	d.affs[who] = is
	d.steps = append(d.steps, step{who: who, reason: i.reason})
	if len(d.r.affs)+len(d.affs) > maxAffiliations {
		return stanza.Errorf(stanza.ResourceConstraint, "this room knows too many people")
	}
	return nil
}

func (d *draft) count(was, is Affiliation) {
	if was == Owner {
		d.owners--
	}
	if is == Owner {
		d.owners++
	}
}

// write makes the new affiliations durable.
func (d *draft) write() error {
	ops := make([]store.Op, 0, len(d.affs))
	for who, a := range d.affs {
		ops = append(ops, d.r.opAffiliation(who, a))
	}
	return d.r.keep(ops...)
}

// tell has the changes so, and tells everybody of each.
func (d *draft) tell(actor string) {
	for _, s := range d.steps {
		why := departure{actor: actor, reason: s.reason}
		if s.of != nil {
			d.r.giveRole(s.of, s.role, why)
			continue
		}
		was := d.r.affiliation(s.who)
		d.r.setAffiliated(s.who, d.affs[s.who])
		if was != d.r.affiliation(s.who) {
			d.r.affiliate(s.who, was, why)
		}
	}
}

// giveRole changes an occupant's role, or removes him.
// XEP-0045#kick, XEP-0045#grantvoice, XEP-0045#revokevoice, XEP-0045#grantmod, XEP-0045#revokemod
func (r *room) giveRole(o *occupant, role Role, why departure) {
	if r.nicks[o.nick] != o || o.role == role {
		return
	}
	if role == Nobody {
		why.codes = []int{statusKicked}
		r.remove(o, why)
		return
	}
	r.setRole(o, role)
	r.present(nil, o, why)
}

// affiliate makes of a person's occupants what the new affiliation asks for: out,
// or with another role. Who is not inside is told of all the same.
// XEP-0045#ban, XEP-0045#revokemember, XEP-0045#grantmember
func (r *room) affiliate(who jid.JID, was Affiliation, why departure) {
	all := r.occupantsOf(who)
	is := r.affiliation(who)
	role := r.cfg.RoleOf(is)
	if len(all) == 0 {
		r.announce(who, why)
	}
	for _, o := range all {
		switch {
		case is == Outcast:
			why.codes = []int{statusBanned}
			r.remove(o, why)
			continue
		case role == Nobody:
			why.codes = []int{statusAffiliation}
			r.remove(o, why)
			continue
		case is < was || role > o.role:
			r.setRole(o, role)
		}
		r.present(nil, o, why)
	}
}

// announce tells everybody of a person's affiliation who is not in the room. The
// address is for those who may see addresses.
// XEP-0045#grantmember, XEP-0045#revokemember
func (r *room) announce(who jid.JID, why departure) {
	aff := r.affiliation(who)
	r.event(func(b *back) {
		body := func(open bool) *stanza.Stanza {
			c := xtok.AppendAttr(xtok.AppendAttr([]byte("<x xmlns='"+nsUser+"'><item"), "affiliation", aff.String()), "role", "none")
			if open {
				c = xtok.AppendAttr(c, "jid", who.String())
			}
			n := notice{actor: why.actor, reason: why.reason}
			return stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Normal, From: r.jid}, append(n.appendWhy(c), "</x>"...))
		}
		open := body(true)
		for i := range b.seats {
			// without the address it says nothing
			if l := &b.seats[i]; b.open || l.mod {
				l.seat.session.Push(addressed(open, l.seat.to, nil))
			}
		}
	})
}
