package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// storm is who is back, and what it took them.
type storm struct {
	o       *options
	clients []*client
	opened  chan struct{} // closed when the port is open again
	over    chan struct{} // closed when all are back

	begun   atomic.Bool // the restart
	early   atomic.Int64
	mu      sync.Mutex
	openAt  time.Time
	back    map[*client]time.Time // who is back, and since when
	resumed int
	again   int // sessions that broke after they were back
	logins  []time.Duration
	failed  map[string]int // attempts since the port was open, by error
}

func newStorm(o *options) *storm {
	s := &storm{o: o, opened: make(chan struct{}), over: make(chan struct{}), back: map[*client]time.Time{}, failed: map[string]int{}}
	keys := &keyring{password: o.password, keys: map[string][]byte{}}
	for i := range o.sessions {
		s.clients = append(s.clients, &client{
			user: fmt.Sprintf("%s%d", o.user, i), from: net.IPv4(127, 0, 0, byte(2+i%o.sources)), o: o, keys: keys,
		})
	}
	return s
}

// loginAll makes all sessions, some at a time.
func (s *storm) loginAll(ctx context.Context) error {
	work := make(chan *client)
	errs := make(chan error, s.o.together)
	for range s.o.together {
		go func() {
			var failed error
			for c := range work {
				failed = errors.Join(failed, s.firstLogin(ctx, c))
			}
			errs <- failed
		}()
	}
	for _, c := range s.clients {
		work <- c
	}
	close(work)
	var err error
	for range s.o.together {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return err
}

func (s *storm) firstLogin(ctx context.Context, c *client) error {
	var err error
	for n := range loginTries {
		if n > 0 {
			sleep(ctx, pause(n))
		}
		if _, err = c.login(ctx); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", c.user, err)
}

// live holds a client's session, and comes back whenever it ends.
func (s *storm) live(ctx context.Context, c *client) {
	for ctx.Err() == nil {
		c.hold(ctx)
		if ctx.Err() == nil {
			s.broke(c)
			s.comeBack(ctx, c)
		}
	}
	c.conn.Kill()
}

func (s *storm) broke(c *client) {
	if !s.begun.Load() {
		s.early.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.back[c]; ok {
		s.again++
	}
}

func (s *storm) comeBack(ctx context.Context, c *client) {
	if s.o.from == "open" {
		select {
		case <-s.opened:
		case <-ctx.Done():
		}
	}
	for n := 0; ctx.Err() == nil; n++ {
		if !sleep(ctx, pause(n)) {
			return
		}
		start := time.Now()
		resumed, err := c.login(ctx)
		if err == nil {
			s.isBack(c, resumed, time.Since(start))
			return
		}
		s.note(ctx, err)
	}
}

func (s *storm) isBack(c *client, resumed bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.back[c]; ok || !s.begun.Load() {
		return
	}
	s.back[c] = time.Now()
	s.logins = append(s.logins, took)
	if resumed {
		s.resumed++
	}
	if len(s.back) == len(s.clients) {
		close(s.over)
	}
}

// note counts a failed attempt, if the server could have answered it.
func (s *storm) note(ctx context.Context, err error) {
	select {
	case <-s.opened:
	default:
		return
	}
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[kind(err)]++
}

// kind is an error without what differs from one attempt to the next.
func kind(err error) string {
	var timeout net.Error
	var number syscall.Errno
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &number):
		return number.Error()
	}
	text := err.Error()
	return text[:min(len(text), 120)]
}

// awaitPort waits until the server accepts connections, and remembers when.
func (s *storm) awaitPort(ctx context.Context) error {
	for ctx.Err() == nil {
		d := net.Dialer{Timeout: time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
		if c, err := d.DialContext(ctx, "tcp", s.o.addr); err == nil {
			s.mu.Lock()
			s.openAt = time.Now()
			s.mu.Unlock()
			close(s.opened)
			return c.Close()
		}
		sleep(ctx, 2*time.Millisecond)
	}
	return errors.New("the port did not open")
}

// since are the times from the port being open until each was back, in order.
func (s *storm) since() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for t := range maps.Values(s.back) {
		all = append(all, max(t.Sub(s.openAt), 0))
	}
	slices.Sort(all)
	return all
}

func (s *storm) tellFailures() {
	for what, n := range s.failed {
		fmt.Fprintf(os.Stderr, "%d attempts failed: %s\n", n, what)
	}
}

// sleep waits, and tells whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
