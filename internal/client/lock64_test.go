package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
)

const carol = "carol@example.org"

// The 64 cases of R5, of the engine: what the screen is told, held to what is on the wire. What a
// case is stands in e2ee/lock_test.go, which holds the keys' book alone to it; here a message goes
// all the way, and a room's members, its lock and its outbox are the engine's.
//
// Bob's and Carol's devices are puppets: keys of their own and package omemo, no Book. The truth of a
// case is what they can read in the stanzas that left (truthOfSending), or what opens with the
// desk's private keys, taken from its store before it is told (truthOfReading). The states here are
// what that truth comes to. In a room who has no key is left out and named, so that alone is shown.
var lock64 = []struct {
	keys, server        string
	send, room, receive port.LockState
}{
	{"verified", "honest", port.Verified, port.Verified, port.Verified},
	{"verified", "stale list", port.Verified, port.Verified, port.Changed},
	{"verified", "new device", port.Changed, port.Changed, port.Changed},
	{"verified", "downgrade", port.Broken, port.Verified, port.Open},
	{"unverified", "honest", port.Locked, port.Locked, port.Locked},
	{"unverified", "stale list", port.Locked, port.Locked, port.Locked},
	{"unverified", "new device", port.Locked, port.Locked, port.Locked},
	{"unverified", "downgrade", port.Broken, port.Locked, port.Open},
	{"changed", "honest", port.Changed, port.Changed, port.Changed},
	{"changed", "stale list", port.Changed, port.Changed, port.Changed},
	{"changed", "new device", port.Changed, port.Changed, port.Changed},
	{"changed", "downgrade", port.Broken, port.Verified, port.Open},
	{"no bundle", "honest", port.Broken, port.Locked, port.Broken},
	{"no bundle", "stale list", port.Broken, port.Locked, port.Broken},
	{"no bundle", "new device", port.Locked, port.Locked, port.Broken},
	{"no bundle", "downgrade", port.Broken, port.Locked, port.Open},
}

func TestTheScreensLockIsTheTruthInAll64Cases(t *testing.T) {
	for _, wire := range []omemo.Profile{omemo.Legacy, omemo.Two} {
		n := 0
		for _, c := range lock64 {
			for _, group := range []bool{false, true} {
				for _, way := range []string{"send", "receive"} {
					n++
					t.Run(fmt.Sprintf("%v/group=%v/%s/%s/%s", wire, group, way, c.keys, c.server), func(t *testing.T) {
						stock() // made outside the bubble, for all
						bubble(t, func(t *testing.T, d *desk) {
							m := newScene(t, d, wire, group, c.keys, c.server)
							switch {
							case way == "receive":
								m.receive(c.receive)
								m.send("") // and what is answered then
							case group:
								m.send(c.room)
							default:
								m.send(c.send)
							}
						})
					})
				}
			}
		}
		if n != 64 {
			t.Errorf("%d cases", n)
		}
	}
}

// scene is one case set up.
type scene struct {
	*desk
	t            *testing.T
	wire         omemo.Profile
	group        bool
	keys, server string
	chat         string
	bob1, bob2   *puppet
	other        *puppet // bob1's number with another key; nil unless changed
	carol1       *puppet
	made         int
	bundles      map[string]map[uint32]string // what is published
	lists        map[string][]uint32
	shown        map[*puppet]bool // on the lists that the desk is shown, or heard of by it
	compared     map[*puppet]bool // by a person, against the device itself
}

func newScene(t *testing.T, d *desk, wire omemo.Profile, group bool, keys, server string) *scene {
	m := &scene{desk: d, t: t, wire: wire, group: group, keys: keys, server: server, chat: bob,
		bundles: map[string]map[uint32]string{}, lists: map[string][]uint32{}, shown: map[*puppet]bool{}, compared: map[*puppet]bool{}}
	m.bob1 = m.puppet(bob, 101)
	m.appear(m.bob1, keys != "no bundle")
	if group {
		m.carol1 = m.puppet(carol, 201)
		m.appear(m.carol1, true)
		m.chat = tea
		d.roomInfo(me, bob, carol)
		d.enter(tea, here(tea, "bob", bob), here(tea, "carol", carol))
	} else {
		d.befriend(bob)
	}
	m.before()
	m.change()
	m.serverActs()
	d.take("")
	return m
}

