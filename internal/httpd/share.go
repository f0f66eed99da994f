package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"time"
)

// Share lets another service have connections of the web side's TLS port: those that
// name it within TLS, and, of those that name nothing there, those whose first bytes
// are its own.
type Share struct {
	TLS       *tls.Config
	Protocols []string // by which it is named in ALPN
	// May tells of the first bytes of a connection, of 1 to Most, whether they can be the
	// service's.
	May  func(first []byte) bool
	Most int
	// Serve takes a connection and returns when it has ended.
	Serve func(net.Conn)
}

// handshakeWait is how long a handshake may take, as with http.Server.
const handshakeWait = 10 * time.Second

// Listener is for http.Server.Serve, on connections without TLS. Its handshakes and its first
// bytes are waited for when the server reads for the first time: as long as
// http.Server.ReadHeaderTimeout says.
func (s *Share) Listener(l net.Listener) net.Listener { return sharing{l, s} }

type sharing struct {
	net.Listener
	share *Share
}

func (l sharing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &shared{Conn: tls.Server(c, l.share.TLS), share: l.share, ctx: context.Background()}, nil
}

// shared is a connection whose service is not known before its first bytes are there.
// To http.Server it looks like one whose TLS says nothing; Guard tells requests better.
type shared struct {
	*tls.Conn
	share *Share
	ctx   context.Context      // of the handshake
	begun bool                 // the reader's, like what follows
	head  []byte               // was read, and not handed out yet
	state *tls.ConnectionState // nil before the handshake is over
}

// Read makes the handshake, and finds out whose the connection is, when it is called
// first. What is not the web's has ended by then.
func (c *shared) Read(p []byte) (int, error) {
	if !c.begun {
		c.begun = true
		if !c.begin() {
			return 0, io.EOF
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// begin tells whether the connection is the web's.
func (c *shared) begin() bool {
	ctx, cancel := context.WithTimeout(c.ctx, handshakeWait)
	err := c.HandshakeContext(ctx)
	cancel()
	if err != nil {
		sayTLS(err)
		return false
	}
	state := c.ConnectionState()
	c.state = &state
	other := slices.Contains(c.share.Protocols, state.NegotiatedProtocol)
	if state.NegotiatedProtocol == "" {
		other, err = c.peek()
	}
	if other {
		c.share.Serve(c)
	}
	return !other && err == nil
}

// peek reads as little as tells whose the connection is.
func (c *shared) peek() (other bool, err error) {
	b := make([]byte, c.share.Most)
	for n := 0; n < len(b); {
		got, err := c.Conn.Read(b[n:])
		if err != nil {
			return false, err
		}
		n += got
		if c.head = b[:n]; !c.share.May(c.head) {
			return false, nil
		}
	}
	return true, nil
}

// sayTLS tells a browser that speaks HTTP to a port for HTTPS what is wrong, as http.Server
// would.
func sayTLS(err error) {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) || record.Conn == nil {
		return
	}
	switch string(record.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		record.Conn.SetWriteDeadline(time.Now().Add(handshakeWait))
		io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	}
}
