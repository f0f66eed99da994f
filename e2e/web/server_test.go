package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const (
	password = "secret"
	patience = 20 * time.Second
)

// house is a server with a web side.
type house struct{ *mirsal.Server }

func start(t *testing.T, args ...string) house {
	t.Helper()
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: append([]string{
		"--http", "127.0.0.1:0", "--http-plain", "127.0.0.1:0",
	}, args...)})
	s.Accounts(password, "alice", "bob")
	return house{s}
}

// ways are the ways in, by name.
func (h house) ways() map[string]xmppclient.Options {
	return map[string]xmppclient.Options{
		"tcp":       {Addr: h.Addr("c2s"), Domain: mirsal.Domain},
		"websocket": {WebSocket: "wss://" + h.Addr("http") + "/ws", Domain: mirsal.Domain},
		"bosh":      {BOSH: "https://" + h.Addr("http") + "/bosh", Domain: mirsal.Domain},
	}
}

func dial(t *testing.T, o xmppclient.Options) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func login(t *testing.T, o xmppclient.Options, name, resource string) *xmppclient.Conn {
	t.Helper()
	c := dial(t, o)
	if err := c.Login(soon(t), name, password); err != nil {
		t.Fatal(err)
	}
	if resource != "" {
		if err := c.Bind(soon(t), resource); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func next(t *testing.T, c *xmppclient.Conn) *xmppclient.Node {
	t.Helper()
	n, err := c.Next(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stanza is the next one that is no stream management.
func stanza(t *testing.T, c *xmppclient.Conn) *xmppclient.Node {
	t.Helper()
	for {
		if n := next(t, c); n.Name.Space != xmppclient.NSSM {
			return n
		}
	}
}

func send(t *testing.T, c *xmppclient.Conn, text string) {
	t.Helper()
	if err := c.Send(text); err != nil {
		t.Fatal(err)
	}
}

func mechanisms(c *xmppclient.Conn) string {
	var all []string
	for _, m := range c.Features.Child(xmppclient.NSSASL, "mechanisms").Children {
		all = append(all, m.Text)
	}
	return strings.Join(all, " ")
}
