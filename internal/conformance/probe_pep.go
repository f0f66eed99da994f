package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/xtok"
)

const (
	nsPubsub  = "http://jabber.org/protocol/pubsub"
	nsEvent   = nsPubsub + "#event"
	nsOwner   = nsPubsub + "#owner"
	nsOptions = nsPubsub + "#publish-options"
)

// node is the name of a PEP node of this run.
func (e *exam) node(name string) string { return e.token + ":" + name }

// check is the payload of what is published and stored.
func (e *exam) check() string {
	return "<check xmlns='urn:mirsal:conformance:0'>" + e.token + "</check>"
}

// publish puts an item to an own node, with options as pairs.
func (e *exam) publish(ctx context.Context, node, id, payload string, options ...string) error {
	text := "<pubsub xmlns='" + nsPubsub + "'><publish node='" + esc(node) + "'><item id='" + esc(id) + "'>" + payload + "</item></publish>"
	if len(options) > 0 {
		f := form.Form{Kind: form.Submit, Of: nsOptions}
		for i := 0; i < len(options); i += 2 {
			f.Fields = append(f.Fields, form.Field{Var: options[i], Values: options[i+1 : i+2]})
		}
		text += "<publish-options>" + string(f.Append(nil)) + "</publish-options>"
	}
	_, err := e.a.set(ctx, "", text+"</pubsub>")
	return err
}

// read reads the ids of an own node's items by another device.
func (e *exam) read(ctx context.Context, node string) (items []xtok.Elem, err error) {
	s := e.b
	if s == nil {
		s = e.a
	}
	answer, err := s.get(ctx, "", "<pubsub xmlns='"+nsPubsub+"'><items node='"+esc(node)+"'/></pubsub>")
	if err != nil {
		return nil, err
	}
	for c := range answer.Child(nsPubsub, "pubsub").Child(nsPubsub, "items").Children() {
		items = append(items, c)
	}
	return items, nil
}

func (e *exam) retract(ctx context.Context, node, id string) error {
	_, err := e.a.set(ctx, "", "<pubsub xmlns='"+nsPubsub+"'><retract node='"+esc(node)+"' notify='true'><item id='"+esc(id)+"'/></retract></pubsub>")
	return err
}

func (e *exam) deleteNode(ctx context.Context, node string) {
	_, err := e.a.set(ctx, "", "<pubsub xmlns='"+nsOwner+"'><delete node='"+esc(node)+"'/></pubsub>")
	e.left("the PEP node "+node, err)
}

// access is the access model of an own node, "" when it cannot be read.
func (e *exam) access(ctx context.Context, node string) string {
	answer, err := e.a.get(ctx, "", "<pubsub xmlns='"+nsOwner+"'><configure node='"+esc(node)+"'/></pubsub>")
	if err != nil {
		return ""
	}
	f, err := form.Read(answer.Child(nsOwner, "pubsub").Child(nsOwner, "configure").Child(form.NS, "x"))
	if err != nil {
		return ""
	}
	return f.Value("pubsub#access_model")
}

// tryPEP publishes to an own node: a device that asked for it hears of it, the
// item can be read and taken back.
func (e *exam) tryPEP(ctx context.Context) {
	const key = "core.pep"
	announced := e.own.is("pubsub", "pep")
	node := e.node("event")
	mark := 0
	if e.b != nil {
		mark = e.b.mark()
	}
	if err := e.publish(ctx, node, "current", e.check()); err != nil {
		e.broken(key, announced, "publishing", err)
		return
	}
	defer e.deleteNode(ctx, node)
	var faults []string
	if !announced {
		faults = append(faults, "the account does not say so (no identity pubsub/pep)")
	}
	heard := e.heard(ctx, mark, node)
	if heard != "" && e.shown {
		faults = append(faults, heard)
	}
	if items, err := e.read(ctx, node); err != nil {
		faults = append(faults, "reading it "+reason(err))
	} else if len(items) != 1 || !strings.Contains(string(items[0].Raw()), e.token) {
		faults = append(faults, "what was published is not there to read")
	}
	if err := e.retract(ctx, node, "current"); err != nil {
		faults = append(faults, "taking it back "+reason(err))
	} else if items, err := e.read(ctx, node); err == nil && len(items) > 0 {
		faults = append(faults, "what was taken back is still there")
	}
	switch {
	case len(faults) > 0:
		e.partly(key, "published; but %s", strings.Join(faults, "; "))
	case heard != "":
		e.works(key, "published, read by the other device, taken back; %s, as you are not shown to your contacts", heard)
	default:
		e.works(key, "published, the other device heard of it (+notify), read, taken back")
	}
}

// heard says what is wrong with the news of an item, "" when it came.
func (e *exam) heard(ctx context.Context, mark int, node string) string {
	if e.b == nil {
		return "no other device to hear of it"
	}
	_, err := e.b.await(ctx, mark, func(x xtok.Elem) bool {
		items := x.Child(nsEvent, "event").Child(nsEvent, "items")
		return items.AttrIs("node", node) && strings.Contains(string(items.Raw()), e.token)
	})
	if err != nil {
		return "no device hears of it by +notify"
	}
	return ""
}

