package e2ee

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// world is a server with personal nodes, a clock, and clients that are Books.
type world struct {
	t        *testing.T
	rand     io.Reader
	now      time.Time
	nodes    map[jid.JID]map[string]map[string]string // account, node, item: payload
	closed   map[string]bool                          // nodes that are there with another access model
	stubborn bool                                     // configuring is refused
	clients  []*client
	// lie answers in the server's place; "" lets the server answer.
	lie func(asker jid.JID, r Request) string
	// mute drops all pushes of changed lists.
	mute bool
	// only has the clients speak no profile but this, when it is set.
	only omemo.Profile
	made int // devices
	// wire is what puppets speak, and both has every client speak both profiles.
	wire omemo.Profile
	both bool
}

// stock are devices made once for all tests, since a device's hundred keys take their time.
var stock = sync.OnceValue(func() (out [12][]byte) {
	random := rand.NewChaCha8([32]byte{2})
	for i := range out {
		d, err := omemo.NewDevice(random, 1, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		if err != nil {
			panic(err)
		}
		if out[i], err = d.MarshalBinary(); err != nil {
			panic(err)
		}
	}
	return out
})

// device is one with a key that no other of this world has.
func (w *world) device(id uint32) *omemo.Device {
	w.t.Helper()
	d := &omemo.Device{}
	if err := d.UnmarshalBinary(stock()[w.made]); err != nil {
		w.t.Fatal(err)
	}
	w.made++
	d.ID = id
	return d
}

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.net")
	carol = jid.MustParse("carol@example.com")
	room  = jid.MustParse("room@conference.example.org")
)

func newWorld(t *testing.T) *world {
	return &world{
		t: t, rand: rand.NewChaCha8([32]byte{1}), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		nodes: map[jid.JID]map[string]map[string]string{}, closed: map[string]bool{}, wire: omemo.Legacy,
	}
}

// client is a Book with its store, and what it was told to do.
type client struct {
	*Book
	w       *world
	who     jid.JID
	disk    keep.Store
	alerts  []port.KeyAlert
	notes   []Note
	asked   int
	removed int // times that it was told so
}

