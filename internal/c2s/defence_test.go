package c2s

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/xtok"
)

// port is a server on pipes instead of a network, in a synctest bubble.
type port struct {
	*coretest.World
	srv *Server
}

// nobody has accounts without devices: all have one password.
type nobody struct {
	Authenticator
	cred sasl.Credentials
}

func (n nobody) Credentials(string) (sasl.Credentials, error) { return n.cred, nil }

func (nobody) Epoch() uint64                   { return 1 }
func (nobody) Changed(string, auth.Agent) bool { return false }
func (nobody) Lacks(string) []string           { return nil }
func (nobody) SignedIn(context.Context, string, auth.Agent, string) (string, error) {
	return "device", nil
}

// onPort runs f with a server for example.org whose limits are small.
func onPort(t *testing.T, change func(*Config), setup func(*coretest.World), f func(p *port)) {
	t.Helper()
	cred, err := sasl.Derive("secret", []byte("salt one"), []byte("salt two"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t)
	coretest.Run(t, setup, func(w *coretest.World) {
		cfg := Config{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, RequireTLS: true,
			EndPoint: func(ctx context.Context) (context.Context, func(*tls.ConnectionState) []byte) {
				return ctx, func(*tls.ConnectionState) []byte { return nil }
			},
			Before:      xtok.Limits{Size: 1000, Depth: 10, Attrs: 10, Name: 100, Prefixes: 10},
			After:       xtok.Limits{Size: 5000, Depth: 10, Attrs: 10, Name: 100, Prefixes: 10},
			Negotiation: time.Minute, Write: 20 * time.Second, Strangers: 3,
			Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(nil),
		}
		if change != nil {
			change(&cfg)
		}
		p := &port{World: w, srv: New(w.Router, nobody{cred: cred}, cfg)}
		f(p)
		p.srv.Stop()
	})
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// synctest's clock begins in the year 2000
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.org"}, NotAfter: time.Now().AddDate(100, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// peer is the other end of one connection.
type peer struct {
	t   *testing.T
	net net.Conn

	mu    sync.Mutex
	said  strings.Builder
	ended bool
}

// dial connects somebody who reads whatever comes.
func (p *port) dial() *peer {
	c := p.mute()
	c.listen()
	return c
}

// mute connects somebody who reads nothing.
func (p *port) mute() *peer {
	here, there := net.Pipe()
	p.srv.start(there, Via{}, false)
	return &peer{t: p.T, net: here}
}

func (c *peer) listen() {
	in := c.net
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := in.Read(buf)
			c.mu.Lock()
			c.said.Write(buf[:n])
			c.ended = c.ended || err != nil
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

// say sends bytes and returns all that was answered.
func (c *peer) say(s string) string {
	go c.net.Write([]byte(s)) // the server may have stopped reading
	return c.heard()
}

// heard waits until nothing moves and returns what came since the last call.
func (c *peer) heard() string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.said.String()
	c.said.Reset()
	return s
}

func (c *peer) gone() bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

const (
	hello    = "<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

func (p *port) connections() int {
	synctest.Wait()
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return len(p.srv.open)
}

// STARTTLS injection: a stream that somebody on the way began in clear behind
// <starttls/> must not go on inside TLS.
func TestBytesBehindStartTLSAreThrownAway(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.mute()
		go c.net.Write([]byte(hello + startTLS + hello))
		buf := make([]byte, 4096)
		got := ""
		for !strings.HasSuffix(got, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") {
			n, err := c.net.Read(buf)
			if err != nil {
				t.Fatal(got, err)
			}
			got += string(buf[:n])
		}
		c.net = tls.Client(c.net, &tls.Config{InsecureSkipVerify: true})
		if err := c.net.(*tls.Conn).Handshake(); err != nil {
			t.Fatal(err)
		}
		c.listen()
		if s := c.heard(); s != "" {
			t.Errorf("answered inside TLS what came in clear: %s", s)
		}
		if s := c.say(hello); !strings.Contains(s, "<mechanism>SCRAM-SHA-256-PLUS<") || strings.Contains(s, "starttls") {
			t.Errorf("inside TLS: %s", s)
		}
		c.net.Close()
	})
}

func TestNobodyMaySendLargeElementsBeforeLogin(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.dial()
		c.say(hello)
		if s := c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + strings.Repeat("x", 1500)); !strings.Contains(s, "<policy-violation ") {
			t.Errorf("got %s", s)
		}
		if !c.gone() {
			t.Error("the connection lives on")
		}
	})
}

func TestAHeaderThatNeverEndsIsGivenUp(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.dial()
		for i := range hello[:100] {
			c.say(hello[i : i+1])
			time.Sleep(time.Second)
		}
		if !c.gone() || p.connections() != 0 {
			t.Error("a byte a second keeps a connection for ever")
		}
	})
}

