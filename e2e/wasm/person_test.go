package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
)

const (
	domain   = "localhost"
	password = "correct horse battery staple"
)

// server is one that keeps its ports when it starts again.
type server struct {
	*mirsal.Server
	c2s, web string
}

func newServer(t *testing.T, names ...string) *server {
	t.Helper()
	s := &server{c2s: freePort(t), web: freePort(t)}
	return s.start(t, names, "--set", "upload.public_url=http://"+s.web)
}

func (s *server) start(t *testing.T, names []string, more ...string) *server {
	t.Helper()
	s.Server = mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: append([]string{"--domain", domain, "--c2s", s.c2s,
		"--http-plain", s.web}, more...)})
	s.Accounts(password, names...)
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// person is one account on one device, in a browser's tab or in a program.
type person struct {
	*caller.Caller
	t       *testing.T
	address string
}

// state is what the Worker says of itself.
type state struct {
	Worker, State, Why, Address string
	Reset                       bool
	Done, Total                 int
}

// tab is a page with the engine.
type tab struct {
	person
	b    *browser
	name string

	mu     sync.Mutex
	states []state // since began
	more   chan struct{}
}

// open opens a page and attaches it to the engine.
func (b *browser) open(name, who string) *tab {
	b.t.Helper()
	p := &tab{person: person{caller.New(), b.t, who + "@" + domain}, b: b, name: name, more: make(chan struct{})}
	p.Use(p)
	b.mu.Lock()
	b.tabs[name] = p.told
	b.mu.Unlock()
	b.do("open", map[string]any{"tab": name}, nil)
	p.run("() => begin()", nil, nil)
	return p
}

// told takes what the page tells: a state of the Worker's or an event.
func (p *tab) told(raw json.RawMessage) {
	var s state
	if err := json.Unmarshal(raw, &s); err == nil && s.Worker == "state" {
		p.mu.Lock()
		p.states = append(p.states, s)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
		return
	}
	if ev, err := port.DecodeEvent(raw); err == nil {
		p.Heard(ev)
	}
}

// Do is of caller.Engine: the page numbers commands itself.
func (p *tab) Do(c port.Command) {
	raw, err := port.EncodeCommand(c)
	if err == nil {
		_, err = p.b.post("run", map[string]any{"tab": p.name, "value": json.RawMessage(raw),
			"script": "(c) => { engine.do(c).then((a) => told(JSON.stringify({ ...a, ref: c.ref }))) }"})
	}
	if err != nil {
		p.t.Error(err)
	}
}

// run runs a function in the page.
func (p *tab) run(script string, give, get any) {
	p.t.Helper()
	p.b.do("run", map[string]any{"tab": p.name, "script": script, "value": give}, get)
}

// becomes waits for a state of the Worker's, and forgets those before it.
func (p *tab) becomes(want string) state {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		p.mu.Lock()
		for i, s := range p.states {
			if s.State == want {
				p.states = p.states[i+1:]
				p.mu.Unlock()
				return s
			}
		}
		seen, more := fmt.Sprintf("%+v", p.states), p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			p.t.Fatalf("%s is not %s: %s", p.name, want, seen)
		}
	}
}

// again reloads the page and attaches it anew.
func (p *tab) again() {
	p.t.Helper()
	p.reload(false)
}

// reload does so; quiet, only events about the connection are heard.
func (p *tab) reload(quiet bool) {
	p.t.Helper()
	p.b.do("reload", map[string]any{"tab": p.name}, nil)
	p.fresh()
	p.run("(quiet) => begin(quiet)", quiet, nil)
}

// fresh forgets all that was told before.
func (p *tab) fresh() {
	p.mu.Lock()
	p.states = nil
	p.mu.Unlock()
	p.Caller = caller.New()
	p.Use(p)
}

// signIn opens the account by its password.
func (p *tab) signIn(s *server) *tab {
	p.t.Helper()
	p.becomes("running")
	p.must(&port.SignIn{Address: p.address, Password: password, Server: "ws://" + s.web + "/ws"})
	p.synced()
	return p
}

// elsewhere signs in to a program with a folder, as the terminal client is one.
func elsewhere(t *testing.T, s *server, who string) *person {
	t.Helper()
	folder := t.TempDir()
	if err := profile.Trust(folder, filepath.Join(s.Data, "tls", "ca.pem")); err != nil {
		t.Fatal(err)
	}
	home, err := profile.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{caller.New(), t, who + "@" + domain}
	e, err := home.Engine("program", p.Heard, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Use(e)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := home.Close(); err != nil {
			t.Error(err)
		}
	})
	p.must(&port.SignIn{Address: p.address, Password: password, Server: s.c2s})
	p.synced()
	return p
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
		p.t.Fatalf("%s waited in vain for %s; status %+v", p.address, what, p.Status())
	}
	return ev
}

func (p *person) synced() {
	p.t.Helper()
	p.syncedWithin(patience)
}

func (p *person) syncedWithin(d time.Duration) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for !p.Status().Synced {
		if _, err := p.Next(ctx); err != nil {
			p.t.Fatalf("%s is not synced: %+v", p.address, p.Status())
		}
	}
}

// message waits for a message being as wanted.
func (p *person) message(what string, right func(port.Message) bool) port.Message {
	p.t.Helper()
	return p.until(what, func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && right(m.Message)
	}).(*port.MessageChanged).Message
}

func (p *person) hears(text string) port.Message {
	p.t.Helper()
	return p.message("the message "+text, func(m port.Message) bool { return m.Text == text })
}

// says sends a message and waits until it has come as far as wanted.
func (p *person) says(chat, text string, want port.Delivery) {
	p.t.Helper()
	id := p.must(&port.Send{Chat: chat, Text: text}).(*port.Done).Message
	var last port.Message
	defer func() {
		if p.t.Failed() {
			p.t.Logf("it was %+v", last)
		}
	}()
	p.message(text+" being "+string(want), func(m port.Message) bool {
		if m.ID == id {
			last = m
		}
		return m.ID == id && m.Delivery == want
	})
}

// texts lists what was said in a chat.
func (p *person) texts(chat string) (out []string) {
	p.t.Helper()
	for _, m := range p.must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		if m.Notice == "" && m.File == nil {
			out = append(out, m.Text)
		}
	}
	return out
}

// meet makes two people contacts, each of whom tells the other when something has
// arrived: only who is seen online by somebody does.
func meet(a, b *person) {
	a.t.Helper()
	is := func(who *person, right func(port.Contact) bool) func(port.Event) bool {
		return func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == who.address && right(c.Contact)
		}
	}
	online := func(c port.Contact) bool { return c.State == "contact" && c.Online }
	a.must(&port.AddContact{Address: b.address})
	b.until("being asked", is(a, func(c port.Contact) bool { return c.State == "asks" }))
	b.must(&port.AddContact{Address: a.address})
	a.until("being a contact", is(b, online))
	b.until("being a contact", is(a, online))
}
