package push

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"mirsal/internal/auth"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/webpush"
	"mirsal/internal/webpush/pushtest"
	"mirsal/internal/xep/carbons"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// world is a server with push, an app server and a browsers' push service.
type world struct {
	*coretest.World
	push  *Push
	kv    store.KV
	site  *core.Site
	app   *app
	web   *browser
	log   *bytes.Buffer
	dying []func(bare jid.JID, device string)
	pass  []func(bare jid.JID, session any)
	// meanwhile happens before the next thing is written.
	meanwhile func()
}

// slow is a store in which something happens while it is written to.
type slow struct {
	store.KV
	w *world
}

func (s slow) Apply(ctx context.Context, owner string, ops ...store.Op) error {
	if f := s.w.meanwhile; f != nil {
		s.w.meanwhile = nil
		f()
	}
	return s.KV.Apply(ctx, owner, ops...)
}

func (w *world) DeviceID(string, auth.Agent) string             { return "nameless" }
func (w *world) Name(s string) (string, error)                  { return strings.TrimSuffix(s, "@example.org"), nil }
func (w *world) OnRevoke(f func(bare jid.JID, device string))   { w.dying = append(w.dying, f) }
func (w *world) OnPassword(f func(bare jid.JID, session any))   { w.pass = append(w.pass, f) }
func (w *world) contact(_, peer jid.JID) bool                   { return peer.Local() == "alice" }
func (w *world) requests(context.Context, jid.JID) (int, error) { return 2, nil }
func (w *world) restart() *Push                                 { return w.fresh(w.kv) }
func (w *world) Devices(_ context.Context, name string) ([]auth.Device, error) {
	if name != "bob" {
		return nil, fmt.Errorf("%w: %s", auth.ErrNotFound, name)
	}
	return []auth.Device{{ID: "phone", Name: "Bob's phone", Software: "Talk"}}, nil
}

func everything(_ *core.Router, h *core.Host) { h.Keep = append(h.Keep, keep) }
func keep(t *core.Transit) {
	if stanza.RuleOf(&t.Head).Archive {
		t.Keep(core.Owner{JID: t.Head.From.Bare()})
		if t.Head.To.Bare() != t.Head.From.Bare() {
			t.Keep(core.Owner{JID: t.Head.To.Bare()})
		}
	}
}

// app is a component that is an app server.
type app struct {
	w     *world
	mu    sync.Mutex
	got   []string
	error string // what it answers, "" for a result, "nothing" for nothing
}

func (a *app) take(t *core.Transit) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, string(t.Stanza.Raw))
	h := t.Head
	kind, content := "result", ""
	switch {
	case a.error == "nothing":
		return nil
	case a.error != "":
		kind, content = "error", a.error
	}
	e, err := xtok.Parse([]byte(fmt.Sprintf("<iq xmlns='jabber:client' from='%s' to='%s' id='%s' type='%s'>%s</iq>", h.To, h.From, h.ID, kind, content)), xtok.Limits{})
	if err != nil {
		return err
	}
	go a.w.Router.Accept(a.w.site, e)
	return nil
}

func failure(condition, kind string) string {
	return "<error type='" + kind + "'><" + condition + " xmlns='" + stanza.NSStanzas + "'/></error>"
}

// pushes are the publishes since the last call, once nothing moves.
func (a *app) pushes() []string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	return got
}

func (a *app) answers(with string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.error = with
}

// browser stands in for the way to a browsers' push service.
type browser struct {
	mu     sync.Mutex
	got    []webpush.Message
	answer webpush.Result
}

func (b *browser) Send(_ context.Context, _ webpush.Subscription, m webpush.Message) webpush.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m)
	return b.answer
}

func (b *browser) Close() {}

func (b *browser) pushes() []webpush.Message {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.got
	b.got = nil
	return got
}

func run(t *testing.T, f func(w *world)) { runWith(t, func(*Config) {}, f) }

func runWith(t *testing.T, change func(*Config), f func(w *world)) {
	t.Helper()
	w := &world{kv: memory.New(), log: &bytes.Buffer{}, web: &browser{}}
	w.app = &app{w: w}
	coretest.Run(t, func(c *coretest.World) {
		w.World = c
		everything(c.Router, c.Host)
		carbons.Register(c.Host, c.Router)
		w.site = c.Host.Site(jid.MustParse("app.example.org"))
		w.site.Any = w.app.take
		c.Host.Site(jid.MustParse("rooms.example.org"))
		cfg := w.config()
		change(&cfg)
		w.push = New(c.Router, slow{w.kv, w}, w, cfg)
		w.push.Register(c.Host)
		w.load(w.push)
	}, func(*coretest.World) {
		f(w)
		w.push.Close()
	})
}

