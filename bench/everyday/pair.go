package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/e2e/xmppclient"
)

// pair is two people who chat, fifty messages a second: what others do must not
// be felt by them.
type pair struct {
	from, to *xmppclient.Conn
	done     chan struct{}
	run      sync.WaitGroup
	lost     atomic.Int64

	mu    sync.Mutex
	times []time.Duration
}

// newPair logs in the two accounts behind those of the crowd.
func (o *options) newPair(ctx context.Context) (*pair, error) {
	p := &pair{done: make(chan struct{})}
	var err error
	if p.from, err = o.login(ctx, o.people+1); err != nil {
		return nil, err
	}
	if p.to, err = o.login(ctx, o.people+2); err != nil {
		return nil, err
	}
	p.run.Go(p.write)
	p.run.Go(func() { p.read(ctx) })
	return p, nil
}

func (p *pair) write() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case due := <-tick.C:
			p.lost.Add(1)
			p.from.Send(fmt.Sprintf("<message to='%s' type='chat' id='t%d'><body>%s</body></message>", p.to.JID, due.UnixNano(), strings.Repeat("x", 200)))
		case <-p.done:
			return
		}
	}
}

func (p *pair) read(ctx context.Context) {
	for {
		n, err := p.to.Next(ctx)
		if err != nil {
			return
		}
		text, ours := strings.CutPrefix(n.Attr("id"), "t")
		due, err := strconv.ParseInt(text, 10, 64)
		if !ours || err != nil || n.Name.Local != "message" {
			continue
		}
		p.lost.Add(-1)
		p.mu.Lock()
		p.times = append(p.times, time.Since(time.Unix(0, due)))
		p.mu.Unlock()
	}
}

// begin forgets what was measured, end takes it.
func (p *pair) begin() { p.end() }

func (p *pair) end() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	times := p.times
	p.times = nil
	return times
}

func (p *pair) during(d time.Duration) []time.Duration {
	p.begin()
	time.Sleep(d)
	return p.end()
}

func (p *pair) stop() {
	close(p.done)
	p.from.Kill()
	p.to.Kill()
	p.run.Wait()
}
