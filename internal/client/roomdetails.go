package client

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // XEP-0153 says so
	"encoding/base64"
	"encoding/hex"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is what a room is to people: its description, picture, and who may do what.

const nsVCard = "vcard-temp"

// details are what a room says of itself beside what the engine needs.
type details struct {
	asked         bool // it has said
	description   string
	avatar        string // SHA-1 in hex
	membersInvite bool
	told          port.RoomDetails
}

// mostDescription bounds what rooms may say, in code points.
const mostDescription = 1024

// readDetails takes the form of a room's disco#info. XEP-0045 §6.4, XEP-0486 §4.2
func (r *room) readDetails(q xtok.Elem) {
	f, err := form.Read(q.Child(form.NS, "x"))
	if err != nil {
		f = form.Form{}
	}
	about := []rune(f.Value("muc#roominfo_description"))
	d := details{asked: true, told: r.details.told, description: string(about[:min(len(about), mostDescription)])}
	hash := strings.ToLower(f.Value("muc#roominfo_avatarhash"))
	if raw, err := hex.DecodeString(hash); err == nil && len(raw) == sha1.Size {
		d.avatar = hash
	}
	for _, name := range []string{"muc#roomconfig_allowinvites", "{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites"} {
		on, _ := f.Bool(name)
		d.membersInvite = d.membersInvite || on
	}
	r.details = d
}

// tellRoom tells what has changed of a room's details.
func (e *Engine) tellRoom(r *room) {
	if !r.details.asked || !r.joined {
		return
	}
	if e.face(r.Address).Avatar != r.details.avatar {
		e.setFace(r.Address, face{Avatar: r.details.avatar})
	}
	if now := e.detailsOf(r); now != r.details.told {
		r.details.told = now
		e.tell(&now)
	}
}

func (e *Engine) detailsOf(r *room) port.RoomDetails {
	role := r.Members[e.own.String()]
	leads := role == "owner" || role == "admin"
	return port.RoomDetails{Room: r.Address, Name: r.Name, Description: r.details.description, Avatar: e.face(r.Address).Avatar, Role: role,
		Encrypted: r.Encrypted, Members: len(r.Members), MayInvite: leads || role == "member" && r.details.membersInvite,
		MayLead: leads, MayChange: role == "owner", MayLink: leads && r.linked, Asking: len(r.Asking)}
}

// roomCommand carries out what is about a room itself.
func (e *Engine) roomCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.RoomInfo:
		e.roomInfo(c)
	case *port.SetRoom:
		e.setRoom(c)
	case *port.SetRole:
		e.setRole(c)
	case *port.DestroyRoom:
		e.destroyRoom(c)
	case *port.JoinByLink:
		e.joinByLink(c)
	case *port.RoomAccess:
		e.roomAccess(c)
	case *port.Admit:
		e.admit(c)
	default:
		return false
	}
	return true
}

func (e *Engine) roomInfo(c *port.RoomInfo) {
	r := e.rooms[c.Room]
	if r == nil {
		e.tell(&port.RoomDetails{Ref: c.Ref, Room: c.Room, Failure: port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Room)})
		return
	}
	now := e.detailsOf(r)
	now.Ref = c.Ref
	e.tell(&now)
}

// setRoom changes a room's name, description and picture, one after the other.
func (e *Engine) setRoom(c *port.SetRoom) {
	r := e.rooms[c.Room]
	switch {
	case r == nil:
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Room))
		return
	case c.Name != nil && strings.TrimSpace(*c.Name) == "":
		e.fail(c, port.Failf(port.BadCommand, "a room has a name"))
		return
	case len(c.Picture) > mostPicture:
		e.fail(c, port.Failf(port.TooLarge, "a picture may have %d bytes, this one has %d", mostPicture, len(c.Picture)))
		return
	case len(c.Picture) > 0 && imageType(c.Picture) == "":
		e.fail(c, port.Failf(port.BadCommand, "a picture is JPEG, PNG or WebP"))
		return
	}
	var fields []form.Field
	for _, f := range []struct {
		name  string
		value *string
	}{{"muc#roomconfig_roomname", c.Name}, {"muc#roomconfig_roomdesc", c.Description}} {
		if f.value != nil {
			fields = append(fields, form.Field{Var: f.name, Values: []string{strings.TrimSpace(*f.value)}})
		}
	}
	if c.Approve != nil {
		fields = append(fields, form.Field{Var: fieldApprove, Values: []string{flag(*c.Approve)}})
	}
	e.reconfigure(r, fields, func(err error) {
		if err == nil && (len(c.Picture) > 0 || c.NoPicture) {
			e.setRoomPicture(r, c.Picture, e.roomAnswer(c, r))
			return
		}
		e.roomAnswer(c, r)(err)
	})
}

