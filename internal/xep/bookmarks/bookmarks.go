// Package bookmarks lets clients of all ages see one list of rooms: PEP Native
// Bookmarks, XEP-0402, 1.2.0, is what is kept, Bookmark Storage, XEP-0048, 1.2, is
// made of it and read into it, in personal eventing and in private XML
// alike. It keeps nothing itself and joins no rooms.
//
// Invariants, each with a test: a list that a client of the old form writes back
// as it got it changes nothing; what such a client left out is removed, what it
// does not know (extensions, items it was not shown) stays; what is no room (web
// addresses) is kept beside, for clients of the old form.
package bookmarks

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"iter"
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// The nodes, each named as its namespace.
const (
	Node = "urn:xmpp:bookmarks:1"
	Old  = "storage:bookmarks"
)

// Register announces that both older forms are converted.
// XEP-0402#support
func Register(h *core.Host) {
	h.Disco(core.Account, Node+"#compat", Node+"#compat-pep")
}

// Show is the list in the old form: what Take kept, then every item that is a
// bookmark of a room.
// XEP-0402#publishing
func Show(own []byte, items iter.Seq2[string, []byte]) []byte {
	b := []byte("<storage xmlns='" + Old + "'>")
	if e, err := xtok.Parse(own, xtok.Limits{}); err == nil {
		b = append(b, e.Content()...)
	}
	for _, i := range read(items) {
		b = i.room.appendOld(b, i.id)
	}
	return append(b, "</storage>"...)
}

// item is one item of the node that is a room's bookmark.
type item struct {
	id   string
	who  jid.JID
	room room
}

// read picks the bookmarks; what is none is not shown, and so never removed.
func read(items iter.Seq2[string, []byte]) (list []item) {
	for id, payload := range items {
		who, err := jid.Parse(id)
		if err != nil {
			continue
		}
		e, err := xtok.Parse(payload, xtok.Limits{})
		if err != nil || !e.Is(Node, "conference") {
			continue
		}
		list = append(list, item{id, who.Bare(), readNew(e)})
	}
	return list
}

// Take reads a list in the old form. It returns what only that form has room for,
// and what changes among the items; a nil payload removes one.
// XEP-0402#publishing-legacy
func Take(storage xtok.Elem, items iter.Seq2[string, []byte]) (own []byte, changes iter.Seq2[string, []byte], err error) {
	if !storage.Is(Old, "storage") {
		return nil, nil, stanza.Errorf(stanza.BadRequest, "this is no list of bookmarks")
	}
	listed, rooms, rest := list(storage)
	var d diff
	for _, i := range read(items) {
		now, there := rooms[i.who]
		switch {
		case !there:
			d.add(i.id, nil)
		case d.seen(i.who):
			// a second spelling of an address: the first one speaks for it
		default:
			if merged := i.room.merge(now); !merged.same(i.room) {
				d.add(i.id, merged.appendNew(nil))
			}
		}
	}
	for _, who := range listed {
		if !d.seen(who) {
			d.add(who.String(), rooms[who].appendNew(nil))
		}
	}
	return rest, d.all, nil
}

// list reads the rooms of a list in the old form, in their order; the last of two
// entries for a room counts. What is no room is kept as it is.
func list(storage xtok.Elem) (order []jid.JID, rooms map[jid.JID]room, rest []byte) {
	rooms = map[jid.JID]room{}
	rest = []byte("<storage xmlns='" + Old + "'>")
	for c := range storage.Children() {
		who, err := jid.Parse(c.Attr("jid"))
		if !c.Is(Old, "conference") || err != nil {
			rest = c.AppendUnspoken(rest)
			continue
		}
		if _, again := rooms[who.Bare()]; !again {
			order = append(order, who.Bare())
		}
		rooms[who.Bare()] = readOld(c)
	}
	return order, rooms, append(rest, "</storage>"...)
}

// diff is what changes, in order.
type diff struct {
	ids      []string
	payloads [][]byte
	known    map[jid.JID]struct{}
}

func (d *diff) add(id string, payload []byte) {
	d.ids, d.payloads = append(d.ids, id), append(d.payloads, payload)
}

// seen tells whether a room was seen before, and notes it.
func (d *diff) seen(who jid.JID) bool {
	_, ok := d.known[who]
	if d.known == nil {
		d.known = map[jid.JID]struct{}{}
	}
	d.known[who] = struct{}{}
	return ok
}

func (d *diff) all(yield func(string, []byte) bool) {
	for i, id := range d.ids {
		if !yield(id, d.payloads[i]) {
			return
		}
	}
}

// room is what both forms say of a room.
type room struct {
	name, nick, password string
	autojoin             bool
	extensions           []extension
}

