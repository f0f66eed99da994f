package foreign

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// patience is how long anything may take before a test gives up: the machine may be busy.
const patience = 2 * time.Minute

// page is a person with stanza.js in Chromium, and what drives it (node/agent.mjs).
type page struct {
	t       *testing.T // that is at work
	in      io.WriteCloser
	answers chan answer
	ended   chan struct{}
	last    int // id of the last command
}

type answer struct {
	ID    int
	Value json.RawMessage
	Error string
}

func openPage(t *testing.T) *page {
	t.Helper()
	chromium, node := foreign.Program(t, "chromium"), foreign.Node(t, "../../browser")
	foreign.Node(t, ".")
	foreign.Folder(t, "../../../web/node_modules/rolldown", "make web (Node 20.19)")
	p := &page{t: t, answers: make(chan answer), ended: make(chan struct{})}
	in, out := run(t, node, "node/agent.mjs", chromium)
	p.in = in
	go p.listen(out)
	t.Cleanup(func() { in.Close(); <-p.ended })
	return p
}

// run starts a program that ends when its input does, at the latest with the test.
func run(t *testing.T, program string, args ...string) (io.WriteCloser, io.Reader) {
	t.Helper()
	cmd := exec.Command(program, args...)
	home, err := os.MkdirTemp("", "chromium") // it has sockets there, whose paths are short
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+home, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // behind whoever reads what it says
		give := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer give.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", args[0], err)
		}
		os.RemoveAll(home)
	})
	return in, out
}

func (p *page) listen(out io.Reader) {
	defer close(p.ended)
	for lines := json.NewDecoder(out); ; {
		var a answer
		if lines.Decode(&a) != nil {
			return
		}
		p.answers <- a
	}
}

// does has the page do something and waits until it is done; value, if not nil, gets the answer.
func (p *page) does(what string, how map[string]any, value any) {
	p.t.Helper()
	p.last++
	command := map[string]any{"id": p.last, "do": what}
	for k, v := range how {
		command[k] = v
	}
	if err := json.NewEncoder(p.in).Encode(command); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	give := time.NewTimer(patience)
	defer give.Stop()
	select {
	case a := <-p.answers:
		if a.Error != "" {
			p.t.Fatalf("%s: %s", what, a.Error)
		}
		if value != nil {
			if err := json.Unmarshal(a.Value, value); err != nil {
				p.t.Fatalf("%s: %v in %s", what, err, a.Value)
			}
		}
	case <-p.ended:
		p.t.Fatalf("%s: the page has ended", what)
	case <-give.C:
		p.in.Close() // it ends, and says no more
		p.t.Fatalf("%s: no answer", what)
	}
}

// event is something that happens in the page.
type event struct{ ID, From, Reason, Content, Creator string }

// until waits for the next of something.
func (p *page) until(name string) (e event) {
	p.t.Helper()
	p.does("until", map[string]any{"name": name}, &e)
	return e
}

// counted is what the page has counted of one kind.
type counted struct{ Packets, Frames, Samples, SentPackets, SentFrames int }

// flows waits until sound, and pictures where some are shown, have come there and gone from there.
func (p *page) flows(video bool) map[string]counted {
	p.t.Helper()
	for give := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		counts := map[string]counted{}
		p.does("counts", nil, &counts)
		a, v := counts["audio"], counts["video"]
		if a.Packets >= 20 && a.Samples > 0 && a.SentPackets >= 20 && (!video || v.Frames >= 5 && v.SentFrames >= 5) {
			return counts
		}
		if time.Now().After(give) {
			p.t.Fatalf("in the page there is %+v", counts)
		}
	}
}

// wire is what stanza.js has sent and got since it was asked last.
func (p *page) wire() (lines []string) {
	p.t.Helper()
	p.does("wire", nil, &lines)
	return lines
}
