package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"mirsal/e2e/terminal"
	"mirsal/internal/foreign"
)

// A poezio is a person with a fresh Poezio.
type poezio struct {
	*terminal.Terminal
	account string // bare address
}

// nobody is whom Poezio is started as by root: it refuses to be root's.
const nobody = 65534

// newPoezio starts Poezio, which signs in by itself.
func newPoezio(t *testing.T, s *server, name string) *poezio {
	t.Helper()
	host, port := s.address()
	home := shortHome(t) // t.TempDir is in one that nobody may enter
	config := filepath.Join(home, "poezio.cfg")
	ca := filepath.Join(home, "ca.pem") // a copy that nobody can read
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[Poezio]\njid = %s@localhost/poezio\npassword = %s\ncustom_host = %s\ncustom_port = %s\n"+
		"ca_cert_path = %s\ndefault_nick = %s\nlog_dir = %s/log\ncheck_for_updates = false\n",
		name, password, host, port, ca, name, home)
	for file, content := range map[string]string{config: text, ca: string(pem)} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := foreign.Program(t, "poezio") + " -f " + config + " -d " + filepath.Join(home, "debug")
	if os.Geteuid() == 0 {
		for _, f := range []string{home, config, ca} {
			if err := os.Chown(f, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		command = fmt.Sprintf("%s --reuid %d --regid %d --clear-groups %s", foreign.Program(t, "setpriv"), nobody, nobody, command)
	}
	p := &poezio{account: name + "@localhost"}
	p.Terminal = terminal.New(t, name, home, command)
	return p
}

// signedIn starts Poezio and waits until it is signed in.
func signedIn(t *testing.T, s *server, name string) *poezio {
	t.Helper()
	p := newPoezio(t, s, name)
	p.Sees(`Your JID is ` + p.account)
	return p
}

// command types a command key by key, as it were: Poezio takes what comes at
// once for something pasted.
func (p *poezio) command(line string) {
	p.types("/", `(?m)^.*(│|^)/$|^/$`)
	p.types(line[1:], regexp.QuoteMeta(line))
	p.Key("Enter")
}

// says writes into the tab that is open.
func (p *poezio) says(line string) {
	p.types(line, `(?m)`+regexp.QuoteMeta(line)+`\s*$`)
	p.Key("Enter")
}

func (p *poezio) types(text, until string) {
	p.Key("-l", "--", text)
	p.Sees(until)
}

func TestTwoPeopleWithPoezioChatAndMeetInARoom(t *testing.T) {
	t.Parallel()
	s := start(t, readable, plain)
	s.accounts("alice", "bob")
	alice, bob := signedIn(t, s, "alice"), signedIn(t, s, "bob")
	alice.command("/message " + bob.account + " good morning")
	bob.Sees(`(?m)^ *1\.alice`)
	bob.command("/win 1")
	bob.Sees(`alice> good morning`)
	bob.says("and to you")
	alice.Sees(`bob> and to you`)

	alice.command("/join den@conference.localhost/alice")
	alice.Sees(`The room has been created`)
	alice.command("/configure") // until then nobody else gets in
	alice.Sees(`Ctrl\+Y: send form`)
	alice.Key("C-y")
	alice.Sees(`alice \(owner, moderator\)`)
	alice.says("tea is ready") // behind the form: once it is said, the room is open
	alice.Sees(`alice> tea is ready`)
	bob.command("/join den@conference.localhost/bob")
	bob.Sees(`You \(bob\) joined the room`)
	alice.Sees(`---> bob .*joined the room`)
	for _, p := range []*poezio{alice, bob} { // the list of nicks, on the right
		p.Sees(`(?m)│\S{1,3}alice$`)
		p.Sees(`(?m)│\S{1,3}bob$`)
	}
	alice.says("welcome to the den")
	bob.Sees(`alice> welcome to the den`)
	bob.says("good to be here")
	alice.Sees(`bob> good to be here`)
	t.Logf("bob sees\n%s", bob.Screen())
	bob.command("/part")
	alice.Sees(`<--- bob .*left the room`)
}
