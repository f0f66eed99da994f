package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/net/idna"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
)

var errNoTLS = errors.New("it offers no encryption (STARTTLS)")

// place is one address of the server.
type place struct {
	addr   string
	direct bool // TLS from the first byte
}

// ascii is a domain as DNS and certificates have it.
func ascii(domain string) string {
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// records asks DNS for one kind of SRV record. A target of "." says that the
// service is not there.
func records(ctx context.Context, service, domain string) (list []string) {
	_, found, err := net.DefaultResolver.LookupSRV(ctx, service, "tcp", domain)
	if err != nil {
		return nil
	}
	for _, r := range found {
		if host := strings.TrimSuffix(r.Target, "."); host != "" {
			list = append(list, net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
		}
	}
	return list
}

// find says where to sign in, best first, and what DNS names for direct TLS.
// XEP-0368 §3, RFC 6120 §3.2
func (e *exam) find(ctx context.Context) (list []place) {
	if e.o.Server != "" {
		return []place{{e.o.Server, e.o.DirectTLS}}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	domain := ascii(e.account.Domain())
	e.srvDirect = records(ctx, "xmpps-client", domain)
	for _, a := range e.srvDirect {
		list = append(list, place{a, true})
	}
	plain := records(ctx, "xmpp-client", domain)
	for _, a := range plain {
		list = append(list, place{a, false})
	}
	if e.o.DirectTLS {
		return append(list, place{net.JoinHostPort(domain, "5223"), true})
	}
	if len(plain) == 0 {
		list = append(list, place{net.JoinHostPort(domain, "5222"), false})
	}
	return list
}

// tlsConfig trusts the system's CAs and the one that was given.
func (e *exam) tlsConfig(direct bool) *tls.Config {
	cfg := &tls.Config{ServerName: ascii(e.account.Domain()), RootCAs: e.roots, MinVersion: tls.VersionTLS12, InsecureSkipVerify: e.o.Insecure}
	if direct {
		cfg.NextProtos = []string{"xmpp-client"}
	}
	return cfg
}

// connect opens a stream at a place, encrypted.
func (e *exam) connect(ctx context.Context, p place) (*wire, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	w := newWire(nc, e.account.DomainOnly())
	if err := e.encrypt(ctx, w, p.direct); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (e *exam) encrypt(ctx context.Context, w *wire, direct bool) error {
	if direct {
		if err := w.handshake(ctx, e.tlsConfig(true)); err != nil {
			return err
		}
		return w.open(ctx)
	}
	if err := w.open(ctx); err != nil {
		return err
	}
	if !e.noted {
		e.noted = true
		e.before = w.features
	}
	return w.startTLS(ctx, e.tlsConfig(false))
}

// reach connects to the first place that answers. A certificate that is not
// trusted ends the search: another address is no reason to look away.
func (e *exam) reach(ctx context.Context) (*wire, error) {
	var first error
	for _, p := range e.find(ctx) {
		w, err := e.connect(ctx, p)
		if err == nil {
			e.place = p
			return w, nil
		}
		if first == nil || isTrust(err) {
			first = fmt.Errorf("%s: %s", p.addr, inWords(err))
		}
		if isTrust(err) {
			break
		}
	}
	return nil, first
}

// again connects where the first session did.
func (e *exam) again(ctx context.Context) (*wire, error) { return e.connect(ctx, e.place) }

func isTrust(err error) bool {
	var v *tls.CertificateVerificationError
	return errors.As(err, &v)
}

// inWords says what went wrong on the way to a server as one would tell it.
func inWords(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	var timeout net.Error
	var ended *stream.Error
	switch {
	case errors.As(err, &host):
		return "its certificate is for " + namesOf(host.Certificate) + ", not for " + host.Host
	case errors.As(err, &unknown):
		return "its certificate is not trusted: it is signed by nobody that this machine knows (--ca FILE names a CA to trust)"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet"
	case errors.As(err, &invalid):
		return "its certificate is not good: " + invalid.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no such host"
	case errors.As(err, &ended) && ended.Condition == "host-unknown":
		return "it does not serve this domain"
	case errors.Is(err, io.EOF):
		return "it closes the connection"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing answers there"
	case errors.Is(err, errSilent), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return err.Error()
}

// namesOf are the names in a certificate, shortened.
func namesOf(c *x509.Certificate) string {
	names := slices.Compact(slices.Sorted(slices.Values(c.DNSNames)))
	if len(names) == 0 {
		return "no name"
	}
	if len(names) > 4 {
		return strings.Join(names[:4], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// domainOf is the domain of an address of a service, for comparing.
func domainOf(s string) string {
	j, err := jid.Parse(s)
	if err != nil {
		return s
	}
	return j.Domain()
}