// extension is an element that a client added for itself.
type extension struct {
	ns, local string
	raw       []byte // self-contained
}

// XEP-0402#usage
func readNew(e xtok.Elem) room {
	r := readBoth(e)
	for c := range e.Child(Node, "extensions").Children() {
		r.extensions = append(r.extensions, extensionOf(c))
	}
	return r
}

// readOld takes all that is not of the old form for extensions.
// XEP-0048#format-conference
func readOld(e xtok.Elem) room {
	r := readBoth(e)
	for c := range e.Children() {
		if !c.Is(Old, "nick") && !c.Is(Old, "password") {
			r.extensions = append(r.extensions, extensionOf(c))
		}
	}
	return r
}

// hidden tells whether the extension would be something else in the old form.
func (x extension) hidden() bool { return x.ns == Old && (x.local == "nick" || x.local == "password") }

func extensionOf(e xtok.Elem) extension { return extension{e.NS(), e.Local(), e.AppendUnspoken(nil)} }

func readBoth(e xtok.Elem) room {
	return room{
		name: e.Attr("name"), nick: e.Child(e.NS(), "nick").Text(), password: e.Child(e.NS(), "password").Text(),
		autojoin: e.AttrIs("autojoin", "true") || e.AttrIs("autojoin", "1"),
	}
}

// merge is the room as a client of the old form wants it. Extensions that it does
// not name stay: it may not know them.
// XEP-0402#adding-a-bookmark
func (r room) merge(now room) room {
	if sameExtensions(slices.DeleteFunc(slices.Clone(r.extensions), extension.hidden), now.extensions) {
		now.extensions = r.extensions
		return now
	}
	kept := slices.DeleteFunc(slices.Clone(r.extensions), func(x extension) bool {
		return slices.ContainsFunc(now.extensions, func(y extension) bool { return x.ns == y.ns && x.local == y.local })
	})
	now.extensions = append(kept, now.extensions...)
	return now
}

func (r room) same(o room) bool {
	return r.name == o.name && r.nick == o.nick && r.password == o.password && r.autojoin == o.autojoin &&
		sameExtensions(r.extensions, o.extensions)
}

// sameExtensions looks past how the XML is written: clients write it anew.
func sameExtensions(a, b []extension) bool {
	return slices.EqualFunc(a, b, func(x, y extension) bool {
		return bytes.Equal(x.raw, y.raw) || canonical(x.raw) == canonical(y.raw)
	})
}

// canonical is a text that is equal for elements that mean the same.
func canonical(raw []byte) string {
	var b strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
		t, err := d.Token()
		if err != nil {
			return b.String()
		}
		switch t := t.(type) {
		case xml.StartElement:
			t.Attr = slices.DeleteFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Space == "xmlns" || a.Name.Local == "xmlns" })
			slices.SortFunc(t.Attr, func(x, y xml.Attr) int {
				return cmp.Or(strings.Compare(x.Name.Space, y.Name.Space), strings.Compare(x.Name.Local, y.Name.Local))
			})
			fmt.Fprintf(&b, "<%q", append([]xml.Attr{{Name: t.Name}}, t.Attr...))
		case xml.CharData:
			fmt.Fprintf(&b, "%q", string(t))
		case xml.EndElement:
			b.WriteByte('>')
		}
	}
}

// appendOld appends the room in the old form. Its extensions go along, as
// elements beside the others: a client of the old form put them there.
func (r room) appendOld(b []byte, id string) []byte {
	b = xtok.AppendAttr(append(b, "<conference"...), "jid", id)
	b = r.appendBoth(b)
	for _, x := range r.extensions {
		if !x.hidden() {
			b = append(b, x.raw...)
		}
	}
	return append(b, "</conference>"...)
}

func (r room) appendNew(b []byte) []byte {
	b = r.appendBoth(append(b, "<conference xmlns='"+Node+"'"...))
	if len(r.extensions) > 0 {
		b = append(b, "<extensions>"...)
		for _, x := range r.extensions {
			b = append(b, x.raw...)
		}
		b = append(b, "</extensions>"...)
	}
	return append(b, "</conference>"...)
}

// appendBoth appends what both forms write alike.
func (r room) appendBoth(b []byte) []byte {
	b = xtok.AppendAttr(b, "name", r.name)
	if r.autojoin {
		b = xtok.AppendAttr(b, "autojoin", "true")
	} else {
		b = xtok.AppendAttr(b, "autojoin", "false")
	}
	b = append(b, '>')
	b = xtok.AppendElement(b, "nick", r.nick)
	return xtok.AppendElement(b, "password", r.password)
}
