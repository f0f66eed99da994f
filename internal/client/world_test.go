package client

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	me     = "me@example.org"
	bob    = "bob@example.org"
	eve    = "eve@example.net"
	tea    = "tea@conference.example.org"
	server = "example.org"
)

// wire is a Connection whose other end is the test: it answers what is asked by a table,
// and keeps what is sent.
type wire struct {
	t    testing.TB
	mu   sync.Mutex // guards what follows
	todo []conn.Event
	more chan struct{}
	out  chan conn.Event
	left chan struct{}
	once sync.Once

	sent    []string // stanzas, with their tickets
	tickets []uint64
	asked   []conn.Request
	settled int
	kept    *conn.Token
	looking []bool
	kicks   int
	busy    bool                                          // nothing is taken
	lie     func(q conn.Request) (answer string, ok bool) // before the table
	nodes   map[string]string                             // "owner node": item
}

func newWire(t testing.TB) *wire {
	return &wire{t: t, more: make(chan struct{}, 1), out: make(chan conn.Event), left: make(chan struct{}), nodes: map[string]string{}}
}

func (w *wire) Run(ctx context.Context) error {
	defer close(w.out)
	for {
		w.mu.Lock()
		todo := w.todo
		w.todo = nil
		w.mu.Unlock()
		for _, ev := range todo {
			select {
			case w.out <- ev:
			case <-ctx.Done():
				return nil
			case <-w.left:
				return nil
			}
			if r, ok := ev.(*conn.Refused); ok {
				return r.Err
			}
		}
		select {
		case <-w.more:
		case <-ctx.Done():
			return nil
		case <-w.left:
			return nil
		}
	}
}

// happens queues events for the engine.
func (w *wire) happens(events ...conn.Event) {
	w.mu.Lock()
	w.todo = append(w.todo, events...)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *wire) Events() <-chan conn.Event { return w.out }

func (w *wire) Send(raw []byte, ticket uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy {
		return conn.ErrBusy
	}
	if _, err := xtok.Parse(raw, xtok.Limits{}); err != nil {
		w.t.Errorf("sent what is not XML: %v: %s", err, raw)
	}
	w.sent, w.tickets = append(w.sent, string(raw)), append(w.tickets, ticket)
	return nil
}

func (w *wire) Inquire(q conn.Request, tag uint64) error {
	w.mu.Lock()
	w.asked = append(w.asked, q)
	lie := w.lie
	w.mu.Unlock()
	answer, ok := "", false
	if lie != nil {
		answer, ok = lie(q)
	}
	if !ok {
		answer = w.serve(q)
	}
	if answer == "silence" {
		return nil
	}
	w.happens(answerOf(w.t, q.To, tag, answer))
	return nil
}

func (w *wire) Settle(conn.Mark)   { w.mu.Lock(); w.settled++; w.mu.Unlock() }
func (w *wire) Kept(t *conn.Token) { w.mu.Lock(); w.kept = t; w.mu.Unlock() }
func (w *wire) Kick()              { w.mu.Lock(); w.kicks++; w.mu.Unlock() }
func (w *wire) Attend(on bool)     { w.mu.Lock(); w.looking = append(w.looking, on); w.mu.Unlock() }
func (w *wire) Leave(context.Context) {
	w.once.Do(func() { close(w.left) })
}

// serve is what a friendly server without anything answers: a payload, or a condition
// behind "error ".
func (w *wire) serve(q conn.Request) string {
	e := parse(w.t, string(q.Payload))
	switch {
	case e.Is("jabber:iq:roster", "query") && q.Type == stanza.Get:
		return "<query xmlns='jabber:iq:roster'/>"
	case e.Is("urn:xmpp:blocking", "blocklist"):
		return "<blocklist xmlns='urn:xmpp:blocking'/>"
	case e.Is(nsMAM, "query"):
		return "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin>"
	case e.Is(nsPubsub, "pubsub"):
		return w.pubsub(q, e)
	case q.Type == stanza.Set:
		return ""
	}
	return "error service-unavailable"
}

