package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
	"mirsal/internal/client/seat"
)

// person is an engine with its seat.
type person struct {
	*caller.Caller
	address string
	profile *profile.Profile
	end     context.CancelFunc
	ended   chan error

	seat  *seat.Seat
	calls chan port.Call // as told; who does not read misses some
	heard chan time.Time // the first sound of each call
	path  string         // of the call that was closed last
}

// open signs both in and makes them contacts.
func (s *server) open(ctx context.Context) (err error) {
	for _, p := range []struct {
		to   **person
		name string
	}{{&s.alice, "alice"}, {&s.bob, "bob"}} {
		if *p.to, err = s.person(ctx, p.name); err != nil {
			return err
		}
	}
	if _, err = s.alice.Call(ctx, &port.AddContact{Address: s.bob.address}); err != nil {
		return err
	}
	if err = s.bob.contact(ctx, s.alice.address, "asks"); err != nil {
		return err
	}
	if _, err = s.bob.Call(ctx, &port.AddContact{Address: s.alice.address}); err != nil {
		return err
	}
	if err = s.alice.contact(ctx, s.bob.address, "contact"); err != nil {
		return err
	}
	if err = s.bob.contact(ctx, s.alice.address, "contact"); err != nil {
		return err
	}
	go s.alice.live(false)
	go s.bob.live(true)
	return nil
}

func (s *server) person(ctx context.Context, name string) (*person, error) {
	folder, err := os.MkdirTemp("", name)
	if err != nil {
		return nil, err
	}
	p := &person{Caller: caller.New(), address: name + "@" + s.domain, ended: make(chan error, 1), calls: make(chan port.Call, 100), heard: make(chan time.Time, 1)}
	if err := profile.Trust(folder, s.ca); err != nil {
		return nil, err
	}
	if p.profile, err = profile.Open(folder); err != nil {
		return nil, err
	}
	e, err := p.profile.Engine(name, p.Heard, nil)
	if err != nil {
		return nil, err
	}
	p.Use(e)
	run, end := context.WithCancel(context.Background())
	p.end = func() {
		end()
		<-p.ended
		_ = p.profile.Close()
		_ = os.RemoveAll(filepath.Clean(folder))
	}
	go func() { p.ended <- e.Run(run) }()
	if _, err := p.Call(ctx, &port.SignIn{Address: p.address, Password: "secret-secret", Server: s.at}); err != nil {
		return nil, fmt.Errorf("%s: %w", p.address, err)
	}
	for !p.Status().Synced {
		if _, err := p.Next(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (s *server) close() {
	s.alice.end()
	s.bob.end()
}

// contact waits for somebody to be a contact, or to ask for it.
func (p *person) contact(ctx context.Context, who, state string) error {
	for {
		answer, err := p.Call(ctx, &port.ListContacts{})
		if err != nil {
			return err
		}
		for _, c := range answer.(*port.ContactList).Contacts {
			if c.Address == who && c.State == state {
				return nil
			}
		}
		if _, err := p.Next(ctx); err != nil {
			return err
		}
	}
}

// hide says whether both are reached by the relay alone.
func (s *server) hide(ctx context.Context, on bool) error {
	for _, p := range []*person{s.alice, s.bob} {
		all := port.Privacy{Receipts: true, ReadMarkers: true, Typing: true, HideAddress: on}
		if _, err := p.Call(ctx, &port.SetSettings{Privacy: all}); err != nil {
			return err
		}
	}
	return nil
}

// live does what calls want, until the engine ends.
func (p *person) live(answers bool) {
	for {
		ev, err := p.Next(context.Background())
		if err != nil {
			return
		}
		switch ev := ev.(type) {
		case *port.CallMedia:
			if err := p.step(ev); err != nil {
				p.Do(&port.CallFailed{Call: ev.Call, Text: err.Error()})
			}
		case *port.CallChanged:
			if answers && ev.Call.State == "incoming" {
				p.Do(&port.AnswerCall{Call: ev.Call.ID, Seat: "bench"})
			}
			select {
			case p.calls <- ev.Call:
			default:
			}
		}
	}
}

// step is what `mirsal call` does.
func (p *person) step(m *port.CallMedia) error {
	if m.Do == "open" {
		cfg := seat.Config{Heard: func(string) {
			select {
			case p.heard <- time.Now():
			default:
			}
		}}
		p.seat = seat.New(cfg, reports{p, m.Call})
	}
	if p.seat == nil {
		return nil
	}
	switch m.Do {
	case "open":
		return p.seat.Open(m.Video)
	case "create":
		var all []seat.Server
		for _, s := range m.Servers {
			all = append(all, seat.Server{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
		}
		return p.seat.Create(all, m.RelayOnly)
	case "offer":
		if m.Restart {
			return p.seat.Restart()
		}
		return p.seat.Offer()
	case "remote":
		return p.seat.Remote(m.SDP, m.Type == "offer")
	case "answer":
		return p.seat.Answer()
	case "address":
		return p.seat.Address(m.Mid, m.Candidate)
	case "close":
		p.path = p.seat.Stats().Path
		err := p.seat.Close()
		p.seat = nil
		return err
	}
	return nil
}

// reports tells the engine what the seat finds out.
type reports struct {
	*person
	call string
}

func (r reports) Described(sdp string) { r.Do(&port.CallDescribed{Call: r.call, SDP: sdp}) }
func (r reports) Address(mid, candidate string) {
	r.Do(&port.CallAddress{Call: r.call, Mid: mid, Candidate: candidate})
}
func (r reports) Connected()         { r.Do(&port.CallConnected{Call: r.call}) }
func (r reports) Broken()            {}
func (r reports) Failed(text string) { r.Do(&port.CallFailed{Call: r.call, Text: text}) }

// until waits for a call to be in a state.
func (p *person) until(ctx context.Context, state string) (time.Time, error) {
	for {
		select {
		case c := <-p.calls:
			switch c.State {
			case state:
				return time.Now(), nil
			case "ended":
				return time.Time{}, fmt.Errorf("%s: it has ended: %s %s", p.address, c.Why, c.Text)
			}
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%s waits for a call to be %s: %w", p.address, state, ctx.Err())
		}
	}
}

// patience is how long a call may take to begin, or to end.
const patience = 60 * time.Second

// call is one call: milliseconds from the wish until it rang there, and until the first sound was here.
func (s *server) call(ctx context.Context, way string, length time.Duration) (ring, sound float64, err error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	answer, err := s.alice.Call(wait, &port.PlaceCall{Chat: s.bob.address, Seat: "bench"})
	if err != nil {
		return 0, 0, err
	}
	rang, err := s.bob.until(wait, "incoming")
	if err != nil {
		return 0, 0, err
	}
	var first time.Time
	select {
	case first = <-s.alice.heard:
	case <-wait.Done():
		return 0, 0, errors.New("nothing is heard")
	}
	time.Sleep(length)
	s.alice.Do(&port.HangUpCall{Call: answer.(*port.Done).Call})
	end, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, p := range []*person{s.alice, s.bob} {
		if _, err := p.until(end, "ended"); err != nil {
			return 0, 0, err
		}
		for len(p.heard) > 0 {
			<-p.heard
		}
	}
	if relayed := strings.Contains(s.alice.path, "relay"); relayed != (way == "relay") {
		return 0, 0, fmt.Errorf("the way is %s", s.alice.path)
	}
	return float64(rang.Sub(begun).Microseconds()) / 1000, float64(first.Sub(begun).Microseconds()) / 1000, nil
}
