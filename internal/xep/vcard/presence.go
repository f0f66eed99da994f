package vcard

import (
	"context"
	"strings"
	"sync"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// opted are the sessions that broadcast that they show no picture.
type opted struct {
	mu  sync.Mutex // held for single operations
	set map[*core.Session]struct{}
}

func (o *opted) note(s *core.Session, out bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !out {
		delete(o.set, s)
		return
	}
	if o.set == nil {
		o.set = map[*core.Session]struct{}{}
	}
	o.set[s] = struct{}{}
}

func (o *opted) has(s *core.Session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.set[s]
	return ok
}

func (o *opted) forget(s *core.Session) { o.note(s, false) }

// Stamp puts the picture's hash into an available presence, broadcast or directed,
// but not where the client says that it shows none, and not for those who may not
// fetch the picture. It may block on storage.
// XEP-0398#presence
func (v *VCard) Stamp(t *core.Transit) {
	broadcast := t.Head.To.IsZero()
	said, none := updates(t.Elem)
	if broadcast {
		v.without.note(t.Session, none)
	}
	if none {
		return
	}
	hash, ok := v.tell(t.Head.From.Bare(), t.Head.To.Bare())
	if !ok {
		return
	}
	t.Edit.Cut = append(t.Edit.Cut, said...)
	t.Edit.Append = appendUpdate(t.Edit.Append, hash)
}

// Changed hears that an account's node changed: where it is about the picture, the
// account's presence goes out again with what is true now.
// XEP-0153#bizrules-presence
func (v *VCard) Changed(owner jid.JID, node string) {
	if node != nodeMeta && node != nodeData {
		return
	}
	v.pictures.Drop(owner)
	if node == nodeData {
		// the bytes come first: the old description has lost its picture, the new one
		// is on its way, and between them there is nothing to tell
		if hash, _ := v.tell(owner, jid.JID{}); hash == "" {
			return
		}
	}
	v.shown.Restamp(owner, func(s *core.Session, e xtok.Elem) (edit stanza.Edit, ok bool) {
		if v.without.has(s) {
			return edit, false
		}
		said, _ := updates(e)
		if hash, ok := v.tell(owner, jid.JID{}); ok {
			edit.Append = appendUpdate(nil, hash)
		}
		edit.Cut = said
		return edit, true
	})
}

// updates are the elements of a presence that tell of the picture; none tells
// that they say there is none.
func updates(e xtok.Elem) (said []xtok.Elem, none bool) {
	for x := range e.Children() {
		if x.Is(nsUpdate, "x") {
			said = append(said, x)
			photo := x.Child(nsUpdate, "photo")
			none = none || photo.OK() && !photo.HasText()
		}
	}
	return said, none
}

// tell is the hash that an address may hear of, or, where to is zero, those to whom
// presence is broadcast; "" when there is no picture. ok is false when there is one
// that is not for them, or when it cannot be read: then nothing is said.
func (v *VCard) tell(owner, to jid.JID) (hash string, ok bool) {
	err := v.nodes.Change(context.Background(), owner, func(d Draft) error {
		p, err := v.picture(d, owner)
		hash = strings.ToLower(p.hash)
		ok = hash == "" || mayFetch(d, nodeMeta, to) && mayFetch(d, nodeData, to)
		return err
	})
	return hash, ok && err == nil
}

// mayFetch tells whether an address may fetch from a node, or, where it is zero,
// everyone who sees the owner's presence.
func mayFetch(d Draft, node string, who jid.JID) bool {
	if !who.IsZero() {
		return d.May(node, who)
	}
	a := d.Access(node)
	return a == "open" || a == "presence"
}

func appendUpdate(b []byte, hash string) []byte {
	return append(b, "<x xmlns='"+nsUpdate+"'><photo>"+hash+"</photo></x>"...)
}
