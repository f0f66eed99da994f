package clients

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// plain lets in programs that know no login but PLAIN: Debian's go-sendxmpp.
const plain = "auth.plain=true"

// sendxmpp prepares go-sendxmpp, which trusts the server's CA and no other.
func sendxmpp(t *testing.T, ca, from string, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"-u", from + "@localhost", "-p", password}, args...)
	cmd := exec.CommandContext(t.Context(), foreign.Program(t, "go-sendxmpp"), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SSL_CERT_FILE="+ca, "SSL_CERT_DIR=/nonexistent")
	return cmd
}

// sends has a text sent, and returns what the program said and its end.
func sends(cmd *exec.Cmd, text string) (string, error) {
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestGoSendxmppSendsOverStartTLSAndDirectTLS(t *testing.T) {
	t.Parallel()
	s := start(t, readable, plain)
	s.accounts("alice", "bob", "carol")
	bob, carol := online(t, s, "bob"), connected(t, s, "carol")
	for _, way := range []struct {
		text string
		args []string
	}{
		{"by STARTTLS", []string{"-j", s.named("c2s")}},
		{"by direct TLS", []string{"-t", "-j", s.named("c2s-tls")}},
	} {
		args := append(way.args, bob.account, carol.Account)
		if out, err := sends(sendxmpp(t, s.ca, "alice", args...), way.text); err != nil {
			t.Fatalf("%s: %v: %s", way.text, err, out)
		}
		bob.hears("message", "sender", "alice@localhost", "body", way.text)
		carol.Enter("/msg alice@localhost")
		carol.Reads("alice@localhost", way.text)
	}
}

func TestGoSendxmppRefusesAServerWhoseCAItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := start(t, readable, plain)
	s.accounts("alice", "bob")
	for _, args := range [][]string{{"-j", s.named("c2s")}, {"-t", "-j", s.named("c2s-tls")}} {
		out, err := sends(sendxmpp(t, os.DevNull, "alice", append(args, "bob@localhost")...), "never sent")
		if err == nil || !strings.Contains(out, "certificate") {
			t.Errorf("go-sendxmpp %v without the CA: %v: %s", args, err, out)
		}
	}
}

func TestGoSendxmppListens(t *testing.T) {
	t.Parallel()
	s := start(t, readable, plain)
	s.accounts("alice", "bob")
	cmd := sendxmpp(t, s.ca, "bob", "-l", "-j", s.named("c2s"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // ends the reading below
	t.Cleanup(func() { stop.Stop(); _ = cmd.Process.Kill(); _ = cmd.Wait() })

	// whether bob listens already or not, the server keeps it for him
	alice := online(t, s, "alice")
	alice.do("send", "to", "bob@localhost", "body", "to the listener")
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "alice@localhost") && strings.Contains(lines.Text(), "to the listener") {
			return
		}
		t.Log(lines.Text())
	}
	t.Error("go-sendxmpp did not print the message")
}
