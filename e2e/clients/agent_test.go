package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mirsal/internal/foreign"
)

// An agent is python/agent.py: a person with slixmpp who does as told.
type agent struct {
	t       *testing.T
	server  *server
	name    string
	account string // bare address
	jid     string // full address, once started
	in      io.Writer
	log     string

	last    int // id of the last command
	mu      sync.Mutex
	heard   []happening // not yet asked for
	stirred chan struct{}
}

// A happening is what the agent said: an answer or an event.
type happening map[string]any

// newAgent starts an agent that is not yet connected.
func newAgent(t *testing.T, s *server, name string) *agent {
	t.Helper()
	a := &agent{t: t, server: s, name: name, account: name + "@localhost", stirred: make(chan struct{}, 1)}
	a.log = filepath.Join(t.TempDir(), "slixmpp.log")
	log, err := os.Create(a.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(foreign.Python(t, "slixmpp", "oldmemo", "xmlschema"), "python/agent.py", a.account, password, s.ca)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "SSL_CERT_FILE="+s.ca)
	cmd.Stderr = log
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	a.in = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go a.listen(out, done)
	t.Cleanup(func() { a.end(cmd, done) })
	return a
}

// online starts an agent that is signed in and available.
func online(t *testing.T, s *server, name string) *agent {
	t.Helper()
	a := newAgent(t, s, name)
	a.signIn()
	return a
}

func (a *agent) signIn() {
	a.t.Helper()
	a.connect()
	a.jid = a.hears("started")["jid"].(string)
	a.do("start")
	a.settled() // the server has its presence
}

// connect connects to where the server is now; what comes of it is heard.
func (a *agent) connect() {
	a.t.Helper()
	host, port := a.server.address()
	a.do("connect", "host", host, "port", port)
}

func (a *agent) end(cmd *exec.Cmd, done chan struct{}) {
	_ = cmd.Process.Kill()
	<-done
	_ = cmd.Wait()
	if !a.t.Failed() {
		return
	}
	const last = 12 << 10
	raw, err := os.ReadFile(a.log)
	a.t.Logf("the end of %s's log (%v):\n%s", a.jid, err, raw[max(0, len(raw)-last):])
}

// listen collects what the agent says until it says no more.
func (a *agent) listen(out io.Reader, done chan struct{}) {
	defer close(done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var h happening
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			h = happening{"event": "nonsense", "line": lines.Text()}
		}
		a.mu.Lock()
		a.heard = append(a.heard, h)
		a.mu.Unlock()
		select {
		case a.stirred <- struct{}{}:
		default:
		}
	}
}

// do has a command done, with arguments as name, value, name, value, and
// returns its result.
func (a *agent) do(command string, args ...any) any {
	a.t.Helper()
	a.last++
	h := happening{"id": a.last, "do": command}
	for i := 0; i+1 < len(args); i += 2 {
		h[args[i].(string)] = args[i+1]
	}
	line, err := json.Marshal(h)
	if err == nil {
		_, err = fmt.Fprintf(a.in, "%s\n", line)
	}
	if err != nil {
		a.t.Fatalf("%s: %s: %v", a.name, command, err)
	}
	answer := a.await(happening{"re": float64(a.last)})
	if answer["error"] != nil {
		a.t.Fatalf("%s: %s %v: %v", a.name, command, args, answer["error"])
	}
	return answer["ok"]
}

// hears waits for an event with the details given as name, value, name, value,
// and takes it out of what was heard.
func (a *agent) hears(event string, details ...any) happening {
	a.t.Helper()
	want := happening{"event": event}
	for i := 0; i+1 < len(details); i += 2 {
		want[details[i].(string)] = details[i+1]
	}
	return a.await(want)
}

func (a *agent) await(want happening) happening {
	a.t.Helper()
	clock := time.NewTimer(patience)
	defer clock.Stop()
	for {
		if h := a.take(want); h != nil {
			return h
		}
		select {
		case <-a.stirred:
		case <-clock.C:
			a.mu.Lock()
			defer a.mu.Unlock()
			a.t.Fatalf("%s does not hear %v but %v", a.name, want, a.heard)
		}
	}
}

// take removes the first happening with all that is wanted.
func (a *agent) take(want happening) happening {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, h := range a.heard {
		if h.has(want) {
			a.heard = append(a.heard[:i:i], a.heard[i+1:]...)
			return h
		}
	}
	return nil
}

func (h happening) has(want happening) bool {
	for k, v := range want {
		if h[k] != v {
			return false
		}
	}
	return true
}

// pending returns the texts of the events of one kind that were heard and not
// asked for.
func (a *agent) pending(event string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var texts []string
	for _, h := range a.heard {
		if h["event"] == event {
			text, _ := h["body"].(string)
			texts = append(texts, text)
		}
	}
	return texts
}

// settled waits until everything the server sent before now was heard: it asks
// the server something, and answers keep the order.
func (a *agent) settled() {
	a.t.Helper()
	a.do("ping")
}
