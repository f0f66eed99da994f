// Package caller lets programs that do one thing after the other use the client
// engine: a command is a call that returns its answer, and what else happens can
// be waited for. Bots, the scriptable side of the terminal client and tests have
// it in common. It is not for screens, which take events as they come.
//
// Invariants: every event is seen in its order by whoever waits then; none is lost
// between two calls.
package caller

import (
	"context"
	"sync"

	"mirsal/internal/client/port"
)

// Engine is what is called.
type Engine interface{ Do(c port.Command) }

// Caller collects the events of one engine. Its methods may be called by any
// goroutine.
type Caller struct {
	mu     sync.Mutex
	engine Engine
	ref    uint64
	log    []port.Event  // not yet taken by Next
	more   chan struct{} // closed when there are more than there were
	answer map[uint64]chan port.Event
	status port.Status
}

// New makes a Caller. Give its Heard to the engine as its place for events, and the
// engine to Use.
func New() *Caller {
	return &Caller{more: make(chan struct{}), answer: map[uint64]chan port.Event{}}
}

// Use says which engine is called.
func (c *Caller) Use(e Engine) { c.engine = e }

// Heard takes an event; it does not block.
func (c *Caller) Heard(ev port.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := ev.(*port.Status); ok {
		c.status = *s
	}
	if ref := port.RefOf(ev); ref != 0 {
		if wait, ok := c.answer[ref]; ok {
			delete(c.answer, ref)
			wait <- ev
		}
		return
	}
	c.log = append(c.log, ev)
	close(c.more)
	c.more = make(chan struct{})
}

// Status is the latest that was heard.
func (c *Caller) Status() port.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Do asks for something and wants no answer.
func (c *Caller) Do(cmd port.Command) { c.engine.Do(cmd) }

// Call asks for something and returns its answer. A failure that the answer carries
// is the error too, a *port.Failure; the other error is ctx's.
func (c *Caller) Call(ctx context.Context, cmd port.Command) (port.Event, error) {
	wait := make(chan port.Event, 1)
	c.mu.Lock()
	c.ref++
	port.SetRef(cmd, c.ref)
	c.answer[c.ref] = wait
	c.mu.Unlock()
	c.engine.Do(cmd)
	select {
	case ev := <-wait:
		if f := port.FailureOf(ev); f != nil {
			return ev, f
		}
		return ev, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Next takes the next event that is no answer.
func (c *Caller) Next(ctx context.Context) (port.Event, error) {
	for {
		c.mu.Lock()
		if len(c.log) > 0 {
			ev := c.log[0]
			c.log = c.log[1:]
			c.mu.Unlock()
			return ev, nil
		}
		more := c.more
		c.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Wait takes events until right says that one is the one waited for, and returns it.
func (c *Caller) Wait(ctx context.Context, right func(port.Event) bool) (port.Event, error) {
	for {
		ev, err := c.Next(ctx)
		if err != nil || right(ev) {
			return ev, err
		}
	}
}
