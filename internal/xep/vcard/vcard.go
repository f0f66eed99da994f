// Package vcard is the visiting card and the picture of an account, in all forms
// that clients know: vcard-temp, XEP-0054, 1.3.0, and User Avatar to vCard-Based
// Avatars Conversion, XEP-0398, 1.0.0, between XEP-0084, 1.1.4, and XEP-0153, 1.1.1.
// It does not look at what the card says, nor at what the picture shows.
//
// There is one picture: the personal eventing nodes of XEP-0084. A card is kept
// without it, and shown with it to those whom these nodes let see it.
//
// Who may look. A card is world-readable (XEP-0054 says so, and clients tell people
// so); the picture follows the access models of its nodes, which a card that brings
// the first picture makes open, as cards are, and which nothing here changes
// afterwards. Without anything that he may see a stranger hears what he hears of an
// account that is not there: only what its owner made public tells of an account.
//
// Invariants, each with a test: a picture is shown, and its hash told, only when its
// bytes have that hash; what one device sets in one form every other reads in its
// own; a hash is told to those only who may fetch the picture; two devices that set
// at once leave the card and the picture of one of them, never of both.
package vcard

import (
	"context"
	"errors"
	"fmt"

	"mirsal/internal/core"
	"mirsal/internal/lru"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	ns       = "vcard-temp"
	nsUpdate = "vcard-temp:x:update"
)

// The nodes of XEP-0084, each named as its namespace.
const (
	nodeData = "urn:xmpp:avatar:data"
	nodeMeta = "urn:xmpp:avatar:metadata"
)

const maxReply = 32 << 10 // bytes of an answer that need not wait until the queue is short

// Draft is one change to an account's nodes, as it is made; see Nodes.
type Draft interface {
	// Last is a node's last item, Item one by its id; nil when there is none.
	Last(node string) (id string, payload []byte, err error)
	Item(node, id string) ([]byte, error)
	// Place grows with each item that a node gets; 0 for an empty one.
	Place(node string) uint64
	// Access is a node's access model, "" without a node; May tells whether an
	// address may retrieve from it.
	Access(node string) string
	May(node string, asker jid.JID) bool
	// Publish and Retract change a node, which is made with an access model where
	// it is not there; an id is found where none is given.
	Publish(node, id string, payload []byte, access string) error
	Retract(node, id string)
	// Also adds a step that becomes durable with the others.
	Also(op store.Op)
}

// Nodes are the personal eventing nodes of all accounts.
type Nodes interface {
	// Change lets f read and change the nodes of one account while nobody else
	// does. What f asked for is durable, and told, when it returns nil.
	Change(ctx context.Context, owner jid.JID, f func(d Draft) error) error
}

// Presences are the presences that were broadcast.
type Presences interface {
	// Restamp lets f edit the presence of each available session of an account
	// and broadcasts those that changed.
	Restamp(owner jid.JID, f func(s *core.Session, e xtok.Elem) (stanza.Edit, bool))
}

// VCard is the feature. Make it with New.
type VCard struct {
	nodes Nodes
	shown Presences
	cards *store.Bucket

	pictures *lru.Cache[jid.JID, verified]
	without  opted
}

// cardKey is the one key of an account.
const cardKey = "card"

// New makes the feature over its storage.
func New(kv store.KV, n Nodes, p Presences) *VCard {
	return &VCard{
		nodes: n, shown: p, pictures: lru.New[jid.JID, verified](cacheBytes),
		cards: kv.Declare(store.Space{
			Name: "vcard", Fields: "the elements of the card as a client wrote them, but for the picture",
			Purpose: "the account's visiting card, which everyone may read (XEP-0054)", Export: true,
		}),
	}
}

// Register attaches the handlers. Stamp is to be called for presence, Changed
// for nodes that changed.
func (v *VCard) Register(h *core.Host) {
	h.IQ(core.Account, ns, "vCard", v.iq)
	h.Gone = append(h.Gone, v.without.forget)
	h.AccountGone = append(h.AccountGone, v.pictures.Drop)
	// XEP-0398#disco
	h.Disco(core.Account, ns, "urn:xmpp:pep-vcard-conversion:0")
	h.Disco(core.Server, ns)
}

