package engine

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mirsal/e2e/device"
)

// between stands between clients and a server, where whoever runs the server's TLS
// stands: it ends the clients' TLS and hands their frames on. It can break
// connections, deliver twice and in another order, and lie. All that it sees it
// writes down, encrypted as it comes from the network and as the server sees it.
type between struct {
	*httptest.Server
	ca     string // file of its certificate
	to     string // the server's WebSocket
	wire   *record
	packet *record
	mood   mood

	mu       sync.Mutex
	rng      *rand.Rand
	sessions map[string]*counted // by what they are resumed by
	conns    map[*passing]bool
	cuts     int
	resumed  int
	number   int // of the latest connection
}

// mood is what is done to the frames that pass; the zero value does nothing.
type mood struct {
	// In 1000 frames of a message to a client so many come twice, or behind the next.
	twice, swapped atomic.Int32
	// In 1000 attempts to resume so many fail: the server is shown an id that it does
	// not know.
	forgotten atomic.Int32
	lies      sync.Mutex
	down, up  lie
}

// lie changes a frame on the stream of a client, named by its bare address: what
// comes back goes on in its place.
type lie func(client string, frame []byte) [][]byte

// set says what is done from now on to frames for clients, and to those of clients.
func (m *mood) set(down, up lie) {
	m.lies.Lock()
	defer m.lies.Unlock()
	m.down, m.up = down, up
}

// told is what becomes of a frame.
func (m *mood) told(which *lie, client string, frame []byte) [][]byte {
	m.lies.Lock()
	change := *which
	m.lies.Unlock()
	if change == nil {
		return [][]byte{frame}
	}
	return change(client, frame)
}

// record is a file that grows.
type record struct {
	mu   sync.Mutex
	file *os.File
}

func newRecord(t *testing.T, name string) *record {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		if dir := os.Getenv("MIRSAL_RECORDS"); dir != "" && t.Failed() {
			_ = os.Rename(f.Name(), filepath.Join(dir, name))
		}
	})
	return &record{file: f}
}

func (r *record) add(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.file.Write(b)
}

// newBetween starts one before a server.
func newBetween(t *testing.T, s *device.Server, seed uint64) *between {
	t.Helper()
	b := &between{to: "ws://" + s.Web + "/ws", wire: newRecord(t, "wire"), packet: newRecord(t, "packets"),
		rng: rand.New(rand.NewPCG(seed, 2)), sessions: map[string]*counted{}, conns: map[*passing]bool{}}
	b.Server = httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	b.Listener = &listening{b.Listener, b.packet}
	b.StartTLS()
	t.Cleanup(func() { b.cutAll(); b.CloseClientConnections(); b.Close() })
	b.ca = filepath.Join(t.TempDir(), "between.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate().Raw})
	if err := os.WriteFile(b.ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// url is where clients connect.
func (b *between) url() string { return "wss://" + b.Listener.Addr().String() + "/ws" }

// listening records the bytes of its connections, as they are on the network.
type listening struct {
	net.Listener
	to *record
}

func (l *listening) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &overheard{c, l.to}, nil
}

type overheard struct {
	net.Conn
	to *record
}

func (c *overheard) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.to.add(b[:n])
	return n, err
}

func (c *overheard) Write(b []byte) (int, error) {
	c.to.add(b)
	return c.Conn.Write(b)
}

// mostFrame is the longest frame that passes, in bytes.
const mostFrame = 4 << 20

// serve hands on one connection until either side ends it.
func (b *between) serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	o := &websocket.DialOptions{Subprotocols: []string{"xmpp"}}
	server, _, err := websocket.Dial(ctx, b.to, o)
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
	p := &passing{between: b, server: server, client: client, ctx: ctx, cancel: cancel, session: &counted{}}
	p.hold = time.AfterFunc(time.Hour, p.letGo)
	defer p.hold.Stop()
	b.mu.Lock()
	b.conns[p] = true
	b.number++
	p.number = b.number
	b.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pass(client, ">", p.fromClient) })
	both.Go(func() { p.pass(server, "<", p.fromServer) })
	both.Wait()
	b.mu.Lock()
	delete(b.conns, p)
	b.mu.Unlock()
}

// cut breaks one connection, if there is any.
func (b *between) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.conns { // any: the order of a map is nobody's
		p.cancel()
		b.cuts++
		b.wire.add(fmt.Appendf(nil, "%d is cut\n", p.number))
		return
	}
}

