package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mirsal/internal/foreign"
)

// A profanity is a person with a fresh Profanity.
type profanity struct {
	*terminal
	account string // bare address
	log     string // its debug log, in which every stanza is
}

// newProfanity starts Profanity as on the first day, for an account that
// exists, and does not connect.
func newProfanity(t *testing.T, name string) *profanity {
	t.Helper()
	home := t.TempDir()
	log := filepath.Join(home, "log")
	command := fmt.Sprintf("%s -l DEBUG -f %s", foreign.Program(t, "profanity"), log)
	p := &profanity{account: name + "@localhost", log: log}
	p.terminal = newTerminal(t, name, home, command, "XDG_CONFIG_HOME="+home+"/config", "XDG_DATA_HOME="+home+"/data")
	t.Cleanup(func() { p.showLog(t) })
	p.sees(`Type '/help' to show complete help`)
	return p
}

// connected starts Profanity and signs in with the line of README.
func connected(t *testing.T, s *server, name string) *profanity {
	t.Helper()
	p := newProfanity(t, name)
	p.connect(s)
	return p
}

func (p *profanity) connect(s *server) {
	p.t.Helper()
	host, port := s.address()
	p.enter(fmt.Sprintf("/connect %s server %s port %s tls trust", p.account, host, port))
	p.signIn()
}

// reconnect connects with the account that Profanity has remembered.
func (p *profanity) reconnect() {
	p.t.Helper()
	p.enter("/connect " + p.account)
	p.signIn()
}

func (p *profanity) signIn() {
	p.t.Helper()
	p.sees("Enter password:")
	p.enter(password)
	p.sees(`\[TLS\] \[online\]`)
}

func (p *profanity) disconnect() {
	p.t.Helper()
	p.enter("/disconnect")
	p.sees(`logged out successfully`)
}

// opens shows the chat with somebody.
func (p *profanity) opens(other *profanity) {
	p.t.Helper()
	p.enter("/msg " + other.account)
	p.sees(`(?m)^ ` + regexp.QuoteMeta(other.account))
}

// reads waits for a message from somebody in the chat that is shown.
func (p *profanity) reads(from, text string) string {
	p.t.Helper()
	return p.sees(`(?m)^.*` + regexp.QuoteMeta(from) + `\S*: ` + regexp.QuoteMeta(text) + `$`)
}

// befriend does the fourth line of README: contacts in both directions.
func befriend(alice, bob *profanity) {
	alice.t.Helper()
	alice.enter("/sub request " + bob.account)
	bob.sees("Received authorization request from " + alice.account)
	bob.enter("/sub allow " + alice.account)
	bob.enter("/sub request " + alice.account)
	alice.sees("Received authorization request from " + bob.account)
	alice.enter("/sub allow " + bob.account)
	bob.sees(`\+\+ ` + alice.account + ` .*is online`)
	alice.sees(`\+\+ ` + bob.account + ` .*is online`)
}

// makesKeys sets OMEMO up as README says: Profanity would otherwise encrypt for
// nobody whose fingerprint was not compared.
func (p *profanity) makesKeys() {
	p.t.Helper()
	p.enter("/omemo trustmode blind")
	p.enter("/omemo gen")
	p.sees("OMEMO crytographic materials generated") // sic
}

// encrypts turns OMEMO on in the chat with somebody that is shown, and waits for
// the other's keys: Profanity says that it is on before it has them.
func (p *profanity) encrypts(other string) {
	p.t.Helper()
	p.enter("/omemo start")
	p.sees(`\[OMEMO\]`)
	waitFor(p.t, p.name+" to get the keys of "+other, func() bool {
		return len(p.wire("RECV: ", `from="`+other+`"`, "<bundle ")) > 0
	})
}

// wire returns the stanzas that Profanity sent or received and that hold the
// words, in order.
func (p *profanity) wire(words ...string) []string {
	p.t.Helper()
	raw, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	var found []string
lines:
	for line := range strings.Lines(string(raw)) {
		for _, w := range append(words, "DBG: ") {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		if strings.Contains(line, "SENT: <") || strings.Contains(line, "RECV: <") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// acknowledges waits until Profanity has told the server that it has the text.
func (p *profanity) acknowledges(text string) {
	p.t.Helper()
	waitFor(p.t, p.name+" to acknowledge "+text, func() bool {
		has, said := -1, -1
		for i, line := range p.wire() {
			switch {
			case strings.Contains(line, text):
				has = i
			case strings.Contains(line, "SENT: <a "):
				said = i
			}
		}
		return has >= 0 && said > has
	})
}

// showLog shows the last stanzas of a test that failed.
func (p *profanity) showLog(t *testing.T) {
	if !t.Failed() {
		return
	}
	const last = 25
	lines := p.wire()
	lines = lines[max(0, len(lines)-last):]
	for i, l := range lines {
		lines[i] = l[:min(len(l), 600)]
	}
	t.Logf("the last stanzas of %s:\n%s", p.name, strings.Join(lines, "\n"))
}
