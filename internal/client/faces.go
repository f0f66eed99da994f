package client

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // XEP-0084 says so
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsNick       = "http://jabber.org/protocol/nick"
	nsAvatarMeta = "urn:xmpp:avatar:metadata"
	nsAvatarData = "urn:xmpp:avatar:data"

	faceTable    keep.Table = "client.faces"    // address → face
	pictureTable keep.Table = "client.pictures" // hash → image
)

// face is what somebody shows of himself to contacts: XEP-0172, XEP-0084.
type face struct {
	Nick   string `json:"nick,omitempty"`
	Avatar string `json:"avatar,omitempty"` // SHA-1 of the image, in hex
	Seen   int64  `json:"seen,omitempty"`   // when last online, Unix seconds
}

// Bounds on what others may show.
const (
	mostPicture = 64 << 10 // bytes
	mostNick    = 64       // code points
)

func (e *Engine) openFaces() error {
	e.faces = map[string]face{}
	return scan(e.Store, faceTable, func(address string, f *face) {
		e.faces[address] = *f
		if c := e.people[address]; c != nil {
			c.face = *f
		}
	})
}

func (e *Engine) face(address string) face { return e.faces[address] }

// dressFace gives a chat what its other side shows, where one has no name for it oneself.
func (e *Engine) dressFace(c *port.Chat) {
	f := e.faces[c.Address]
	c.Avatar = f.Avatar
	if !c.Room && c.Name == "" {
		c.Name = f.Nick
	}
}

// faceEvent takes what somebody shows from now on: oneself, and people whom one asked to let
// one know.
func (e *Engine) faceEvent(from jid.JID, items xtok.Elem) bool {
	node := items.Attr("node")
	if node != nsNick && node != nsAvatarMeta {
		return false
	}
	if from.IsZero() {
		from = e.own
	}
	address := from.Bare().String()
	if c := e.people[address]; from.Bare() != e.own && (c == nil || !c.sees() || c.Blocked) {
		return true
	}
	f := e.faces[address]
	for item := range items.Children() {
		switch {
		case node == nsNick:
			f.Nick = cleanNick(item.Child(nsNick, "nick").Text())
		case item.Local() == "retract":
			f.Avatar = ""
		default:
			f.Avatar = shownPicture(item.Child(nsAvatarMeta, "metadata"))
		}
	}
	e.setFace(address, f)
	return true
}

func cleanNick(s string) string {
	nick := []rune(timeline.CleanName(strings.TrimSpace(s)))
	return strings.TrimSpace(string(nick[:min(len(nick), mostNick)]))
}

// shownPicture is the name of the picture that metadata speak of: one that is kept in the
// account's own node and is not too large. XEP-0084 §4.2.3
func shownPicture(meta xtok.Elem) string {
	for info := range meta.Children() {
		size, err := strconv.Atoi(info.Attr("bytes"))
		id := strings.ToLower(info.Attr("id"))
		if _, bad := hex.DecodeString(id); info.Is(nsAvatarMeta, "info") && bad == nil && len(id) == 2*sha1.Size && info.Attr("url") == "" && err == nil && size <= mostPicture {
			return id
		}
	}
	return ""
}

// setFace keeps and tells what somebody shows now. A picture that nobody shows any more goes.
func (e *Engine) setFace(address string, f face) {
	before := e.faces[address]
	if before == f {
		return
	}
	var b keep.Batch
	if e.faces[address] = f; f == (face{}) {
		delete(e.faces, address)
		b.Delete(faceTable, address)
	} else {
		put(&b, faceTable, address, f)
	}
	if before.Avatar != "" && !e.shows(before.Avatar) {
		b.Delete(pictureTable, before.Avatar)
	}
	if !e.keepBatch(&b) {
		return
	}
	if address == e.own.String() {
		e.tell(&port.Profile{Name: f.Nick, Avatar: f.Avatar})
	}
	if c := e.people[address]; c != nil {
		c.face = f
		e.tell(&port.ContactChanged{Contact: c.shown(address)})
	}
	e.tell(e.lines.Touch(address)...)
}

func (e *Engine) withFaces(list []port.Member) []port.Member {
	for i := range list {
		list[i].Avatar = e.faces[list[i].Address].Avatar
	}
	return list
}

func (e *Engine) shows(hash string) bool {
	for _, f := range e.faces {
		if f.Avatar == hash {
			return true
		}
	}
	return false
}

// faceOptions let one's contacts see a node. XEP-0172 §4.4, XEP-0084 §4.2
const faceOptions = "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
	"<field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#access_model'><value>presence</value></field></x></publish-options>"

func (e *Engine) publish(node, id string, payload []byte, then func(error)) {
	b := []byte("<pubsub xmlns='" + nsPubsub + "'><publish node='" + node + "'><item id='" + id + "'>")
	b = append(b, payload...)
	b = append(b, "</item></publish>"+faceOptions+"</pubsub>"...)
	e.ask(conn.Request{Type: stanza.Set, Payload: b}, func(_ *conn.Stanza, err error) { then(err) })
}

// publishNick tells contacts what one is called. XEP-0172 §4.4
func (e *Engine) publishNick(name string, then func(error)) {
	name = cleanNick(name)
	nick := append(xtok.Escape([]byte("<nick xmlns='"+nsNick+"'>"), name), "</nick>"...)
	e.publish(nsNick, "current", nick, func(err error) {
		if err == nil {
			f := e.face(e.own.String())
			f.Nick = name
			e.setFace(e.own.String(), f)
		}
		then(err)
	})
}

