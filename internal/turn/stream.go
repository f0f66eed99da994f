package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of a connection.
const (
	frameMost = 1500             // bytes; what the library reads at a time is a little more
	firstWait = 10 * time.Second // until the first frame has come
	idleWait  = 15 * time.Minute // a client has to refresh its allocation more often
	writeWait = 10 * time.Second
)

// Errors of framing; each ends the connection.
var (
	errFrame   = errors.New("neither a STUN message nor channel data")
	errTooLong = errors.New("a frame that is too long")
)

// frameSize tells from the first four bytes how long a frame is with its head and
// its padding.
// RFC 8489 §6.2.2, RFC 7983 §7, RFC 8656 §12.5
func frameSize(head [4]byte) (int, error) {
	size := int(binary.BigEndian.Uint16(head[2:]))
	switch b := head[0]; {
	case b <= 3 && size%4 == 0: // STUN, whose length is without the head of 20 bytes
		size += 20
	case b >= 0x40 && b <= 0x4f:
		size = 4 + (size+3)&^3
	default:
		return 0, errFrame
	}
	if size > frameMost {
		return 0, errTooLong
	}
	return size, nil
}

// HeadSize is how many bytes of a connection tell that it is STUN's.
const HeadSize = 8

// MayBegin tells of the first bytes of a connection, of at most HeadSize, whether a
// STUN message can begin so: no other protocol that a port is shared with does.
// RFC 8489 §5, RFC 7983 §7
func MayBegin(first []byte) bool {
	cookie := [4]byte{0x21, 0x12, 0xa4, 0x42}
	for i, b := range first {
		if i == 0 && b > 1 || i >= 4 && i < HeadSize && b != cookie[i-4] {
			return false
		}
	}
	return true
}

// framed is a connection that hands out one whole frame with each Read: the library is
// never left to find where they end in what a stranger sends.
type framed struct {
	net.Conn
	in    *bufio.Reader
	heard bool
	once  sync.Once
	done  func()

	settle func(client net.Addr)
}

func newFramed(c net.Conn, settle func(net.Addr)) *framed {
	c.SetReadDeadline(time.Now().Add(firstWait))
	return &framed{Conn: c, in: bufio.NewReaderSize(c, 2048), settle: settle, done: func() {}}
}

// Read reads one frame; p has to have room for frameMost.
func (f *framed) Read(p []byte) (int, error) {
	f.settle(f.RemoteAddr())
	if f.heard {
		f.SetReadDeadline(time.Now().Add(idleWait))
	}
	var head [4]byte
	if _, err := io.ReadFull(f.in, head[:]); err != nil {
		return 0, err
	}
	size, err := frameSize(head)
	if err == nil && size > len(p) {
		err = errTooLong
	}
	if err != nil {
		return 0, err
	}
	copy(p, head[:])
	if _, err := io.ReadFull(f.in, p[4:size]); err != nil {
		return 0, err
	}
	f.heard = true
	return size, nil
}

// Write writes a whole frame; a client that does not take it is gone.
func (f *framed) Write(p []byte) (int, error) {
	if isResponse(p) {
		f.settle(f.RemoteAddr())
	}
	f.SetWriteDeadline(time.Now().Add(writeWait))
	n, err := f.Conn.Write(p)
	if err != nil {
		f.Close()
	}
	return n, err
}

// Close closes the connection; what it does more than once is nothing.
func (f *framed) Close() error {
	err := f.Conn.Close()
	f.once.Do(f.done)
	return err
}

// doors hand connections of all listeners to the library, as many at a time as may be.
type doors struct {
	perAddress, most int
	metrics          *Metrics
	settle           func(client net.Addr)

	queue  chan net.Conn
	closed chan struct{}
	mu     sync.Mutex                 // held for moments
	open   map[netip.AddrPort]*framed // by the client's address: no two have the same
	count  map[netip.Prefix]int
	ended  bool
}

func newDoors(perAddress, most int, m *Metrics, settle func(net.Addr)) *doors {
	return &doors{
		perAddress: perAddress, most: most, metrics: m, settle: settle, queue: make(chan net.Conn), closed: make(chan struct{}),
		open: map[netip.AddrPort]*framed{}, count: map[netip.Prefix]int{},
	}
}

// enter hands a connection on. false: there are too many, and it is closed. ended is
// closed when it is.
func (d *doors) enter(c net.Conn) (ended <-chan struct{}, ok bool) {
	end := make(chan struct{})
	f := newFramed(c, d.settle)
	f.done = func() { d.leave(f); close(end) }
	if !d.seat(f) {
		c.Close()
		return nil, false
	}
	select {
	case d.queue <- f:
		return end, true
	case <-d.closed:
		f.Close()
		return nil, false
	}
}

func (d *doors) seat(f *framed) bool {
	at, place := addrOf(f.RemoteAddr()), placeOf(f.RemoteAddr())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.open[at] != nil || len(d.open) >= d.most || d.count[place] >= d.perAddress {
		return false
	}
	d.open[at] = f
	d.count[place]++
	d.metrics.connections.Inc()
	return true
}

func (d *doors) leave(f *framed) {
	d.mu.Lock()
	defer d.mu.Unlock()
	place := placeOf(f.RemoteAddr())
	delete(d.open, addrOf(f.RemoteAddr()))
	if d.count[place]--; d.count[place] <= 0 {
		delete(d.count, place)
	}
	d.metrics.connections.Dec()
}

// Accept is for the library.
func (d *doors) Accept() (net.Conn, error) {
	select {
	case c := <-d.queue:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close ends all connections.
func (d *doors) Close() error {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return nil
	}
	d.ended = true
	close(d.closed)
	list := make([]*framed, 0, len(d.open))
	for _, f := range d.open {
		list = append(list, f)
	}
	d.mu.Unlock()
	for _, f := range list {
		f.Close()
	}
	return nil
}

// Addr is no address: there are many listeners.
func (d *doors) Addr() net.Addr { return &net.TCPAddr{} }
