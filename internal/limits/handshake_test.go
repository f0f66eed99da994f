package limits

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// line is handshakes that wait, and the order in which they got their turn.
type line struct {
	t    *testing.T
	l    *Limits
	turn chan string
	errs chan error
}

func newLine(t *testing.T, l *Limits) *line {
	return &line{t, l, make(chan string, 5000), make(chan error, 5000)}
}

// wait lets a peer wait; its turn ends as soon as it is noted.
func (q *line) wait(who string, p *Peer) {
	go func() {
		done, err := p.Handshake(context.Background())
		if err != nil {
			q.errs <- err
			return
		}
		q.turn <- who
		done()
	}()
	synctest.Wait()
}

func (q *line) order(n int) (list []string) {
	for range n {
		list = append(list, <-q.turn)
	}
	return list
}

// busy takes the only turn.
func busy(t *testing.T, l *Limits) (done func()) {
	t.Helper()
	done, err := guest(t, l, at(999, 1)).Handshake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// R86: a flood takes the turns of its own prefix only.
func TestPrefixesTakeTurns(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		done, q := busy(t, l), newLine(t, l)
		for range laneMost {
			q.wait("flood", guest(t, l, at(1, 1)))
		}
		q.wait("alice", guest(t, l, at(2, 1)))
		q.wait("flood", guest(t, l, at(1, 2)))
		if err := <-q.errs; !refused(err, "handshakes", "prefix") {
			t.Error(err)
		}
		done()
		if got := q.order(3); !slices.Contains(got[:2], "alice") {
			t.Errorf("turns: %q", got)
		}
		q.order(laneMost - 2)
	})
}

func TestFamiliarPlacesComeFirstAndStrangersAreNotStarved(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		done, q := busy(t, l), newLine(t, l)
		for i := range 20 {
			q.wait("stranger", guest(t, l, at(100+i, 1)))
		}
		for i := range 20 {
			p := guest(t, l, at(200+i, 1))
			p.Succeeded("somebody" + string(rune('a'+i)))
			q.wait("home", p)
		}
		done()
		got, strangers := q.order(20), 0
		for _, who := range got {
			if who == "stranger" {
				strangers++
			}
		}
		if strangers != 20/strangersTurn {
			t.Errorf("%d strangers' turns of the first twenty: %q", strangers, got)
		}
		q.order(20)
	})
}

func TestAFullLineMakesRoomForAFamiliarPlace(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		done, q := busy(t, l), newLine(t, l)
		for i := range waitersMost {
			q.wait("stranger", guest(t, l, at(100+i, 1)))
		}
		home := guest(t, l, at(1, 1))
		home.Succeeded("alice")
		q.wait("alice", home)
		if err := <-q.errs; !refused(err, "handshakes", "server") {
			t.Error(err)
		}
		if l.queue.waiting != waitersMost {
			t.Errorf("%d wait", l.queue.waiting)
		}
		done()
		if got := q.order(4); !slices.Contains(got, "alice") {
			t.Errorf("turns: %q", got)
		}
		q.order(waitersMost - 4)
	})
}

func TestWaitingForAHandshakeEnds(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		done := busy(t, l)
		begun := time.Now()
		if _, err := guest(t, l, at(1, 1)).Handshake(t.Context()); !refused(err, "handshakes", "server") || time.Since(begun) != handshakeWaits {
			t.Error(time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := guest(t, l, at(1, 1)).Handshake(ctx); err != ctx.Err() || err == nil {
			t.Error(err)
		}
		if q := &l.queue; q.waiting != 0 || len(q.away.lanes) != 0 || q.away.ring.Len() != 0 {
			t.Error("somebody who has gone waits still")
		}
		done()
		busy(t, l)()
	})
}

