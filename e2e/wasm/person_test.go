package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
)

// person is one account on one device, in a browser's tab or in a program.
type person struct{ device.Person }

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
	p := &tab{person: person{device.Person{Caller: caller.New(), T: b.t, Name: name, Address: who + "@" + device.Domain}}, b: b, name: name, more: make(chan struct{})}
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
		p.T.Error(err)
	}
}

// run runs a function in the page.
func (p *tab) run(script string, give, get any) {
	p.T.Helper()
	p.b.do("run", map[string]any{"tab": p.name, "script": script, "value": give}, get)
}

// becomes waits for a state of the Worker's, and forgets those before it.
func (p *tab) becomes(want string) state {
	p.T.Helper()
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
			p.T.Fatalf("%s is not %s: %s", p.name, want, seen)
		}
	}
}

// again reloads the page and attaches it anew.
func (p *tab) again() {
	p.T.Helper()
	p.reload(false)
}

// reload does so; quiet, only events about the connection are heard.
func (p *tab) reload(quiet bool) {
	p.T.Helper()
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

// signIn opens the account by its device.Password.
func (p *tab) signIn(s *device.Server) *tab {
	p.T.Helper()
	p.becomes("running")
	p.SignIn("ws://" + s.Web + "/ws")
	return p
}

// elsewhere signs in to a program with a folder, as the terminal client is one.
func elsewhere(t *testing.T, s *device.Server, who string) *person {
	t.Helper()
	l := device.NewLocal(t, s, who, who+"@"+device.Domain, t.TempDir())
	l.SignIn(s.C2S)
	return &person{l.Person}
}

func (p *person) hears(text string) port.Message {
	p.T.Helper()
	return p.Message("the message "+text, func(m port.Message) bool { return m.Text == text })
}

// says sends a message and waits until it has come as far as wanted.
func (p *person) says(chat, text string, want port.Delivery) {
	p.T.Helper()
	id := p.Must(&port.Send{Chat: chat, Text: text}).(*port.Done).Message
	var last port.Message
	defer func() {
		if p.T.Failed() {
			p.T.Logf("it was %+v", last)
		}
	}()
	p.Message(text+" being "+string(want), func(m port.Message) bool {
		if m.ID == id {
			last = m
		}
		return m.ID == id && m.Delivery == want
	})
}

// texts lists what was said in a chat.
func (p *person) texts(chat string) (out []string) {
	p.T.Helper()
	for _, m := range p.Must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		if m.Notice == "" && m.File == nil {
			out = append(out, m.Text)
		}
	}
	return out
}

// meet makes two people contacts, each of whom tells the other when something has
// arrived: only who is seen online by somebody does.
func meet(a, b *person) {
	a.T.Helper()
	is := func(who *person, right func(port.Contact) bool) func(port.Event) bool {
		return func(ev port.Event) bool {
			c, ok := ev.(*port.ContactChanged)
			return ok && c.Contact.Address == who.Address && right(c.Contact)
		}
	}
	online := func(c port.Contact) bool { return c.State == "contact" && c.Online }
	a.Must(&port.AddContact{Address: b.Address})
	b.Until("being asked", is(a, func(c port.Contact) bool { return c.State == "asks" }))
	b.Must(&port.AddContact{Address: a.Address})
	a.Until("being a contact", is(b, online))
	b.Until("being a contact", is(a, online))
}