func (w *world) config() Config {
	return Config{
		Contact: w.contact, Requests: w.requests, Site: jid.MustParse("push.example.org"),
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
}

func (w *world) load(f *Push) {
	if err := f.Load(context.Background()); err != nil {
		w.T.Fatal(err)
	}
	f.web = w.web
}

// device is a session of a device of its own.
func (w *world) device(full, device string) *coretest.Client {
	w.T.Helper()
	c := w.Connection()
	s, err := w.Router.Bind(core.Binding{Conn: c, JID: jid.MustParse(full), Device: device, CID: "test"})
	if err != nil {
		w.T.Fatal(err)
	}
	c.Session = s
	s.EnableSM(true, func([16]byte) []byte { return nil })
	s.SetPresence(&core.Presence{Stanza: stanza.New(stanza.Head{Kind: stanza.Presence, From: s.JID}, nil)})
	return c
}

// phone is bob's, with push enabled at the app server.
func (w *world) phone() *coretest.Client {
	w.T.Helper()
	c := w.device("bob@example.org/phone", "phone")
	w.enable(c, "app.example.org", "n1", "")
	return c
}

func (w *world) enable(c *coretest.Client, service, node, fields string) {
	w.T.Helper()
	c.Send("<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='" + service + "' node='" + node + "'>" + fields + "</enable></iq>")
	if got := c.Got(); !strings.Contains(got, "type='result'") {
		w.T.Fatal(got)
	}
}

func options(pairs ...string) string {
	b := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
	for i := 0; i < len(pairs); i += 2 {
		b += "<field var='" + pairs[i] + "'><value>" + pairs[i+1] + "</value></field>"
	}
	return b + "</x>"
}

// subscribed are the options of a browser.
func subscribed(t *testing.T, endpoint string) string {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := pushtest.NewBrowser(key, make([]byte, 16))
	return options("endpoint", endpoint, "p256dh", b.P256dh, "auth", b.Auth)
}

// sleep breaks a device's connection; its session hibernates.
func sleep(c *coretest.Client) {
	c.Abort(nil)
	c.Session.Detach(c)
}

// wake resumes a session on a new connection.
func wake(w *world, c *coretest.Client) *coretest.Client {
	again := w.Connection()
	again.Session = c.Session
	if err := c.Session.Resume(again, 0, "", func(uint32) []byte { return []byte("<resumed xmlns='urn:xmpp:sm:3'/>") }); err != nil {
		w.T.Fatal(err)
	}
	again.Got()
	return again
}

// say has alice write to bob.
func (w *world) say(content string) {
	w.T.Helper()
	w.alice().Send("<message to='bob@example.org' type='chat'>" + content + "</message>")
}

func (w *world) alice() *coretest.Client {
	for _, s := range w.Router.Directory().Sessions(jid.MustParse("alice@example.org")) {
		c := w.Connection()
		c.Session = s
		return c
	}
	return w.Login("alice@example.org/a")
}

const text = "<body>secret words</body>"

func (w *world) want(what string, n int) []string {
	w.T.Helper()
	got := w.app.pushes()
	if len(got) != n {
		w.T.Errorf("%s: %d pushes, want %d: %s", what, len(got), n, got)
	}
	return got
}

func (w *world) states() string {
	w.T.Helper()
	all := ""
	for _, s := range w.push.States(jid.MustParse("bob@example.org")) {
		all += s.Service + " " + s.State + ";"
	}
	return all
}

// fresh is the feature of another process on the same data, not attached to anything.
func (w *world) fresh(kv store.KV) *Push {
	f := &Push{router: w.Router, accounts: w, cfg: w.config(), kv: kv, site: w.push.site, of: map[jid.JID]*account{}, waiting: map[*registration]struct{}{},
		services: map[string]*service{}, regs: w.push.regs, healths: w.push.healths, keys: w.push.keys}
	f.ctx, f.end = context.WithCancel(context.Background())
	w.load(f)
	return f
}