// reconfigure changes some fields of a room's configuration. XEP-0045 §10.2
func (e *Engine) reconfigure(r *room, fields []form.Field, then func(error)) {
	if len(fields) == 0 {
		then(nil)
		return
	}
	to, _ := jid.Parse(r.Address)
	f := form.Form{Kind: form.Submit, Of: "http://jabber.org/protocol/muc#roomconfig", Fields: fields}
	payload := append(f.Append([]byte("<query xmlns='"+nsMUCOwner+"'>")), "</query>"...)
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: payload}, func(_ *conn.Stanza, err error) { then(err) })
}

// setRoomPicture gives a room a picture, or (empty) none. XEP-0486 §3.1
func (e *Engine) setRoomPicture(r *room, image []byte, then func(error)) {
	to, _ := jid.Parse(r.Address)
	b := []byte("<vCard xmlns='" + nsVCard + "'>")
	if len(image) > 0 {
		b = append(b, "<PHOTO><TYPE>"+imageType(image)+"</TYPE><BINVAL>"...)
		b = append(base64.StdEncoding.AppendEncode(b, image), "</BINVAL></PHOTO>"...)
	}
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: append(b, "</vCard>"...)}, func(_ *conn.Stanza, err error) { then(err) })
}

// fetchRoomPicture asks a room for the picture that it has told of. XEP-0486 §4.3
func (e *Engine) fetchRoomPicture(to jid.JID, hash string, then func([]byte, error)) {
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte("<vCard xmlns='" + nsVCard + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		for photo := range s.Elem.Child(nsVCard, "vCard").Children() {
			image := imageOf(photo.Child(nsVCard, "BINVAL").Text(), hash, 2*mostPicture)
			if photo.Is(nsVCard, "PHOTO") && image != nil {
				then(image, nil)
				return
			}
		}
		then(nil, nil)
	})
}

// imageOf is the image of a base64 text that is the one of a name; nil for any other.
func imageOf(text, hash string, most int) []byte {
	image, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(image) > most || imageType(image) == "" {
		return nil
	}
	sum := sha1.Sum(image)
	if want, err := hex.DecodeString(hash); err != nil || !bytes.Equal(sum[:], want) {
		return nil
	}
	return image
}

// setRole makes a member an admin or an owner, or an ordinary one again. XEP-0045 §10.3, §10.6
func (e *Engine) setRole(c *port.SetRole) {
	r, who, ok := e.member(c, c.Room, c.Address)
	if !ok {
		return
	}
	if c.Role != "owner" && c.Role != "admin" && c.Role != "member" {
		e.fail(c, port.Failf(port.BadCommand, "a role is owner, admin or member"))
		return
	}
	if r.Members[who.String()] == "" {
		e.fail(c, port.Failf(port.Missing, "%s is no member of this room", who))
		return
	}
	e.affiliation(r, who, c.Role, func(err error) {
		if err == nil {
			r.affiliate(who.String(), c.Role)
		}
		e.roomAnswer(c, r)(err)
	})
}

// destroyRoom ends a room for all. XEP-0045 §10.9
func (e *Engine) destroyRoom(c *port.DestroyRoom) {
	r := e.rooms[c.Room]
	if r == nil {
		e.fail(c, port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Room))
		return
	}
	to, _ := jid.Parse(r.Address)
	payload := []byte("<query xmlns='" + nsMUCOwner + "'><destroy/></query>")
	e.ask(conn.Request{To: to, Type: stanza.Set, Payload: payload}, func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		e.unbookmark(r.Address)
		if e.rooms[r.Address] != r || e.forgetRoom(r.Address) {
			e.done(c, port.Done{})
		}
	})
}
