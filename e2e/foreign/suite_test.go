package foreign

import (
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mirsal/internal/foreign"
)

// A suite is one of other people's, run by pytest.
type suite struct {
	name      string
	about     string // for the table
	component bool   // it connects a component
	folder    string // below suites/
	prepare   func(t *testing.T, s *server) (args, env []string)
}

var suites = []suite{
	{"slixmpp", "slixmpp 1.17.0, integration tests", true, "slixmpp", slixmpp},
	{"aioxmpp", "aioxmpp 0.13.3, end-to-end tests", false, "aioxmpp", aioxmpp},
}

func slixmpp(t *testing.T, s *server) (args, env []string) {
	t.Helper()
	return []string{"-p", "secret_of_the_component", "itests"}, []string{
		"CI=woodpecker", // else the test of components is left out
		"COMPONENT_SECRET=" + secret,
		"CI_ACCOUNT1=" + account(0) + "@" + domain, "CI_ACCOUNT1_PASSWORD=" + password,
		"CI_ACCOUNT2=" + account(1) + "@" + domain, "CI_ACCOUNT2_PASSWORD=" + password,
		"CI_MUC_SERVER=" + s.rooms,
	}
}

// Neither server has an ad-hoc command that does nothing but answer, which two of
// aioxmpp's tests look for. What the accounts' own nodes do is not to be mistaken for
// the pubsub service: both as in aioxmpp's own configurations.
const aioxmppConfig = `[global]
provisioner=new_accounts.NewAccounts
timeout=5
[new_accounts.NewAccounts]
host=%[1]s
port=5222
no_verify=true
accounts=[%[2]s]
block_features={%[1]q: ["http://jabber.org/protocol/pubsub#*"]}
quirks=["#no-adhoc-ping"]
`

func aioxmpp(t *testing.T, s *server) (args, env []string) {
	t.Helper()
	var people []string
	for i := range accounts {
		people = append(people, fmt.Sprintf("(%q, %q)", account(i), password))
	}
	ini := filepath.Join(s.dir, "e2etest.ini")
	write(t, ini, fmt.Sprintf(aioxmppConfig, domain, strings.Join(people, ", ")))
	tests, err := filepath.Glob("suites/aioxmpp/tests/*/test_e2e.py")
	if err != nil || len(tests) == 0 {
		t.Fatal("no tests of aioxmpp", err)
	}
	args = []string{"-p", "aioxmpp.e2etest", "--e2etest-config", ini, "--e2etest-only", "tests/test_e2e.py"}
	for _, name := range tests {
		args = append(args, strings.TrimPrefix(name, "suites/aioxmpp/"))
	}
	return args, nil
}

// run runs the suite against the server and returns what became of each test.
func (u suite) run(t *testing.T, s *server) map[string]outcome {
	t.Helper()
	args, env := u.prepare(t, s)
	report := filepath.Join(s.dir, u.name+".xml")
	hosts := filepath.Join(s.dir, "hosts")
	resolver := filepath.Join(s.dir, "resolv.conf")
	write(t, hosts, fmt.Sprintf("127.0.0.1 localhost\n%s %s muc.%[2]s conference.%[2]s upload.%[2]s pubsub.%[2]s %s\n", s.ip, domain, component))
	write(t, resolver, "nameserver "+s.ip+"\noptions attempts:1 timeout:1\n") // nothing answers there, at once
	command := foreign.InPlace(t, map[string]string{
		"/etc/hosts": hosts, "/etc/resolv.conf": resolver, "/etc/ssl/certs/ca-certificates.crt": s.cert(),
	})
	path := []string{abs(t, "suites/python"), abs(t, "python")}
	command = append(command, foreign.Python(t, "pytest", "aioxmpp", "aiohttp", "pyasn1_modules"),
		"-m", "pytest", "-q", "--rootdir", ".", "-c", "/dev/null", "-o", "cache_dir="+filepath.Join(s.dir, "cache"), "--junitxml", report)
	command = append(command, args...)
	p := pytest{
		command: command, report: report,
		dir: filepath.Join(foreign.Fetched(t, "suites", "requirements.txt"), u.folder),
		env: append(os.Environ(), append(env, "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+strings.Join(path, ":"), "SSL_CERT_FILE="+s.cert())...),
	}
	found := p.run(t)
	if failed(found) {
		// once more: some tests are about time, and the machine may have been busy
		maps.Copy(found, p.run(t, "--last-failed"))
	}
	if dir := os.Getenv("MIRSAL_FOREIGN_OUT"); dir != "" {
		name := filepath.Join(dir, u.name+"-"+s.name)
		log, _ := os.ReadFile(s.log)
		write(t, name+".log", string(log))
	}
	return found
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func failed(found map[string]outcome) bool {
	for _, o := range found {
		if o.word == fails {
			return true
		}
	}
	return false
}

// pytest is one command line, which writes its report to a file.
type pytest struct {
	command, env []string
	dir, report  string
}

// run runs it with more arguments and returns what became of the tests.
func (p pytest) run(t *testing.T, more ...string) map[string]outcome {
	t.Helper()
	args := append(slices.Clone(p.command[1:]), more...)
	cmd := exec.Command(p.command[0], args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := cmd.CombinedOutput() // an error when a test failed
	found, err2 := outcomes(p.report)
	if err2 != nil || len(found) == 0 {
		t.Fatalf("%v, %v\n%s", err, err2, out)
	}
	if dir := os.Getenv("MIRSAL_FOREIGN_OUT"); dir != "" {
		write(t, filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+strings.Join(more, "")+".txt"), string(out))
	}
	return found
}

// An outcome is what became of one test.
type outcome struct {
	word string // "passes", "fails", "left out"
	why  string // the first line of what was said
}

// outcomes reads pytest's report.
func outcomes(file string) (map[string]outcome, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	type said struct {
		Message string `xml:"message,attr"`
	}
	var report struct {
		Cases []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *said  `xml:"failure"`
			Error   *said  `xml:"error"`
			Skipped *said  `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(raw, &report); err != nil {
		return nil, err
	}
	found := make(map[string]outcome)
	for _, c := range report.Cases {
		o := outcome{word: passes}
		switch {
		case c.Failure != nil:
			o = outcome{fails, c.Failure.Message}
		case c.Error != nil:
			o = outcome{fails, c.Error.Message}
		case c.Skipped != nil:
			o = outcome{leftOut, c.Skipped.Message}
		}
		o.why, _, _ = strings.Cut(strings.TrimSpace(o.why), "\n")
		name := shortClass(c.Class) + "." + c.Name
		if found[name].word != fails { // a test whose end fails is there twice
			found[name] = o
		}
	}
	return found, nil
}

// shortClass leaves out of a class's name what all have.
func shortClass(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "itests."), "tests.")
	return strings.TrimPrefix(strings.Replace(name, ".test_e2e.", ".", 1), "test_")
}

const (
	passes  = "passes"
	fails   = "fails"
	leftOut = "left out"
)
