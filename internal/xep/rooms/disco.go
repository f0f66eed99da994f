package rooms

import (
	"sort"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/rsm"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const nsItems = "http://jabber.org/protocol/disco#items"

// pageMost is how many rooms one answer lists.
const pageMost = 100

// registerDisco says what the service and its rooms are.
// XEP-0045#disco-service-features, XEP-0045#disco-roominfo
func (s *Rooms) registerDisco(h *core.Host) {
	d := h.DiscoAt(s.site.Host)
	d.Identities = append(d.Identities, core.Identity{Category: "conference", Type: "text", Name: "Rooms"})
	h.Disco(s.site.Host, nsMUC, rsm.NS, nsOccupant)
	h.IQ(s.site.Host, nsItems, "query", s.items)
	node := h.DiscoAt(s.site.Node)
	h.Disco(s.site.Node, nsMUC, formRequest, "http://jabber.org/protocol/muc#stable_id", nsSID, nsOccupant)
	node.Allow = append(node.Allow, s.there)
	node.Forms = append(node.Forms, s.describe)
}

// there keeps those from looking at a room who are banned from it.
func (s *Rooms) there(q *core.Query) error {
	return s.with(q.Head.To, jid.JID{}, func(r *room) error {
		if r.affiliation(q.Asker()) == Outcast && s.router.Local(q.Head.From) {
			return stanza.Errorf(stanza.Forbidden, "you are banned from this room")
		}
		return nil
	})
}

// describe is what is particular to one room: its name, features, and form.
// XEP-0045#disco-roominfo
func (s *Rooms) describe(q *core.Query) (b []byte) {
	err := s.with(q.Head.To, jid.JID{}, func(r *room) error {
		name := r.cfg.Name
		if name == "" {
			name = r.jid.Local()
		}
		b = append(xtok.AppendAttr([]byte("<identity category='conference' type='text'"), "name", name), "/>"...)
		for _, f := range r.cfg.Features() {
			b = append(xtok.AppendAttr(append(b, "<feature"...), "var", f), "/>"...)
		}
		for _, f := range s.features {
			if v := f(r); v != "" {
				b = append(xtok.AppendAttr(append(b, "<feature"...), "var", v), "/>"...)
			}
		}
		form := r.cfg.RoomInfo(r.info())
		b = form.Append(b)
		return nil
	})
	if err != nil {
		return nil
	}
	return b
}

// info is what a room tells of itself besides its configuration; under mu. In a
// room of members the subject is for those inside.
func (r *room) info() Info {
	i := Info{Occupants: len(r.nicks), Avatars: r.pictures()}
	if !r.cfg.MembersOnly && r.cfg.Password == "" {
		i.Subject = r.subject.Text
	}
	if r.cfg.NonAnonymous && !r.cfg.MembersOnly {
		i.Contacts = r.affiliates(Owner)
	}
	return i
}

// items lists the public rooms, page by page.
// XEP-0045#disco-rooms, XEP-0059#forwards
func (s *Rooms) items(q *core.Query) ([]byte, error) {
	if q.Set() {
		return nil, stanza.Errorf(stanza.NotAllowed, "")
	}
	if q.Payload.Attr("node") != "" {
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such node")
	}
	want, err := rsm.Read(q.Payload.Child(rsm.NS, "set"))
	if err != nil {
		return nil, err
	}
	all := s.public()
	page := pageOf(all, want)
	b := []byte("<query xmlns='" + nsItems + "'>")
	for _, j := range page {
		b = xtok.AppendAttr(xtok.AppendAttr(append(b, "<item"...), "jid", j.String()), "name", s.nameOf(j))
		b = append(b, "/>"...)
	}
	answer := rsm.Response{Count: len(all)}
	if len(page) > 0 {
		answer.First, answer.Last = page[0].String(), page[len(page)-1].String()
	}
	if len(page) < len(all) || q.Payload.Child(rsm.NS, "set").OK() {
		b = answer.Append(b)
	}
	return append(b, "</query>"...), nil
}

// pageOf is the part of a sorted list that was asked for.
func pageOf(all []jid.JID, want rsm.Request) []jid.JID {
	at := func(id string) int {
		return sort.Search(len(all), func(i int) bool { return all[i].String() >= id })
	}
	if want.HasAfter && want.After != "" {
		i := at(want.After)
		if i < len(all) && all[i].String() == want.After {
			i++
		}
		all = all[i:]
	}
	if want.HasBefore && want.Before != "" {
		all = all[:at(want.Before)]
	}
	n := min(want.Limit(pageMost), len(all))
	if want.HasBefore {
		return all[len(all)-n:]
	}
	return all[:n]
}

func (s *Rooms) nameOf(j jid.JID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.index[j]; l.name != "" {
		return l.name
	}
	return j.Local()
}
