package main

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/config"
	"mirsal/internal/control"
	"mirsal/internal/store/sqlite"
	"mirsal/internal/xmpp/jid"
)

// TestMain makes the test binary the program itself where a test runs it so.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_MIRSAL") != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is what a command left.
type result struct {
	out, err string
	status   int
}

// mirsal runs the program in a folder.
func mirsal(t *testing.T, dir, stdin string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "RUN_AS_MIRSAL=1")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// fine runs a command that has to succeed without a word on standard error.
func fine(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	r := mirsal(t, dir, stdin, args...)
	if r.status != 0 || r.err != "" {
		t.Errorf("mirsal %s: status %d, %s", strings.Join(args, " "), r.status, r.err)
	}
	return r.out
}

// refused runs a command that has to fail with one line and a status.
func refused(t *testing.T, dir, stdin, want string, status int, args ...string) {
	t.Helper()
	r := mirsal(t, dir, stdin, args...)
	if r.status != status || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, want) {
		t.Errorf("mirsal %s: status %d, out %q, err %q; want %q", strings.Join(args, " "), r.status, r.out, r.err, want)
	}
}

// life is one life of an account, whatever stands behind the commands.
func life(t *testing.T, dir string) {
	t.Helper()
	fine(t, dir, "one good secret\n", "account", "add", "Alice@example.org", "--password-stdin")
	refused(t, dir, "secret\n", "the name is taken", 1, "account", "add", "alice@example.org", "--password-stdin")
	refused(t, dir, "secret\n", "not the domain", 1, "account", "add", "alice@example.com", "--password-stdin")
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("bob\tone of many\ncarol@example.org\ttwo of many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := fine(t, dir, "", "account", "import", list); got != "2 accounts\n" {
		t.Error(got)
	}
	refused(t, dir, "", "line 1: the name is taken: bob", 1, "account", "import", list)
	refused(t, dir, "dora one\n", "line 1: not a name", 1, "account", "import", "-")
	fine(t, dir, "a new password\n", "account", "passwd", "bob@example.org", "--password-stdin")
	refused(t, dir, "new\n", "no such account", 1, "account", "passwd", "nobody@example.org", "--password-stdin")
	fine(t, dir, "", "account", "remove", "carol@example.org")
	refused(t, dir, "", "no such account", 1, "account", "remove", "carol@example.org")
	if got := fine(t, dir, "", "account", "list"); got != "alice\nbob\n" {
		t.Error(got)
	}
	for _, args := range [][]string{{"invite", "--qr"}, {"invite", "--qr", "--admin"}} {
		got := fine(t, dir, "", args...)
		link, rest, _ := strings.Cut(got, "\n")
		if !strings.HasPrefix(link, "xmpp:example.org?register;preauth=") || !strings.Contains(rest, "█") ||
			strings.Contains(rest, "administrator") != (len(args) == 3) {
			t.Error(got)
		}
	}
}

func TestAccountsWithoutAServer(t *testing.T) { life(t, t.TempDir()) }

func TestAccountsThroughARunningServer(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "mirsal-data")
	s, err := sqlite.Open(data, sqlite.Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := auth.New(t.Context(), s, jid.MustParse("example.org"), config.Default().Auth)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "", "in use", 1, "account", "list") // it runs, but does not answer
	c, err := control.Serve(data, a, func() control.Status { return control.Status{} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	life(t, dir)
	if !a.Exists("alice") {
		t.Error("the server does not know")
	}
}

func TestMistakesAreOneLineAndDamageNothing(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		want   string
		status int
		args   string
	}{
		{`unknown command "sevre"`, 2, "sevre"},
		{`unknown command "ad"`, 2, "account ad"},
		{"is missing", 2, "account"},
		{"unknown flag: --prot", 2, "serve --prot 1"},
		{"unexpected argument", 2, "serve now"},
		{"NAME is missing", 2, "account add --password-stdin"},
		{"not a name", 2, "account add a:b --password-stdin"},
		{"not a name", 2, "account add a:b@example.org --password-stdin"},
		{"has a resource", 2, "account add alice@example.org/x --password-stdin"},
		{"use --password-stdin", 2, "account add alice@example.org"},
		{"the password is empty", 1, "account add alice@example.org --password-stdin"},
		{"there is no data", 1, "account list"},
		{"there is no data", 1, "account remove alice@example.org"},
		{"there is no data", 1, "account remove alice"},
		{"there is no data", 1, "invite"},
		{"no such file", 1, "account import nowhere"},
		{"no such file", 1, "serve --config nowhere"},
		{`did you mean "e2ee"`, 1, "serve --set e2e=optional"},
		{"loopback", 1, "serve --set c2s.require_tls=false"},
		{"neither host:port", 1, "serve --c2s 5222"},
		{"go together", 1, "serve --cert x"},
	} {
		refused(t, dir, "", c.want, c.status, strings.Fields(c.args)...)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Error("left behind:", files)
	}
}

func TestAForeignFolderIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "x\n", "not a data directory", 1, "account", "add", "a@example.org", "--password-stdin", "--data", ".")
	refused(t, dir, "", "not a data directory", 1, "serve", "--data", ".")
	if err := os.WriteFile(filepath.Join(dir, "mirsal.db"), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "", "not a mirsal database", 1, "account", "list", "--data", ".")
	refused(t, dir, "", "not a directory", 1, "account", "list", "--data", "thesis.txt")
}

func TestAFolderWithNamesLikeOursIsLeftAlone(t *testing.T) {
	for _, files := range [][]string{{"thesis.txt", "tls/ca.pem"}, {"thesis.txt", "lock"}, {"lock"}, {"tls"}, {"mirsal.txt", "mirsal.db.new"}} {
		dir := t.TempDir()
		for _, name := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadDir(dir)
		refused(t, dir, "x\n", "not a data directory", 1, "account", "add", "a@example.org", "--password-stdin", "--data", ".")
		refused(t, dir, "", "not a data directory", 1, "serve", "--data", ".")
		if after, _ := os.ReadDir(dir); len(after) != len(before) {
			t.Errorf("%v: now %v", files, after)
		}
		for _, name := range files {
			if b, _ := os.ReadFile(filepath.Join(dir, name)); string(b) != "mine" {
				t.Errorf("%s is now %q", name, b)
			}
		}
	}
}

func TestAFirstStartThatWasCutShortIsGoneOnWith(t *testing.T) {
	for _, left := range [][]string{{"lock"}, {"lock", "mirsal.db.new"}, {"lock", "mirsal.db.new", "mirsal.db.new-journal"}} {
		dir := t.TempDir()
		for _, name := range left {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fine(t, dir, "one good secret\n", "account", "add", "alice@example.org", "--password-stdin", "--data", ".")
	}
}

func TestAnInvitationNeedsADomain(t *testing.T) {
	dir := t.TempDir()
	fine(t, dir, "alice\tone good secret\n", "account", "import", "-")
	refused(t, dir, "", "start the server once", 1, "invite")
}

func TestConfigPrintsTheManual(t *testing.T) {
	if fine(t, t.TempDir(), "", "config") != config.Manual() {
		t.Error("not the manual")
	}
	if got := fine(t, t.TempDir(), "", "version"); !strings.HasPrefix(got, "mirsal ") {
		t.Error(got)
	}
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	for _, args := range []string{"serve", "account", "account add", "account import", "account list", "account passwd", "account remove", "invite", "invite list", "invite revoke", "circle", "circle list", "circle members", "circle add", "circle remove", "doctor", "config", "version"} {
		out := fine(t, t.TempDir(), "", append(strings.Fields(args), "--help")...)
		if !strings.Contains(out, "Examples:\n  mirsal "+args) || !strings.Contains(out, "--data") {
			t.Errorf("%s:\n%s", args, out)
		}
	}
}

func TestServeSaysWhereAndStopsWhenTold(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--domain", "example.org",
		"--c2s", "127.0.0.1:0", "--c2s-tls", "127.0.0.1:0", "--http", "127.0.0.1:0", "--set", "log.level=error")
	cmd.Env, cmd.Dir = append(os.Environ(), "RUN_AS_MIRSAL=1"), dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := readUntil(t, out, "ready ")
	if !strings.Contains(text, "xmpp:example.org?register;preauth=") || !strings.Contains(text, "ca.pem") {
		t.Error(text)
	}
	refused(t, dir, "", "in use", 1, "serve", "--c2s", "127.0.0.1:0", "--c2s-tls", "off", "--http", "off", "--domain", "example.org")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	refused(t, dir, "", "belongs to example.org", 1, "serve", "--c2s", "127.0.0.1:0", "--c2s-tls", "off", "--http", "off", "--domain", "example.com")
}

// readUntil reads lines until one that begins so.
func readUntil(t *testing.T, r interface{ Read([]byte) (int, error) }, start string) string {
	t.Helper()
	var all strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains("\n"+all.String(), "\n"+start) {
		n, err := r.Read(b)
		all.Write(b[:n])
		if err != nil {
			t.Fatalf("no line %q: %v: %s", start, err, all.String())
		}
	}
	return all.String()
}
