package device

import (
	"context"
	"testing"
	"time"

	"mirsal/internal/client"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
)

// Person asks an engine, wherever that runs, and gives the test up when it does not answer.
type Person struct {
	*caller.Caller
	T       testing.TB
	Name    string // for messages of the test
	Address string // bare
}

// Local is one account on one device whose engine runs in the test's own process: it cannot be killed, and
// what it does is seen by the race detector.
type Local struct {
	Person
	Folder  string // the profile's
	profile *profile.Profile
	end     context.CancelFunc
	ended   chan error
}

// NewLocal starts the engine of a folder, which ends with the test.
func NewLocal(t testing.TB, s *Server, name, address, folder string) *Local {
	t.Helper()
	l := &Local{Person: Person{T: t, Name: name, Address: address}, Folder: folder, ended: make(chan error, 1)}
	if err := profile.Trust(folder, s.CA); err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

// Start starts the engine again with what its folder has.
func (l *Local) Start() {
	l.T.Helper()
	var err error
	if l.profile, err = profile.Open(l.Folder); err != nil {
		l.T.Fatal(err)
	}
	l.Caller = caller.New()
	var e *client.Engine
	if e, err = l.profile.Engine(l.Name, l.Heard, nil); err != nil {
		l.T.Fatal(err)
	}
	l.Use(e)
	ctx, end := context.WithCancel(context.Background())
	l.end = end
	go func() { l.ended <- e.Run(ctx) }()
}

// Close ends the engine in good order, if it runs.
func (l *Local) Close() {
	if l.end == nil {
		return
	}
	l.end()
	l.end = nil
	if err := <-l.ended; err != nil {
		l.T.Error(err)
	}
	if err := l.profile.Close(); err != nil {
		l.T.Error(err)
	}
}

// SignIn signs in with Password and waits until everything is here.
func (p *Person) SignIn(server string) {
	p.T.Helper()
	p.Must(&port.SignIn{Address: p.Address, Password: Password, Server: server})
	p.Synced()
}

// Must asks where nothing else than success will do.
func (p *Person) Must(c port.Command) port.Event {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := p.Call(ctx, c)
	if err != nil {
		p.T.Fatalf("%s: %T: %v", p.Name, c, err)
	}
	return ev
}

// Until waits for an event that must come.
func (p *Person) Until(what string, right func(port.Event) bool) port.Event {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := p.Wait(ctx, right)
	if err != nil {
		p.T.Fatalf("%s waited in vain for %s; status %+v", p.Name, what, p.Status())
	}
	return ev
}

// Message waits for a message that is as wanted.
func (p *Person) Message(what string, right func(port.Message) bool) port.Message {
	p.T.Helper()
	ev := p.Until(what, func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && right(m.Message)
	})
	return ev.(*port.MessageChanged).Message
}

// Synced waits until the engine knows all that the server does.
func (p *Person) Synced() {
	p.T.Helper()
	p.SyncedWithin(patience)
}

// SyncedWithin waits so long.
func (p *Person) SyncedWithin(d time.Duration) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for !p.Status().Synced {
		if _, err := p.Next(ctx); err != nil {
			p.T.Fatalf("%s is not synced: %+v", p.Name, p.Status())
		}
	}
}