func TestConnectionsInNegotiationAreBounded(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		var first []*peer
		for range 3 {
			first = append(first, p.dial())
		}
		if c := p.dial(); !c.gone() {
			t.Error("a fourth is let in")
		}
		first[0].net.Close()
		synctest.Wait()
		if c := p.dial(); c.gone() {
			t.Error("the place of one that left is not given on")
		}
		if s := first[1].say(hello); !strings.Contains(s, "<stream:features>") {
			t.Errorf("those who were in are disturbed: %q", s)
		}
	})
}

func TestNobodyLogsInWithoutTLS(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.dial()
		if s := c.say(hello); strings.Contains(s, "mechanism") {
			t.Errorf("offered %s", s)
		}
		s := c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>biwsbj1hbGljZSxyPWFiYw==</auth>")
		if !strings.Contains(s, "<not-authorized ") || !c.gone() {
			t.Errorf("answered %s", s)
		}
	})
}

func TestGuessingIsBoundedByConnection(t *testing.T) {
	onPort(t, func(cfg *Config) { cfg.RequireTLS = false }, nil, func(p *port) {
		c := p.dial()
		c.say(hello)
		for range triesMost {
			first, _, _ := client(t, "wrong").Next(nil)
			c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>" + base64.StdEncoding.EncodeToString(first) + "</auth>")
			c.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9YWJjLHA9QUFBQQ==</response>")
		}
		if !c.gone() {
			t.Error("one connection may guess for ever")
		}
	})
}

func client(t *testing.T, password string) *sasl.Client {
	t.Helper()
	c, err := sasl.NewClient("SCRAM-SHA-256", "alice", password, sasl.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.mute()
		go c.net.Write([]byte(hello))
		time.Sleep(40 * time.Second)
		if n := p.connections(); n != 0 {
			t.Errorf("%d connections wait for a peer that does not read", n)
		}
	})
}

func TestAPanicCostsItsOwnConnectionOnly(t *testing.T) {
	explode := func(w *coretest.World) {
		w.Host.EarlyIQ("urn:test", "boom", func(*core.Query) ([]byte, error) { panic("boom") })
	}
	onPort(t, func(cfg *Config) { cfg.RequireTLS = false }, explode, func(p *port) {
		c, other := p.dial(), p.dial()
		c.say(hello)
		if s := c.say("<iq type='get' id='1'><boom xmlns='urn:test'/></iq>"); !strings.Contains(s, "<internal-server-error ") || !c.gone() {
			t.Errorf("got %s", s)
		}
		if s := other.say(hello); !strings.Contains(s, "<stream:features>") {
			t.Errorf("another connection got %q", s)
		}
	})
}

func TestOnlyTheOwnDomainIsServed(t *testing.T) {
	onPort(t, nil, nil, func(p *port) {
		c := p.dial()
		if s := c.say(strings.Replace(hello, "example.org", "elsewhere.example", 1)); !strings.Contains(s, "<host-unknown ") || !c.gone() {
			t.Errorf("got %s", s)
		}
	})
}

// login takes a peer to a bound session.
func (c *peer) login() {
	c.t.Helper()
	c.say(hello)
	scram := client(c.t, "secret")
	var in []byte
	element := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>"
	for range 2 {
		out, _, err := scram.Next(in)
		if err != nil {
			c.t.Fatal(err)
		}
		end := "</auth>"
		if in != nil {
			end = "</response>"
		}
		answer := c.say(element + base64.StdEncoding.EncodeToString(out) + end)
		_, text, _ := strings.Cut(answer, ">")
		text, _, _ = strings.Cut(text, "<")
		if in, err = base64.StdEncoding.DecodeString(text); err != nil || len(in) == 0 {
			c.t.Fatalf("login: %s %v", answer, err)
		}
		element = "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
	}
	c.say(hello)
	if s := c.say("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"); !strings.Contains(s, "<jid>alice@example.org/") {
		c.t.Fatalf("bind: %s", s)
	}
}

func TestAfterLoginLargerElementsPassAndNoDeadlineRuns(t *testing.T) {
	onPort(t, func(cfg *Config) { cfg.RequireTLS = false }, nil, func(p *port) {
		c := p.dial()
		c.login()
		time.Sleep(time.Hour)
		body := strings.Repeat("x", 2000)
		if s := c.say("<message to='nobody@elsewhere.example' id='m'><body>" + body + "</body></message>"); !strings.Contains(s, "<remote-server-not-found ") {
			t.Errorf("got %q", s)
		}
		if s := c.say("<message><body>" + body + body + body); !strings.Contains(s, "<policy-violation ") || !c.gone() {
			t.Errorf("got %q", s)
		}
	})
}

func TestWhatIsNoStanzaEndsABoundStream(t *testing.T) {
	for _, bad := range []string{
		"<stream:features/>", "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
		startTLS, "<message xmlns='jabber:server'/>", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'/>",
	} {
		onPort(t, func(cfg *Config) { cfg.RequireTLS = false }, nil, func(p *port) {
			c := p.dial()
			c.login()
			if s := c.say(bad); !strings.Contains(s, "<unsupported-stanza-type ") || !c.gone() {
				t.Errorf("%s: got %q", bad, s)
			}
		})
	}
}
