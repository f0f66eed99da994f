package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const password = "secret"

// person is somebody with one device that does what good clients do: it keeps
// what was not acknowledged, resumes or binds anew, sends again, and repairs
// its history from the archive. It notes whatever a person would complain about.
type person struct {
	name   string
	server *mirsal.Server
	others []string
	tls    bool
	old    bool // an old client: does not know of h in <failed/>, and sends again what that covers

	more chan string // stanzas that the reader wants sent

	mu       sync.Mutex
	conn     *xmppclient.Conn // nil while not bound
	previd   string           // resumption id of the session, "" for none
	open     []outgoing       // sent in the session and not acknowledged, in order
	acked    uint32           // highest h heard in the session
	sent     uint32           // stanzas sent in the session
	handled  uint32           // stanzas received in the session
	notes    []*note          // everything ever written
	shown    map[string]string
	ids      map[string]string // archive id to key, for what arrived
	synced   string            // archive id up to which nothing is missing
	newest   string            // archive id of the last live message
	catching bool              // a repair is under way
	pages    int               // counts queries
	last     map[string]int    // per sender, the last number that came live on this connection
	came     map[string]bool   // keys that came live on this connection
	walked   map[string]bool   // keys that the present repair got on this connection
	walk     int               // number of its first query
	counts   counts
	problems []string
}

// note is one message that a person wrote.
type note struct {
	key, to string
	acked   bool
}

// outgoing is a stanza of the present session; note is nil for what is no message.
type outgoing struct {
	n    uint32
	text string
	note *note
}

type counts struct{ resumed, failed, failedWithoutH, resent, dropped, repeated int }

func newPerson(s *mirsal.Server, name string, others []string, tls bool) *person {
	return &person{
		name: name, server: s, others: others, tls: tls, more: make(chan string, 100),
		shown: map[string]string{}, ids: map[string]string{},
	}
}

func (p *person) jid() string { return p.name + "@" + mirsal.Domain }

// state is how things stand, for a test that waits in vain.
func (p *person) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%s: connected %v, session %q, %d stanzas open, h=%d of %d, %d received, repairing %v behind %q, %+v",
		p.name, p.conn != nil, p.previd, len(p.open), p.acked, p.sent, p.handled, p.catching, p.synced, p.counts)
}

// complain is called under mu.
func (p *person) complain(format string, args ...any) {
	if len(p.problems) < 20 {
		p.problems = append(p.problems, p.name+": "+fmt.Sprintf(format, args...))
	}
}

// live keeps the person connected until ctx ends; while write is open, it writes.
func (p *person) live(ctx context.Context, write <-chan struct{}) {
	for ctx.Err() == nil {
		if err := p.once(ctx, write); err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond): // the server is not up yet
			}
		}
	}
}

// once lives through one connection.
func (p *person) once(ctx context.Context, write <-chan struct{}) error {
	dialing, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	c, err := xmppclient.Dial(dialing, xmppclient.Options{Addr: p.server.Addr("c2s"), Domain: mirsal.Domain, Plain: !p.tls})
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := c.Login(dialing, p.name, password); err != nil {
		return err
	}
	again, err := p.session(dialing, c)
	if err != nil {
		return err
	}
	reading := make(chan error, 1)
	go func() { reading <- p.read(ctx, c) }()
	err = p.write(ctx, c, again, write, reading)
	p.mu.Lock()
	p.conn = nil
	p.mu.Unlock()
	c.Kill()
	if !errors.Is(err, errReader) {
		<-reading
	}
	return err
}

// session takes up the old session or makes a new one. It returns what must be
// sent again.
func (p *person) session(ctx context.Context, c *xmppclient.Conn) (again []outgoing, err error) {
	p.mu.Lock()
	previd, handled := p.previd, p.handled
	p.mu.Unlock()
	if previd != "" {
		resumed, again, err := p.resume(ctx, c, previd, handled)
		if err != nil || resumed {
			return again, err
		}
	}
	if err := c.Bind(ctx, "device"); err != nil {
		return nil, err
	}
	id, err := c.EnableSM(ctx, true)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	again, p.open = p.open, nil
	p.conn, p.previd, p.acked, p.sent, p.handled, p.catching = c, id, 0, 0, 0, false
	p.newest = ""
	p.forgetConn()
	fresh := []outgoing{{text: "<presence/>"}, {text: p.page()}}
	for _, o := range again {
		if o.note != nil {
			fresh = append(fresh, o)
			p.counts.resent++
		}
	}
	return fresh, nil
}

