package httpd

import (
	"io"
	"net"
	"os"
	"time"

	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// A BOSH session looks to c2s like the socket of an XML stream: this file is
// its side that c2s sees.

// outMost is how many bytes may wait for a request to take them; whoever writes
// more has to wait. One write may go over.
const outMost = 64 << 10

// Read gives the stream that the requests' bodies stand for.
func (b *bosh) Read(p []byte) (int, error) {
	for {
		b.mu.Lock()
		n := copy(p, b.in)
		if b.in = b.in[n:]; len(b.in) == 0 {
			b.in = nil
		}
		over, cause, fed := b.broken || b.closed, b.cause, b.fed
		if n > 0 && b.in == nil {
			b.drained = tell(b.drained)
		}
		b.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		switch {
		case over && cause != nil:
			return 0, cause
		case over:
			return 0, io.EOF // lost: who logs out says so in the stream
		}
		select {
		case <-fed:
		case <-b.readBy.wait():
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// tell wakes all who wait on c, and returns what they wait on next.
func tell(c chan struct{}) chan struct{} {
	close(c)
	return make(chan struct{})
}

// Write queues elements for the next answer. It waits while too much is queued.
func (b *bosh) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.out) > outMost && !b.broken && !b.closed {
		if err := b.waitForRoom(); err != nil {
			return 0, err
		}
	}
	if b.broken || b.closed {
		return 0, net.ErrClosed
	}
	if err := b.cut.cut(p, b.queue); err != nil {
		return 0, err
	}
	if !b.ending {
		b.pump()
	}
	return len(p), nil
}

// waitForRoom lets go of mu while it waits.
func (b *bosh) waitForRoom() error {
	taken := b.taken
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-taken:
		return nil
	case <-b.writeBy.wait():
		return os.ErrDeadlineExceeded
	}
}

// queue takes one event of our stream. Once the stream ends, the last words wait
// for Close, so that they come in the answer that ends the session.
func (b *bosh) queue(ev xtok.Event, e xtok.Elem) error {
	switch {
	case ev == xtok.Open:
		b.streamID = e.Attr("id")
		return nil
	case ev == xtok.Close:
		b.ending = true
		return nil
	case e.Is(stream.NS, "error"):
		b.ending, b.condition = true, remoteStreamError
	}
	b.out = e.AppendUnspoken(b.out)
	return nil
}

// Close ends the session: the oldest request hears of it, or the next one.
func (b *bosh) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	b.closed = true
	b.fed, b.taken, b.drained = tell(b.fed), tell(b.taken), tell(b.drained)
	if b.streamID == "" && b.condition == "" {
		b.condition = remoteConnectionFailed
		if b.all.srv.stopping.Load() {
			b.condition = systemShutdown
		}
	}
	if b.broken {
		b.all.remove(b)
		return nil
	}
	b.pump()
	b.refuseEarly()
	if b.last && b.streamID == "" {
		b.all.remove(b) // never begun, and its only request knows
		b.timer.Stop()
		b.broken = true
		return nil
	}
	b.watch() // who comes late is answered until then
	return nil
}

// LocalAddr is the client's address, too: c2s asks for the other one only.
func (b *bosh) LocalAddr() net.Addr  { return b.remote }
func (b *bosh) RemoteAddr() net.Addr { return b.remote }

func (b *bosh) SetReadDeadline(t time.Time) error {
	b.readBy.set(t)
	return nil
}

func (b *bosh) SetWriteDeadline(t time.Time) error {
	b.writeBy.set(t)
	return nil
}

func (b *bosh) SetDeadline(t time.Time) error {
	b.readBy.set(t)
	b.writeBy.set(t)
	return nil
}