// appear puts a device on its account's list, and tells those who listen.
func (m *scene) appear(h *puppet, bundle bool) {
	if bundle {
		m.publish(h)
	}
	m.list(h.who, append(m.lists[h.who], h.device.ID)...)
	m.push(h.who)
	m.shown[h] = true
}

func (m *scene) publish(h *puppet) {
	if m.bundles[h.who] == nil {
		m.bundles[h.who] = map[uint32]string{}
	}
	m.bundles[h.who][h.device.ID] = "<item xmlns='" + nsPubsub + "' id='" + m.wire.BundleItem(h.device.ID) + "'>" +
		string(omemo.AppendBundle(nil, m.wire, h.device.Bundle(m.wire))) + "</item>"
	m.desk.wire.mu.Lock()
	defer m.desk.wire.mu.Unlock()
	at := h.who + " " + m.wire.BundleNode(h.device.ID)
	if m.nodes[at] = m.bundles[h.who][h.device.ID]; m.wire == omemo.Two { // one node for all
		m.nodes[at] = ""
		for _, item := range m.bundles[h.who] {
			m.nodes[at] += item
		}
	}
}

func (m *scene) list(who string, ids ...uint32) {
	var l []omemo.Listed
	for _, id := range ids {
		l = append(l, omemo.Listed{ID: id})
	}
	m.desk.wire.mu.Lock()
	defer m.desk.wire.mu.Unlock()
	m.lists[who] = ids
	m.nodes[who+" "+m.wire.DevicesNode()] = "<item xmlns='" + nsPubsub + "' id='current'>" + string(omemo.AppendDevices(nil, m.wire, l)) + "</item>"
}

func (m *scene) push(who string) {
	item := strings.ReplaceAll(m.nodes[who+" "+m.wire.DevicesNode()], nsPubsub, nsEvent)
	m.gets("<message from='" + who + "'><event xmlns='" + nsEvent + "'><items node='" + m.wire.DevicesNode() + "'>" + item + "</items></event></message>")
}

// before is what happened while all was well: some talk, and comparing.
func (m *scene) before() {
	if m.keys == "no bundle" {
		// Bob once wrote in a session that the desk has lost since: a backup, an emptied store.
		m.bob1.writes("long ago", "")
		m.bob1.confirm()
		return
	}
	m.must(&port.Send{Chat: m.chat, Text: "before"})
	sent := m.take("<encrypted")
	for _, h := range m.people() {
		if text, _ := h.readsAny(sent); text != "before" {
			m.t.Fatalf("%s cannot read before anything happened: %q", h.who, sent)
		}
		if m.keys != "unverified" {
			m.must(&port.Verify{Address: h.who, Code: fmt.Sprintf("xmpp:%s?omemo-sid-%d=%s", h.who, h.device.ID, h.key())})
			m.compared[h] = true
		}
	}
}

func (m *scene) people() []*puppet {
	if m.group {
		return []*puppet{m.bob1, m.carol1}
	}
	return []*puppet{m.bob1}
}

// change makes Bob's device speak with another key.
func (m *scene) change() {
	if m.keys != "changed" {
		return
	}
	m.other = m.puppet(bob, m.bob1.device.ID)
	m.publish(m.other)
	m.gets("<message type='chat' from='" + bob + "/x' id='changed'>" + m.other.writes("it is me", "") + "</message>")
	if got := m.lastLine("it is me"); got.Lock.State != port.Changed {
		m.t.Fatalf("another key: %+v", got)
	}
	m.shown[m.other] = true
}

// serverActs does what the column says.
func (m *scene) serverActs() {
	switch m.server {
	case "stale list":
		m.bob2 = m.puppet(bob, 102)
		m.publish(m.bob2) // and is on the list that others see
	case "new device":
		m.bob2 = m.puppet(bob, 102)
		m.appear(m.bob2, true)
	case "downgrade":
		m.list(bob)
		m.push(bob)
		delete(m.shown, m.bob1)
		delete(m.shown, m.other)
	}
}

// lastLine is the line with a text, or the one that cannot be read, as it was last told.
func (m *scene) lastLine(text string) (line port.Message) {
	for _, ev := range m.told {
		if c, ok := ev.(*port.MessageChanged); ok && c.Message.Notice == "" && (c.Message.Text == text || c.Message.Unreadable != "") {
			line = c.Message
		}
	}
	return line
}

