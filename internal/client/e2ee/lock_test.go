package e2ee

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

// The 64 cases of R5. What a case is:
//
//	chat    1:1 is Alice and Bob; a group adds Carol, whose keys stand as Bob's first did
//	keys    verified: Alice compared the keys; unverified: she did not; changed: she did, and now Bob's
//	        known device speaks with another key; no bundle: Bob's device has none to be had and no session
//	server  honest; stale list: Bob's second device is not on the list that Alice is shown; new device: it
//	        is, and was not before; downgrade: Bob's list is emptied (send), the
//	        encryption is taken off (receive)
//	send    Alice writes to all; receive: Bob writes, from his second device where the server's column is
//	        about it, with the changed key where that is the row
//
// Alice is a Book; Bob's and Carol's devices are puppets, which read and write with their own private
// keys. The truth of a case is what they could read on the wire, or what was opened with Alice's
// private keys without the Book (truthOfSending, truthOfReading); the state beside it is what this
// table says that truth looks like, so that a change of the rules is seen here.
var lockCases = []struct {
	keys, server  string
	send, receive port.LockState
}{
	{"verified", "honest", port.Verified, port.Verified},
	{"verified", "stale list", port.Verified, port.Changed}, // the hidden device gets nothing; its message is not yet to be believed
	{"verified", "new device", port.Changed, port.Changed},
	{"verified", "downgrade", port.Broken, port.Open},
	{"unverified", "honest", port.Locked, port.Locked},
	{"unverified", "stale list", port.Locked, port.Locked},
	{"unverified", "new device", port.Locked, port.Locked},
	{"unverified", "downgrade", port.Broken, port.Open},
	{"changed", "honest", port.Changed, port.Changed},
	{"changed", "stale list", port.Changed, port.Changed},
	{"changed", "new device", port.Changed, port.Changed},
	{"changed", "downgrade", port.Broken, port.Open},
	{"no bundle", "honest", port.Broken, port.Broken},
	{"no bundle", "stale list", port.Broken, port.Broken},
	{"no bundle", "new device", port.Locked, port.Broken}, // the second device alone reads, and the lock names Bob
	{"no bundle", "downgrade", port.Broken, port.Open},
}

func TestTheLockIsTheTruthInAll64Cases(t *testing.T) {
	for name, set := range map[string]func(*world){
		"one profile":               func(*world) {},
		"both, people of legacy":    func(w *world) { w.both = true },
		"both, people of omemo two": func(w *world) { w.both, w.wire = true, omemo.Two },
	} {
		t.Run(name, func(t *testing.T) { allCases(t, set) })
	}
}

func allCases(t *testing.T, set func(*world)) {
	n := 0
	for _, c := range lockCases {
		for _, group := range []bool{false, true} {
			for _, way := range []string{"send", "receive"} {
				n++
				t.Run(fmt.Sprintf("group=%v/%s/%s/%s", group, way, c.keys, c.server), func(t *testing.T) {
					m := newMatrix(t, set, group, c.keys, c.server)
					if way == "send" {
						m.send(c.send)
					} else {
						m.receive(c.receive)
					}
				})
			}
		}
	}
	if n != 64 {
		t.Errorf("%d cases", n)
	}
}

// matrix is one case set up.
type matrix struct {
	*world
	t            *testing.T
	group        bool
	keys, server string
	alice        *client
	bob1, bob2   *puppet
	other        *puppet // bob1's number with another key; nil unless changed
	carol1       *puppet
	to           []jid.JID
	shown        map[*puppet]bool // on the lists that Alice is shown, or heard of by her
	compared     map[*puppet]bool // by a person, against the device itself
}

func newMatrix(t *testing.T, set func(*world), group bool, keys, server string) *matrix {
	w := newWorld(t)
	set(w)
	m := &matrix{world: w, t: t, group: group, keys: keys, server: server, to: []jid.JID{bob},
		shown: map[*puppet]bool{}, compared: map[*puppet]bool{}}
	m.alice = w.client(alice)
	m.bob1 = w.puppet(bob, 101)
	m.appear(m.bob1)
	if server == "stale list" || server == "new device" {
		m.bob2 = w.puppet(bob, 102)
	}
	if group {
		m.carol1 = w.puppet(carol, 201)
		m.to = append(m.to, carol)
		m.appear(m.carol1)
	}
	m.before()
	m.change()
	m.serverActs()
	return m
}

// appear puts a device on its account's list.
func (m *matrix) appear(p *puppet) {
	if p == m.bob1 && m.keys == "no bundle" {
		m.putList(p.who, append(m.listed(p.who), p.device.ID)...)
	} else {
		p.publishBundle()
		m.putList(p.who, append(m.listed(p.who), p.device.ID)...)
	}
	m.shown[p] = true
}

