package terminal

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"mirsal/internal/client/port"
)

// Engine is what is asked; *client.Engine is one.
type Engine interface{ Do(c port.Command) }

// Options say how the screen behaves.
type Options struct {
	Bidi string // auto, on (we put right-to-left in order), off (the terminal does)
	Bell bool   // ring at new messages
	// Keep is a file for drafts and settings, readable by its owner alone; "" keeps none.
	Keep  string
	Env   []string // as of os.Environ: NO_COLOR, TERM and the like
	Label string   // what this device is called, for linking
	Help  string   // how to sign in otherwise, shown below the form
	// Input and Output are the terminal; nil is the process's own.
	Input  io.Reader
	Output io.Writer
}

// Screen is the terminal client. Give its Heard to the engine as the place for events,
// the engine to Use, and call Run once.
type Screen struct {
	o      Options
	engine Engine

	mu    sync.Mutex
	queue []port.Event // guarded by mu: what Run has not yet taken
	wake  chan struct{}
}

// New makes a screen; nothing is drawn before Run.
func New(o Options) *Screen { return &Screen{o: o, wake: make(chan struct{}, 1)} }

// Use says which engine is asked.
func (s *Screen) Use(e Engine) { s.engine = e }

// Heard takes an event of the engine and never blocks.
func (s *Screen) Heard(ev port.Event) {
	s.mu.Lock()
	s.queue = append(s.queue, ev)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Screen) take() []port.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue
}

// heard is what the engine has told since the last one, in order.
type heard []port.Event

// Run shows the screen until a person leaves or ctx ends. The terminal is as it was
// before when it returns. Errors are the terminal's, or the kept file's.
func (s *Screen) Run(ctx context.Context) error {
	m := newModel(s.engine, s.o, time.Now)
	if err := m.restore(); err != nil {
		return err
	}
	o := []tea.ProgramOption{tea.WithContext(ctx), tea.WithoutSignalHandler()}
	if s.o.Env != nil {
		o = append(o, tea.WithEnvironment(s.o.Env))
	}
	if s.o.Input != nil {
		o = append(o, tea.WithInput(s.o.Input))
	}
	if s.o.Output != nil {
		o = append(o, tea.WithOutput(s.o.Output))
	}
	p := tea.NewProgram(m, o...)
	done := make(chan struct{})
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		s.pump(p, done)
	}()
	_, err := p.Run()
	close(done)
	<-pumped
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		err = nil
	}
	return errors.Join(err, m.keep())
}

// pump hands events over as fast as they are drawn, all that wait at once.
func (s *Screen) pump(p *tea.Program, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-s.wake:
			if events := s.take(); len(events) > 0 {
				p.Send(heard(events)) // returns when the program has ended
			}
		}
	}
}
