package component_test

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/component"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

const (
	bot    = "bot.example.org"
	secret = "an-unguessable-secret"
	opened = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='bot.example.org'>"
)

// pipes is a listener on which tests knock.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return nil }

// peer is a component's side of a connection.
type peer struct {
	net.Conn
	mu   sync.Mutex
	said strings.Builder
	gone bool
}

func (p *peer) listen() {
	b := make([]byte, 4096)
	for {
		n, err := p.Read(b)
		p.mu.Lock()
		p.said.Write(b[:n])
		p.gone = p.gone || err != nil
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *peer) say(s string) { p.Write([]byte(s)) }

// heard is what the component was told since the last call.
func (p *peer) heard() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.said.String()
	p.said.Reset()
	return s
}

func (p *peer) closed() bool {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// run gives a world with a component port and a way to knock at it.
func run(t *testing.T, f func(w *coretest.World, knock func() *peer)) {
	t.Helper()
	var s *component.Server
	coretest.Run(t, func(w *coretest.World) {
		s = component.New(w.Router, component.Config{
			Before:    xtok.Limits{Size: 4096, Depth: 5, Attrs: 20, Name: 64, Prefixes: 10, Nodes: 100},
			After:     xtok.Limits{Size: 64 << 10, Depth: 20, Attrs: 20, Name: 64, Prefixes: 10, Nodes: 1000},
			Handshake: 10 * time.Second, Write: time.Minute, Queue: 64 << 10, Strangers: 3, Log: slog.New(slog.DiscardHandler),
		})
		s.Add(w.Host, jid.MustParse(bot), secret)
	}, func(w *coretest.World) {
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		s.Serve(l)
		f(w, func() *peer {
			ours, theirs := net.Pipe()
			p := &peer{Conn: theirs}
			go p.listen()
			l.conns <- ours
			return p
		})
		s.Stop()
	})
}

// join shakes hands with a secret and returns the answer.
func join(p *peer, with string) string {
	p.say(opened)
	_, rest, _ := strings.Cut(p.heard(), " id='")
	id, _, _ := strings.Cut(rest, "'")
	p.say("<handshake>" + component.Proof(id, with) + "</handshake>")
	return p.heard()
}

func TestStanzasPassBothWaysAfterTheHandshake(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		if got := join(p, secret); got != "<handshake/>" {
			t.Fatal(got)
		}
		alice.Send("<message to='x@bot.example.org' id='1'><body>hi</body></message>")
		if got := p.heard(); got != "<message from='alice@example.org/a' to='x@bot.example.org' id='1'><body>hi</body></message>" {
			t.Error(got)
		}
		for _, ns := range []string{"", " xmlns='jabber:component:accept'", ` xmlns="jabber:component:accept"`} {
			p.say("<message" + ns + " from='x@bot.example.org' to='alice@example.org'><body>hello</body></message>")
			if got := alice.Got(); got != "<message xmlns='jabber:client' from='x@bot.example.org' to='alice@example.org'><body>hello</body></message>" {
				t.Errorf("said with%s: %s", ns, got)
			}
		}
	})
}