// before is what happened while all was well: some talk, and comparing.
func (m *matrix) before() {
	if m.keys == "verified" || m.keys == "changed" {
		for _, p := range m.people() {
			if _, s, err := m.alice.Verify(p.code()); err != nil {
				m.t.Fatal(err)
			} else {
				m.alice.do(s)
			}
			m.compared[p] = true
		}
	}
	if m.keys == "no bundle" {
		// Bob once wrote in a session that Alice has lost since: a backup, an emptied store.
		m.bob1.writes("long ago", m.alice.own())
		s := m.bob1.sessions[0]
		m.bob1.sessions[0] = confirmed(m.t, m.world, s, m.alice)
		return
	}
	e, _, err := m.alice.writeIn(m.room(), "before", m.to...)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, p := range m.people() {
		if text, ok := p.reads(e); !ok || text != "before" {
			m.t.Fatal(p.who, "cannot read before anything happened")
		}
	}
}

// confirmed is a session whose answer came, so that it writes no pre-key messages any more.
func confirmed(t *testing.T, w *world, s *omemo.Session, c *client) *omemo.Session {
	t.Helper()
	_, msg, err := s.Encrypt(w.rand, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, _, _, err := omemo.Accept(w.rand, c.device, w.wire, msg.Data)
	if err != nil {
		t.Fatal(err)
	}
	_, back, err := theirs.Encrypt(w.rand, []byte("y"))
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := s.Decrypt(w.rand, back.Data)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (m *matrix) people() []*puppet {
	if m.group {
		return []*puppet{m.bob1, m.carol1}
	}
	return []*puppet{m.bob1}
}

func (m *matrix) room() jid.JID {
	if m.group {
		return room
	}
	return jid.JID{}
}

// change makes Bob's device speak with another key.
func (m *matrix) change() {
	if m.keys != "changed" {
		return
	}
	m.other = m.puppet(bob, m.bob1.device.ID)
	m.other.publishBundle()
	out, err := m.alice.get(bob, m.other.writes("it is me", m.alice.own()))
	if err != nil || out.Proof.Lock.State != port.Changed {
		m.t.Fatalf("another key: %+v, %v", out, err)
	}
	m.shown[m.other] = true
}

// serverActs does what the column says.
func (m *matrix) serverActs() {
	switch m.server {
	case "stale list":
		m.bob2.publishBundle() // and is on the list, which Alice is not told
		m.lie = func(_ jid.JID, r Request) string {
			if r.To == bob && r.what.kind == getList && r.what.profile == m.wire {
				return itemsAnswer(m.wire.DevicesNode(), "<item id='current'>"+m.listOf(m.bob1.device.ID)+"</item>")
			}
			return ""
		}
		m.mute = true
		m.putList(bob, m.bob1.device.ID, m.bob2.device.ID)
	case "new device":
		m.appear(m.bob2)
	case "downgrade":
		m.putList(bob)
		delete(m.shown, m.bob1)
		delete(m.shown, m.other)
	}
}

// send has Alice write, and holds the lock to who can read.
func (m *matrix) send(want port.LockState) {
	e, sealed, err := m.alice.writeIn(m.room(), "secret", m.to...)
	readers := m.readers(e)
	truth := m.truthOfSending(e, readers)
	shown := m.alice.Lock(m.to, m.room())
	if shown.State != truth || sealed.Lock.State != truth {
		m.t.Errorf("the lock shows %q, the message had %q, the truth is %q (%d readers, %v)", shown.State, sealed.Lock.State, truth, len(readers), err)
	}
	if truth != want {
		m.t.Errorf("the truth is %q, the table says %q", truth, want)
	}
	for p, there := range m.shown {
		if there && !slices.Contains(readers, p) && p.who == bob && !slices.Contains(shown.Missing, bob.String()) {
			m.t.Errorf("device %d cannot read and the lock does not name its owner: %+v", p.device.ID, shown)
		}
	}
	if reached := len(sealed.Report.Reached); err == nil && reached != len(readers) {
		m.t.Errorf("the report says %d readers, there are %d", reached, len(readers))
	}
}

// readers are the devices in the whole world that can read a message.
func (m *matrix) readers(e xtok.Elem) (out []*puppet) {
	if !e.OK() {
		return nil
	}
	for _, p := range []*puppet{m.bob1, m.bob2, m.other, m.carol1} {
		if p == nil {
			continue
		}
		if text, ok := p.reads(e); ok && text == "secret" {
			out = append(out, p)
		}
	}
	return out
}

// truthOfSending says what a lock may claim, by who can read and what was compared.
func (m *matrix) truthOfSending(e xtok.Elem, readers []*puppet) port.LockState {
	waits := false // somebody shown to Alice cannot read though a bundle is there
	for p, there := range m.shown {
		_, bundle := m.nodes[p.who][m.wire.BundleNode(p.device.ID)][m.wire.BundleItem(p.device.ID)]
		waits = waits || there && bundle && !slices.Contains(readers, p)
	}
	if !e.OK() {
		return port.Broken
	}
	for _, who := range m.to {
		if !slices.ContainsFunc(readers, func(p *puppet) bool { return p.who == who }) {
			m.t.Errorf("a message was made that no device of %s can read", who)
		}
	}
	for _, p := range readers {
		if p == m.other || p.who == bob && m.compared[m.bob1] && !m.compared[p] {
			m.t.Errorf("device %d reads with a key that nobody has decided about", p.device.ID)
		}
	}
	if waits {
		return port.Changed
	}
	for _, p := range readers {
		if !m.compared[p] {
			return port.Locked
		}
	}
	return port.Verified
}

// receive has Bob write, and holds the lock to what Alice's keys can open.
func (m *matrix) receive(want port.LockState) {
	if m.server == "downgrade" {
		// The server took the encryption off: there is nothing but a body.
		got, why := m.alice.Plain(m.chat()), WhyStripped
		if m.keys == "no bundle" { // nothing was ever encrypted here
			why = WhyPlain
		}
		if got.State != want || got.Why != why {
			m.t.Errorf("stripped: %+v", got)
		}
		return
	}
	writer := m.writer()
	e := writer.writesIn(m.room(), "to alice", m.alice.own())
	truth := m.truthOfReading(e, writer)
	out, s, err := m.alice.Decrypt(Incoming{From: bob, Room: m.room(), Element: e})
	m.alice.do(s)
	if got := out.Proof.Lock.State; got != truth || got != want {
		m.t.Errorf("the lock shows %q, the truth is %q, the table says %q (%v)", got, truth, want, err)
	}
	if (err == nil) != (truth != port.Broken) || err == nil && out.Text != "to alice" || err != nil && out.Text != "" {
		m.t.Errorf("%q, %v", out.Text, err)
	}
}

func (m *matrix) chat() jid.JID {
	if m.group {
		return room
	}
	return bob
}

func (m *matrix) writer() *puppet {
	switch {
	case m.keys == "no bundle":
		return m.bob1
	case m.server == "stale list" || m.server == "new device":
		return m.bob2
	case m.other != nil:
		return m.other
	}
	return m.bob1
}

// truthOfReading opens a message with what lies on Alice's disk, and says what it proves.
func (m *matrix) truthOfReading(e xtok.Elem, writer *puppet) port.LockState {
	key, ok := m.openedBy(e)
	switch {
	case !ok:
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

// openedBy reads with Alice's private keys and without her Book: whose key opens it?
func (m *matrix) openedBy(e xtok.Elem) (fingerprint string, ok bool) {
	p := &puppet{w: m.world, who: alice, device: diskDevice(m.t, m.alice.disk), sessions: diskSessions(m.t, m.alice.disk)}
	text, ok := p.reads(e)
	if !ok || text != "to alice" {
		return "", false
	}
	// The session that read it is the one that changed.
	old := diskSessions(m.t, m.alice.disk)
	for _, s := range p.sessions {
		if !slices.ContainsFunc(old, func(o *omemo.Session) bool { return same(o, s) }) {
			return s.Peer().Fingerprint(), true
		}
	}
	return "", false
}

func same(x, y *omemo.Session) bool {
	a, errA := x.MarshalBinary()
	b, errB := y.MarshalBinary()
	return errors.Join(errA, errB) == nil && string(a) == string(b)
}

// diskDevice and diskSessions read a client's secrets off its store.
func diskDevice(t *testing.T, disk keep.Store) *omemo.Device {
	t.Helper()
	raw, err := disk.Get("omemo.own", "device")
	d := &omemo.Device{}
	if err != nil || d.UnmarshalBinary(raw) != nil {
		t.Fatal("no device on disk")
	}
	return d
}

func diskSessions(t *testing.T, disk keep.Store) (out []*omemo.Session) {
	t.Helper()
	err := disk.Scan("omemo.sessions", keep.Range{}, func(_ string, value []byte) bool {
		s := &omemo.Session{}
		if err := s.UnmarshalBinary(value); err != nil {
			t.Error(err)
		}
		out = append(out, s)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAMessageHasNoMoreKeysThanReadersTake(t *testing.T) {
	p := plan{targets: make([]target, omemo.MaxKeys+1)}
	for i := range p.targets {
		p.targets[i].reach = ready
	}
	if !p.tooMany() {
		t.Error("one too many passes")
	}
	if p.targets[0].reach++; p.tooMany() {
		t.Error("as many as there is room for do not pass")
	}
}
