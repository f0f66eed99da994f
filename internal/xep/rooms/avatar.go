package rooms

import (
	"bytes"
	"crypto/sha1" // the hash that XEP-0153 names pictures by; it protects nothing
	"encoding/base64"
	"encoding/hex"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// MUC Avatars, XEP-0486 0.1.0, with the card of XEP-0054 that holds them.
const (
	nsVCard       = "vcard-temp"
	nsVCardUpdate = "vcard-temp:x:update"
)

// Bounds of a room's picture: bytes of the file, in how many forms it may be, and
// bytes of a media type.
const (
	maxPicture  = 96_000
	maxPictures = 4
	maxMedia    = 64
)

// avatarIQ shows a room's card, which is nothing but its picture, and lets owners
// change it.
// XEP-0486#owner-publish, XEP-0486#retrieve-vcard
func (s *Rooms) avatarIQ(q *core.Query) (payload []byte, err error) {
	var card []byte
	if q.Set() {
		if card, err = readCard(q.Payload); err != nil {
			return nil, err
		}
	}
	err = s.with(q.Head.To, jid.JID{}, func(r *room) error {
		aff := r.affiliation(q.Asker())
		switch {
		case aff == Outcast:
			return stanza.Errorf(stanza.Forbidden, "you are banned from this room")
		case r.locked && aff != Owner:
			return errNoRoom
		case !q.Set():
			payload = append(append([]byte("<vCard xmlns='"+nsVCard+"'>"), r.photos()...), "</vCard>"...)
			return nil
		case aff != Owner || q.Session == nil:
			return stanza.Errorf(stanza.Forbidden, "only owners change the picture of a room")
		}
		if err := r.setAvatar(card); err != nil {
			return err
		}
		r.event(func(*back) { q.Reply(nil, nil) })
		return core.ErrLater
	})
	return payload, err
}

// setAvatar changes the picture, durable on return, and tells everybody.
// XEP-0486#owner-publish
func (r *room) setAvatar(card []byte) error {
	if bytes.Equal(card, r.avatar) {
		return nil
	}
	if err := r.keep(r.opAvatar(card)); err != nil {
		return err
	}
	r.avatar = card
	now := r.pictured()
	r.event(func(b *back) {
		b.spread(statusMessage(r.jid, []int{104}), nil)
		b.spread(now, nil)
	})
	return nil
}

// pictures are the hashes of the room's picture, one for each form.
func (r *room) pictures() []string {
	line, _, _ := bytes.Cut(r.avatar, []byte("\n"))
	return strings.Fields(string(line))
}

// photos is what its card holds: the pictures.
func (r *room) photos() []byte {
	_, content, _ := bytes.Cut(r.avatar, []byte("\n"))
	return content
}

// photo is the first picture of the card; nil for none.
func (r *room) photo() (kind string, image []byte) {
	card, err := xtok.Parse(append(append([]byte("<vCard xmlns='"+nsVCard+"'>"), r.photos()...), "</vCard>"...), xtok.Limits{Size: 2 * maxPicture, Depth: 8})
	if err != nil {
		return "", nil
	}
	photo := card.Child(nsVCard, "PHOTO")
	image, err = base64.StdEncoding.DecodeString(photo.Child(nsVCard, "BINVAL").Text())
	if err != nil || len(image) == 0 {
		return "", nil
	}
	return photo.Child(nsVCard, "TYPE").Text(), image
}

// picture is what newcomers are told of the room's picture, nil where there is
// none.
func (r *room) picture() *stanza.Stanza {
	if r.avatar == nil {
		return nil
	}
	return r.pictured()
}

// pictured is a presence of the room itself that tells of its picture.
//
// COMPAT: Conversations and Gajim hear of a room's picture so. It is not sent where
// a room has none, as some clients take it for an occupant without a nick.
// XEP-0486#presence
func (r *room) pictured() *stanza.Stanza {
	b := []byte("<x xmlns='" + nsVCardUpdate + "'><photo>")
	if all := r.pictures(); len(all) > 0 {
		b = append(b, all[0]...)
	}
	return stanza.New(stanza.Head{Kind: stanza.Presence, From: r.jid}, append(b, "</photo></x>"...))
}

// readCard reads the pictures of a card as they are kept: a line of hashes, and
// the elements. Everything else in it is left out; nothing is kept of one without
// pictures.
// XEP-0486#multiple, XEP-0153#bizrules-image
func readCard(vcard xtok.Elem) ([]byte, error) {
	var hashes []string
	var content []byte
	size := 0
	for e := range vcard.Children() {
		if !e.Is(nsVCard, "PHOTO") || !e.Child(nsVCard, "BINVAL").HasText() {
			continue
		}
		kind := strings.TrimSpace(e.Child(nsVCard, "TYPE").Text())
		data, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(e.Child(nsVCard, "BINVAL").Text()), ""))
		if err != nil {
			return nil, stanza.Errorf(stanza.NotAcceptable, "a picture is no valid base64")
		}
		if size += len(data); size > maxPicture || len(hashes) == maxPictures || len(kind) > maxMedia {
			return nil, stanza.Errorf(stanza.NotAcceptable, "the picture has more than %d bytes, or too many forms", maxPicture)
		}
		sum := sha1.Sum(data)
		hashes = append(hashes, hex.EncodeToString(sum[:]))
		content = xtok.AppendElement(append(content, "<PHOTO>"...), "TYPE", kind)
		content = base64.StdEncoding.AppendEncode(append(content, "<BINVAL>"...), data)
		content = append(content, "</BINVAL></PHOTO>"...)
	}
	if len(hashes) == 0 {
		return nil, nil
	}
	return append([]byte(strings.Join(hashes, " ")+"\n"), content...), nil
}