// setProfile changes what others see of this account.
func (e *Engine) setProfile(c *port.SetProfile) {
	if len(c.Picture) > mostPicture {
		e.fail(c, port.Failf(port.TooLarge, "a picture may have %d bytes, this one has %d", mostPicture, len(c.Picture)))
		return
	}
	if len(c.Picture) > 0 && imageType(c.Picture) == "" {
		e.fail(c, port.Failf(port.BadCommand, "a picture is JPEG, PNG or WebP"))
		return
	}
	end := func(err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		e.done(c, port.Done{})
	}
	picture := func(err error) {
		if err != nil || len(c.Picture) == 0 && !c.NoPicture {
			end(err)
			return
		}
		e.publishPicture(c, end)
	}
	if c.Name == nil {
		picture(nil)
		return
	}
	e.publishNick(*c.Name, picture)
}

// publishPicture puts the picture where others find it, and then tells them of it.
// XEP-0084 §3.1, §3.2; §4.2.4: none is empty metadata
func (e *Engine) publishPicture(c *port.SetProfile, then func(error)) {
	own := e.own.String()
	show := func(id string, meta []byte) {
		e.publish(nsAvatarMeta, cmp.Or(id, "none"), meta, func(err error) {
			if err == nil {
				f := e.face(own)
				f.Avatar = id
				e.setFace(own, f)
				e.keepPicture(id, c.Picture)
			}
			then(err)
		})
	}
	if c.NoPicture {
		show("", []byte("<metadata xmlns='"+nsAvatarMeta+"'/>"))
		return
	}
	sum := sha1.Sum(c.Picture)
	id := hex.EncodeToString(sum[:])
	meta := []byte("<metadata xmlns='" + nsAvatarMeta + "'><info id='" + id + "' type='" + imageType(c.Picture) + "' bytes='" + strconv.Itoa(len(c.Picture)) + "'")
	if c.Width > 0 && c.Height > 0 {
		meta = append(meta, " width='"+strconv.Itoa(c.Width)+"' height='"+strconv.Itoa(c.Height)+"'"...)
	}
	meta = append(meta, "/></metadata>"...)
	data := base64.StdEncoding.AppendEncode([]byte("<data xmlns='"+nsAvatarData+"'>"), c.Picture)
	e.publish(nsAvatarData, id, append(data, "</data>"...), func(err error) {
		if err != nil {
			then(err)
			return
		}
		show(id, meta)
	})
}

func (e *Engine) keepPicture(hash string, image []byte) {
	if hash == "" || len(image) == 0 || !e.shows(hash) {
		return
	}
	var b keep.Batch
	b.Put(pictureTable, hash, image)
	e.keepBatch(&b)
}

// avatar answers with a picture: the kept one, or what its owner's node has.
func (e *Engine) avatar(c *port.Avatar) {
	answer := port.Picture{Ref: c.Ref, Address: c.Address, Hash: e.face(c.Address).Avatar}
	missing := func(f *port.Failure) {
		answer.Failure = f
		e.tell(&answer)
	}
	if answer.Hash == "" {
		missing(port.Failf(port.Missing, "there is no picture"))
		return
	}
	tell := func(image []byte) {
		answer.Type, answer.Data = imageType(image), image
		e.tell(&answer)
	}
	image, err := e.Store.Get(pictureTable, answer.Hash)
	switch {
	case err != nil:
		e.breakDown(err)
		return
	case image != nil:
		tell(image)
		return
	}
	e.fetchPicture(c.Address, answer.Hash, func(image []byte, err error) {
		switch {
		case err != nil:
			missing(refusalOf(err))
		case image == nil:
			missing(port.Failf(port.Tampered, "the picture is not what it is said to be"))
		default:
			e.keepPicture(answer.Hash, image)
			tell(image)
		}
	})
}

// fetchPicture asks for a picture by its name. XEP-0084 §3.4
func (e *Engine) fetchPicture(address, hash string, then func([]byte, error)) {
	to, _ := jid.Parse(address)
	if e.rooms[address] != nil {
		e.fetchRoomPicture(to, hash, then)
		return
	}
	if to == e.own {
		to = jid.JID{}
	}
	payload := "<pubsub xmlns='" + nsPubsub + "'><items node='" + nsAvatarData + "'><item id='" + hash + "'/></items></pubsub>"
	e.ask(conn.Request{To: to, Type: stanza.Get, Payload: []byte(payload)}, func(s *conn.Stanza, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		for item := range s.Elem.Child(nsPubsub, "pubsub").Child(nsPubsub, "items").Children() {
			if image := imageOf(item.Child(nsAvatarData, "data").Text(), hash, mostPicture); image != nil {
				then(image, nil)
				return
			}
		}
		then(nil, nil)
	})
}

// imageType is what the first bytes of an image tell, "" for what is none that is shown.
func imageType(b []byte) string {
	s := string(b[:min(len(b), 16)])
	switch {
	case strings.HasPrefix(s, "\xff\xd8\xff"):
		return "image/jpeg"
	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case len(s) >= 12 && s[:4] == "RIFF" && s[8:12] == "WEBP":
		return "image/webp"
	case strings.HasPrefix(s, "GIF87a"), strings.HasPrefix(s, "GIF89a"):
		return "image/gif"
	}
	return ""
}
