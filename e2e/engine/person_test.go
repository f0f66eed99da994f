package engine

import (
	"context"
	"testing"
	"time"

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
