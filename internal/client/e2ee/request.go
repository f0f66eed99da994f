package e2ee

import (
	"strconv"
	"time"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Namespaces of publish-subscribe.
const (
	nsPubSub = "http://jabber.org/protocol/pubsub"
	nsEvent  = nsPubSub + "#event"
	nsOwner  = nsPubSub + "#owner"
	nsErrors = nsPubSub + "#errors"
	nsDevice = "urn:mirsal:device:0"
)

// kind is what is asked of a server.
type kind uint8

const (
	getList kind = iota
	getBundle
	putList
	putBundle
	configure // the node of our list (device 0) or of our bundle
	deleteBundle
	buryBundle // says of another device's that a person has removed it
	lookBundle // whether there is such a word of another own device's
)

// asked names a request: the same is never under way twice.
type asked struct {
	kind    kind
	who     jid.JID
	device  uint32
	profile omemo.Profile
	try     uint8 // of publishing: see publish.go
}

// key is the request without its try: two tries are not under way at once.
func (a asked) key() asked {
	a.try = 0
	return a
}

// ask appends a request unless it is under way.
func (b *Book) ask(to []Request, what asked) []Request {
	if b.asked[what.key()] {
		b.late[what.profile] = b.late[what.profile] || what.kind == putList
		return to
	}
	r := Request{what: what, Type: stanza.Set}
	switch what.kind {
	case getList:
		r.Type, r.Payload = stanza.Get, items(what.profile.DevicesNode(), "")
	case getBundle, lookBundle:
		r.Type, r.Payload = stanza.Get, bundleItems(what.profile, what.device)
	case putList:
		r.Payload = b.listPayload(what)
	case putBundle:
		r.Payload, r.mark = b.bundlePayload(what)
	case configure:
		r.Payload = configurePayload(b.nodeOf(what), what)
	case deleteBundle:
		r.Payload = deletePayload(what.profile, what.device)
	case buryBundle:
		what.try = bare // a node that is there keeps its options
		r.Payload = publishPayload(b.nodeOf(what), what.profile.BundleItem(what.device), []byte("<removed xmlns='"+nsDevice+"'/>"), what)
	}
	if what.who != b.own {
		r.To = what.who
	}
	b.asked[what.key()] = true
	b.generation++
	return append(to, r)
}

func node(b []byte, name, node string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	return xtok.AppendAttr(b, "node", node)
}

// items asks for a node's newest item, or for the one of that name.
// XEP-0060#subscriber-retrieve
func items(name, item string) []byte {
	b := node([]byte("<pubsub xmlns='"+nsPubSub+"'>"), "items", name)
	if item == "" {
		return append(b, " max_items='1'/></pubsub>"...)
	}
	b = append(b, "><item"...)
	b = xtok.AppendAttr(b, "id", item)
	return append(b, "/></items></pubsub>"...)
}

// bundleItems asks for a bundle: the node's newest in Legacy, where the item's name is not
// agreed on, and the device's own item in Two.
func bundleItems(p omemo.Profile, device uint32) []byte {
	if p == omemo.Legacy {
		return items(p.BundleNode(device), "")
	}
	return items(p.BundleNode(device), p.BundleItem(device))
}

// publishPayload publishes an item, with options unless the server has refused
// them twice.
// XEP-0060#publisher-publish-options
func publishPayload(name, item string, content []byte, what asked) []byte {
	b := node([]byte("<pubsub xmlns='"+nsPubSub+"'>"), "publish", name)
	b = append(b, "><item"...)
	b = xtok.AppendAttr(b, "id", item)
	b = append(b, '>')
	b = append(b, content...)
	b = append(b, "</item></publish>"...)
	if what.try < bare {
		b = append(b, "<publish-options>"...)
		b = nodeForm(nsPubSub+"#publish-options", what).Append(b)
		b = append(b, "</publish-options>"...)
	}
	return append(b, "</pubsub>"...)
}

// nodeForm is what our nodes must be: kept, and open to all, since whoever writes to us
// first is no contact yet.
// XEP-0384#usecases-announcing
func nodeForm(of string, what asked) *form.Form {
	f := &form.Form{Kind: form.Submit, Of: of, Fields: []form.Field{
		{Var: "pubsub#persist_items", Values: []string{"true"}},
		{Var: "pubsub#access_model", Values: []string{"open"}},
	}}
	if what.profile == omemo.Two && what.device != 0 {
		f.Fields = append(f.Fields, form.Field{Var: "pubsub#max_items", Values: []string{"max"}})
	}
	return f
}

// configurePayload sets a node's options by itself.
// XEP-0060#owner-configure
func configurePayload(name string, what asked) []byte {
	b := node([]byte("<pubsub xmlns='"+nsOwner+"'>"), "configure", name)
	b = append(b, '>')
	b = nodeForm(nsPubSub+"#node_config", what).Append(b)
	return append(b, "</configure></pubsub>"...)
}

// deletePayload takes a device's bundle away.
func deletePayload(p omemo.Profile, device uint32) []byte {
	if p == omemo.Legacy {
		b := node([]byte("<pubsub xmlns='"+nsOwner+"'>"), "delete", p.BundleNode(device))
		return append(b, "/></pubsub>"...)
	}
	b := node([]byte("<pubsub xmlns='"+nsPubSub+"'>"), "retract", p.BundleNode(device))
	b = append(b, " notify='true'><item"...)
	b = xtok.AppendAttr(b, "id", strconv.FormatUint(uint64(device), 10))
	return append(b, "/></retract></pubsub>"...)
}

// nodeOf is the node that a publication is about.
func (b *Book) nodeOf(what asked) string {
	if what.device == 0 {
		return what.profile.DevicesNode()
	}
	return what.profile.BundleNode(what.device)
}

// Answer takes the answer to a request: the whole <iq/> of type result or error, the zero
// Elem when there was none (time-out, connection lost). An answer that was not waited
// for, or comes twice, is ignored.
func (b *Book) Answer(r Request, iq xtok.Elem) Step {
	var s Step
	if !b.asked[r.what.key()] {
		return b.done(s)
	}
	delete(b.asked, r.what.key())
	b.generation++
	switch r.what.kind {
	case getList:
		b.listAnswer(&s, r.what, iq)
	case lookBundle:
		b.lookedFor(r.what, iq)
	case getBundle:
		b.bundleAnswer(&s, r.what, iq)
	case putList, putBundle:
		b.published(&s, r, iq)
	case configure:
		b.configured(&s, r.what)
	}
	return b.done(s)
}

// Withdraw takes back a request that was not sent since the one whom it would go to is not to hear of us.
// A list is asked for at the next occasion, as if it had not been thought of; all else got lost.
func (b *Book) Withdraw(r Request) Step {
	if r.what.kind != getList || !b.asked[r.what.key()] {
		return b.Answer(r, xtok.Elem{})
	}
	delete(b.asked, r.what.key())
	delete(b.poked, r.what.who)
	b.generation++
	return b.done(Step{})
}

// forgiven is how many questions in a row may get no answer before that is a failure:
// a connection that breaks says nothing about whom was asked for.
const forgiven = 2

// forgives tells that a question without an answer is simply to be asked again.
func (b *Book) forgives(what asked, iq xtok.Elem) bool {
	if iq.OK() {
		delete(b.lost, what.key())
		return false
	}
	b.lost[what.key()]++
	return b.lost[what.key()] <= forgiven
}

// reconnected forgets the failures that were only silence, of accounts in memory; of the others when they
// are read.
func (b *Book) reconnected() {
	clear(b.asked)
	b.generation++
	clear(b.lost)
	for _, a := range b.accounts {
		if a.reconnected() {
			b.touch(a)
		}
	}
}

// reconnected forgets the account's, and tells whether there were any.
func (a *account) reconnected() (forgot bool) {
	for _, l := range a.Lists {
		if l.Lost {
			l.Next, l.Lost, forgot = time.Time{}, false, true
		}
	}
	for _, d := range a.Devices {
		for p, f := range d.Fetch {
			if f.Lost {
				delete(d.Fetch, p)
				forgot = true
			}
		}
	}
	return forgot
}

// itemOf finds what an answer, or an event, holds in a node: the payload of the item of that name, else
// that of the last. ok is false when these are not the items of the node.
func itemOf(list xtok.Elem, ns, name, item string) (payload xtok.Elem, ok bool) {
	if !list.OK() || !list.AttrIs("node", name) {
		return xtok.Elem{}, false
	}
	for it := range list.Children() {
		if !it.Is(ns, "item") {
			continue
		}
		payload = it.First()
		if it.AttrIs("id", item) {
			break
		}
	}
	return payload, true
}

// isResult and isMissing read an answer.
func isResult(iq xtok.Elem) bool { return iq.OK() && iq.AttrIs("type", stanza.Result) }

func isMissing(iq xtok.Elem) bool {
	return iq.AttrIs("type", stanza.Error) &&
		iq.Child(stanza.NSClient, "error").Child(stanza.NSStanzas, string(stanza.ItemNotFound)).OK()
}

func isPrecondition(iq xtok.Elem) bool {
	return iq.AttrIs("type", stanza.Error) &&
		iq.Child(stanza.NSClient, "error").Child(nsErrors, "precondition-not-met").OK()
}
