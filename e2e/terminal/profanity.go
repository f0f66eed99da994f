package terminal

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// A Profanity is a person with a fresh Profanity.
type Profanity struct {
	*Terminal
	Account string // bare address

	password string
	log      string // its debug log, in which every stanza is
}

// NewProfanity starts Profanity as on the first day, for an account that
// exists, and does not connect.
func NewProfanity(t testing.TB, account, password string) *Profanity {
	t.Helper()
	home := t.TempDir()
	name, _, _ := strings.Cut(account, "@")
	log := filepath.Join(home, "log")
	command := fmt.Sprintf("%s -l DEBUG -f %s", foreign.Program(t, "profanity"), log)
	p := &Profanity{Account: account, password: password, log: log}
	p.Terminal = New(t, name, home, command, "XDG_CONFIG_HOME="+home+"/config", "XDG_DATA_HOME="+home+"/data")
	t.Cleanup(p.showLog)
	p.Sees(`Type '/help' to show complete help`)
	return p
}

// Connect signs in at a server's address (host:port) with the line of README.
func (p *Profanity) Connect(server string) {
	p.t.Helper()
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Enter(fmt.Sprintf("/connect %s server %s port %s tls trust", p.Account, host, port))
	p.signIn()
}

// Reconnect connects with the account that Profanity has remembered.
func (p *Profanity) Reconnect() {
	p.t.Helper()
	p.Enter("/connect " + p.Account)
	p.signIn()
}

func (p *Profanity) signIn() {
	p.t.Helper()
	p.Sees("Enter password:")
	p.Enter(p.password)
	p.Sees(`\[TLS\] \[online\]`)
}

// Disconnect signs out, and Profanity goes on running.
func (p *Profanity) Disconnect() {
	p.t.Helper()
	p.Enter("/disconnect")
	p.Sees(`logged out successfully`)
}

// Opens shows the chat with an address.
func (p *Profanity) Opens(address string) {
	p.t.Helper()
	p.Enter("/msg " + address)
	p.Sees(`(?m)^ ` + regexp.QuoteMeta(address))
}

// Reads waits for a message from somebody in the chat that is shown.
func (p *Profanity) Reads(from, text string) string {
	p.t.Helper()
	return p.Sees(`(?m)^.*` + regexp.QuoteMeta(from) + `\S*: ` + regexp.QuoteMeta(text) + `$`)
}

// Befriend does the fourth line of README: contacts in both directions.
func Befriend(alice, bob *Profanity) {
	alice.t.Helper()
	alice.Enter("/sub request " + bob.Account)
	bob.Sees("Received authorization request from " + alice.Account)
	bob.Enter("/sub allow " + alice.Account)
	bob.Enter("/sub request " + alice.Account)
	alice.Sees("Received authorization request from " + bob.Account)
	alice.Enter("/sub allow " + bob.Account)
	bob.Sees(`\+\+ ` + alice.Account + ` .*is online`)
	alice.Sees(`\+\+ ` + bob.Account + ` .*is online`)
}

// Accepts lets somebody in who asks, and asks back.
func (p *Profanity) Accepts(address string) {
	p.t.Helper()
	p.Sees("Received authorization request from " + address)
	p.Enter("/sub allow " + address)
	p.Enter("/sub request " + address)
}

// MakesKeys sets OMEMO up as README says: Profanity would otherwise encrypt for
// nobody whose fingerprint was not compared.
func (p *Profanity) MakesKeys() {
	p.t.Helper()
	p.Enter("/omemo trustmode blind")
	p.Enter("/omemo gen")
	p.Sees("OMEMO crytographic materials generated") // sic
}

// Encrypts turns OMEMO on in the chat with somebody that is shown, and waits for
// the other's devices and keys: Profanity says that it is on before it has them, and
// sends nothing until it has both.
func (p *Profanity) Encrypts(other string) {
	p.t.Helper()
	p.Enter("/omemo start")
	p.Sees(`\[OMEMO\]`)
	WaitFor(p.t, p.Name+" to get the keys of "+other, func() bool {
		from := `from="` + other + `"`
		return len(p.Wire("RECV: ", from, "axolotl.devicelist", "<device id=")) > 0 && len(p.Wire("RECV: ", from, "<bundle ")) > 0
	})
}

// EntersRoom joins a room, whose name is shown, and waits until Profanity knows that it
// may encrypt there.
func (p *Profanity) EntersRoom(room, name string) {
	p.t.Helper()
	p.Enter("/join " + room)
	WaitFor(p.t, p.Name+" to be in "+room, func() bool {
		return len(p.Wire("RECV: ", "<presence ", room+"/"+p.Name, `code="110"`)) > 0
	})
	WaitFor(p.t, "Profanity to ask what the room is", func() bool {
		return len(p.Wire("RECV: ", room, `"muc_membersonly"`, `"muc_nonanonymous"`)) > 0
	})
	p.shows("/win "+room, `(?m)^ `+regexp.QuoteMeta(name))
	p.Enter("/omemo start")
	p.Sees(`\[OMEMO\]`)
}

// shows types a line until the screen matches: a room's window is there some time after the
// stanzas that have it made, and nothing tells when.
func (p *Profanity) shows(line, pattern string) {
	p.t.Helper()
	const often = 2 * time.Second
	re, last := regexp.MustCompile(pattern), time.Time{}
	WaitFor(p.t, p.Name+" to see "+pattern+" by "+line, func() bool {
		if re.MatchString(p.Screen()) {
			return true
		}
		if time.Since(last) > often {
			last = time.Now()
			p.Enter(line)
		}
		return false
	})
}

// Wire returns the stanzas that Profanity sent or received and that hold the
// words, in order.
func (p *Profanity) Wire(words ...string) []string {
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

// Encrypted are the encrypted messages that Profanity has sent.
func (p *Profanity) Encrypted() []string {
	p.t.Helper()
	return p.Wire("SENT: ", "<message ", "<encrypted ")
}

// Acknowledges waits until Profanity has told the server that it has the text.
func (p *Profanity) Acknowledges(text string) {
	p.t.Helper()
	WaitFor(p.t, p.Name+" to acknowledge "+text, func() bool {
		has, said := -1, -1
		for i, line := range p.Wire() {
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
func (p *Profanity) showLog() {
	if !p.t.Failed() {
		return
	}
	const last = 25
	lines := p.Wire()
	lines = lines[max(0, len(lines)-last):]
	for i, l := range lines {
		lines[i] = l[:min(len(l), 600)]
	}
	p.t.Logf("the last stanzas of %s:\n%s", p.Name, strings.Join(lines, "\n"))
}