// lastChat is the chat as it was last told.
func (m *scene) lastChat() (chat port.Chat) {
	for _, ev := range m.told {
		if c, ok := ev.(*port.ChatChanged); ok && c.Chat.Address == m.chat {
			chat = c.Chat
		}
	}
	return chat
}

// send has a person look at the chat and write, and holds all locks to who can read what left;
// want is "" where the table says nothing.
func (m *scene) send(want port.LockState) {
	m.must(&port.History{Chat: m.chat, Limit: 50})
	foretold, listed := m.lastChat().Lock, m.desk.chat(m.chat).Lock
	m.take("")
	m.must(&port.Send{Chat: m.chat, Text: "secret"})
	sent := m.take("")
	readers := m.readers(sent)
	truth, out := m.truthOfSending(sent, readers)
	line := m.lastLine("secret")
	for what, lock := range map[string]port.Lock{"chat as told": foretold, "chat as listed": listed, "line": line.Lock} {
		if lock.State != truth || want != "" && truth != want {
			m.t.Errorf("%s: the lock shows %+v, the truth is %q, the table says %q (%d readers)", what, lock, truth, want, len(readers))
		}
		for _, who := range out {
			if !slices.Contains(lock.Missing, who) {
				m.t.Errorf("%s: not all of %s can read, and the lock does not name them: %+v", what, who, lock)
			}
		}
	}
	if gone := len(readers) > 0; gone != (line.Delivery == port.Pending) || gone == (line.Delivery == port.Failed) {
		m.t.Errorf("with %d readers the line is %q", len(readers), line.Delivery)
	}
}

// readers are the devices in the whole world that can read what left; in the clear nothing may stand.
func (m *scene) readers(sent []string) (out []*puppet) {
	for _, raw := range sent {
		if strings.Contains(raw, "secret") {
			m.t.Errorf("it left in the clear: %s", raw)
		}
	}
	for _, h := range []*puppet{m.bob1, m.bob2, m.other, m.carol1} {
		if h == nil {
			continue
		}
		if text, _ := h.readsAny(sent); text == "secret" {
			out = append(out, h)
		}
	}
	return out
}

// truthOfSending says what a lock may claim, by who can read and what was compared; and who of those it
// was for has a device, known to the desk, that cannot.
func (m *scene) truthOfSending(sent []string, readers []*puppet) (state port.LockState, out []string) {
	waits := false // a device shown to the desk cannot read though a bundle is there
	for h, there := range m.shown {
		if !there || h == nil || slices.Contains(readers, h) {
			continue
		}
		out = append(out, h.who)
		waits = waits || m.bundles[h.who][h.device.ID] != ""
	}
	for _, p := range m.people() {
		if !slices.ContainsFunc(readers, func(h *puppet) bool { return h.who == p.who }) {
			out = append(out, p.who)
			if !m.group && len(readers) > 0 {
				m.t.Errorf("a message left that no device of %s can read", p.who)
			}
		}
	}
	for _, h := range readers {
		if h == m.other || h.who == bob && m.compared[m.bob1] && !m.compared[h] {
			m.t.Errorf("device %d reads with a key that nobody has decided about", h.device.ID)
		}
	}
	switch {
	case len(readers) == 0:
		return port.Broken, out
	case waits:
		return port.Changed, out
	case slices.ContainsFunc(readers, func(h *puppet) bool { return !m.compared[h] }):
		return port.Locked, out
	}
	return port.Verified, out
}

// receive has Bob write, and holds the line's lock to what the desk's keys can open.
func (m *scene) receive(want port.LockState) {
	content, truth := "<body>to me</body>", port.Open
	if m.server != "downgrade" { // which takes the encryption off: there is nothing but a body
		h, room := m.writer(), ""
		if m.group {
			room = tea
		}
		content = h.writes("to me", room)
		truth = m.truthOfReading(content, h)
	}
	from, kind := bob+"/x", "chat"
	if m.group {
		from, kind = tea+"/bob", "groupchat"
	}
	m.gets("<message type='" + kind + "' from='" + from + "' id='last'>" + content + "</message>")
	line := m.lastLine("to me")
	if line.Lock.State != truth || truth != want {
		m.t.Errorf("the lock shows %+v, the truth is %q, the table says %q", line.Lock, truth, want)
	}
	if readable := truth != port.Broken; line.Chat != m.chat || line.Sender != bob || readable != (line.Text == "to me") || readable == (line.Unreadable != "") {
		m.t.Errorf("it is shown as %+v", line)
	}
	if stripped := truth == port.Open && m.keys != "no bundle"; stripped != (line.Lock.Why == "was-encrypted") {
		m.t.Errorf("why: %q", line.Lock.Why)
	}
}