// cutOf breaks the connections of one account.
func (b *between) cutOf(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.conns {
		if p.address() == address {
			p.cancel()
		}
	}
}

// resumptions is how many streams went on on another connection.
func (b *between) resumptions() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.resumed
}

func (b *between) cutAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range b.conns {
		p.cancel()
	}
}

// chance is true in n of 1000 cases.
func (b *between) chance(n int32) bool {
	if n == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rng.Int32N(1000) < n
}

// passing is one connection through between.
type passing struct {
	*between
	server, client *websocket.Conn
	ctx            context.Context
	cancel         context.CancelFunc
	hold           *time.Timer // lets go what is held back
	number         int         // in the record

	turn    sync.Mutex // of what follows, and of writing to the client
	session *counted
	held    []byte // a message that is to come behind the next
	who     string // the client's bare address
	asked   string // the id that the client wants to resume by
	has     uint32 // and what it says it has
}

// pass hands frames on until there are no more.
func (p *passing) pass(from *websocket.Conn, way string, each func([]byte) error) {
	defer p.cancel()
	for {
		kind, frame, err := from.Read(p.ctx)
		if err != nil || kind != websocket.MessageText {
			return
		}
		p.wire.add(fmt.Appendf(nil, "%d%s %s\n", p.number, way, frame))
		if err := each(frame); err != nil {
			return
		}
	}
}

func (p *passing) fromClient(frame []byte) error {
	frame = p.translate(frame)
	for _, f := range p.mood.told(&p.mood.up, p.address(), frame) {
		if err := p.server.Write(p.ctx, websocket.MessageText, f); err != nil {
			return err
		}
	}
	return nil
}

// errElsewhere ends a connection whose session goes on on another.
var errElsewhere = errors.New("the session goes on elsewhere")

func (p *passing) fromServer(frame []byte) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	switch {
	case p.session.over(p):
		return errElsewhere
	case isStanza(frame):
		return p.stanza(frame)
	case bytes.HasPrefix(frame, []byte("<success")):
		p.signedIn(frame)
	}
	if err := p.release(); err != nil {
		return err
	}
	return p.write(frame)
}

// stanza hands on one that is counted, perhaps twice or later. It needs the turn.
func (p *passing) stanza(frame []byte) error {
	p.session.sent++
	n := p.session.sent
	loose := bytes.HasPrefix(frame, []byte("<message")) && !bytes.Contains(frame, []byte("urn:xmpp:mam:2'")) && !bytes.Contains(frame, []byte(`urn:xmpp:mam:2"`))
	if loose && p.held == nil && p.chance(p.mood.swapped.Load()) {
		p.held = bytes.Clone(frame)
		p.hold.Reset(holdTime)
		return nil
	}
	late := p.held
	p.held = nil
	if late != nil && !loose { // only messages change places
		if err := p.deliver(late, n-1); err != nil {
			return err
		}
		late = nil
	}
	if err := p.deliver(frame, n); err != nil {
		return err
	}
	if loose && p.chance(p.mood.twice.Load()) {
		if err := p.deliver(frame, n); err != nil {
			return err
		}
	}
	if late != nil {
		return p.deliver(late, n-1)
	}
	return nil
}

// holdTime is how long a message waits for another to be overtaken by.
const holdTime = 50 * time.Millisecond

// release delivers what is held. It needs the turn.
func (p *passing) release() error {
	if p.held == nil {
		return nil
	}
	late := p.held
	p.held = nil
	return p.deliver(late, p.session.sent)
}

func (p *passing) letGo() {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.session.over(p) || p.release() != nil {
		p.cancel()
	}
}

// deliver writes the server's stanza number n to the client.
func (p *passing) deliver(frame []byte, n uint32) error {
	for _, f := range p.mood.told(&p.mood.down, p.who, frame) {
		if isStanza(f) {
			p.session.came = append(p.session.came, n)
		}
		if err := p.write(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *passing) write(frame []byte) error {
	return p.client.Write(p.ctx, websocket.MessageText, frame)
}

func (p *passing) address() string {
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.who
}

func isStanza(frame []byte) bool {
	for _, name := range []string{"<message", "<presence", "<iq"} {
		if bytes.HasPrefix(frame, []byte(name)) {
			return true
		}
	}
	return false
}
