package browser

import (
	"slices"
	"strings"
	"testing"
)

func TestPeopleWithConverseComeOverWebSocket(t *testing.T) { live(t, "websocket", "bosh") }

func TestPeopleWithConverseComeOverBOSH(t *testing.T) { live(t, "bosh", "websocket") }

// live is a day with converse.js: alice comes over way, her other device and bob
// over other.
func live(t *testing.T, way, other string) {
	s := start(t, "localhost", "e2ee=optional")
	b := browse(t, "")
	alice, bob := b.opens(s, "alice", "laptop", way), b.opens(s, "bob", "laptop", other)
	alice.logsIn()
	bob.logsIn()
	alice.picture("1-login")
	befriend(alice, bob)

	alice.writes("Hello, <Bob> & welcome")
	bob.reads("Hello, <Bob> & welcome")
	bob.writes("Hello, Alice")
	said := []string{"Hello, <Bob> & welcome", "Hello, Alice"}
	alice.reads(said...)
	alice.picture("2-chat")

	// XEP-0313: a device that comes later finds what was said
	tablet := b.opens(s, "alice", "tablet", other)
	tablet.logsIn()
	tablet.does("turnTo", "account", bob.account)
	tablet.reads(said...)
	// XEP-0280: and hears what is said on the other one
	alice.writes("from the laptop")
	tablet.reads(append(said, "from the laptop")...)
	said = append(said, "from the laptop")
	tablet.picture("2-chat")
	for p, way := range map[*person]string{alice: way, bob: other, tablet: other} {
		came(t, p, way)
	}
	restarts(t, s, said, alice, bob, tablet)
}

// restarts shows that pages come back by themselves, with all that was said and
// nothing twice.
func restarts(t *testing.T, s *server, said []string, alice, bob, tablet *person) {
	for i, stop := range []struct {
		name string
		by   func()
	}{
		{"restart", func() { must(t, s.Stop()) }},
		{"crash", s.Kill},
	} {
		stop.by()
		s.door.shut()
		s.again()
		// COMPAT: a page that is back asks for the past before it asks for copies of what
		// comes, and misses what is said between the two
		s.tells("bob", alice.account, "meanwhile, at the "+stop.name)
		s.door.open()
		for _, p := range []*person{alice, bob, tablet} {
			l := p.back(i + 2)
			// XEP-0198: converse.js resumes over WebSocket only
			if strings.HasSuffix(l.Streams[0], "/ws") && l.Resumed != 1 {
				t.Errorf("%s resumed %d sessions after one restart and %d crashes", p.who, l.Resumed, i)
			}
		}
		said = append(said, "meanwhile, at the "+stop.name)
		alice.reads(said...)
		alice.writes("after the " + stop.name)
		said = append(said, "after the "+stop.name)
		for _, p := range []*person{bob, alice, tablet} {
			p.reads(said...)
		}
		for p, other := range map[*person]*person{alice: bob, bob: alice} {
			p.does("contact", "account", other.account)
		}
		alice.picture(stop.name)
	}
}

// came checks how a page came in: by the way that it was told, with a password
// that was proved and not sent.
func came(t *testing.T, p *person, way string) {
	t.Helper()
	l := p.back(1)
	path := map[string]string{"websocket": "/ws", "bosh": "/bosh"}[way]
	if len(l.Streams) != 1 || !strings.HasSuffix(l.Streams[0], path) {
		t.Errorf("%s opened %q, where one stream by %s is needed", p.who, l.Streams, way)
	}
	if len(l.Mechanisms) != 1 || !strings.HasPrefix(l.Mechanisms[0], "SCRAM-SHA-") {
		t.Errorf("%s logged in by %q", p.who, l.Mechanisms)
	}
}

// XEP-0156: an address and a password are all that is needed.
func TestConverseFindsTheServerByHostMeta(t *testing.T) {
	s := start(t, "example.org", "e2ee=optional")
	b := browse(t, "MAP example.org:443 "+s.Addr("http"))
	alice, bob := b.opens(s, "alice", "laptop", ""), b.opens(s, "bob", "laptop", "")
	alice.logsIn()
	bob.logsIn()
	befriend(alice, bob)
	alice.writes("found you")
	bob.reads("found you")
	if l := alice.back(1); !slices.Equal(l.Streams, []string{"wss://example.org/ws"}) {
		t.Errorf("the page opened %q", l.Streams)
	}
}

// XEP-0384, on a server that lets nothing pass that can be read.
func TestPeopleWithConverseEncrypt(t *testing.T) {
	s := start(t, "localhost", "e2ee=required")
	b := browse(t, "")
	alice, bob := b.opens(s, "alice", "laptop", "websocket"), b.opens(s, "bob", "laptop", "bosh")
	for _, p := range []*person{alice, bob} {
		p.logsIn()
		p.does("keys")
	}
	befriend(alice, bob)
	alice.writes("for everybody")
	alice.does("refused", "saying", "encrypted")
	alice.picture("refused")
	alice.does("encrypt")
	alice.writes("only for bob")
	bob.reads("only for bob")
	bob.does("encrypt")
	bob.writes("only for alice")
	alice.reads("for everybody", "only for bob", "only for alice")
	alice.picture("encrypted")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