func (w *world) open(who jid.JID, disk keep.Store, two bool) *client {
	w.t.Helper()
	b, err := Open(Config{Store: disk, Own: who, Rand: w.rand, Now: func() time.Time { return w.now }, Two: two, Label: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.only != 0 {
		b.profiles = []omemo.Profile{w.only}
	}
	return &client{Book: b, w: w, who: who, disk: disk}
}

// client signs a new Book in, with catch-up behind it.
func (w *world) client(who jid.JID) *client { return w.start(who, w.both) }

func (w *world) start(who jid.JID, two bool) *client {
	disk, batch := keep.NewMemory(), &keep.Batch{}
	raw, err := w.device(uint32(9000 + w.made)).MarshalBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	batch.Put(ownTable, "device", raw)
	if err := disk.Apply(batch); err != nil {
		w.t.Fatal(err)
	}
	c := w.open(who, disk, two)
	w.clients = append(w.clients, c)
	c.do(c.Online())
	c.do(c.CatchUp(false))
	return c
}

// do carries a step out as an engine would.
func (c *client) do(s Step) {
	c.w.t.Helper()
	c.apply(s.Batch)
	c.alerts = append(c.alerts, s.Alerts...)
	c.notes = append(c.notes, s.Send...)
	if s.Removed {
		c.removed++
	}
	for _, r := range s.Ask {
		c.asked++
		if c.asked > 2000 {
			c.w.t.Fatal("the client asks without end")
		}
		c.do(c.Answer(r, c.w.serve(c.who, r)))
	}
}

func (c *client) apply(b *keep.Batch) {
	c.w.t.Helper()
	if err := c.disk.Apply(b); err != nil {
		c.w.t.Fatal(err)
	}
}

// prepare asks until nothing is waited for.
func (c *client) prepare(to ...jid.JID) {
	c.w.t.Helper()
	for range 10 {
		ask, wait := c.Needs(to)
		if !wait {
			return
		}
		c.do(Step{Ask: ask})
	}
	c.w.t.Fatal("the client waits for keys without end")
}

// write encrypts to people; nil when it is refused.
func (c *client) write(text string, to ...jid.JID) (xtok.Elem, Sealed, error) {
	c.w.t.Helper()
	return c.writeIn(jid.JID{}, text, to...)
}

func (c *client) writeIn(room jid.JID, text string, to ...jid.JID) (xtok.Elem, Sealed, error) {
	c.w.t.Helper()
	c.prepare(to...)
	sealed, batch, err := c.Encrypt(Outgoing{To: to, Room: room, Text: text})
	if err != nil {
		if len(sealed.Content) > 0 {
			c.w.t.Fatal("something was encrypted though it is refused")
		}
		return xtok.Elem{}, sealed, err
	}
	c.apply(batch)
	if bytes.Contains(sealed.Content, []byte(text)) {
		c.w.t.Fatal("the text stands in what is sent")
	}
	return encrypted(c.w.t, sealed.Content), sealed, nil
}

// encrypted is the first element of a message's content.
func encrypted(t *testing.T, content []byte) xtok.Elem {
	t.Helper()
	return parse(t, "<m>"+string(content)+"</m>").First()
}

func parse(t *testing.T, text string) xtok.Elem {
	t.Helper()
	e, err := xtok.Parse([]byte(text), xtok.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return e
}

// get opens a message of somebody.
func (c *client) get(from jid.JID, e xtok.Elem) (Opened, error) {
	c.w.t.Helper()
	out, s, err := c.Decrypt(Incoming{From: from, Element: e})
	c.do(s)
	return out, err
}

// takeNotes hands the empty messages that others have for c to it.
func (c *client) takeNotes() {
	c.w.t.Helper()
	for _, other := range c.w.clients {
		if other == c {
			continue
		}
		for _, n := range other.notes {
			if n.To == c.who {
				out, s, err := c.Decrypt(Incoming{From: other.who, Element: encrypted(c.w.t, n.Content)})
				c.do(s)
				if err == nil && !out.Empty && !out.Duplicate {
					c.w.t.Error("an empty message shows something")
				}
			}
		}
		other.notes = slices.DeleteFunc(other.notes, func(n Note) bool { return n.To == c.who })
	}
}

// serve answers a request.
func (w *world) serve(asker jid.JID, r Request) xtok.Elem {
	w.t.Helper()
	to := r.To
	if to.IsZero() {
		to = asker
	}
	if w.lie != nil {
		if text := w.lie(asker, r); text != "" {
			return parse(w.t, text)
		}
	}
	p := parse(w.t, string(r.Payload))
	act := p.First()
	name := act.Attr("node")
	if r.Type == stanza.Get {
		return parse(w.t, w.items(to, name, act.First().Attr("id")))
	}
	if to != asker {
		return parse(w.t, refusal("forbidden", ""))
	}
	switch act.Local() {
	case "publish":
		if w.closed[name] && p.Child(nsPubSub, "publish-options").OK() {
			return parse(w.t, refusal("conflict", "<precondition-not-met xmlns='"+nsErrors+"'/>"))
		}
		it := act.First()
		w.put(to, name, it.Attr("id"), string(it.First().AppendTo(nil)))
	case "configure":
		if w.stubborn {
			return parse(w.t, refusal("not-allowed", ""))
		}
		delete(w.closed, name)
	case "delete":
		delete(w.nodes[to], name)
	case "retract":
		delete(w.nodes[to][name], act.First().Attr("id"))
	}
	return parse(w.t, "<iq xmlns='jabber:client' type='result'/>")
}

func refusal(condition, more string) string {
	return "<iq xmlns='jabber:client' type='error'><error type='cancel'><" + condition +
		" xmlns='" + stanza.NSStanzas + "'/>" + more + "</error></iq>"
}

func (w *world) items(who jid.JID, name, id string) string {
	var b strings.Builder
	for item, payload := range w.nodes[who][name] {
		if id == "" || id == item {
			fmt.Fprintf(&b, "<item id='%s'>%s</item>", item, payload)
		}
	}
	if b.Len() == 0 {
		return refusal("item-not-found", "")
	}
	return itemsAnswer(name, b.String())
}

func itemsAnswer(name, content string) string {
	return fmt.Sprintf("<iq xmlns='jabber:client' type='result'><pubsub xmlns='%s'><items node='%s'>%s</items></pubsub></iq>", nsPubSub, name, content)
}

// put publishes, and tells all clients of lists.
func (w *world) put(who jid.JID, name, item, payload string) {
	if w.nodes[who] == nil {
		w.nodes[who] = map[string]map[string]string{}
	}
	if w.nodes[who][name] == nil {
		w.nodes[who][name] = map[string]string{}
	}
	w.nodes[who][name][item] = payload
	if !w.mute && (name == omemo.Legacy.DevicesNode() || name == omemo.Two.DevicesNode()) {
		w.push(who, name, payload)
	}
}

func (w *world) push(who jid.JID, name, payload string) {
	for _, c := range slices.Clone(w.clients) {
		s, ok := c.Event(who, parse(w.t, listEvent(name, payload)))
		if !ok {
			w.t.Error("an event of a list is not known")
		}
		c.do(s)
	}
}

func listEvent(name, payload string) string {
	return fmt.Sprintf("<event xmlns='%s'><items node='%s'><item id='current'>%s</item></items></event>", nsEvent, name, payload)
}

// putList publishes a list of devices.
func (w *world) putList(who jid.JID, ids ...uint32) {
	w.put(who, w.wire.DevicesNode(), "current", w.listOf(ids...))
}

func listOf(ids ...uint32) string { return (&world{wire: omemo.Legacy}).listOf(ids...) }

func (w *world) listOf(ids ...uint32) string {
	var l []omemo.Listed
	for _, id := range ids {
		l = append(l, omemo.Listed{ID: id})
	}
	return string(omemo.AppendDevices(nil, w.wire, l))
}

// listed reads the list as the server has it.
func (w *world) listed(who jid.JID) (ids []uint32) {
	text := w.nodes[who][w.wire.DevicesNode()]["current"]
	if text == "" {
		return nil
	}
	_, list, err := omemo.ReadDevices(parse(w.t, text))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range list {
		ids = append(ids, l.ID)
	}
	return ids
}

// puppet is a device that is no Book: its keys in the test's hand, which reads and writes
// by package omemo alone. What a puppet can read is the truth that locks are held to.
type puppet struct {
	w        *world
	who      jid.JID
	device   *omemo.Device
	sessions []*omemo.Session
}

func (w *world) puppet(who jid.JID, id uint32) *puppet {
	w.t.Helper()
	return &puppet{w: w, who: who, device: w.device(id)}
}

func (p *puppet) key() string { return p.device.Identity().Fingerprint() }

func (p *puppet) code() string {
	return fmt.Sprintf("xmpp:%s?omemo-sid-%d=%s", p.who, p.device.ID, p.key())
}

// publishBundle puts the puppet's bundle where it belongs.
func (p *puppet) publishBundle() {
	p.w.put(p.who, p.w.wire.BundleNode(p.device.ID), p.w.wire.BundleItem(p.device.ID), p.bundle())
}

func (p *puppet) bundle() string {
	return string(omemo.AppendBundle(nil, p.w.wire, p.device.Bundle(p.w.wire)))
}

// reads tries to read a message, by its keys alone.
func (p *puppet) reads(e xtok.Elem) (string, bool) {
	profile, env, err := omemo.ReadEnvelope(e)
	if err != nil {
		return "", false
	}
	for _, k := range env.Keys {
		if k.Device != p.device.ID || profile == omemo.Two && k.Address != p.who.String() {
			continue
		}
		key, ok := p.unlock(profile, k)
		if !ok || env.Payload == nil {
			continue
		}
		if text, err := omemo.Open(profile, key, *env.Payload); err == nil {
			return said(profile, text)
		}
	}
	return "", false
}

// said is the body of what was inside.
func said(profile omemo.Profile, plain []byte) (string, bool) {
	if profile == omemo.Legacy {
		return string(plain), true
	}
	u, err := omemo.Unwrap(plain)
	if err != nil {
		return "", false
	}
	for x := range u.Elements() {
		return x.Text(), true
	}
	return "", false
}

func (p *puppet) unlock(profile omemo.Profile, k omemo.Key) ([]byte, bool) {
	for i, s := range p.sessions {
		data := k.Data
		if k.PreKey {
			inner, of := s.Inner(k.Data)
			if !of {
				continue
			}
			data = inner
		}
		if next, key, err := s.Decrypt(p.w.rand, data); err == nil {
			p.sessions[i] = next
			return key, true
		}
	}
	if !k.PreKey {
		return nil, false
	}
	s, key, _, err := omemo.Accept(p.w.rand, p.device, profile, k.Data)
	if err != nil {
		return nil, false
	}
	p.sessions = append([]*omemo.Session{s}, p.sessions...)
	return key, true
}

// writes makes a message to Alice's devices (or Bob's) whose bundles it is given or whose session it has.
func (p *puppet) writes(text string, to ...omemo.Bundle) xtok.Elem {
	return p.writesIn(jid.JID{}, text, to...)
}

func (p *puppet) writesIn(room jid.JID, text string, to ...omemo.Bundle) xtok.Elem {
	p.w.t.Helper()
	plain := []byte(text)
	if p.w.wire == omemo.Two {
		c := omemo.Content{From: p.who.String(), XML: []byte("<body xmlns='jabber:client'>" + text + "</body>")}
		if !room.IsZero() {
			c.To = room.String()
		}
		var err error
		if plain, err = omemo.Wrap(p.w.rand, c); err != nil {
			p.w.t.Fatal(err)
		}
	}
	key, payload, err := omemo.Seal(p.w.wire, p.w.rand, plain)
	if err != nil {
		p.w.t.Fatal(err)
	}
	e := omemo.Envelope{Sender: p.device.ID, Payload: &payload}
	for _, bundle := range to {
		e.Keys = append(e.Keys, p.lock(key, bundle))
	}
	return parse(p.w.t, string(e.Append(nil, p.w.wire)))
}

func (p *puppet) lock(key []byte, bundle omemo.Bundle) omemo.Key {
	p.w.t.Helper()
	i := slices.IndexFunc(p.sessions, func(s *omemo.Session) bool { return s.Peer() == bundle.Identity })
	if i < 0 {
		s, err := omemo.Start(p.w.rand, p.device, p.w.wire, bundle)
		if err != nil {
			p.w.t.Fatal(err)
		}
		p.sessions, i = append(p.sessions, s), len(p.sessions)
	}
	next, msg, err := p.sessions[i].Encrypt(p.w.rand, key)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.sessions[i] = next
	c := p.w.owner(bundle.Identity)
	k := omemo.Key{Device: c.device.ID, PreKey: msg.PreKey, Data: msg.Data}
	if p.w.wire == omemo.Two {
		k.Address = c.who.String()
	}
	return k
}

// owner is the client whose key this is.
func (w *world) owner(k omemo.IdentityKey) *client {
	for _, c := range w.clients {
		if c.device.Identity() == k {
			return c
		}
	}
	w.t.Fatal("no such device")
	return nil
}

// own is the bundle that a client has published.
func (c *client) own() omemo.Bundle {
	c.w.t.Helper()
	text := c.w.nodes[c.who][c.w.wire.BundleNode(c.ID())][c.w.wire.BundleItem(c.ID())]
	_, b, err := omemo.ReadBundle(parse(c.w.t, text))
	if err != nil {
		c.w.t.Fatal(err)
	}
	return b
}
