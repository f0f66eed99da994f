package clientconn

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const (
	password = "secret"
	domain   = "example.org"
	patience = 60 * time.Second
)

// trusting takes the certificates that the servers of a test make themselves.
func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// person is an account's connection and what has come of it.
type person struct {
	t    *testing.T
	c    *conn.Conn
	stop context.CancelFunc
	done chan error
	run  string // makes the ids of its messages its own

	mu      sync.Mutex
	news    chan struct{} // closed and replaced when something comes
	ups     []*conn.Up
	got     []string // bodies
	kept    []string // bodies in the archive, once it was asked
	waiting map[uint64]string
	handled []uint64
	refused *conn.Refusal
	token   *conn.Token
	saved   *conn.Saved
	answers int
}

func sit(t *testing.T, cfg conn.Config, saved *conn.Saved) *person {
	ctx, stop := context.WithCancel(context.Background())
	cfg.Software = "clientconn"
	cfg.Backoff = conn.Backoff{Least: 10 * time.Millisecond, Most: 200 * time.Millisecond}
	p := &person{t: t, c: conn.New(cfg, saved), stop: stop, done: make(chan error, 1), run: rand.Text(), news: make(chan struct{}), waiting: map[uint64]string{}}
	go func() { p.done <- p.c.Run(ctx) }()
	read := make(chan struct{})
	go func() {
		defer close(read)
		for e := range p.c.Events() {
			p.take(e)
		}
	}()
	t.Cleanup(func() { stop(); <-read })
	return p
}

func (p *person) take(e conn.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { close(p.news); p.news = make(chan struct{}) }()
	switch e := e.(type) {
	case *conn.Up:
		p.ups = append(p.ups, e)
		if e.Token != nil {
			p.token = e.Token
		}
		if !e.Resumed {
			p.c.Send([]byte("<presence xmlns='jabber:client'/>"), 0)
		}
		for ticket := range p.waiting {
			p.say(ticket)
		}
	case *conn.Stanza:
		if body := e.Elem.Child(stanza.NSClient, "body"); body.OK() && e.Type == stanza.Chat {
			p.got = append(p.got, body.Text())
		}
		if m := e.Elem.Child(nsArchive, "result").Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message"); m.OK() {
			p.kept = append(p.kept, m.Child(stanza.NSClient, "body").Text())
		}
		p.saved = p.c.Saved(e.Mark)
		p.c.Settle(e.Mark)
	case *conn.Answer:
		p.answers++
	case *conn.Handled:
		p.handled = append(p.handled, e.Tickets...)
	case *conn.Lost:
		for _, t := range e.Tickets {
			p.waiting[t] = text(t) // said again on the next stream, under the same origin-id
		}
	case *conn.Refused:
		p.refused = e.Err
	}
}

func text(ticket uint64) string { return fmt.Sprintf("message %d", ticket) }

// say sends a message, now or on the next stream. It needs the lock.
func (p *person) say(ticket uint64) {
	raw := fmt.Appendf(nil, "<message xmlns='jabber:client' to='bob@%[1]s' type='chat' id='%[2]s-%[3]d'><body>%[4]s</body><origin-id xmlns='urn:xmpp:sid:0' id='%[2]s-%[3]d'/></message>", domain, p.run, ticket, text(ticket))
	if p.c.Send(raw, ticket) == nil {
		delete(p.waiting, ticket)
	} else {
		p.waiting[ticket] = text(ticket)
	}
}

func (p *person) write(ticket uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say(ticket)
}

// until waits for something to be true.
func (p *person) until(what string, f func() bool) {
	p.t.Helper()
	limit := time.After(patience)
	for {
		p.mu.Lock()
		ok, news := f(), p.news
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("not in time: %s (ups %d, got %d, handled %d, refused %v)", what, len(p.ups), len(p.got), len(p.handled), p.refused)
		}
	}
}

func (p *person) up(n int) *conn.Up {
	p.t.Helper()
	p.until(fmt.Sprintf("up %d times", n), func() bool { return len(p.ups) >= n })
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ups[n-1]
}

// end closes the program without signing out, as a user does.
func (p *person) end() {
	p.t.Helper()
	p.stop()
	if err := <-p.done; err != nil {
		p.t.Errorf("Run returns %v", err)
	}
}

const nsArchive = "urn:xmpp:mam:2"

// archive reads the account's archive: the results come before the answer.
func (p *person) archive() []string {
	p.t.Helper()
	ask := conn.Request{Type: stanza.Set, Payload: []byte("<query xmlns='" + nsArchive + "'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max></set></query>")}
	if err := p.c.Inquire(ask, 1); err != nil {
		p.t.Fatal(err)
	}
	p.until("the archive is read", func() bool { return p.answers > 0 })
	return p.kept
}

// cord is a wire to a server that can be cut.
type cord struct {
	addr string
	mu   sync.Mutex
	to   string
	open []net.Conn
}

func lay(t *testing.T, to string) *cord {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cord{addr: l.Addr().String(), to: to}
	t.Cleanup(func() { l.Close(); c.cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			far, err := net.Dial("tcp", c.to)
			c.mu.Unlock()
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.open = append(c.open, near, far)
			c.mu.Unlock()
			go func() { io.Copy(near, far); near.Close() }()
			go func() { io.Copy(far, near); far.Close() }()
		}
	}()
	return c
}

// move leads the cord to another server from now on.
func (c *cord) move(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
}

// cut drops every connection, and what was on its way.
func (c *cord) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.open {
		if t, ok := nc.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		nc.Close()
	}
	c.open = nil
}

func account(name string) jid.JID { return jid.MustParse(name + "@" + domain) }

// eachOnce checks that all of 1 to n came once.
func eachOnce(t *testing.T, got []string, n uint64) {
	t.Helper()
	seen := map[string]int{}
	for _, g := range got {
		seen[g]++
	}
	for i := uint64(1); i <= n; i++ {
		if k := seen[text(i)]; k != 1 {
			t.Errorf("%q came %d times", text(i), k)
		}
	}
}

func sorted(s []uint64) []uint64 { s = slices.Clone(s); slices.Sort(s); return s }
