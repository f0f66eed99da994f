package browser

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const nsExtdisco = "urn:xmpp:extdisco:2"

// TestAPageIsRelayedAtThePortOfTheWeb: Chromium names nothing within TLS when it asks for
// TURN, at the port that has just given it a page.
func TestAPageIsRelayedAtThePortOfTheWeb(t *testing.T) {
	chromium, node := needs(t)
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--http", "127.0.0.1:0", "--set", "listen.turn=127.0.0.1:0",
		"--set", "turn.relay_address=127.0.0.1", "--set", "turn.allow_private=true", "--set", "turn.host=localhost"}})
	const password = "a long word for tests 7"
	s.Accounts(password, "alice")
	port, user, secret := relayOf(t, s, password)
	if _, want, _ := net.SplitHostPort(s.Addr("http")); port != want {
		t.Fatalf("the relay is said to be at %q, the web side is at %s", port, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	page := "https://localhost:" + port + "/.well-known/host-meta.json"
	cmd := exec.CommandContext(ctx, node, "node/relay.mjs", chromium, page, "turns:localhost:"+port+"?transport=tcp", user, secret)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if heard := strings.TrimSpace(string(out)); err != nil || heard != "by the port of the web" {
		t.Errorf("%q, %v", heard, err)
	}
}

// relayOf asks as a client does where the relay within TLS is.
func relayOf(t *testing.T, s *mirsal.Server, password string) (port, user, secret string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if err := c.Login(ctx, "alice", password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(ctx, "phone"); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("<iq type='get' id='s' to='" + mirsal.Domain + "'><services xmlns='" + nsExtdisco + "' type='turns'/></iq>"); err != nil {
		t.Fatal(err)
	}
	n, err := c.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v := n.Child(nsExtdisco, "services").Child(nsExtdisco, "service")
	return v.Attr("port"), v.Attr("username"), v.Attr("password")
}
