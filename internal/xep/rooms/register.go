package rooms

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsRegister   = "jabber:iq:register"
	formRegister = "http://jabber.org/protocol/muc#register"
	nodeReserved = "x-roomuser-item"
	// fieldToken is the token of the link by which somebody comes (docs/protocol/rooms.md).
	fieldToken = "{urn:mirsal:rooms:0}token"
)

// registerIQ lets people register a nick with a room, and go for good.
// XEP-0045#register
func (s *Rooms) registerIQ(q *core.Query) (payload []byte, err error) {
	if q.Session == nil {
		return nil, stanza.Errorf(stanza.NotAllowed, "only people of this server register with its rooms")
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		r.seat(q.Session)
		if r.gone {
			return errAgain
		}
		if !q.Set() {
			payload, err = r.registration(q.Asker())
			return err
		}
		waits, err := r.registers(q.Asker(), q.Payload)
		if err != nil {
			return err
		}
		r.event(func(*back) { q.Reply(answerOf(waits), nil) })
		return core.ErrLater
	})
	return payload, err
}

// answerOf tells who comes by a link that he waits for an admin.
func answerOf(waits bool) []byte {
	if !waits {
		return nil
	}
	return []byte("<query xmlns='" + nsRegister + "'><waits xmlns='" + nsRooms + "'/></query>")
}

// mayRegister refuses those who cannot register: in a room for members, or where
// voice is given to some, that would make people of themselves what admins decide.
// A member reads the archive: where that asks for a password, who becomes one has
// shown to know it by being inside.
func (r *room) mayRegister(who jid.JID) error {
	is := r.known(who)
	if is.Affiliation == None && r.cfg.Password != "" && len(r.occupantsOf(who)) == 0 {
		return stanza.Errorf(stanza.NotAllowed, "this room asks for a password: enter it first")
	}
	if r.locked || !r.cfg.RegisterAllowed || is.Affiliation == Outcast ||
		is.Affiliation == None && (r.cfg.MembersOnly || r.cfg.Moderated || len(r.affs) >= maxAffiliations) {
		return stanza.Errorf(stanza.NotAllowed, "you cannot register with this room")
	}
	return nil
}

// known is what is known of a bare address; under mu.
func (r *room) known(who jid.JID) affiliated {
	if a, ok := r.affs[who]; ok {
		return a
	}
	return affiliated{Affiliation: None}
}

// registration is the form, or the nick that is registered already.
func (r *room) registration(who jid.JID) ([]byte, error) {
	is := r.known(who)
	if err := r.mayRegister(who); err != nil {
		return nil, err
	}
	b := []byte("<query xmlns='" + nsRegister + "'>")
	if is.Nick != "" {
		b = xtok.AppendElement(append(b, "<registered/>"...), "username", is.Nick)
		return append(b, "</query>"...), nil
	}
	f := form.Form{Kind: form.Ask, Of: formRegister, Title: "Registration with the room", Fields: []form.Field{
		{Var: "muc#register_roomnick", Kind: form.TextSingle, Label: "The name that is to be yours in this room", Required: true},
	}}
	return append(f.Append(b), "</query>"...), nil
}

// registers carries out what is set.
func (r *room) registers(who jid.JID, query xtok.Elem) (waits bool, err error) {
	if query.Child(nsRegister, "remove").OK() {
		return false, r.deregister(who)
	}
	f, err := form.Read(query.Child(form.NS, "x"))
	token := f.Value(fieldToken)
	may := r.mayRegister
	if token != "" {
		may = r.mayCome
	}
	if no := may(who); no != nil {
		return false, no
	}
	switch {
	case err != nil:
		return false, err
	case f.Kind != form.Submit || f.Of != formRegister:
		return false, stanza.Errorf(stanza.BadRequest, "not the form of the registration")
	}
	nick, err := r.wished(who, &f)
	switch {
	case err != nil:
		return false, err
	case token != "":
		return r.comesBy(who, nick, token)
	}
	is := r.known(who)
	is.Nick, is.Affiliation, is.Came = nick, max(is.Affiliation, Member), true
	return false, r.becomes(who, is, departure{})
}

// wished is the nick that is to be registered. Who comes by a link may have none.
func (r *room) wished(who jid.JID, f *form.Form) (string, error) {
	if f.Value(fieldToken) != "" && f.Value("muc#register_roomnick") == "" {
		return "", nil
	}
	addr, err := r.jid.WithResource(f.Value("muc#register_roomnick"))
	if err != nil || addr.IsBare() {
		return "", stanza.Errorf(stanza.NotAcceptable, "this cannot be a nick")
	}
	return addr.Resource(), r.nickFor(who, addr.Resource())
}

// deregister gives the nick up. A member is none any more, and leaves a room for
// members; admins and owners stay what others made them.
// XEP-0077#usecases-cancel
func (r *room) deregister(who jid.JID) error {
	is := r.known(who)
	switch {
	case is.Affiliation == None && r.waits(who):
		return r.setRequest(who, nil)
	case is.Affiliation == Member:
		is = affiliated{Affiliation: None}
	case is.Affiliation > Member && is.Nick != "":
		is.Nick = ""
	default:
		return stanza.Errorf(stanza.RegistrationRequired, "you are not registered with this room")
	}
	return r.becomes(who, is, departure{})
}

// becomes changes what is known of a person, durable on return, and tells
// everybody; under mu.
func (r *room) becomes(who jid.JID, is affiliated, why departure) error {
	was := r.affiliation(who)
	if err := r.change(who, is); err != nil {
		return err
	}
	if was != is.Affiliation {
		r.affiliate(who, was, why)
	}
	return nil
}

// reserved tells people the nick that they have registered.
// XEP-0045#reservednick
func (s *Rooms) reserved(q *core.Query, node string) (info []byte, ok bool, err error) {
	if node != nodeReserved {
		return nil, false, nil
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		if nick := r.known(q.Asker()).Nick; nick != "" {
			info = append(xtok.AppendAttr([]byte("<identity category='conference' type='text'"), "name", nick), "/>"...)
		}
		return nil
	})
	return info, true, err
}
