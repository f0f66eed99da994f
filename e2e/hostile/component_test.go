package hostile

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
)

const (
	componentName   = "bot." + mirsal.Domain
	componentSecret = "an-unguessable-secret"
	componentHeader = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" + componentName + "'>"
)

// TestComponentAttacks is what a program at the component port, or behind a name
// that it has rightly, may try.
func TestComponentAttacks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mirsal.toml")
	names := "[components]\n\"" + componentName + "\" = \"" + componentSecret + "\"\n"
	if err := os.WriteFile(file, []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--config", file, "--set", "c2s.require_tls=false", "--set", "listen.component=127.0.0.1:0",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "sloth")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"01 nested entities", testComponentDTD},
		{"57 wrong secrets", testComponentSecrets},
		{"57 two components for one name", testTwoComponents},
		{"57 in the name of others", testComponentImpersonates},
		{"57 asks for more than was granted", testComponentPrivileges},
		{"57 changes an account of the same name", testComponentAccount},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

// knock opens a component's stream and returns the stream's id.
func (v *victim) knock(t *testing.T) (c net.Conn, id string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", v.Addr("component"), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	write(c, componentHeader)
	_, rest, _ := strings.Cut(heard(t, c, "xmlns:stream"), " id='")
	id, _, ok := strings.Cut(rest, "'")
	if !ok {
		t.Fatal("no stream id")
	}
	return c, id
}

// heard reads until something was said, or the end.
func heard(t *testing.T, c net.Conn, until string) string {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	var got strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		got.Write(b[:n])
		if strings.Contains(got.String(), until) || err == io.EOF {
			return got.String()
		}
		if err != nil {
			t.Fatalf("waiting for %s: %v; told %s", until, err, got.String())
		}
	}
}

func handshake(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret))
	return "<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>"
}

// component is a connection with the handshake done.
func (v *victim) component(t *testing.T) net.Conn {
	t.Helper()
	var c net.Conn
	// the name is free as soon as the server has seen the former connection go
	within(t, "the component's name", func() bool {
		var id string
		c, id = v.knock(t)
		write(c, handshake(id, componentSecret))
		return strings.Contains(heard(t, c, ">"), "<handshake/>")
	})
	t.Cleanup(func() { c.Close() })
	return c
}

func testComponentDTD(t *testing.T, v *victim) {
	c, err := net.DialTimeout("tcp", v.Addr("component"), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write(c, billionLaugh+componentHeader)
	refused(t, "a DTD before the header", c, restricted)
	in := v.component(t)
	write(in, billionLaugh+"<message from='"+componentName+"' to='bob@"+mirsal.Domain+"'><body>&c;</body></message>")
	refused(t, "a DTD in a stream", in, restricted)
}

func testComponentSecrets(t *testing.T, v *victim) {
	_, other := v.knock(t)
	for what, shake := range map[string]func(id string) string{
		"another secret":              func(id string) string { return handshake(id, "another-secret-of-length") },
		"the hash of no secret":       func(id string) string { return handshake(id, "") },
		"the secret itself":           func(string) string { return "<handshake>" + componentSecret + "</handshake>" },
		"the proof of another stream": func(string) string { return handshake(other, componentSecret) },
		"nothing":                     func(string) string { return "<handshake/>" },
		"a stanza instead":            func(string) string { return "<message from='" + componentName + "' to='bob@" + mirsal.Domain + "'/>" },
	} {
		c, id := v.knock(t)
		write(c, shake(id))
		refused(t, what, c, notAllowed)
	}
}

func testTwoComponents(t *testing.T, v *victim) {
	first := v.component(t)
	c, id := v.knock(t)
	write(c, handshake(id, componentSecret))
	refused(t, "a second component", c, "conflict")
	write(first, "<iq type='get' id='1' from='"+componentName+"' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	if got := heard(t, first, "</iq>"); !strings.Contains(got, "type='result'") {
		t.Errorf("the first one was disturbed: %s", got)
	}
}

func testComponentImpersonates(t *testing.T, v *victim) {
	for _, from := range []string{
		mirsal.Domain, "alice@" + mirsal.Domain, "conference." + mirsal.Domain, "x." + componentName, "bot." + mirsal.Domain + ".example", "",
	} {
		c := v.component(t)
		write(c, fmt.Sprintf("<message from='%s' to='bob@%s' type='chat'><body>forged</body></message>", from, mirsal.Domain))
		refused(t, "from "+from, c, "invalid-from")
	}
}

// testComponentPrivileges asks as XEP-0355 and XEP-0356 would, without a grant:
// a forwarded message in an account's name is a message of the component.
func testComponentPrivileges(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	c := v.component(t)
	write(c, fmt.Sprintf("<message from='%[1]s' to='%[2]s'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>"+
		"<message xmlns='jabber:client' from='alice@%[2]s' to='witness@%[2]s'><body>forged</body></message></forwarded></privilege></message>", componentName, mirsal.Domain))
	write(c, fmt.Sprintf("<iq type='get' id='r' from='%s' to='alice@%s'><query xmlns='jabber:iq:roster'/></iq>", componentName, mirsal.Domain))
	if got := heard(t, c, "id='r'"); !strings.Contains(got, "type='error'") {
		t.Errorf("a roster was handed out: %s", got)
	}
	write(c, fmt.Sprintf("<message from='%s' to='%s' id='last'><body>last</body></message>", componentName, witness.JID))
	for {
		n := next(t, witness)
		if n.Attr("id") == "last" {
			return
		}
		if strings.Contains(fmt.Sprint(n), "forged") {
			t.Fatalf("somebody else spoke for alice: %v", n)
		}
	}
}

// testComponentAccount asks, as mallory at the component's host, for what mallory
// the account may.
func testComponentAccount(t *testing.T, v *victim) {
	c := v.component(t)
	for i, payload := range []string{
		"<query xmlns='jabber:iq:register'><username>mallory</username><password>other-password</password></query>",
		"<query xmlns='jabber:iq:register'><remove/></query>",
		"<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/>",
	} {
		write(c, fmt.Sprintf("<iq type='set' id='a%d' from='mallory@%s' to='%s'>%s</iq>", i, componentName, mirsal.Domain, payload))
		if got := heard(t, c, fmt.Sprintf("id='a%d'", i)); !strings.Contains(got, "type='error'") {
			t.Errorf("%s: %s", payload, got)
		}
	}
	v.connect(t, "mallory")
}
