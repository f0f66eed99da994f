package screen

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	"mirsal/internal/client/port"
	"mirsal/internal/foreign"
)

const (
	domain   = "localhost"
	password = "correct horse battery staple"
	// how long a story may take, on a machine that is busy
	patience = 6 * time.Minute
)

// A house is a server with the screen, which keeps its address when it starts again.
type house struct {
	*mirsal.Server
	t       *testing.T
	web     string
	line    *line // another way to it
	devices map[string]*device.Device
	carol   *carol                                  // with another client
	answers map[string]func(string) (string, error) // to what only some stories ask, with what stands behind it
}

func newHouse(t *testing.T, names ...string) *house {
	t.Helper()
	h := prepared(t)
	h.opens(names, "--set", "upload.public_url=http://"+h.web)
	return h
}

// prepared has addresses, and no server yet.
func prepared(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, web: freePort(t), devices: map[string]*device.Device{}}
	h.line = newLine(t, h.web)
	return h
}

// opens starts the server, with more arguments, and makes the accounts.
func (h *house) opens(names []string, args ...string) {
	h.t.Helper()
	h.Server = mirsal.Start(h.t, mirsal.Options{Bin: mirsal.Build(h.t), Args: append([]string{
		"--domain", domain, "--http-plain", h.web, "--set", "e2ee=required",
	}, args...)})
	h.Accounts(password, names...)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wishes are what a story may have done on this side.
func (h *house) wishes() map[string]func() error {
	return map[string]func() error{
		"kill":    func() error { h.Kill(); return nil },
		"start":   h.Start,
		"stop":    h.Stop,
		"cut":     func() error { return h.line.set(true) },
		"friends": h.friends,
		"hold":    func() error { return h.line.hold() },
		"history": h.history,
		"revoke":  h.revoke,
		"mend":    func() error { return h.line.set(false) },
	}
}

// tell has a story told in a browser, with the choices that it reads.
func (h *house) tell(story string, choices map[string]any) (folder string) {
	h.t.Helper()
	chromium, node := foreign.Program(h.t, "chromium"), foreign.Node(h.t, "../browser")
	built(h.t)
	folder = pictures(h.t)
	how, err := json.Marshal(map[string]any{
		"chromium": chromium, "story": story, "at": "http://" + h.web, "line": "http://" + h.line.at, "password": password, "domain": domain,
		"pictures": folder, "choices": choices,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "node/run.mjs", string(how))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	home, err := os.MkdirTemp("", "mirsal") // a path that is short enough for Chromium's socket
	if err != nil {
		h.t.Fatal(err)
	}
	defer os.RemoveAll(home)
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	said := &bytes.Buffer{}
	cmd.Stderr = said
	if err := h.converse(cmd); err != nil {
		h.t.Errorf("%s: %v\n%s", story, err, said)
	} else if said.Len() > 0 {
		h.t.Logf("%s", said)
	}
	return folder
}

// converse runs a story and does what it wishes, a line for a line.
func (h *house) converse(cmd *exec.Cmd) error {
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		return fmt.Errorf("pipes: %w, %w", err1, err2)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	h.obey(in, out)
	return cmd.Wait()
}

func (h *house) obey(in io.Writer, out io.Reader) {
	wishes := h.wishes()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		wish, answer := wishes[lines.Text()], "done"
		if does, ok := strings.CutPrefix(lines.Text(), "carol "); ok && h.carol != nil {
			wish = func() error { return h.carol.does(does) }
		}
		name, rest, _ := strings.Cut(lines.Text(), " ")
		if ask := h.answers[name]; ask != nil {
			got, err := ask(rest)
			wish, answer = func() error { return err }, "done "+got
		}
		if wish == nil {
			answer = "no such wish: " + lines.Text()
		} else if err := wish(); err != nil {
			answer = err.Error()
		}
		if _, err := fmt.Fprintf(in, "%q\n", answer); err != nil {
			return
		}
	}
}

// built has the test end where the program has no screen, but its placeholder.
func built(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../../web/dist/manifest.json"); err == nil || os.Getenv("MIRSAL_BIN") != "" {
		return
	}
	if os.Getenv("MIRSAL_REQUIRE") == "all" || os.Getenv("CI") == "true" && os.Getenv("MIRSAL_REQUIRE") == "" {
		t.Fatal("this test needs the screen: run make web (Node 20.19)")
	}
	t.Skip("this test needs the screen, which is not built: run make web (Node 20.19)")
}

// pictures is where stories put what the screen looked like: what MIRSAL_PICTURES names,
// or a folder that is thrown away.
func pictures(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("MIRSAL_PICTURES")
	if folder == "" {
		return t.TempDir()
	}
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// revoke sets another password, by which all of the account's devices are signed out.
func (h *house) revoke() error {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	_, err := h.Command(ctx, password+" anew\n", "account", "passwd", "bob", "--password-stdin")
	return err
}

// friends starts bob's and carol's devices, which are programs.
func (h *house) friends() error {
	for _, name := range []string{"bob", "carol"} {
		d := device.New(h.t, mirsal.Build(h.t), name, name+"@"+domain, filepath.Join(h.Data, "tls", "ca.pem"))
		d.Start(nil)
		d.SignIn(password, h.Addr("c2s"))
		h.devices[name] = d
	}
	return nil
}

// history has bob answer alice by 300 lines.
func (h *house) history() error {
	bob, alice := h.devices["bob"], "alice@"+domain
	bob.Hears(alice, "hello")
	bob.Must(&port.AddContact{Address: alice})
	for i := range 300 {
		text := fmt.Sprintf("line %d of a long conversation, with some words that fill it", i)
		if i == 20 {
			text = "here is the needle that is looked for"
		}
		bob.Must(&port.Send{Chat: alice, Text: text})
	}
	return nil
}

func TestTwoPeopleTalkEncryptedOnADesktopAndOnAPhone(t *testing.T) {
	newHouse(t, "alice", "bob").tell("talk", nil)
}

func TestNothingIsLostOrDoubledWhenTheServerDiesInMidSend(t *testing.T) {
	newHouse(t, "alice", "bob").tell("restart", nil)
}

func TestAReturningPersonSeesTheChatsBeforeTheEngineAndOffline(t *testing.T) {
	h := newHouse(t, "alice", "bob")
	h.answers = map[string]func(string) (string, error){
		"record": func(line string) (string, error) { return "", record(t, "again")(line) },
	}
	h.tell("again", nil)
}

func TestWhatGoesWrongIsToldCalmly(t *testing.T) {
	newHouse(t, "alice", "bob").tell("failures", nil)
}

func TestWordsAreFoundFarBackAndMessagesAreKeptForwardedAndDeleted(t *testing.T) {
	newHouse(t, "alice", "bob", "carol").tell("finding", nil)
}

func TestTheScreensLookAsTheyDidAndCanBeUsedByEverybody(t *testing.T) {
	h := newHouse(t, "alice", "bob")
	folder := h.tell("looks", nil)
	compare(t, folder)
}
