// Package engine plays whole conversations between client engines, through the
// real server: what people do, and what must not be lost meanwhile.
package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/internal/client"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
)

// patience is how long anything may take before the test gives up.
const patience = 40 * time.Second

// person is one account on one device.
type person struct {
	*caller.Caller
	t       *testing.T
	address string
	folder  string
	profile *profile.Profile
	engine  *client.Engine
	end     context.CancelFunc
	ended   chan error
}

// domain is one whose links lead to this machine.
const domain = "localhost"

// server is one that keeps its ports when it starts again, as servers do.
type server struct {
	*mirsal.Server
	addr, bin string
}

// newServer starts a server with accounts of these names.
func newServer(t *testing.T, names ...string) *server {
	t.Helper()
	s, web := &server{addr: freePort(t), bin: mirsal.Build(t)}, freePort(t)
	s.Server = mirsal.Start(t, mirsal.Options{Bin: s.bin, Args: []string{"--domain", domain, "--c2s", s.addr,
		"--http-plain", web, "--set", "upload.public_url=http://" + web}})
	for _, n := range names {
		add := exec.Command(s.bin, "account", "add", n+"@"+domain, "--password-stdin", "--data", s.Data)
		add.Stdin = strings.NewReader(password(n) + "\n")
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return s
}

// ca is what signs the server's certificates.
func (s *server) ca() string { return filepath.Join(s.Data, "tls", "ca.pem") }

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func stop(t *testing.T, s *server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

func restart(t *testing.T, s *server) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

func password(name string) string { return "correct horse " + name + " battery" }

// signIn opens a new profile on a new device.
func signIn(t *testing.T, s *server, name string) *person {
	t.Helper()
	p := open(t, s, name, t.TempDir())
	p.must(&port.SignIn{Address: p.address, Password: password(name), Server: s.addr})
	p.synced()
	return p
}

// open starts the engine of a folder.
func open(t *testing.T, s *server, name, folder string) *person {
	t.Helper()
	p := &person{t: t, address: name + "@" + domain, folder: folder, ended: make(chan error, 1)}
	if err := profile.Trust(folder, s.ca()); err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(p.close)
	return p
}

func (p *person) start() {
	p.t.Helper()
	var err error
	if p.profile, err = profile.Open(p.folder); err != nil {
		p.t.Fatal(err)
	}
	p.Caller = caller.New()
	if p.engine, err = p.profile.Engine("test", p.Heard, nil); err != nil {
		p.t.Fatal(err)
	}
	p.Use(p.engine)
	ctx, end := context.WithCancel(context.Background())
	p.end = end
	go func() { p.ended <- p.engine.Run(ctx) }()
}

// close ends the engine in good order; start begins again with the same folder.
func (p *person) close() {
	if p.end == nil {
		return
	}
	p.end()
	p.end = nil
	if err := <-p.ended; err != nil {
		p.t.Error(err)
	}
	if err := p.profile.Close(); err != nil {
		p.t.Error(err)
	}
}

func (p *person) must(c port.Command) port.Event {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := p.Call(ctx, c)
	if err != nil {
		p.t.Fatalf("%s: %T: %v", p.address, c, err)
	}
	return ev
}

// until waits for an event.
func (p *person) until(what string, right func(port.Event) bool) port.Event {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := p.Wait(ctx, right)
	if err != nil {
		p.t.Fatalf("%s waited in vain for %s", p.address, what)
	}
	return ev
}

func (p *person) synced() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !p.Status().Synced {
		if _, err := p.Next(ctx); err != nil {
			p.t.Fatalf("%s is not synced: %+v", p.address, p.Status())
		}
	}
}

// hears waits for a message with this text and returns it.
func (p *person) hears(chat, text string) port.Message {
	p.t.Helper()
	ev := p.until("the message "+text, func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && m.Message.Chat == chat && m.Message.Text == text
	})
	return ev.(*port.MessageChanged).Message
}

// says sends a message and waits until it has come as far as wanted.
func (p *person) says(chat, text string, want port.Delivery) string {
	p.t.Helper()
	id := p.must(&port.Send{Chat: chat, Text: text}).(*port.Done).Message
	p.becomes(id, want)
	return id
}

func (p *person) becomes(id string, want port.Delivery) port.Message {
	p.t.Helper()
	ev := p.until("the message being "+string(want), func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		if ok && m.Message.ID == id && m.Message.Delivery == port.Failed && want != port.Failed {
			p.t.Fatalf("%s: the message failed: %s", p.address, m.Message.Failure)
		}
		return ok && m.Message.ID == id && m.Message.Delivery == want
	})
	return ev.(*port.MessageChanged).Message
}

// changed waits for one message being as wanted.
func (p *person) changed(id, what string, right func(port.Message) bool) port.Message {
	p.t.Helper()
	ev := p.until(what, func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && m.Message.ID == id && right(m.Message)
	})
	return ev.(*port.MessageChanged).Message
}

func (p *person) history(chat string) []port.Message {
	p.t.Helper()
	return p.must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages
}

// meet makes two people contacts.
func meet(a, b *person) {
	a.t.Helper()
	a.must(&port.AddContact{Address: b.address})
	b.until("being asked", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == a.address && c.Contact.State == "asks"
	})
	b.must(&port.AddContact{Address: a.address})
	a.until("being a contact", func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == b.address && c.Contact.State == "contact" && c.Contact.Online
	})
}

