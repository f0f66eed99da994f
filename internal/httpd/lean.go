package httpd

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
)

// lean hands out an HTTP connection with small buffers, which thousands of
// quiet WebSockets hold, and writes that can be gathered. A quiet session over
// wss then holds 17 kB, stack included: 3 kB more than one over TCP and TLS.
type lean struct {
	http.ResponseWriter
	conn *wsConn
}

// Bytes that a WebSocket's buffers hold. Whatever is longer passes by them.
const (
	leanRead  = 512
	leanWrite = 256 // a control frame and its head
)

// Hijack satisfies http.Hijacker.
func (l *lean) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	raw, rw, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	var from io.Reader = raw
	if len(early) > 0 {
		from = io.MultiReader(bytes.NewReader(bytes.Clone(early)), raw)
	}
	b := &burst{Conn: raw, from: from, client: l.conn}
	l.conn.raw, l.conn.flush = raw, b
	return b, bufio.NewReadWriter(bufio.NewReaderSize(b, leanRead), bufio.NewWriterSize(b, leanWrite)), nil
}

// burst is a connection whose writes can be held back and sent as one.
type burst struct {
	net.Conn
	from   io.Reader // the reader's
	client *wsConn

	mu      sync.Mutex
	holding bool
	buf     []byte
}

var bursts = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// Read charges what comes.
func (b *burst) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if n > 0 {
		if bad := b.client.charge(p[:n]); bad != nil {
			return 0, bad
		}
	}
	return n, err
}

// Write keeps p while writes are held.
func (b *burst) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.holding {
		return b.Conn.Write(p)
	}
	b.buf = append(b.buf, p...)
	return len(p), nil
}

// hold keeps what is written until release.
func (b *burst) hold() {
	b.mu.Lock()
	b.holding, b.buf = true, (*bursts.Get().(*[]byte))[:0]
	b.mu.Unlock()
}

// release sends what was held, in one write.
func (b *burst) release() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if len(b.buf) > 0 {
		_, err = b.Conn.Write(b.buf)
	}
	if buf := b.buf[:0]; cap(buf) <= 64<<10 {
		bursts.Put(&buf)
	}
	b.holding, b.buf = false, nil
	return err
}
