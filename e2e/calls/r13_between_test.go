package calls

import (
	"bytes"
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mirsal/e2e/device"
)

// between stands between one client and its server, where whoever runs the server stands: it says to the client
// what nobody has sent. What is said of stream management is not let through: its counts would be wrong.
type between struct {
	*httptest.Server
	t  testing.TB
	ca string // file of its certificate
	to string // the server's WebSocket

	mu       sync.Mutex
	client   *websocket.Conn // guarded by mu: the latest
	address  string          // guarded by mu: the client's, with its resource
	attacked bool            // guarded by mu: what the client says of calls is kept from the server
	pongs    chan int
}

func newBetween(t testing.TB, s *device.Server) *between {
	t.Helper()
	b := &between{t: t, to: "ws://" + s.Web + "/ws", pongs: make(chan int, 10)}
	b.Server = httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	b.StartTLS()
	t.Cleanup(func() { b.CloseClientConnections(); b.Close() })
	b.ca = filepath.Join(t.TempDir(), "between.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate().Raw})
	if err := os.WriteFile(b.ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// url is where the client connects.
func (b *between) url() string { return "wss://" + b.Listener.Addr().String() + "/ws" }

const mostFrame = 4 << 20 // bytes

func (b *between) serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	server, _, err := websocket.Dial(ctx, b.to, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		http.Error(w, "the server is away", http.StatusBadGateway)
		return
	}
	defer server.CloseNow()
	client, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		return
	}
	defer client.CloseNow()
	server.SetReadLimit(mostFrame)
	client.SetReadLimit(mostFrame)
	b.mu.Lock()
	b.client, b.attacked = client, false
	b.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { defer cancel(); b.pass(ctx, server, client, b.down) })
	both.Go(func() { defer cancel(); b.pass(ctx, client, server, b.up) })
	both.Wait()
}

func (b *between) pass(ctx context.Context, from, to *websocket.Conn, change func([]byte) []byte) {
	for {
		_, frame, err := from.Read(ctx)
		if err != nil {
			return
		}
		if frame = change(frame); frame == nil {
			continue
		}
		if to.Write(ctx, websocket.MessageText, frame) != nil {
			return
		}
	}
}

var (
	identity = regexp.MustCompile(`<authorization-identifier>([^<]+)`)
	ponged   = regexp.MustCompile(`\bid=['"]between-(\d+)['"]`)
)

func (b *between) down(frame []byte) []byte {
	if m := identity.FindSubmatch(frame); m != nil {
		b.mu.Lock()
		b.address = string(m[1])
		b.mu.Unlock()
	}
	return bytes.ReplaceAll(frame, []byte("urn:xmpp:sm:3"), []byte("urn:xmpp:sm:none"))
}

func (b *between) up(frame []byte) []byte {
	if m := ponged.FindSubmatch(frame); m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		b.pongs <- n
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.attacked && (bytes.Contains(frame, []byte("urn:xmpp:jingle")) || bytes.Contains(frame, []byte(evil))) {
		return nil
	}
	return frame
}

// attack has what the client says of calls from now on kept from the server, or no longer.
func (b *between) attack(on bool) (client string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attacked = on
	return b.address
}

// say says something to the client as its server.
func (b *between) say(frame []byte) {
	b.t.Helper()
	b.mu.Lock()
	client := b.client
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := client.Write(ctx, websocket.MessageText, frame); err != nil {
		b.t.Fatalf("the client is gone: %v", err)
	}
}

// settled waits until the client has dealt with all that was said to it before number n.
func (b *between) settled(n int) {
	b.t.Helper()
	b.say([]byte("<iq xmlns='jabber:client' type='get' id='between-" + strconv.Itoa(n) + "' from='" + device.Domain + "'><ping xmlns='urn:xmpp:ping'/></iq>"))
	give := time.After(patience)
	for {
		select {
		case got := <-b.pongs:
			if got == n {
				return
			}
		case <-give:
			b.t.Fatalf("the client does not answer any more")
		}
	}
}