func (v *VCard) iq(q *core.Query) ([]byte, error) {
	if q.Set() {
		return nil, v.set(q)
	}
	return v.get(q)
}

// get shows a card to the owner or to another.
// XEP-0054#usecases
func (v *VCard) get(q *core.Query) ([]byte, error) {
	b := []byte("<vCard xmlns='" + ns + "'>")
	open, there := len(b), false
	err := v.nodes.Change(q.Ctx, q.Head.To, func(d Draft) error {
		p, err := v.picture(d, q.Head.To)
		if err != nil {
			return err
		}
		if p.hash != "" && d.May(nodeMeta, q.Asker()) && d.May(nodeData, q.Asker()) {
			if b, err = appendPhoto(b, d, p); err != nil {
				return err
			}
		}
		var card []byte
		card, there, err = v.card(q.Ctx, q.Head.To)
		b = append(b, card...)
		return err
	})
	there = there || len(b) > open
	switch {
	case err != nil:
		return nil, err
	case !there && q.Own():
		return nil, stanza.Errorf(stanza.ItemNotFound, "there is no card yet")
	case !there:
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	if b = append(b, "</vCard>"...); len(b) > maxReply {
		q.ReplyBehind(b)
		return nil, core.ErrLater
	}
	return b, nil
}

// card is what is kept of a card, and whether there is one: its owner may have
// published an empty one, as programs do that clear a card.
func (v *VCard) card(ctx context.Context, owner jid.JID) (card []byte, there bool, err error) {
	it, err := v.cards.Get(ctx, owner.String(), cardKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("vcard: %w", err)
	}
	return it.Value, true, nil
}

// set replaces the card, and with it the picture.
// XEP-0398#vcard2pep
func (v *VCard) set(q *core.Query) error {
	if !q.Own() {
		// XEP-0054 asks for forbidden, which would tell that the account is there
		return stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	card, photo, err := split(q.Payload)
	if err != nil {
		return err
	}
	return v.nodes.Change(q.Ctx, q.Asker(), func(d Draft) error {
		d.Also(v.cards.Set(cardKey, card))
		return v.follow(d, q.Asker(), photo)
	})
}

// split takes the picture out of a card. Only the first one counts, as everywhere;
// a picture that is only pointed at stays in the card.
// XEP-0153#bizrules-xml
func split(vcard xtok.Elem) (card []byte, photo image, err error) {
	found := false
	for e := range vcard.Children() {
		if !e.Is(ns, "PHOTO") || e.Child(ns, "EXTVAL").OK() && !e.Child(ns, "BINVAL").OK() {
			card = e.AppendUnspoken(card)
			continue
		}
		if found {
			continue
		}
		found = true
		if photo, err = readPhoto(e); err != nil {
			return nil, image{}, err
		}
	}
	return card, photo, nil
}

// follow makes the nodes show the picture of a card. One that they show already
// is not published again, and one that a card could not have shown stays.
func (v *VCard) follow(d Draft, owner jid.JID, photo image) error {
	now, err := v.picture(d, owner)
	if err != nil || now.hash == photo.hash() {
		return err
	}
	if len(photo.data) == 0 {
		// XEP-0084#pub-disable
		d.Retract(nodeData, now.hash)
		return d.Publish(nodeMeta, "", []byte("<metadata xmlns='"+nodeMeta+"'/>"), access(d))
	}
	model := access(d)
	if err := d.Publish(nodeData, photo.hash(), photo.payload(), model); err != nil {
		return err
	}
	return d.Publish(nodeMeta, photo.hash(), photo.metadata(), model)
}

// access is the model for a node that is not there: that of the other one, so
// that no picture is more public than it was, else open, as cards are.
func access(d Draft) string {
	for _, node := range []string{nodeMeta, nodeData} {
		if a := d.Access(node); a != "" {
			return a
		}
	}
	return "open"
}
