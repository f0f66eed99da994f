// Package private keeps small pieces of XML for an account's own clients: Private
// XML Storage, XEP-0049, 1.2. It does not look into them; those that have a home
// elsewhere (bookmarks) are handed there. Nobody but the owner's sessions reads
// or writes them; others hear what they would hear of an account that is not there.
//
// Invariants, each with a test: what was answered is durable; a set of several
// elements happens as a whole; nobody else learns whether an account or an element
// is there; what one account keeps is bounded.
package private

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "jabber:iq:private"

// The limits of one account.
const (
	maxSize  = 128 << 10 // bytes of one element
	maxTotal = 2 << 20   // bytes of all
	maxCount = 500
	maxName  = 1_023 // bytes of namespace and name
	maxReply = 32 << 10
)

// Home keeps one kind of element in private XML's stead; its owner is that of the
// session that asks.
type Home struct {
	Get func(ctx context.Context, by *core.Session) ([]byte, error)
	Set func(ctx context.Context, by *core.Session, e xtok.Elem) error
}

// Private is the feature. Make it with New.
type Private struct {
	kv    store.KV
	kept  *store.Bucket
	homes map[string]Home
}

// New makes the feature over its storage.
func New(kv store.KV) *Private {
	return &Private{
		kv: kv, homes: map[string]Home{},
		kept: kv.Declare(store.Space{
			Name: "private-xml", Fields: "namespace and name -> the element as a client wrote it",
			Purpose: "settings that clients keep on the server for each other (XEP-0049)", Export: true,
		}),
	}
}

// Home gives an element another home; before start.
func (p *Private) Home(space, local string, h Home) { p.homes[key(space, local)] = h }

// Register attaches the handler. It is announced for the account, although the
// specification names no feature: clients look for the namespace.
func (p *Private) Register(h *core.Host) {
	h.IQ(core.Account, ns, "query", p.query)
	h.Disco(core.Account, ns)
	h.Disco(core.Server, ns)
}

func key(space, local string) string { return space + " " + local }

func (p *Private) query(q *core.Query) ([]byte, error) {
	if !q.Own() {
		// the XEP leaves the choice between this and forbidden; a missing account
		// answers so too (RFC 6121 §8.5.1)
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	list, err := pieces(q.Payload)
	if err != nil {
		return nil, err
	}
	if q.Set() {
		return nil, p.set(q, list)
	}
	if len(list) > 1 {
		return nil, stanza.Errorf(stanza.BadRequest, "one element at a time")
	}
	return p.get(q, list[0])
}

// pieces are the elements that a request is about.
// XEP-0049 §2.3
func pieces(query xtok.Elem) (list []xtok.Elem, err error) {
	for e := range query.Children() {
		switch space := e.NS(); {
		case space == "" || reserved(space):
			return nil, stanza.Errorf(stanza.NotAcceptable, "private data has a namespace of its own")
		case len(key(space, e.Local())) > maxName:
			return nil, stanza.Errorf(stanza.NotAcceptable, "the name of the element is too long")
		case len(e.Raw()) > maxSize:
			return nil, stanza.Errorf(stanza.NotAcceptable, "an element of private data has at most %d bytes", maxSize)
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, stanza.Errorf(stanza.NotAcceptable, "the request names no element")
	}
	if len(list) > maxCount {
		return nil, stanza.Errorf(stanza.ResourceConstraint, "these are too many elements")
	}
	return list, nil
}

// reserved namespaces are those of the protocol itself.
// XEP-0049 §2.3
func reserved(space string) bool {
	return strings.HasPrefix(space, "jabber:") || strings.HasPrefix(space, "http://jabber.org/") || space == "vcard-temp"
}

// get answers with an element as it was set, or as it was asked for when there
// is none.
func (p *Private) get(q *core.Query, e xtok.Elem) ([]byte, error) {
	piece, err := p.read(q, key(e.NS(), e.Local()))
	if err != nil {
		return nil, err
	}
	if piece == nil {
		piece = e.AppendUnspoken(nil)
	}
	b := append([]byte("<query xmlns='"+ns+"'>"), piece...)
	b = append(b, "</query>"...)
	if len(b) > maxReply {
		q.ReplyBehind(b)
		return nil, core.ErrLater
	}
	return b, nil
}

func (p *Private) read(q *core.Query, name string) ([]byte, error) {
	if h, ok := p.homes[name]; ok {
		return h.Get(q.Ctx, q.Session)
	}
	it, err := p.kept.Get(q.Ctx, q.Asker().String(), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("private xml: %w", err)
	}
	return it.Value, nil
}

// set keeps elements, in place of others of the same name. An element with a home
// comes alone: two stores have no common batch.
func (p *Private) set(q *core.Query, list []xtok.Elem) error {
	if h, ok := p.homes[key(list[0].NS(), list[0].Local())]; ok && len(list) == 1 {
		return h.Set(q.Ctx, q.Session, list[0])
	}
	var ops []store.Op
	fresh := map[string]int{}
	for _, e := range list {
		name := key(e.NS(), e.Local())
		if _, elsewhere := p.homes[name]; elsewhere {
			return stanza.Errorf(stanza.BadRequest, "<%s/> is to be set by itself", e.Local())
		}
		raw := e.AppendUnspoken(nil)
		ops = append(ops, p.kept.Set(name, raw))
		fresh[name] = len(raw)
	}
	if err := p.room(q, fresh); err != nil {
		return err
	}
	return p.kv.Apply(q.Ctx, q.Asker().String(), ops...)
}

// room refuses what is too much. Sessions that set at the same moment may pass it
// together; each overshoots by one request at most.
func (p *Private) room(q *core.Query, fresh map[string]int) error {
	kept, err := p.kept.Scan(q.Ctx, q.Asker().String(), store.Range{})
	if err != nil {
		return fmt.Errorf("private xml: %w", err)
	}
	count, size := len(fresh), 0
	for _, n := range fresh {
		size += n
	}
	for _, k := range kept {
		if _, replaced := fresh[k.Key]; !replaced {
			count++
			size += len(k.Value)
		}
	}
	if count > maxCount || size > maxTotal {
		return stanza.Errorf(stanza.ResourceConstraint, "an account keeps at most %d elements of %d MiB in all", maxCount, maxTotal>>20)
	}
	return nil
}
