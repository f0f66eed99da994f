package hostile

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	password = "secret"
	// patience bounds every wait for something that must come.
	patience = 20 * time.Second
)

// victim is the server under attack, and the innocent pair on it.
type victim struct {
	*mirsal.Server
	ctx  context.Context
	pair *pair
	via  transport // of the attackers' streams
}

// transport is how streams are made: "" over TCP, or over HTTP.
type transport string

const (
	webSocket transport = "WebSocket"
	bosh      transport = "BOSH"
)

// options are how to connect: with plain, without TLS if that can be.
func (v *victim) options(plain bool) xmppclient.Options {
	switch v.via {
	case webSocket:
		return xmppclient.Options{Domain: mirsal.Domain, WebSocket: "wss://" + v.Addr("http") + "/ws"}
	case bosh:
		return v.bosh()
	}
	return xmppclient.Options{Addr: v.Addr("c2s"), Domain: mirsal.Domain, Plain: plain}
}

func attack(t *testing.T) *victim {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=10s", "--set", "c2s.write=10s", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "sloth")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	return v
}

// connect logs somebody in on a stream without TLS, available.
func (v *victim) connect(t *testing.T, name string) *xmppclient.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, v.options(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.leave(c) })
	if err := c.Login(ctx, name, password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(ctx, ""); err != nil {
		t.Fatal(err)
	}
	return c
}

// available is connect with presence sent.
func (v *victim) available(t *testing.T, name string) *xmppclient.Conn {
	t.Helper()
	c := v.connect(t, name)
	if err := c.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	for {
		if n := next(t, c); n.Name.Local == "presence" && n.Attr("from") == c.JID {
			return c
		}
	}
}

func next(t *testing.T, c *xmppclient.Conn) *xmppclient.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n, err := c.Next(ctx)
	if err != nil {
		t.Fatalf("waiting for an element: %v", err)
	}
	return n
}

// pair is alice, who writes, and bob, who reads, for as long as the attacks go on.
type pair struct {
	stop chan struct{}
	run  sync.WaitGroup

	mu     sync.Mutex
	sent   int
	got    int
	broken error
}

func (v *victim) chat(t *testing.T) *pair {
	t.Helper()
	p := &pair{stop: make(chan struct{})}
	alice, bob := v.connect(t, "alice"), v.available(t, "bob")
	p.run.Go(func() { p.write(alice) })
	p.run.Go(func() { p.read(v.ctx, bob) })
	t.Cleanup(func() {
		close(p.stop)
		bob.Kill()
		p.run.Wait()
	})
	return p
}

func (p *pair) write(alice *xmppclient.Conn) {
	for {
		select {
		case <-p.stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		p.mu.Lock()
		p.sent++
		n := p.sent
		p.mu.Unlock()
		if err := alice.Send(fmt.Sprintf("<message to='bob@%s' type='chat' id='%d'><body>%d</body></message>", mirsal.Domain, n, n)); err != nil {
			p.fail(fmt.Errorf("alice: %w", err))
			return
		}
	}
}

func (p *pair) read(ctx context.Context, bob *xmppclient.Conn) {
	for {
		n, err := bob.Next(ctx)
		if err != nil {
			p.fail(fmt.Errorf("bob: %w", err))
			return
		}
		body := n.Child(xmppclient.NSClient, "body")
		p.mu.Lock()
		p.got++
		want := p.got
		p.mu.Unlock()
		if body == nil || body.Text != fmt.Sprint(want) {
			p.fail(fmt.Errorf("bob: message %d should come, and not %s", want, n))
			return
		}
	}
}

func (p *pair) fail(err error) {
	select {
	case <-p.stop:
		return
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.broken = err
	}
}

// undisturbed waits until bob has all that alice has written so far.
func (v *victim) undisturbed(t *testing.T) {
	t.Helper()
	p := v.pair
	p.mu.Lock()
	want := p.sent + 1
	p.mu.Unlock()
	within(t, "the innocent pair's messages", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.broken != nil {
			t.Fatalf("the innocent pair: %v", p.broken)
		}
		return p.got >= want
	})
	if n, err := v.Metric(v.ctx, "mirsal_c2s_panics_total"); err != nil || n != 0 {
		t.Errorf("%v panics, %v", n, err)
	}
}

func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

const header = "<?xml version='1.0'?><stream:stream to='" + mirsal.Domain +
	"' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

// dial makes a bare TCP connection.
func (v *victim) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", v.Addr("c2s"), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// stranger is a connection that has opened a stream and not logged in.
func (v *victim) stranger(t *testing.T) net.Conn {
	t.Helper()
	c := v.dial(t)
	write(c, header)
	readUntil(t, c, "</stream:features>")
	return c
}

// write sends what it can: a server may refuse before it has read all.
func write(c net.Conn, s string) {
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, s)
}

func readUntil(t *testing.T, c net.Conn, end string) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var b strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(b.String(), end) {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			t.Fatalf("waiting for %s: %q, %v", end, b.String(), err)
		}
	}
	return b.String()
}

// ending reads until the server closes the connection, which it must do soon.
func ending(t *testing.T, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var b strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if b.Len() < 1<<20 {
			b.Write(buf[:n])
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			t.Fatalf("the connection is still open; it said %.300q", b.String())
		}
		if err != nil { // closed, or reset because not all that was sent was read
			return b.String()
		}
	}
}

// refused checks that a connection ends with one of some stream errors.
func refused(t *testing.T, what string, c net.Conn, conditions ...string) {
	t.Helper()
	got := ending(t, c)
	for _, condition := range conditions {
		if streamError(got) == condition {
			return
		}
	}
	t.Errorf("%.80q: want the stream error %s, got %.400q", what, strings.Join(conditions, " or "), got)
}

var errorElement = regexp.MustCompile(`<stream:error[^<>]*><([a-z-]+) xmlns='` + xmppclient.NSStreams + `'`)

// streamError is the condition of the first stream error in a text, "" for none.
func streamError(text string) string {
	if m := errorElement.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