// forgetConn begins the notes on what comes over one connection; under mu.
func (p *person) forgetConn() {
	p.last, p.came, p.walked = map[string]int{}, map[string]bool{}, map[string]bool{}
}

// unique complains when a message came the same way before; under mu.
func (p *person) unique(seen map[string]bool, key, way string) {
	if seen[key] {
		p.counts.repeated++
		p.complain("%s came twice %s", key, way)
	}
	seen[key] = true
}

func (p *person) resume(ctx context.Context, c *xmppclient.Conn, previd string, handled uint32) (ok bool, again []outgoing, err error) {
	if err := c.Send(fmt.Sprintf("<resume xmlns='%s' previd='%s' h='%d'/>", xmppclient.NSSM, previd, handled)); err != nil {
		return false, nil, err
	}
	n, err := c.Next(ctx)
	if err != nil {
		return false, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := n.Attr("h") != ""
	if known && !(p.old && n.Is(xmppclient.NSSM, "failed")) {
		p.hear(n.Attr("h"))
	}
	switch {
	case n.Is(xmppclient.NSSM, "resumed"):
		if !known {
			p.complain("resumed without h")
		}
		p.counts.resumed++
		again, p.open, p.sent = p.open, nil, p.acked
		p.counts.resent += len(again)
		p.conn = c
		p.forgetConn() // a query that is sent again may be answered again
		return true, again, nil
	case n.Is(xmppclient.NSSM, "failed"):
		p.counts.failed++
		if !known {
			p.counts.failedWithoutH++
		}
		if !known && p.acked > 0 {
			p.complain("told h=%d before, and that none is known now", p.acked)
		}
		p.previd = ""
		return false, nil, nil
	}
	p.previd = ""
	return false, nil, fmt.Errorf("resume was answered by %s", n)
}

// hear takes an h that the server says; under mu.
func (p *person) hear(text string) {
	v, err := strconv.ParseUint(text, 10, 32)
	h := uint32(v)
	switch {
	case err != nil:
		p.complain("h is %q", text)
		return
	case h < p.acked:
		p.complain("h went back from %d to %d", p.acked, h)
	case h > p.sent:
		p.complain("h is %d, sent were %d", h, p.sent)
	}
	p.acked = h
	for len(p.open) > 0 && p.open[0].n <= h {
		if n := p.open[0].note; n != nil {
			n.acked = true
		}
		p.open = p.open[1:]
	}
}

// send sends one stanza and notes it as unacknowledged. Only the writer calls it.
func (p *person) send(c *xmppclient.Conn, o outgoing) error {
	p.mu.Lock()
	p.sent++
	o.n = p.sent
	p.open = append(p.open, o)
	p.mu.Unlock()
	return c.Send(o.text)
}

var errReader = errors.New("the connection has ended")

const requestAck = "<r xmlns='" + xmppclient.NSSM + "'/>"

// write sends what is left over, then writes notes while that is wanted, until
// the connection ends.
func (p *person) write(ctx context.Context, c *xmppclient.Conn, again []outgoing, write <-chan struct{}, reading <-chan error) error {
	for i, o := range again {
		if err := p.send(c, o); err != nil {
			p.keep(again[i+1:])
			return err
		}
	}
	if err := c.Send(requestAck); err != nil {
		return err
	}
	for {
		pause := time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-reading:
			return errReader
		case text := <-p.more:
			if err := p.send(c, outgoing{text: text}); err != nil {
				return err
			}
		case <-pause:
			if err := p.burst(c, write); err != nil {
				return err
			}
		}
	}
}