func (m *scene) writer() *puppet {
	switch {
	case m.keys == "no bundle":
		return m.bob1
	case m.bob2 != nil:
		return m.bob2
	case m.other != nil:
		return m.other
	}
	return m.bob1
}

// truthOfReading opens a message with the secrets on the desk's disk, and says what it proves.
func (m *scene) truthOfReading(content string, writer *puppet) port.LockState {
	reader := &puppet{m: m, who: me, device: m.device(), sessions: m.sessions()}
	text, key := reader.readsAny([]string{"<message xmlns='jabber:client'>" + content + "</message>"})
	switch {
	case text != "to me":
		return port.Broken
	case key != writer.key():
		m.t.Error("opened with a key that is not the writer's")
	case m.compared[writer]:
		return port.Verified
	case m.compared[m.bob1]: // another of Bob's keys was, this one not
		return port.Changed
	}
	return port.Locked
}

// device and sessions are the desk's secrets, as they lie in its store.
func (m *scene) device() *omemo.Device {
	d := &omemo.Device{}
	raw, err := m.store.Get("omemo.own", "device")
	if err != nil || d.UnmarshalBinary(raw) != nil {
		m.t.Fatal("no device in the store")
	}
	return d
}

func (m *scene) sessions() (out []*omemo.Session) {
	err := m.store.Scan("omemo.sessions", keep.Range{}, func(_ string, raw []byte) bool {
		s := &omemo.Session{}
		if err := s.UnmarshalBinary(raw); err != nil {
			m.t.Error(err)
		}
		out = append(out, s)
		return true
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

func TestALineThatWasWrittenUnseenHasTheLockItLeftWith(t *testing.T) {
	stock()
	bubble(t, func(t *testing.T, d *desk) {
		m := &scene{desk: d, t: t, wire: omemo.Legacy, chat: bob, bundles: map[string]map[uint32]string{}, lists: map[string][]uint32{}, shown: map[*puppet]bool{}}
		m.bob1 = m.puppet(bob, 101)
		m.appear(m.bob1, true)
		m.must(&port.Send{Chat: bob, Text: "secret"}) // no key was asked for before
		if readers, line := m.readers(m.take("")), m.lastLine("secret"); len(readers) != 1 || line.Lock.State != port.Locked {
			t.Errorf("%d readers, and the lock of the line shows %+v", len(readers), line.Lock)
		}
	})
}

// Those to whom we have written know us: their list is asked for when a device writes that is on none.
func TestANewDeviceOfSomebodyWrittenToChangesTheChatsLock(t *testing.T) {
	stock()
	bubble(t, func(t *testing.T, d *desk) {
		m := &scene{desk: d, t: t, wire: omemo.Legacy, keys: "verified", chat: bob, bundles: map[string]map[uint32]string{}, lists: map[string][]uint32{}, shown: map[*puppet]bool{}, compared: map[*puppet]bool{}}
		m.bob1 = m.puppet(bob, 101)
		m.appear(m.bob1, true)
		m.gets("<message type='chat' from='" + bob + "/x' id='first'>" + m.bob1.writes("do you know me?", "") + "</message>") // who is not asked yet
		m.before()
		m.bob2 = m.puppet(bob, 102)
		m.publish(m.bob2)
		m.list(bob, 101, 102) // nothing is pushed to who is no contact
		m.gets("<message type='chat' from='" + bob + "/y' id='new'>" + m.bob2.writes("it is me", "") + "</message>")
		if told, listed := m.lastChat().Lock, m.desk.chat(bob).Lock; told.State != port.Changed || listed.State != port.Changed {
			t.Errorf("told %+v, listed %+v", told, listed)
		}
	})
}
