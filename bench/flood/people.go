package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"mirsal/e2e/xmppclient"
)

// enter logs in as a person would, with STARTTLS, and binds a resource.
func (s *server) enter(ctx context.Context, from net.IP, name, resource string) (*xmppclient.Conn, error) {
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.addrs["c2s"], From: from, Domain: domain, TLS: &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519},
	}})
	if err != nil {
		return nil, err
	}
	if err = c.Login(ctx, name, password); err == nil {
		err = c.Bind(ctx, resource)
	}
	if err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// pair is two people who write to each other at an even pace, for as long as
// the measurement takes.
type pair struct {
	ends  [2]*xmppclient.Conn
	start time.Time
	every time.Duration // between two messages of one of them

	mu   sync.Mutex
	sent [2][]message
	err  error
}

// message is one by one of the two; times are since the pair's start.
type message struct {
	due, sent, came time.Duration // came is 0 until it is there
}

func newPair(ctx context.Context, s *server, perSecond int) (*pair, error) {
	p := &pair{every: 2 * time.Second / time.Duration(perSecond)}
	for i, name := range []string{"alice", "bob"} {
		c, err := s.enter(ctx, net.IPv4(127, 0, 0, byte(2+i)), name, "pair")
		if err != nil {
			return nil, err
		}
		p.ends[i] = c
		if _, err := c.EnableSM(ctx, true); err != nil {
			return nil, err
		}
		if err := c.Send("<presence/>"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// chat goes on until ctx ends.
func (p *pair) chat(ctx context.Context) {
	p.start = time.Now()
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() { p.fail(ctx, p.write(ctx, i)) })
		both.Go(func() { p.fail(ctx, p.read(ctx, i)) })
	}
	both.Wait()
	p.ends[0].Kill()
	p.ends[1].Kill()
}

func (p *pair) fail(ctx context.Context, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() == nil && p.err == nil {
		p.err = err
	}
}

// write sends each message when it is due, however late the one before was.
func (p *pair) write(ctx context.Context, from int) error {
	to := p.ends[1-from].JID
	for n := 0; ; n++ {
		due := time.Duration(n)*p.every + time.Duration(from)*p.every/2
		if !sleep(ctx, due-time.Since(p.start)) {
			return nil
		}
		p.mu.Lock()
		p.sent[from] = append(p.sent[from], message{due: due, sent: time.Since(p.start)})
		p.mu.Unlock()
		err := p.ends[from].Send("<message type='chat' to='" + to + "' id='" + strconv.Itoa(n) +
			"'><body>Nothing that anybody would want to read, but long enough to be a sentence of a chat.</body></message>")
		if err != nil {
			return fmt.Errorf("the pair's stream: %w", err)
		}
	}
}

func (p *pair) read(ctx context.Context, me int) error {
	c := p.ends[me]
	for {
		n, err := c.Next(ctx)
		if err != nil {
			return fmt.Errorf("the pair's stream: %w", err)
		}
		switch {
		case n.Is(xmppclient.NSSM, "r"):
			err = c.Ack()
		case n.Name.Local == "message" && n.Child(xmppclient.NSClient, "body") != nil:
			p.arrived(1-me, n.Attr("id"))
		}
		if err != nil {
			return err
		}
	}
}

func (p *pair) arrived(from int, id string) {
	now := time.Since(p.start)
	n, err := strconv.Atoi(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && n >= 0 && n < len(p.sent[from]) && p.sent[from][n].came == 0 {
		p.sent[from][n].came = now
	}
}

// chatted is how a span of the chat went.
type chatted struct {
	latency []time.Duration // from when a message was due until it was there
	late    []time.Duration // of that, until it was sent: this program's own part
	lost    int
}

// between is of the messages due in a span, given as times since the start.
func (p *pair) between(from, to time.Duration) chatted {
	p.mu.Lock()
	defer p.mu.Unlock()
	var c chatted
	for _, all := range p.sent {
		for _, m := range all {
			if m.due < from || m.due >= to {
				continue
			}
			c.late = append(c.late, m.sent-m.due)
			if m.came == 0 {
				c.lost++
				continue
			}
			c.latency = append(c.latency, m.came-m.due)
		}
	}
	return c
}

// newcomer logs in again and again, from the addresses given in turn.
type newcomer struct {
	mu    sync.Mutex
	tries []try
}

type try struct {
	at, took time.Duration // at is since the pair's start
	err      error
}

const (
	comesEvery = 2 * time.Second
	givesUp    = 20 * time.Second
)

func (n *newcomer) come(ctx context.Context, s *server, start time.Time, address func(i int) net.IP) {
	clock := time.NewTicker(comesEvery)
	defer clock.Stop()
	for i := 0; ; i++ {
		select {
		case <-clock.C:
		case <-ctx.Done():
			return
		}
		t := try{at: time.Since(start)}
		t.err = s.visit(ctx, address(i))
		t.took = time.Since(start) - t.at
		if ctx.Err() != nil {
			return
		}
		n.mu.Lock()
		n.tries = append(n.tries, t)
		n.mu.Unlock()
	}
}

// visit logs in as the victim of the guesses and leaves.
func (s *server) visit(ctx context.Context, from net.IP) error {
	ctx, cancel := context.WithTimeout(ctx, givesUp)
	defer cancel()
	c, err := s.enter(ctx, from, "alice", "")
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// between is how long logins begun in a span took that worked, and the errors of others.
func (n *newcomer) between(from, to time.Duration) (took []time.Duration, failed []error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.tries {
		switch {
		case t.at < from || t.at >= to:
		case t.err != nil:
			failed = append(failed, t.err)
		default:
			took = append(took, t.took)
		}
	}
	return took, failed
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