// kept publishes items to a node with options, and says what is wrong with what
// came of it; the node goes again.
func (e *exam) kept(ctx context.Context, name, access string, ids []string, options ...string) (faults []string) {
	node := e.node(name)
	options = append([]string{"pubsub#persist_items", "true", "pubsub#access_model", access}, options...)
	for i, id := range ids {
		if err := e.publish(ctx, node, id, e.check(), options...); err != nil {
			if i > 0 {
				e.deleteNode(ctx, node)
			}
			return []string{"publishing with these options " + reason(err)}
		}
	}
	defer e.deleteNode(ctx, node)
	items, err := e.read(ctx, node)
	if err != nil {
		return []string{"reading it " + reason(err)}
	}
	if len(items) != len(ids) {
		faults = append(faults, fmt.Sprintf("of %d items %d stayed", len(ids), len(items)))
	}
	if got := e.access(ctx, node); got != "" && got != access {
		faults = append(faults, "the access model became "+got)
	}
	return faults
}

// tryPrivate tests storage for the owner alone: PubSub, private XML, and what
// rests on the first.
func (e *exam) tryPrivate(ctx context.Context) {
	if faults := e.kept(ctx, "private", "whitelist", []string{"current"}); len(faults) > 0 {
		e.missing("im.private-pubsub", "%s", strings.Join(faults, "; "))
	} else {
		e.works("im.private-pubsub", "kept and read again, whitelist access by publish-options")
	}
	e.tryPrivateXML(ctx)
	e.tryOMEMO(ctx)
	e.tryDisplayed(ctx)
}

// XEP-0049 §2
func (e *exam) tryPrivateXML(ctx context.Context) {
	const key, ns = "im.private-xml", "urn:mirsal:conformance:0"
	query := func(inner string) string { return "<query xmlns='jabber:iq:private'>" + inner + "</query>" }
	empty := "<check xmlns='" + ns + "'/>"
	if _, err := e.a.set(ctx, "", query(e.check())); err != nil {
		e.broken(key, e.server.has("jabber:iq:private"), "storing", err)
		return
	}
	answer, err := e.a.get(ctx, "", query(empty))
	_, cleared := e.a.set(ctx, "", query(empty))
	e.left("an element in private XML storage", cleared)
	switch {
	case err != nil:
		e.broken(key, true, "reading it", err)
	case answer.Child("jabber:iq:private", "query").Child(ns, "check").Text() != e.token:
		e.missing(key, "what was stored does not come back")
	default:
		e.works(key, "stored and read again")
	}
}

// tryOMEMO publishes as both editions of OMEMO do, to nodes of our own, so that
// nobody's keys are touched.
func (e *exam) tryOMEMO(ctx context.Context) {
	const key = "beyond.omemo"
	var faults []string
	if f := e.kept(ctx, "axolotl", "open", []string{"current"}); len(f) > 0 {
		faults = append(faults, "legacy: "+strings.Join(f, "; "))
	}
	if f := e.kept(ctx, "omemo", "open", []string{"1001", "1002"}, "pubsub#max_items", "max"); len(f) > 0 {
		faults = append(faults, "OMEMO 2: "+strings.Join(f, "; "))
	}
	if !e.own.has(nsPubsub + "#config-node-max") {
		faults = append(faults, "the account does not announce config-node-max")
	}
	switch len(faults) {
	case 0:
		e.works(key, "open nodes, max_items=max kept every item; as both editions publish")
	default:
		e.partly(key, "%s", strings.Join(faults, "; "))
	}
}

// tryDisplayed publishes as XEP-0490 does.
func (e *exam) tryDisplayed(ctx context.Context) {
	const key = "beyond.displayed"
	faults := e.kept(ctx, "displayed", "whitelist", []string{"one@conformance.invalid", "two@conformance.invalid"},
		"pubsub#max_items", "max", "pubsub#send_last_published_item", "never")
	switch {
	case len(faults) > 0:
		e.missing(key, "%s", strings.Join(faults, "; "))
	case slices.ContainsFunc([]*info{e.own, e.server}, func(i *info) bool { return i.has("urn:xmpp:mds:server-assist:0") }):
		e.works(key, "can be published, one item for each chat; the server helps (server-assist)")
	default:
		e.works(key, "can be published, one item for each chat")
	}
}

const (
	nsBookmarks    = "urn:xmpp:bookmarks:1"
	nsOldBookmarks = "storage:bookmarks"
)

// tryBookmark publishes a bookmark of the new kind and looks for it where old
// clients do. It returns what is wrong, "" when they are one list.
func (e *exam) tryBookmark(ctx context.Context) string {
	switch {
	case e.own.has(nsBookmarks + "#compat"):
	case e.own.has("urn:xmpp:bookmarks-conversion:0"):
		return "only bookmarks of the two old kinds are one list (XEP-0411)"
	default:
		return "bookmarks of old and new kind are not one list (no #compat)"
	}
	_, err := e.read(ctx, nsBookmarks)
	fresh := failedWith(err, "item-not-found")
	room := e.token + "@conformance.invalid"
	err = e.publish(ctx, nsBookmarks, room, "<conference xmlns='"+nsBookmarks+"' autojoin='false' name='mirsal conformance'/>",
		"pubsub#persist_items", "true", "pubsub#max_items", "max", "pubsub#send_last_published_item", "never", "pubsub#access_model", "whitelist")
	if err != nil {
		return "bookmarks are announced, but publishing one " + reason(err)
	}
	answer, err := e.a.get(ctx, "", "<query xmlns='jabber:iq:private'><storage xmlns='"+nsOldBookmarks+"'/></query>")
	e.left("the bookmark "+room, e.retract(ctx, nsBookmarks, room))
	if fresh {
		e.deleteNode(ctx, nsBookmarks)
	}
	if err != nil {
		return "reading bookmarks the old way " + reason(err)
	}
	if !strings.Contains(string(answer.Raw()), room) {
		return "announced, but a new bookmark is not seen the old way"
	}
	return ""
}
