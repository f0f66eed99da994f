package browser

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A door is where the pages come to the server's plain web side: it hands on every
// byte, and can be shut for a while, so that what happens meanwhile happens while
// everybody is away.
type door struct {
	t    *testing.T
	addr string
	to   string

	mu    sync.Mutex
	in    net.Listener // nil while it is shut
	conns map[net.Conn]struct{}
}

func openDoor(t *testing.T, to string) *door {
	t.Helper()
	d := &door{t: t, addr: freeAddr(t), to: to, conns: map[net.Conn]struct{}{}}
	d.open()
	t.Cleanup(d.shut)
	return d
}

func (d *door) open() {
	d.t.Helper()
	in, err := net.Listen("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.in = in
	d.mu.Unlock()
	go d.accept(in)
}

func (d *door) accept(in net.Listener) {
	for {
		c, err := in.Accept()
		if err != nil {
			return // shut
		}
		go d.pass(in, c)
	}
}

// pass hands on what both sides say until one of them ends.
func (d *door) pass(in net.Listener, c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", d.to)
	if err != nil {
		return // the server is down
	}
	defer s.Close()
	if !d.keep(in, c) {
		return
	}
	defer d.forget(c)
	go func() {
		_, _ = io.Copy(s, c)
		_ = s.Close()
	}()
	_, _ = io.Copy(c, s)
}

// keep is false for who came before the door was shut.
func (d *door) keep(in net.Listener, c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in != in {
		return false
	}
	d.conns[c] = struct{}{}
	return true
}

func (d *door) forget(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
}

// shut lets nobody in any more, and those out who are.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in == nil {
		return
	}
	_ = d.in.Close()
	d.in = nil
	for c := range d.conns {
		_ = c.Close()
	}
	clear(d.conns)
}
