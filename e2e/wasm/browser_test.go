package wasm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// patience is how long anything may take before a test gives up.
const patience = 60 * time.Second

// A browser is Chromium and node/agent.mjs, which drives it.
type browser struct {
	t     *testing.T
	cmd   *exec.Cmd
	home  string // what the browser keeps is in profile there
	ended chan struct{}

	mu      sync.Mutex // all below
	in      io.WriteCloser
	last    int
	answers map[int]chan answer
	tabs    map[string]func(told json.RawMessage)
}

type answer struct {
	ID    int
	Value json.RawMessage
	Error string
	Tab   string
	Told  json.RawMessage
}

// built is what the browser is given: bin/wasm, built once for all tests, or the folder
// that MIRSAL_WASM names. It takes its time only when something has changed.
var built = sync.OnceValues(func() (string, error) {
	if folder := os.Getenv("MIRSAL_WASM"); folder != "" {
		return folder, nil
	}
	if out, err := exec.Command("../../scripts/wasm.sh").CombinedOutput(); err != nil {
		return "", fmt.Errorf("scripts/wasm.sh: %w\n%s", err, out)
	}
	return filepath.Abs("../../bin/wasm")
})

func dist(t testing.TB) string {
	t.Helper()
	folder, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// browse starts a browser; tests is a folder with a tests.wasm, or "".
func browse(t *testing.T, tests string) *browser {
	t.Helper()
	chromium, node := foreign.Program(t, "chromium"), foreign.Node(t, "../browser")
	b := &browser{t: t, ended: make(chan struct{}), answers: map[int]chan answer{}, tabs: map[string]func(json.RawMessage){}}
	home, err := os.MkdirTemp("", "mirsal") // a path that is short enough for Chromium's socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	b.home = home
	b.cmd = exec.Command(node, "node/agent.mjs", chromium, dist(t), tests, filepath.Join(home, "profile"))
	b.cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := &bytes.Buffer{}
	b.cmd.Stderr = said
	in, err1 := b.cmd.StdinPipe()
	out, err2 := b.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	b.in = in
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go b.listen(out)
	t.Cleanup(func() { b.end(said) })
	b.do("begin", nil, nil)
	return b
}

func (b *browser) listen(out io.Reader) {
	defer close(b.ended)
	for lines := json.NewDecoder(out); ; {
		var a answer
		if err := lines.Decode(&a); err != nil {
			return
		}
		b.mu.Lock()
		wait, hear := b.answers[a.ID], b.tabs[a.Tab]
		delete(b.answers, a.ID)
		b.mu.Unlock()
		if a.Told != nil && hear != nil {
			hear(a.Told)
		} else if wait != nil {
			wait <- a
		}
	}
}

// post has the agent do something; the channel gets its answer.
func (b *browser) post(what string, how map[string]any) (chan answer, error) {
	if how == nil {
		how = map[string]any{}
	}
	wait := make(chan answer, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	b.answers[b.last] = wait
	how["id"], how["do"] = b.last, what
	return wait, json.NewEncoder(b.in).Encode(how)
}

// do has the agent do something and waits until it is done.
func (b *browser) do(what string, how map[string]any, value any) {
	b.t.Helper()
	wait, err := b.post(what, how)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	clock := time.NewTimer(patience)
	defer clock.Stop()
	select {
	case a := <-wait:
		if a.Error != "" {
			b.t.Fatalf("%s: %s", what, a.Error)
		}
		if value == nil {
			return
		}
		if err := json.Unmarshal(a.Value, value); err != nil {
			b.t.Fatalf("%s: %v in %s", what, err, a.Value)
		}
	case <-b.ended:
		b.t.Fatalf("%s: the browser has ended", what)
	case <-clock.C:
		b.t.Fatalf("%s: no answer after %v", what, patience)
	}
}

func (b *browser) end(said *bytes.Buffer) {
	_ = b.in.Close()
	clock := time.AfterFunc(patience, func() { _ = b.cmd.Process.Kill() })
	defer clock.Stop()
	<-b.ended
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("the agent: %v", err)
	}
	if b.t.Failed() {
		b.t.Logf("the browser's console:\n%s", said)
	}
}

// TestPackagesHoldInTheBrowser takes the tests of packages that are something else there
// to the browser: how a store is kept (keep/keeptest and more), and what names are the
// same.
func TestPackagesHoldInTheBrowser(t *testing.T) {
	t.Parallel()
	for path, least := range map[string]int{"client/keep/indexeddb": 15, "xmpp/precis": 3} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			cmd := exec.Command("go", "test", "-c", "-o", filepath.Join(folder, "tests.wasm"), "mirsal/internal/"+path)
			cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOTOOLCHAIN=local")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			b := browse(t, folder)
			b.do("open", map[string]any{"tab": "1"}, nil)
			var got struct {
				Code    int
				Printed string
			}
			b.do("run", map[string]any{"tab": "1", "script": "() => tests()"}, &got)
			if got.Code != 0 || strings.Count(got.Printed, "--- PASS") < least {
				t.Errorf("exit code %d\n%s", got.Code, got.Printed)
			}
		})
	}
}