// TestTheNamespaceOfAComponentIsAClientsWhereverItIsSaid: some libraries say it again
// on children.
func TestTheNamespaceOfAComponentIsAClientsWhereverItIsSaid(t *testing.T) {
	const own, client = "jabber:component:accept", "jabber:client"
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		join(p, secret)
		for content, want := range map[string]string{
			"<body xmlns='" + own + "'>a</body>":                                                  "<body xmlns='" + client + "'>a</body>",
			"<body xmlns = \"" + own + "\"\n>a</body><subject xmlns='" + own + "'/>":              "<body xmlns = \"" + client + "\"\n>a</body><subject xmlns='" + client + "'/>",
			"<x xmlns='urn:x' a='>' b=\"'\"><body xml:lang='en' xmlns='" + own + "'>a</body></x>": "<x xmlns='urn:x' a='>' b=\"'\"><body xml:lang='en' xmlns='" + client + "'>a</body></x>",
			"<c:body xmlns:c='" + own + "'>a</c:body>":                                            "<c:body xmlns:c='" + client + "'>a</c:body>",
			// no namespaces
			"<body>xmlns='" + own + "'</body>":                         "<body>xmlns='" + own + "'</body>",
			"<x xmlns='urn:x' var='" + own + "'/>":                     "<x xmlns='urn:x' var='" + own + "'/>",
			"<x xmlns='urn:x' v=\" xmlns='" + own + "'\"/>":            "<x xmlns='urn:x' v=\" xmlns='" + own + "'\"/>",
			"<x xmlns='urn:x' xmlns:n='urn:n' n:xmlns='" + own + "'/>": "<x xmlns='urn:x' xmlns:n='urn:n' n:xmlns='" + own + "'/>",
		} {
			for _, ns := range []string{"", " xmlns='" + own + "'"} {
				p.say("<message" + ns + " from='x@bot.example.org' to='alice@example.org'>" + content + "</message>")
				if got := alice.Got(); got != "<message xmlns='jabber:client' from='x@bot.example.org' to='alice@example.org'>"+want+"</message>" {
					t.Errorf("said with%s %s: %s, %s", ns, content, got, p.heard())
				}
			}
		}
	})
}

func TestRequestsAreAnsweredInBothDirections(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		w.Host.IQ(core.Server, "urn:x", "q", func(*core.Query) ([]byte, error) { return []byte("<a xmlns='urn:x'/>"), nil })
		join(p, secret)
		p.say("<iq type='get' id='1' from='bot.example.org' to='example.org'><q xmlns='urn:x'/></iq>")
		if got := p.heard(); got != "<iq from='example.org' to='bot.example.org' id='1' type='result'><a xmlns='urn:x'/></iq>" {
			t.Error(got)
		}
		alice.Send("<iq type='get' id='2' to='bot.example.org'><q xmlns='urn:x'/></iq>")
		p.heard()
		p.say("<iq type='result' id='2' from='bot.example.org' to='alice@example.org/a'/>")
		if got := alice.Got(); !strings.Contains(got, "type='result'") {
			t.Error(got)
		}
	})
}

func TestWhoDoesNotKnowTheSecretGetsNothing(t *testing.T) {
	for what, say := range map[string]func(p *peer) string{
		"wrong secret": func(p *peer) string { return join(p, "a-guess-of-some-length") },
		"empty secret": func(p *peer) string { return join(p, "") },
		"no handshake": func(p *peer) string {
			p.say(opened + "<message from='x@bot.example.org' to='alice@example.org'/>")
			return p.heard()
		},
		"another name": func(p *peer) string { p.say(strings.Replace(opened, bot, "example.org", 1)); return p.heard() },
		"a client's stream": func(p *peer) string {
			p.say(strings.Replace(opened, "jabber:component:accept", "jabber:client", 1))
			return p.heard()
		},
	} {
		run(t, func(w *coretest.World, knock func() *peer) {
			alice, p := w.Login("alice@example.org/a"), knock()
			if got := say(p); !strings.Contains(got, "<stream:error>") || !p.closed() {
				t.Errorf("%s: %s", what, got)
			}
			if got := alice.Got(); got != "" {
				t.Errorf("%s: alice was sent %s", what, got)
			}
		})
	}
}

func TestAComponentThatSpeaksForOthersLosesItsStream(t *testing.T) {
	for _, from := range []string{"alice@example.org", "example.org", "other.example.org", ""} {
		run(t, func(w *coretest.World, knock func() *peer) {
			alice, p := w.Login("alice@example.org/a"), knock()
			join(p, secret)
			p.say("<message from='" + from + "' to='alice@example.org'><body>x</body></message>")
			if got := p.heard(); !strings.Contains(got, "<invalid-from ") || alice.Got() != "" {
				t.Errorf("from %q: %s", from, got)
			}
		})
	}
}