func TestTwoPeopleTalkEncrypted(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	id := alice.says(bob.address, "a secret marker 7f3d", port.Delivered)
	m := bob.hears(alice.address, "a secret marker 7f3d")
	if m.Lock.State != port.Locked || m.Mine || m.Delivery != port.Received {
		t.Errorf("bob has %+v", m)
	}
	bob.must(&port.MarkRead{Chat: alice.address, Message: m.ID})
	alice.becomes(id, port.Read)

	bob.must(&port.React{Chat: alice.address, Message: m.ID, Emoji: []string{"👍"}})
	alice.changed(id, "a reaction", func(m port.Message) bool { return len(m.Reactions) == 1 && m.Reactions[0].Emoji == "👍" })
	alice.must(&port.Send{Chat: bob.address, Text: "a better marker 7f3d", Corrects: id})
	bob.changed(m.ID, "the correction", func(m port.Message) bool { return m.Text == "a better marker 7f3d" && m.Edited })
	bob.must(&port.Send{Chat: alice.address, Text: "an answer", ReplyTo: m.ID})
	if got := alice.hears(bob.address, "an answer"); got.Reply == nil || got.Reply.ID != id {
		t.Errorf("the answer is %+v", got)
	}
	alice.must(&port.Retract{Chat: bob.address, Message: id})
	bob.changed(m.ID, "the retraction", func(m port.Message) bool { return m.Retracted && m.Text == "" })
	stop(t, s)
	if found := grep(t, s.Data, "7f3d"); len(found) > 0 {
		t.Errorf("the server's data holds the text: %v", found)
	}
}

// grep names the files below a folder that hold a text.
func grep(t *testing.T, folder, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhoWasAwayHasEverythingOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.address, "before", port.Delivered)
	bob.close()
	for _, text := range []string{"one", "two", "three"} {
		alice.says(bob.address, text, port.Sent)
	}
	bob.start()
	bob.synced()
	var texts []string
	for _, m := range bob.history(alice.address) {
		if m.Notice == "" {
			texts = append(texts, m.Text)
		}
	}
	if got := len(texts); got != 4 || texts[1] != "one" || texts[2] != "two" || texts[3] != "three" {
		t.Errorf("bob's history is %q", texts)
	}
}

func TestAMessageWrittenWithoutAConnectionGoesWhenThereIsOne(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.address, "before", port.Delivered)
	stop(t, s)
	alice.until("being offline", func(ev port.Event) bool { st, ok := ev.(*port.Status); return ok && st.State == "offline" })
	alice.must(&port.Send{Chat: bob.address, Text: "written in the dark"})
	alice.close()
	restart(t, s)
	alice.start()
	bob.hears(alice.address, "written in the dark")
	n := 0
	for _, m := range bob.history(alice.address) {
		if m.Text == "written in the dark" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("bob has the message %d times", n)
	}
}

func TestARoomOfThreeTalksEncrypted(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob", "carol")
	alice, bob, carol := signIn(t, s, "alice"), signIn(t, s, "bob"), signIn(t, s, "carol")
	room := alice.must(&port.CreateRoom{Name: "desk", Members: []string{bob.address, carol.address}}).(*port.Done).Chat
	for _, p := range []*person{bob, carol} {
		p.until("the invitation", func(ev port.Event) bool {
			c, ok := ev.(*port.ChatChanged)
			return ok && c.Chat.Address == room
		})
		p.must(&port.JoinRoom{Address: room})
	}
	alice.says(room, "for all of you", port.Sent)
	for _, p := range []*person{bob, carol} {
		if m := p.hears(room, "for all of you"); m.Lock.State != port.Locked || m.Sender != alice.address {
			t.Errorf("%s has %+v", p.address, m)
		}
	}
	carol.close()
	bob.says(room, "while carol is away", port.Sent)
	alice.hears(room, "while carol is away")
	carol.start()
	carol.hears(room, "while carol is away")
	alice.must(&port.Kick{Room: room, Address: carol.address})
	alice.until("two members", func(ev port.Event) bool {
		list := alice.must(&port.ListMembers{Room: room}).(*port.MemberList)
		return len(list.Members) == 2
	})
	alice.says(room, "without carol", port.Sent)
	bob.hears(room, "without carol")
}

func TestAFileGoesEncryptedAndComesBackWhole(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	want := make([]byte, 1<<20)
	rand.Read(want)
	path := filepath.Join(t.TempDir(), "holiday picture.png")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	id := alice.must(&port.SendFile{Chat: bob.address, Path: path, Text: "look"}).(*port.Done).Message
	alice.becomes(id, port.Delivered)
	got := bob.until("the file", func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && m.Message.File != nil
	}).(*port.MessageChanged).Message
	bob.hears(alice.address, "look")
	to := filepath.Join(t.TempDir(), "got.png")
	bob.must(&port.Fetch{Chat: alice.address, Message: got.ID, Path: to})
	if b, err := os.ReadFile(to); err != nil || !bytes.Equal(b, want) {
		t.Errorf("bob has %d bytes, %v", len(b), err)
	}
}

func TestASecondDeviceReadsWhatItIsSentAndShowsWhatTheOtherSays(t *testing.T) {
	t.Parallel()
	s := newServer(t, "alice", "bob")
	alice, bob := signIn(t, s, "alice"), signIn(t, s, "bob")
	meet(alice, bob)
	alice.says(bob.address, "to one device", port.Delivered)
	tablet := signIn(t, s, "bob")
	bob.until("being told of the tablet", func(ev port.Event) bool {
		a, ok := ev.(*port.KeyAlert)
		return ok && a.Address == bob.address
	})
	alice.says(bob.address, "to two devices", port.Delivered)
	tablet.hears(alice.address, "to two devices")
	bob.hears(alice.address, "to two devices")
	tablet.says(alice.address, "from the tablet", port.Sent)
	if m := bob.hears(alice.address, "from the tablet"); !m.Mine {
		t.Errorf("the phone has %+v", m)
	}
}
