package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const password = "a password of tests"

// A server is bin/mirsal whose web side keeps its ports over restarts.
type server struct {
	*mirsal.Server
	t      *testing.T
	domain string
	door   *door
	closed bool // pages publish their keys for contacts only, where converse.js says for all
	still  bool // pages do not tell that somebody is here, writes or has gone
}

// start starts a server, once there is time for it and a browser.
func start(t *testing.T, domain string, settings ...string) *server {
	t.Helper()
	needs(t)
	bin := mirsal.Build(t)
	t.Parallel()
	plain := freeAddr(t)
	args := []string{"--domain", domain, "--http", freeAddr(t), "--http-plain", plain, "--set", "limits.enabled=true"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	s := &server{mirsal.Start(t, mirsal.Options{Bin: bin, Args: args}), t, domain, openDoor(t, plain), false, false}
	s.Accounts(password, "alice", "bob")
	return s
}

// freeAddr is an address that nobody listens on, outside of what the system
// gives to connections, so that it is free after a restart too.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no free port")
	return ""
}

func (s *server) again() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// converse are the settings of converse.js for a way in.
func (s *server) converse(way string) map[string]any {
	switch way {
	case "websocket":
		return map[string]any{"websocket_url": "ws://" + s.door.addr + "/ws", "discover_connection_methods": false}
	case "bosh":
		return map[string]any{"bosh_service_url": "http://" + s.door.addr + "/bosh", "discover_connection_methods": false}
	}
	return map[string]any{} // as it comes: it has to find out by itself
}

// tells has a person send a message from another program, over TCP, as soon as
// the server takes it.
func (s *server) tells(name, to, text string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: s.domain})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Kill()
	for _, err := range []error{
		c.Login(ctx, name, password),
		c.Bind(ctx, fmt.Sprint("terminal", time.Now().UnixNano())),
		c.Send("<message type='chat' id='m" + text + "' to='" + to + "'><body>" + text + "</body></message>"),
		c.Close(ctx),
	} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// A person sits before a page.
type person struct {
	*browser
	who     string // with which device
	account string
}

// A login is how a page has logged in.
type login struct {
	Resumed    int
	Mechanisms []string
	Streams    []string
}

// opens opens the page of converse.js for somebody who has not logged in.
func (b *browser) opens(s *server, name, device, way string) *person {
	b.t.Helper()
	p := &person{b, name + "-" + device, name + "@" + s.domain}
	settings := s.converse(way)
	// COMPAT: accepting by hand fails in converse.js 14.0.0, by a method that it
	// calls and does not have; so bob lets it accept and ask back by itself
	settings["auto_subscribe"] = name == "bob"
	settings["send_chat_state_notifications"] = !s.still
	settings["closedKeys"] = s.closed
	p.does("open", "settings", map[string]any{
		"converse": settings, "hosts": []string{"127.0.0.1", s.domain},
	})
	b.t.Cleanup(p.leaves)
	return p
}

// leaves looks whether the page broke.
func (p *person) leaves() {
	if p.t.Failed() {
		return // and told why
	}
	var exceptions []string
	if p.do("broken", p.how(nil), &exceptions); len(exceptions) > 0 {
		p.t.Errorf("the page of %s broke: %q", p.who, exceptions)
	}
}

// does has the person do something; how are pairs of name and value.
func (p *person) does(what string, how ...any) {
	p.t.Helper()
	p.do(what, p.how(how), nil)
}

func (p *person) how(pairs []any) map[string]any {
	how := map[string]any{"who": p.who}
	for i := 0; i < len(pairs); i += 2 {
		how[pairs[i].(string)] = pairs[i+1]
	}
	return how
}

func (p *person) logsIn() {
	p.t.Helper()
	p.does("logIn", "account", p.account, "password", password)
}

// back waits until the page has logged in so many times, the first one included.
func (p *person) back(times int) login {
	p.t.Helper()
	var l login
	p.do("back", p.how([]any{"logins", times}), &l)
	return l
}

func (p *person) writes(text string) {
	p.t.Helper()
	p.does("write", "text", text)
}

func (p *person) reads(texts ...string) {
	p.t.Helper()
	p.does("reads", "texts", texts)
}

func (p *person) picture(name string) {
	p.t.Helper()
	p.does("shoot", "name", name)
}

// befriend makes two people each other's contacts, because alice asks, and opens
// their chat.
func befriend(alice, bob *person) {
	alice.t.Helper()
	alice.does("add", "account", bob.account)
	for p, other := range map[*person]*person{alice: bob, bob: alice} {
		p.does("contact", "account", other.account)
		p.does("turnTo", "account", other.account)
	}
}