func TestAnAddressHasItsPaceOfHandshakes(t *testing.T) {
	within(t, func(c *Config) { anyNumber(c); c.Connections = 0 }, func(t *testing.T, l *Limits) {
		for range burstSeconds * l.cfg.Handshakes {
			done, err := guest(t, l, at(1, 1)).Handshake(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done()
		}
		if _, err := guest(t, l, at(1, 1)).Handshake(t.Context()); !refused(err, "handshakes", "address") {
			t.Error(err)
		}
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

// hello is a connection whose server end is making a handshake for a peer.
func hello(t *testing.T, l *Limits, h *Handshaker) (client net.Conn, end chan error) {
	t.Helper()
	client, server := net.Pipe()
	return client, serve(t, l, h, server)
}

func serve(t *testing.T, l *Limits, h *Handshaker, server net.Conn) (end chan error) {
	t.Helper()
	p, end := guest(t, l, at(1, 1)), make(chan error, 1)
	go func() {
		conn, err := h.Server(context.Background(), p, server)
		if err == nil {
			_, err = conn.Write([]byte("hello"))
		}
		end <- err
	}()
	return end
}

func TestHandshakesOfAllKindsGoThroughTheGate(t *testing.T) {
	cfg := Default()
	cfg.Workers = 1
	l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
	defer l.Close()
	// P-384 is not what clients guess, so TLS 1.3 asks them again
	h := NewHandshaker(&tls.Config{Certificates: []tls.Certificate{certificate(t)}, CurvePreferences: []tls.CurveID{tls.CurveP384}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, end := dial(t, l, h)
		c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Errorf("%x: %q, %v", version, b, err)
		}
		if err := <-end; err != nil {
			t.Errorf("%x: %v", version, err)
		}
		if l.queue.free != 1 {
			t.Fatalf("%x: the turn was not given back", version)
		}
	}
}

// dial is hello by TCP, whose ends may both write at a time.
func dial(t *testing.T, l *Limits, h *Handshaker) (client net.Conn, end chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, serve(t, l, h, server)
}

// Slow and broken handshakes hold no turn while they wait for the network.
func TestWhoStallsInAHandshakeHoldsNobodyUp(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		h := NewHandshaker(&tls.Config{Certificates: []tls.Certificate{certificate(t)}})
		first := clientHello(t)
		for what, sent := range map[string][]byte{
			"nothing": nil, "half a hello": first[:len(first)/2], "a hello, and takes no answer": first, "garbage": []byte("GET / HTTP/1.1\r\n\r\n"),
		} {
			client, end := hello(t, l, h)
			client.Write(sent)
			synctest.Wait()
			if l.queue.free != 1 {
				t.Errorf("%s: holds a turn", what)
			}
			client.Close()
			if err := <-end; err == nil {
				t.Errorf("%s: no error", what)
			}
			if l.queue.free != 1 {
				t.Errorf("%s: the turn was not given back", what)
			}
		}
	})
}

// A server that stops closes connections in mid-handshake, from another goroutine.
func TestAConnectionMayBeClosedWhileItsHandshakeEnds(t *testing.T) {
	cfg := Default()
	cfg.Workers = 1
	l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
	defer l.Close()
	h := NewHandshaker(&tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	for i := range 300 {
		ctx, stop := context.WithCancel(t.Context())
		client, server := net.Pipe()
		p, end := guest(t, l, at(1, 1)), make(chan error, 1)
		go func() { _, err := h.Server(ctx, p, server); end <- err }()
		go tls.Client(client, &tls.Config{InsecureSkipVerify: true}).Handshake()
		for range 10 * i { // at another moment each time
			runtime.Gosched()
		}
		stop()
		<-end
		client.Close()
		p.Close()
	}
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	if l.queue.free != 1 {
		t.Error("a turn was not given back")
	}
}

// clientHello is what a client sends first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	client, server := net.Pipe()
	go tls.Client(client, &tls.Config{InsecureSkipVerify: true}).Handshake()
	b := make([]byte, 4096)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	return b[:n]
}

// The turn decides when to compute, not when to read: no more compute at a time than may.
func TestNoMoreHandshakesComputeThanMay(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		done := busy(t, l)
		h := NewHandshaker(&tls.Config{Certificates: []tls.Certificate{certificate(t)}})
		client, end := hello(t, l, h)
		answered := make(chan struct{})
		go func() {
			client.Write(clientHello(t))
			client.Read(make([]byte, 1))
			close(answered)
		}()
		synctest.Wait()
		select {
		case <-answered:
			t.Error("a hello was answered out of turn")
		default:
		}
		done()
		<-answered
		client.Close()
		<-end
	})
}

// A web server makes its handshakes by itself, and does not tell when they are over.
func TestAWebServersHandshakesTakeTurns(t *testing.T) {
	cfg := Default()
	cfg.Workers, cfg.Exempt, cfg.Connections = 1, nil, 1
	l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
	defer l.Close()
	h := NewHandshaker(&tls.Config{Certificates: []tls.Certificate{certificate(t)}, CurvePreferences: []tls.CurveID{tls.CurveP384}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.queue.mu.Lock()
		defer l.queue.mu.Unlock()
		if l.queue.free != 1 {
			t.Error("a turn is held while a request is answered")
		}
	}))
	srv.Listener.Close()
	srv.Listener = l.Listener(ln, Web)
	srv.TLS = h.Config()
	srv.StartTLS()
	defer srv.Close()
	get := func(version uint16) error {
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: version}}
		defer tr.CloseIdleConnections()
		resp, err := (&http.Client{Transport: tr}).Get(srv.URL)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for i := range burstSeconds * cfg.Connections {
		if err := get(tls.VersionTLS12 + uint16(i%2)); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		if get(tls.VersionTLS13) != nil {
			return
		}
	}
	t.Error("a hundred over the pace were let in")
}