func TestANameHasOneComponentAtATime(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		first, second := knock(), knock()
		join(first, secret)
		if got := join(second, secret); !strings.Contains(got, "<conflict ") {
			t.Error(got)
		}
		first.say("</stream:stream>")
		if !first.closed() {
			t.Error("still there")
		}
		if got := join(knock(), secret); got != "<handshake/>" {
			t.Error(got)
		}
	})
}

func TestSendersHearThatAComponentIsAway(t *testing.T) {
	run(t, func(w *coretest.World, _ func() *peer) {
		alice := w.Login("alice@example.org/a")
		alice.Send("<message to='x@bot.example.org' id='1'><body>hi</body></message>")
		alice.Send("<presence to='x@bot.example.org'/>")
		if got := alice.Got(); strings.Count(got, "<remote-server-timeout") != 1 {
			t.Error(got)
		}
	})
}

func TestAComponentHearsThatASessionIsGone(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		join(p, secret)
		alice.Send("<presence to='room@bot.example.org/nick'/>")
		p.heard()
		alice.Session.Close(nil)
		if got := p.heard(); got != "<presence from='alice@example.org/a' to='room@bot.example.org/nick' type='unavailable'></presence>" {
			t.Error(got)
		}
	})
}

func TestStrangersAreFewAndHaveLittleTime(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		for range 3 {
			knock()
		}
		if p := knock(); !p.closed() {
			t.Error("a fourth stranger")
		}
		time.Sleep(11 * time.Second)
		if got := join(knock(), secret); got != "<handshake/>" {
			t.Error("strangers keep their places: ", got)
		}
	})
}

func TestAComponentThatDoesNotReadIsClosed(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		join(p, secret)
		p.mu.Lock() // its reader stands still
		for range 20 {
			alice.Send("<message to='x@bot.example.org'><body>" + strings.Repeat("x", 8000) + "</body></message>")
		}
		p.mu.Unlock()
		time.Sleep(5 * time.Second)
		if !p.closed() || !strings.Contains(p.heard(), "<resource-constraint") {
			t.Error("nothing bounds what waits for it")
		}
	})
}

// What a component writes to, or as, an address that is none, is refused alone: bridges
// make addresses of what others are called.
func TestOfAMalformedAddressTheComponentHearsAndGoesOn(t *testing.T) {
	run(t, func(w *coretest.World, knock func() *peer) {
		alice, p := w.Login("alice@example.org/a"), knock()
		join(p, secret)
		for _, c := range []struct{ sent, want string }{
			{"<message id='1' from='a@" + bot + "' to='b@@example.org'><body>x</body></message>", "from='b@@example.org' to='a@" + bot + "' id='1' type='error'"},
			{"<presence id='2' from='a@" + bot + "' to='@example.org'/>", "from='@example.org' to='a@" + bot + "' id='2' type='error'"},
			{"<iq type='get' id='3' from='a b@" + bot + "' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>", "from='example.org' to='" + bot + "' id='3' type='error'"},
			{"<message id='4' from='mallory@example.org@' to='alice@example.org'><body>x</body></message>", "from='alice@example.org' to='" + bot + "' id='4' type='error'"},
		} {
			p.say(c.sent)
			if got := p.heard(); !strings.Contains(got, c.want) || !strings.Contains(got, "<jid-malformed ") {
				t.Errorf("%s is answered %s", c.sent, got)
			}
		}
		p.say("<message type='error' id='5' from='a@" + bot + "' to='b@@example.org'/><iq type='result' id='6' from='@" + bot + "' to='example.org'/>")
		if got := p.heard(); got != "" {
			t.Errorf("errors and results are answered %s", got)
		}
		p.say("<message from='a@" + bot + "' to='alice@example.org/a'><body>on</body></message>")
		if got := alice.Got(); !strings.Contains(got, ">on<") || strings.Contains(got, ">x<") {
			t.Errorf("alice was sent %s", got)
		}
	})
}
