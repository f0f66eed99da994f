package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/bench/measure"
	"mirsal/e2e/xmppclient"
)

// joins has people join one room while two others chat with each other.
func joins(ctx context.Context, o *options) (map[string]any, error) {
	room := fmt.Sprintf("storm%d@conference.%s", time.Now().UnixNano(), o.domain)
	all, err := o.crowd(ctx, room)
	defer func() {
		for _, g := range all {
			g.conn.Kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	pair, err := o.newPair(ctx)
	if err != nil {
		return nil, err
	}
	defer pair.stop()
	quiet := pair.during(5 * time.Second)
	a := o.usage()
	var in sync.WaitGroup
	pair.begin()
	for i, g := range all[1:] {
		if o.rate > 0 {
			time.Sleep(time.Until(a.At.Add(time.Duration(float64(i) / o.rate * float64(time.Second)))))
		}
		in.Go(func() { g.join(ctx, room, fmt.Sprint("n", i)) })
	}
	in.Wait()
	b := o.usage()
	storm := pair.end()
	var took []time.Duration
	failed, presences := 0, int64(0)
	for _, g := range all[1:] {
		if g.took == 0 {
			failed++
		} else {
			took = append(took, g.took)
		}
		presences += g.presences.Load()
	}
	m := map[string]any{
		"people": len(all), "joined": len(took), "failed": failed, "presences": presences,
		"join_p50_ms": measure.Ms(measure.Quantile(took, 0.5)), "join_p99_ms": measure.Ms(measure.Quantile(took, 0.99)),
		"pair_quiet_p99_ms": measure.Ms(measure.Quantile(quiet, 0.99)), "pair_p99_ms": measure.Ms(measure.Quantile(storm, 0.99)),
		"pair_messages": len(storm), "pair_lost": pair.lost.Load(), "server_pss_mb": b.PSS >> 20,
	}
	spent(m, "join", len(all)-1, a, b)
	return m, nil
}

// guest is somebody who joins.
type guest struct {
	conn      *xmppclient.Conn
	in        chan struct{}
	once      sync.Once
	took      time.Duration
	presences atomic.Int64

	mu   sync.Mutex
	last []byte // of what came, for who is not let in
}

// joinPatience is how long one waits to be in.
const joinPatience = time.Minute

// crowd logs everybody in; the first has made the room.
func (o *options) crowd(ctx context.Context, room string) ([]*guest, error) {
	all := make([]*guest, o.people+1)
	errs := make(chan error, len(all))
	places := make(chan struct{}, o.together)
	var in sync.WaitGroup
	for i := range all {
		places <- struct{}{}
		in.Go(func() {
			defer func() { <-places }()
			c, err := o.login(ctx, i)
			errs <- err
			all[i] = &guest{conn: c, in: make(chan struct{})}
		})
	}
	in.Wait()
	for range all {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	for _, g := range all {
		go g.read()
	}
	all[0].join(ctx, room, "first")
	if err := all[0].conn.Send("<iq type='set' id='own' to='" + room + "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>"); err != nil {
		return all, err
	}
	time.Sleep(time.Second)
	return all, nil
}

func (g *guest) join(ctx context.Context, room, nick string) {
	begin := time.Now()
	if g.conn.Send("<presence to='"+room+"/"+nick+"'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>") != nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, joinPatience)
	defer stop()
	select {
	case <-g.in:
		g.took = time.Since(begin)
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		log.Printf("%s is not in; it heard last: %s", nick, g.last)
	}
}

// read counts what comes, without a parser: that would be what is measured.
func (g *guest) read() {
	buf, rest := make([]byte, 64<<10), 0
	for {
		n, err := g.conn.Net().Read(buf[rest:])
		text := buf[:rest+n]
		g.presences.Add(int64(bytes.Count(text, []byte("<presence "))))
		if bytes.Contains(text, []byte("code='110'")) || bytes.Contains(text, []byte(`code="110"`)) {
			g.once.Do(func() { close(g.in) })
		}
		g.mu.Lock()
		g.last = append(g.last[:0], text[max(len(text)-600, 0):]...)
		g.mu.Unlock()
		rest = copy(buf, text[max(len(text)-9, 0):]) // a mark may come in two parts
		if err != nil {
			return
		}
	}
}
