package rooms

import (
	"mirsal/internal/archive"
	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Reads decides who may read a room's archive: who could enter the room now, and
// where it asks for a password, who is in it or belongs to it. It is a
// mam.ReadFunc. show adds the real address of who said something for those who may
// know it: moderators, and in a room that shows addresses all, of what was said while
// it did. senders tells whether the asker may know every one.
// XEP-0313#business-storeret-muc-archives
func (s *Rooms) Reads(q *core.Query) (show func(row *store.Row) []byte, senders bool, err error) {
	if q.Session == nil {
		return nil, false, stanza.Errorf(stanza.Forbidden, "the archives of rooms are for people of this server")
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		r.seat(q.Session)
		if r.gone {
			return errAgain
		}
		by := r.standingOf(q.Session)
		if !r.mayReadArchive(by) {
			return stanza.Errorf(stanza.Forbidden, "the archive of this room is not for you")
		}
		senders = by.Role == Moderator || by.Affiliation >= Admin
		if r.cfg.NonAnonymous {
			show = named
		}
		return nil
	})
	if senders {
		show = author
	}
	return show, senders, err
}

// mayReadArchive is about the rights of now, not of when something was said.
func (r *room) mayReadArchive(by Standing) bool {
	switch {
	case r.locked && by.Affiliation < Owner, r.cfg.RoleOf(by.Affiliation) == Nobody:
		return false
	case r.cfg.Password != "":
		return by.Role != Nobody || by.Affiliation >= Member
	}
	return true
}

// author tells who said something.
func author(row *store.Row) []byte {
	if row.Peer == "" {
		return nil
	}
	return append(xtok.AppendAttr([]byte("<x xmlns='"+nsUser+"'><item"), "jid", row.Peer), "/></x>"...)
}

// named tells who said something that was said with the address in sight.
func named(row *store.Row) []byte {
	if row.Flags&archive.Named == 0 {
		return nil
	}
	return author(row)
}
