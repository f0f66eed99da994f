package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// patience is how long one command may take; what the agent itself waits for
// ends before.
const patience = 80 * time.Second

// A browser is Chromium and node/agent.mjs, which drives it.
type browser struct {
	t       *testing.T
	in      io.WriteCloser
	answers chan answer
	ended   chan struct{}
	cmd     *exec.Cmd
	last    int // id of the last command
}

type answer struct {
	ID    int
	Value json.RawMessage
	Error string
}

// needs are the programs without which no test here can run.
func needs(t *testing.T) (chromium, node string) {
	t.Helper()
	return foreign.Program(t, "chromium"), foreign.Node(t, ".")
}

// browse starts a browser; rules map names to addresses, as Chromium's
// --host-resolver-rules does.
func browse(t *testing.T, rules string) *browser {
	t.Helper()
	chromium, node := needs(t)
	b := &browser{t: t, answers: make(chan answer), ended: make(chan struct{})}
	b.cmd = exec.Command(node, "node/agent.mjs", chromium, pictures(t))
	home := t.TempDir()
	b.cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.cmd.Stderr = os.Stderr
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
	t.Cleanup(b.end)
	b.do("begin", map[string]any{"rules": rules}, nil)
	return b
}

// pictures is where pictures of the pages are put: a folder that goes with the
// test, or MIRSAL_PICTURES to look at them.
func pictures(t *testing.T) string {
	keep := os.Getenv("MIRSAL_PICTURES")
	if keep == "" {
		return t.TempDir()
	}
	dir, err := filepath.Abs(filepath.Join(keep, filepath.Base(t.Name())))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (b *browser) listen(out io.Reader) {
	defer close(b.ended)
	for lines := json.NewDecoder(bufio.NewReader(out)); ; {
		var a answer
		if err := lines.Decode(&a); err != nil {
			return
		}
		b.answers <- a
	}
}

// do has the agent do something and waits until it is done.
func (b *browser) do(what string, how map[string]any, value any) {
	b.t.Helper()
	b.last++
	how["id"], how["do"] = b.last, what
	if err := json.NewEncoder(b.in).Encode(how); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	clock := time.NewTimer(patience)
	defer clock.Stop()
	select {
	case a := <-b.answers:
		b.take(what, a, value)
	case <-b.ended:
		b.t.Fatalf("%s: the browser has ended", what)
	case <-clock.C:
		b.t.Fatalf("%s: no answer after %v", what, patience)
	}
}

func (b *browser) take(what string, a answer, value any) {
	b.t.Helper()
	if a.Error != "" {
		b.t.Fatalf("%s: %s", what, a.Error)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(a.Value, value); err != nil {
		b.t.Fatalf("%s: %v in %s", what, err, a.Value)
	}
}

// end ends the browser, and fails the test if that leaves anything running.
func (b *browser) end() {
	family := offspring(b.cmd.Process.Pid)
	_ = b.in.Close()
	clock := time.AfterFunc(patience, func() { _ = b.cmd.Process.Kill() })
	defer clock.Stop()
	for ended := false; !ended; {
		select {
		case <-b.answers: // to what nobody waits for any more
		case <-b.ended:
			ended = true
		}
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("the agent: %v", err)
	}
	for _, p := range outlive(family) {
		b.t.Errorf("the browser left process %d: %s", p.pid, p.name)
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}
