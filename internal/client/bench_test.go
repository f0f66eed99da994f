//go:build !js

package client

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/sqlite"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
)

// BenchmarkCatchUp is one encrypted message of an archive taken in, in pages of a
// hundred: opened, put into its conversation, kept with the step of its ratchet.
func BenchmarkCatchUp(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchCatchUp(b, keep.NewMemory()) })
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		benchCatchUp(b, s)
	})
}

func benchCatchUp(b *testing.B, store keep.Store) {
	d := &desk{t: b, store: store, wire: newWire(b)}
	var err error
	d.engine, err = New(Config{Store: store, Rand: rand.Reader, Now: time.Now, Events: func(port.Event) {},
		Dialer:  func(jid.JID, string) (conn.Dialer, error) { return nil, nil },
		Connect: func(conn.Config, *conn.Saved) Connection { return d.wire }})
	if err != nil {
		b.Fatal(err)
	}
	e := d.engine
	e.profile.Address, e.ctx = me, b.Context()
	if err := e.openAccount(); err != nil {
		b.Fatal(err)
	}
	e.link = &link{conn: d.wire, up: true, asked: map[uint64]func(*conn.Stanza, error){}}
	e.take(e.keys.Online())
	for len(d.wire.todo) > 0 {
		ev := d.wire.todo[0]
		d.wire.todo = d.wire.todo[1:]
		e.connection(ev)
	}
	e.change(e.lines.Online(me, false))
	p, n := d.peer(bob), 0
	for b.Loop() {
		b.StopTimer()
		page := &fetch{}
		said, _ := talk(p, n, 100)
		for i, s := range said {
			page.page = append(page.page, result{id: fmt.Sprint("r", n+i), time: time.Now(), el: parse(b, s)})
		}
		q, _ := e.lines.NextQuery(me)
		page.query = q
		n += 100
		b.StartTimer()
		e.takePage(page, timeline.Fin{First: fmt.Sprint("r", n-100), Last: fmt.Sprint("r", n-1)})
		if e.broken != nil {
			b.Fatal(e.broken)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/message")
}
