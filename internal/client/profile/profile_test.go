//go:build !js

package profile

import (
	"testing"

	"mirsal/internal/xmpp/jid"
)

func TestPlainFilesAreOnlyForAServerOnThisMachine(t *testing.T) {
	p, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Policy().PlainLoopback {
		t.Error("allowed before there is a server")
	}
	for _, c := range []struct {
		domain, server string
		want           bool
	}{
		{"example.org", "", false}, {"localhost", "", true}, {"127.0.0.1", "", true},
		{"example.org", "127.0.0.1:5222", true}, {"example.org", "[::1]:5223", true}, {"example.org", "localhost:5222", true},
		{"localhost", "192.0.2.1:5222", false}, {"example.org", "chat.example.org:5222", false},
		{"example.org", "wss://localhost:5443/ws", true}, {"localhost", "wss://example.org/ws", false},
	} {
		if _, err := p.dialer(jid.MustParse("alice@"+c.domain), c.server); err != nil {
			t.Fatal(c, err)
		}
		if got := p.Policy().PlainLoopback; got != c.want {
			t.Errorf("%s by %q: %v", c.domain, c.server, got)
		}
	}
}

func TestWhatIsNoServersAddressIsSaidBeforeAnythingIsTried(t *testing.T) {
	for _, good := range []string{"", "example.org:5222", "[::1]:5223", "wss://example.org/ws", "127.0.0.1:1"} {
		if err := checkServer(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"example.org", "localhost:", ":5222", "localhost:0", "localhost:70000", "localhost:xmpp", "a:b:5222", "http://example.org", "ws://example.org", "wss://", "wss://%zz"} {
		if checkServer(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
