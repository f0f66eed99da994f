package hostile

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"mirsal/e2e/xmppclient"
)

// fill has sessions of some accounts enter a room, and counts the bytes that they are
// sent from then on.
func (v *victim) fill(t *testing.T, room string, sessions, accounts int) *atomic.Int64 {
	t.Helper()
	var all []*xmppclient.Conn
	var mu sync.Mutex
	var run sync.WaitGroup
	var failed atomic.Value
	for worker := range 8 {
		run.Go(func() {
			for i := worker; i < sessions; i += 8 {
				c, err := v.join(room, fmt.Sprint("crowd", i%accounts))
				if err != nil {
					failed.Store(err)
					return
				}
				mu.Lock()
				all = append(all, c)
				mu.Unlock()
			}
		})
	}
	run.Wait()
	t.Cleanup(func() {
		for _, c := range all {
			c.Kill()
		}
	})
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
	var got atomic.Int64
	for _, c := range all {
		go func() {
			buf := make([]byte, 16<<10)
			for {
				n, err := c.Net().Read(buf)
				got.Add(int64(n))
				if err != nil {
					return
				}
			}
		}()
	}
	return &got
}

// join brings one session into a room, without waiting for the end of the welcome.
func (v *victim) join(room, name string) (*xmppclient.Conn, error) {
	c, err := xmppclient.Dial(v.ctx, v.options(true))
	if err != nil {
		return nil, err
	}
	if err = c.Login(v.ctx, name, password); err == nil {
		err = c.Bind(v.ctx, "")
	}
	if err == nil {
		err = c.Send("<presence/>" + entering(room, name, ""))
	}
	return c, err
}