func (w *wire) pubsub(q conn.Request, e xtok.Elem) string {
	owner := me
	if !q.To.IsZero() {
		owner = q.To.String()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := e.Child(nsPubsub, "publish"); p.OK() {
		w.nodes[owner+" "+p.Attr("node")] = string(p.First().AppendTo(nil))
		return ""
	}
	if r := e.Child(nsPubsub, "retract"); r.OK() {
		delete(w.nodes, owner+" "+r.Attr("node"))
		return ""
	}
	node := e.Child(nsPubsub, "items").Attr("node")
	item, ok := w.nodes[owner+" "+node]
	if !ok {
		return "error item-not-found"
	}
	return "<pubsub xmlns='" + nsPubsub + "'><items node='" + esc(node) + "'>" + item + "</items></pubsub>"
}

func parse(t testing.TB, text string) xtok.Elem {
	t.Helper()
	e, err := xtok.Parse([]byte(text), xtok.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return e
}

func stanzaOf(t testing.TB, text string) *conn.Stanza {
	t.Helper()
	if open, _, _ := strings.Cut(text, ">"); !strings.Contains(open, " xmlns='jabber:client'") {
		name, rest, _ := strings.Cut(text, " ")
		text = name + " xmlns='jabber:client' " + rest
	}
	e := parse(t, text)
	head, err := stanza.ReadHead(e)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return &conn.Stanza{Head: head, Raw: []byte(text), Elem: e}
}

func answerOf(t testing.TB, from jid.JID, tag uint64, payload string) *conn.Answer {
	attrs := ""
	if !from.IsZero() {
		attrs = " from='" + esc(from.String()) + "'"
	}
	if condition, refused := strings.CutPrefix(payload, "error "); refused {
		s := stanzaOf(t, "<iq id='x' type='error'"+attrs+"><error type='cancel'><"+condition+" xmlns='"+stanza.NSStanzas+"'/></error></iq>")
		return &conn.Answer{Tag: tag, Stanza: s, Err: stanza.ReadError(s.Elem)}
	}
	if name, lost := strings.CutPrefix(payload, "lost "); lost {
		return &conn.Answer{Tag: tag, Err: map[string]error{"timeout": conn.ErrTimeout, "connection": conn.ErrLost}[name]}
	}
	return &conn.Answer{Tag: tag, Stanza: stanzaOf(t, "<iq id='x' type='result'"+attrs+">"+payload+"</iq>")}
}

// desk is an engine with its store and its wire.
type desk struct {
	*wire
	t      testing.TB
	store  keep.Store
	engine *Engine
	end    context.CancelFunc
	ended  chan error
	seen   sync.Mutex // orders the engine's telling and the test's looking
	told   []port.Event
	ref    uint64
	wires  int
}

// sit opens an engine on a store, not yet signed in.
func sit(t testing.TB, store keep.Store) *desk {
	t.Helper()
	d := &desk{t: t, store: store, wire: newWire(t)}
	d.start()
	return d
}

func (d *desk) start() {
	d.t.Helper()
	var err error
	d.engine, err = New(Config{Store: d.store, Rand: rand.Reader, Now: time.Now, Software: "test", Label: "desk",
		Dialer: func(jid.JID, string) (conn.Dialer, error) { return nowhere{}, nil },
		Events: func(ev port.Event) {
			d.seen.Lock()
			d.told = append(d.told, ev)
			d.seen.Unlock()
		},
		Connect: func(conn.Config, *conn.Saved) Connection {
			if d.wires++; d.wires > 1 { // each connection is a new one
				nodes, lie := d.wire.nodes, d.wire.lie
				d.wire = newWire(d.t)
				d.wire.nodes, d.wire.lie = nodes, lie
			}
			return d.wire
		}})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	d.t.Cleanup(end)
	d.end, d.ended = end, make(chan error, 1)
	engine, ended := d.engine, d.ended
	go func() { ended <- engine.Run(ctx) }()
	d.wait()
}

// nowhere is a Dialer of a network that is down.
type nowhere struct{}

func (nowhere) Dial(context.Context) (conn.Transport, error) { return nil, conn.ErrDown }

// stop ends the engine as a program does.
func (d *desk) stop() {
	d.t.Helper()
	d.end()
	if err := <-d.ended; err != nil && d.engine.broken == nil {
		d.t.Error(err)
	}
}

func (d *desk) wait() {
	synctest.Wait()
	d.seen.Lock() // see the field
	defer d.seen.Unlock()
}

// pass lets time go by, in which the engine may tell something.
func (d *desk) pass(t time.Duration) {
	d.wait() // behind all that was looked at
	time.Sleep(t)
	d.wait()
}

// signIn signs in, with an empty account.
func (d *desk) signIn() {
	d.t.Helper()
	d.engine.Do(&port.SignIn{Address: me, Password: "secret"})
	d.wait()
	d.up(false)
	if !d.engine.synced {
		d.t.Fatalf("it is not synced; waits for %v", d.engine.awaited)
	}
}

func (d *desk) up(resumed bool) {
	d.happens(&conn.Up{Resumed: resumed, JID: jid.MustParse(me + "/here")})
	d.wait()
}

func (d *desk) down() {
	d.happens(&conn.Down{Err: &conn.Refusal{Reason: conn.Unreachable}, Retry: time.Second})
	d.wait()
}

// gets has stanzas come.
func (d *desk) gets(stanzas ...string) {
	d.t.Helper()
	for _, s := range stanzas {
		d.happens(stanzaOf(d.t, s))
	}
	d.wait()
}

// do asks for something and returns all that answers it.
func (d *desk) do(c port.Command) (answers []port.Event) {
	d.t.Helper()
	d.ref++
	port.SetRef(c, d.ref)
	before := len(d.told)
	d.engine.Do(c)
	d.wait()
	return d.answers(d.ref, before)
}

func (d *desk) answers(ref uint64, from int) (out []port.Event) {
	for _, ev := range d.told[from:] {
		if port.RefOf(ev) == ref {
			out = append(out, ev)
		}
	}
	return out
}

// must carries something out that has to succeed.
func (d *desk) must(c port.Command) port.Event {
	d.t.Helper()
	a := d.do(c)
	if len(a) != 1 {
		d.t.Fatalf("%T has %d answers", c, len(a))
	}
	if f := port.FailureOf(a[0]); f != nil {
		d.t.Fatalf("%T: %v", c, f)
	}
	return a[0]
}

// lines are the texts of a chat as they are kept.
func (d *desk) lines(chat string) (out []string) {
	d.t.Helper()
	for _, m := range d.must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		text := m.Text
		switch {
		case m.Unreadable != "":
			text = "?" + m.Unreadable
		case m.Retracted:
			text = "!retracted"
		case m.Notice != "":
			text = "!" + m.Notice
		}
		out = append(out, text)
	}
	return out
}

// take returns what was sent since the last time, of which holds a text.
func (d *desk) take(text string) (out []string) {
	d.wire.mu.Lock()
	defer d.wire.mu.Unlock()
	for _, s := range d.sent {
		if strings.Contains(s, text) {
			out = append(out, s)
		}
	}
	d.sent, d.tickets = nil, nil
	return out
}

// questions are the payloads asked since the last time that hold a text.
func (d *desk) questions(text string) (out []conn.Request) {
	d.wire.mu.Lock()
	defer d.wire.mu.Unlock()
	for _, q := range d.asked {
		if strings.Contains(string(q.Payload), text) {
			out = append(out, q)
		}
	}
	d.asked = nil
	return out
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}

// befriend makes somebody a contact.
func (d *desk) befriend(who string) {
	d.gets("<iq type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='" + who + "' subscription='both'/></query></iq>")
}

// peer is somebody else's device, with its keys at the desk's server.
type peer struct {
	*e2ee.Book
	t     testing.TB
	who   string
	store keep.Store
	w     *wire
}

func (d *desk) peer(who string) *peer {
	d.t.Helper()
	p := &peer{t: d.t, who: who, store: keep.NewMemory(), w: d.wire}
	var err error
	if p.Book, err = e2ee.Open(e2ee.Config{Store: p.store, Own: jid.MustParse(who), Rand: rand.Reader, Now: time.Now}); err != nil {
		d.t.Fatal(err)
	}
	p.do(p.Online())
	p.do(p.CatchUp(false))
	return p
}

func (p *peer) do(s e2ee.Step) {
	p.t.Helper()
	if err := p.store.Apply(s.Batch); err != nil {
		p.t.Fatal(err)
	}
	for _, r := range s.Ask {
		to := r.To
		if to.IsZero() {
			to = jid.MustParse(p.who)
		} else if to.String() == me {
			to = jid.JID{}
		}
		a := answerOf(p.t, to, 0, p.w.serve(conn.Request{To: to, Type: r.Type, Payload: r.Payload}))
		p.do(p.Answer(r, a.Stanza.Elem))
	}
}

// says is a message of the peer's for the desk, encrypted.
func (p *peer) says(text, attrs, beside string) string {
	p.t.Helper()
	return p.saysTo(jid.JID{}, text, attrs, beside, me)
}

func (p *peer) saysTo(room jid.JID, text, attrs, beside string, to ...string) string {
	p.t.Helper()
	var all []jid.JID
	for _, a := range to {
		all = append(all, jid.MustParse(a))
	}
	for range 10 {
		ask, wait := p.Needs(all)
		if !wait {
			break
		}
		p.do(e2ee.Step{Ask: ask})
	}
	sealed, b, err := p.Encrypt(e2ee.Outgoing{To: all, Room: room, Text: text})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.store.Apply(b); err != nil {
		p.t.Fatal(err)
	}
	return "<message xmlns='jabber:client' " + attrs + ">" + string(sealed.Content) + beside + "</message>"
}

// reads opens what the desk has sent.
func (p *peer) reads(raw string) (string, error) {
	p.t.Helper()
	box := parse(p.t, raw).Child(nsLegacy, "encrypted")
	if !box.OK() {
		return "", errors.New("it is not encrypted")
	}
	open, step, err := p.Decrypt(e2ee.Incoming{From: jid.MustParse(me), Element: box})
	p.do(step)
	return open.Text, err
}

// bubble runs a test in a bubble with a desk that is signed in.
func bubble(t *testing.T, f func(t *testing.T, d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.signIn()
		f(t, d)
		d.stop()
	})
}

// find names the tables in which a text stands.
func (d *desk) find(text string) (found []string) {
	d.t.Helper()
	for _, table := range []keep.Table{"timeline.rows", "timeline.where", "timeline.marks", "timeline.waiting", "timeline.outbox", "timeline.replies",
		"timeline.chats", "timeline.meta", "timeline.archives", profileTable, callTable, contactTable, roomTable, chatTable, faceTable, pictureTable, "files.uploads", "files.downloads", "omemo.read", "omemo.accounts"} {
		err := d.store.Scan(table, keep.Range{}, func(key string, value []byte) bool {
			if strings.Contains(key+string(value), text) {
				found = append(found, string(table))
			}
			return true
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return found
}