// keep puts back what could not be sent again; it still stands behind what was.
func (p *person) keep(rest []outgoing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range rest {
		p.sent++
		o.n = p.sent
		p.open = append(p.open, o)
	}
}

// burst writes a few notes and asks for an acknowledgement.
func (p *person) burst(c *xmppclient.Conn, write <-chan struct{}) error {
	p.mu.Lock()
	waiting := len(p.open)
	p.mu.Unlock()
	select {
	case <-write: // closed: no more
		if waiting == 0 {
			return nil
		}
	default:
		for range rand.IntN(8) {
			if waiting++; waiting > 120 {
				break
			}
			if err := p.send(c, p.note()); err != nil {
				return err
			}
		}
	}
	return c.Send(requestAck)
}

// note writes a new note. Every other one has an origin-id: the rest is known
// again by its id.
func (p *person) note() outgoing {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := &note{key: p.name + ":" + strconv.Itoa(len(p.notes)), to: p.others[rand.IntN(len(p.others))]}
	p.notes = append(p.notes, n)
	origin := ""
	if len(p.notes)%2 == 0 {
		origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o-" + n.key + "'/>"
	}
	text := "<message to='" + n.to + "@" + mirsal.Domain + "' type='chat' id='" + n.key + "'><body>" + n.key + "</body>" + origin + "</message>"
	return outgoing{text: text, note: n}
}

// read takes what comes until the connection ends.
func (p *person) read(ctx context.Context, c *xmppclient.Conn) error {
	for {
		n, err := c.Next(ctx)
		if err != nil {
			return err
		}
		p.mu.Lock()
		if n.IsStanza() {
			p.handled++
		}
		h := p.handled
		p.take(n)
		p.mu.Unlock()
		if n.Is(xmppclient.NSSM, "r") {
			if err := c.Send(fmt.Sprintf("<a xmlns='%s' h='%d'/>", xmppclient.NSSM, h)); err != nil {
				return err
			}
		}
	}
}

// take is called under mu.
func (p *person) take(n *xmppclient.Node) {
	switch {
	case n.Is(xmppclient.NSSM, "a"):
		p.hear(n.Attr("h"))
	case n.Is(xmppclient.NSClient, "iq"):
		p.pageDone(n)
	case n.Is(xmppclient.NSStream, "error") && n.Child(xmppclient.NSStreams, "conflict") == nil:
		p.complain("stream error: %s", n)
	case !n.Is(xmppclient.NSClient, "message"):
	case n.Attr("type") == "error":
		p.complain("a message came back: %s", n)
	case n.Child(nsMAM, "result") != nil:
		p.fromArchive(n.Child(nsMAM, "result"))
	case n.Child(xmppclient.NSClient, "body") != nil:
		p.live1(n)
	}
}

// live1 shows a message that came by itself.
func (p *person) live1(n *xmppclient.Node) {
	key := n.Child(xmppclient.NSClient, "body").Text
	id := ""
	for _, c := range n.Children {
		if c.Is("urn:xmpp:sid:0", "stanza-id") && c.Attr("by") == p.jid() {
			id = c.Attr("id")
		}
	}
	if id == "" {
		p.complain("%s came without a stanza-id", key)
		return
	}
	p.unique(p.came, key, "live on one connection")
	if _, again := p.ids[id]; !again {
		from, number := splitKey(key)
		if last, any := p.last[from]; any && number <= last {
			p.complain("%s came behind %s:%d", key, from, last)
		}
		p.last[from] = number
	}
	p.show(key, id)
	p.newest = id
	if !p.catching {
		p.synced = id
	}
}

// show notes that the person sees a message.
func (p *person) show(key, id string) {
	if was, ok := p.ids[id]; ok && was != key {
		p.complain("archive id %s stands for %s and %s", id, was, key)
	}
	if was, ok := p.shown[key]; ok && was != id {
		p.complain("%s is shown twice, as %s and %s", key, was, id)
	}
	p.ids[id], p.shown[key] = key, id
}

func splitKey(key string) (from string, number int) {
	from, text, _ := strings.Cut(key, ":")
	number, _ = strconv.Atoi(text)
	return from, number
}
