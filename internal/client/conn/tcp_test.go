//go:build !js

package conn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// certificate is one that nobody signed, for a name, valid until a time, and who
// would trust it.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-1000 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestACertificateThatIsNotTheDomainsIsRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		name    string
		until   time.Duration
		trusted bool
		words   string
	}{
		{"example.org", time.Hour, true, ""},
		{"example.com", time.Hour, true, "another name"},
		{"example.org", time.Hour, false, "nobody this device knows"},
		{"example.org", -time.Hour, true, "out of date"},
	} {
		t.Run(c.words, func(t *testing.T) {
			cert, pool := certificate(t, c.name, time.Now().Add(c.until))
			if !c.trusted {
				pool = x509.NewCertPool()
			}
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"xmpp-client"}})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				if nc, err := l.Accept(); err == nil {
					nc.(*tls.Conn).Handshake()
				}
			}()
			s, err := (&TCP{Domain: "example.org", Addr: l.Addr().String(), Direct: true, TLS: &tls.Config{RootCAs: pool}}).Dial(t.Context())
			if c.words == "" {
				if err != nil || len(s.Security().Binding.Data) != 32 || !s.Security().Private || !s.Security().Direct {
					t.Errorf("a good certificate: %v", err)
				}
			} else if r := asRefusal(err); r == nil || r.Reason != BadCertificate || !strings.Contains(r.Words, c.words) {
				t.Errorf("%s: %v", c.words, err)
			}
		})
	}
}

// records is a Resolver with what a zone holds.
type records map[string][]*net.SRV

func (r records) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	list, ok := r["_"+service+"._"+proto+"."+name]
	if !ok {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return "", list, nil
}

func TestAddressesAreLookedUpAsTheDomainHasThem(t *testing.T) {
	for name, c := range map[string]struct {
		zone records
		want []target
	}{
		"nothing": {records{}, []target{{"example.org:5222", false}}},
		"both kinds in one order": {records{
			"_xmpps-client._tcp.example.org": {{Target: "b.example.net.", Port: 443, Priority: 20}, {Target: "a.example.net.", Port: 5223, Priority: 5}},
			"_xmpp-client._tcp.example.org":  {{Target: "c.example.net.", Port: 5222, Priority: 10}},
		}, []target{{"a.example.net:5223", true}, {"c.example.net:5222", false}, {"b.example.net:443", true}}},
		"one not offered": {records{
			"_xmpps-client._tcp.example.org": {{Target: "."}},
			"_xmpp-client._tcp.example.org":  {{Target: "c.example.net.", Port: 5222}},
		}, []target{{"c.example.net:5222", false}}},
		"not offered": {records{"_xmpp-client._tcp.example.org": {{Target: "."}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := &TCP{Domain: "example.org", Resolver: c.zone}
			got, err := d.lookUp(t.Context(), "example.org")
			if c.want == nil {
				if reasonOf(err) != HostUnknown {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("%v, %v", got, err)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestTheNextAddressIsTriedAndTheBestReasonTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr)
	l.Close()
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	srv := func(a *net.TCPAddr, priority uint16) *net.SRV {
		return &net.SRV{Target: "127.0.0.1.", Port: uint16(a.Port), Priority: priority}
	}
	d := &TCP{Domain: "example.org", Resolver: records{"_xmpp-client._tcp.example.org": {srv(closed, 1), srv(open.Addr().(*net.TCPAddr), 2)}}}
	tr, err := d.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr.Close()
	_, err = (&TCP{Domain: "example.org", Addr: closed.String()}).Dial(t.Context())
	if r := new(Refusal); !errors.As(err, &r) || r.Reason != Unreachable || r.Words == "" {
		t.Errorf("%v", err)
	}
}

func TestEachAddressHasItsTurnThoughNoneAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for left := mostTargets; left > 0; left-- {
			share := dialShare(ctx, left)
			if share < 3*time.Second || share > dialTime {
				t.Errorf("with %d left one has %v", left, share)
			}
			time.Sleep(share)
		}
		if end, _ := ctx.Deadline(); time.Until(end) < 3*time.Second {
			t.Errorf("%v are left to sign in", time.Until(end))
		}
	})
}

func TestAWebSocketGoesToNobodyInClear(t *testing.T) {
	for _, url := range []string{"ws://example.org/xmpp", "http://example.org", "example.org", "ws://localhost.evil.example", "ws://127.0.0.1.evil.example"} {
		if _, err := (&WebSocket{URL: url}).Dial(t.Context()); reasonOf(err) != Insecure {
			t.Errorf("%s: %v", url, err)
		}
	}
}
