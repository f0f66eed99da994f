package files

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands before a server and passes bytes on, until it is told to break off.
type proxy struct {
	l        net.Listener
	to       atomic.Value // address of the server, a string
	up, down direction
	run      sync.WaitGroup
}

// direction is one way through the proxy.
type direction struct {
	passed atomic.Int64 // bytes in all
	cut    atomic.Int64 // after so many more bytes the connection breaks; 0 never
	cuts   atomic.Int64 // how often that happened
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l}
	p.run.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.run.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.run.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", p.to.Load().(string))
	if err != nil {
		return
	}
	defer s.Close()
	var both sync.WaitGroup
	both.Go(func() { p.up.pass(s, c); s.Close(); c.Close() })
	both.Go(func() { p.down.pass(c, s); s.Close(); c.Close() })
	both.Wait()
}

func (d *direction) pass(to io.Writer, from io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		d.passed.Add(int64(n))
		if cut := d.cut.Load(); cut > 0 {
			if cut <= int64(n) {
				d.cut.Store(0)
				d.cuts.Add(1)
				return
			}
			d.cut.Add(-int64(n))
		}
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			return
		}
	}
}
