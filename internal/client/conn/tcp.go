//go:build !js

package conn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"golang.org/x/net/idna"

	"mirsal/internal/xmpp/sasl"
)

// TCP connects by sockets: with TLS from the first byte (XEP-0368) or by STARTTLS
// (RFC 6120 §5).
type TCP struct {
	// Domain is the account's: what is looked up, and what the certificate must be for.
	Domain string
	// Addr is HOST:PORT in place of a look-up; Direct says that TLS begins there
	// with the first byte.
	Addr   string
	Direct bool
	// TLS is what to trust; nil trusts what the system does. ServerName and
	// NextProtos are set here.
	TLS *tls.Config
	// Resolver looks addresses up; nil is the system's.
	Resolver Resolver
}

// Resolver looks SRV records up. *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// dialTime is how long one of several addresses may take, at most.
const dialTime = 10 * time.Second

// Redirect is the same account at another address, which asks for TLS as the
// first one did. RFC 6120 §4.9.3.19
func (d *TCP) Redirect(hostport string) Dialer {
	if _, _, err := net.SplitHostPort(hostport); err != nil {
		hostport = net.JoinHostPort(hostport, "5222")
	}
	there := *d
	there.Addr = hostport
	return &there
}

// Dial connects to the first address that answers.
func (d *TCP) Dial(ctx context.Context) (Transport, error) {
	ascii, err := idna.Lookup.ToASCII(d.Domain)
	if err != nil {
		return nil, &Refusal{Reason: HostUnknown, Words: "the domain cannot be looked up", Err: err}
	}
	list := []target{{d.Addr, d.Direct}}
	if d.Addr == "" {
		if list, err = d.lookUp(ctx, ascii); err != nil {
			return nil, err
		}
	}
	var first error
	for i, to := range list {
		t, err := d.dial(ctx, to, ascii, dialShare(ctx, len(list)-i))
		if err == nil {
			return t, nil
		}
		if first == nil || ctx.Err() == nil && refusal(first).Reason == Unreachable {
			first = err
		}
	}
	return nil, first
}

// dialShare is the time for one of so many addresses that are left: each has its turn, and
// what follows on the last one too.
func dialShare(ctx context.Context, left int) time.Duration {
	end, bounded := ctx.Deadline()
	if !bounded {
		return dialTime
	}
	return min(dialTime, time.Until(end)/time.Duration(left+1))
}

func (d *TCP) dial(ctx context.Context, to target, name string, limit time.Duration) (Transport, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var nd net.Dialer
	nc, err := nd.DialContext(ctx, "tcp", to.addr)
	if err != nil {
		return nil, &Refusal{Reason: Unreachable, Words: "the server cannot be reached", Err: err}
	}
	return newSocket(ctx, nc, d.TLS, name, to.direct)
}

// socket is a stream on a socket.
type socket struct {
	*xmlStream
	net    net.Conn
	config *tls.Config
	tls    *tls.Conn // nil before TLS
}

func newSocket(ctx context.Context, nc net.Conn, base *tls.Config, name string, direct bool) (*socket, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		config = base.Clone()
	}
	config.ServerName = name
	s := &socket{xmlStream: newXMLStream(nc), net: nc, config: config}
	if !direct {
		return s, nil
	}
	config.NextProtos = []string{"xmpp-client"} // XEP-0368 §4
	if err := s.StartTLS(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) StartTLS(ctx context.Context) error {
	t := tls.Client(s.net, s.config)
	if err := s.swap(t); err != nil {
		return &Refusal{Reason: Insecure, Words: "somebody speaks in clear where encryption begins", Err: err}
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return tlsRefusal(err)
	}
	s.tls = t
	return nil
}

func (s *socket) Security() Security {
	if s.tls == nil {
		return Security{StartTLS: true, Direct: true}
	}
	st := s.tls.ConnectionState()
	return Security{Private: true, Direct: true, TLS: st.Version, Binding: exporter(&st)}
}

// Close ends the socket without the politeness of TLS, which may wait.
func (s *socket) Close() error { return s.net.Close() }

// exporter is the channel binding of a connection, zero where it is not safe: Go
// makes it with TLS 1.3 or the extended master secret only.
// RFC 9266 §2
func exporter(st *tls.ConnectionState) sasl.Binding {
	key, err := st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return sasl.Binding{}
	}
	return sasl.Binding{Type: sasl.TLSExporter, Data: key}
}

// tlsRefusal says in words what is wrong with a certificate.
func tlsRefusal(err error) error {
	var unverified *tls.CertificateVerificationError
	if !errors.As(err, &unverified) {
		return &Refusal{Reason: Unreachable, Words: "no encrypted connection could be made", Err: err}
	}
	words := "the server's certificate is not valid"
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		words = "the server's certificate is for another name: this may be another server"
	case errors.As(err, &unknown):
		words = "the server's certificate is signed by nobody this device knows"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		words = "the server's certificate is out of date, or this device's clock is wrong"
	}
	return &Refusal{Reason: BadCertificate, Words: words, Err: err}
}
