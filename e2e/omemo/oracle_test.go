package omemo

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"mirsal/internal/foreign"
)

// An oracle is a process with a foreign implementation. It answers one question
// at a time.
type oracle struct {
	t     testing.TB
	in    io.Writer
	out   *bufio.Scanner
	count int // devices made
}

// A question is one line to an oracle. README.md says what each field is.
type question struct {
	Do      string
	Device  string `json:",omitempty"`
	Peer    string `json:",omitempty"`
	Bundle  []byte `json:",omitempty"`
	Plain   []byte `json:",omitempty"`
	Data    []byte `json:",omitempty"`
	PreKey  bool   `json:",omitempty"`
	Key     []byte `json:",omitempty"`
	Message []byte `json:",omitempty"`
	IV      int    `json:",omitempty"`
	Rounds  int    `json:",omitempty"`
	Kind    string `json:",omitempty"`
}

type answer struct {
	Error, Text         string
	Bundle, Plain, Data []byte
	PreKey              bool
	Key                 []byte
	True                bool
	Nanoseconds         int64
	Allocations, Bytes  int64
}

// A refusal is why a message or a bundle was not accepted, in one word.
type refusal string

const (
	old       refusal = "old"       // read before
	refused   refusal = "refused"   // does not authenticate, or is of no session known
	preKey    refusal = "prekey"    // of a pre-key that is not there
	signature refusal = "signature" // of a bundle
	malformed refusal = "malformed"
)

func (r refusal) Error() string { return string(r) }

func run(t testing.TB, command ...string) *oracle {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // it ends with its input
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	})
	o := &oracle{t: t, in: in, out: bufio.NewScanner(out)}
	o.out.Buffer(nil, 1<<20)
	return o
}

// ask returns the answer, and its error if it is one of those that a test looks
// at; another error of the oracle's ends the test.
func (o *oracle) ask(q question) (answer, error) {
	line, err := json.Marshal(q)
	if err == nil {
		_, err = fmt.Fprintf(o.in, "%s\n", line)
	}
	if err != nil {
		o.t.Fatalf("%s: %v", q.Do, err)
	}
	if !o.out.Scan() {
		o.t.Fatalf("%s: the oracle ended: %v", q.Do, o.out.Err())
	}
	var a answer
	if err := json.Unmarshal(o.out.Bytes(), &a); err != nil {
		o.t.Fatalf("%s: %v in %q", q.Do, err, o.out.Bytes())
	}
	if a.Error != "" {
		return a, fmt.Errorf("%w (%s)", refusal(a.Error), a.Text)
	}
	return a, nil
}

// must is ask where there can be no error.
func (o *oracle) must(q question) answer {
	a, err := o.ask(q)
	if err != nil {
		o.t.Fatalf("%s: %v", q.Do, err)
	}
	return a
}

func libsignal(t testing.TB) *oracle { return run(t, foreign.GoProgram(t, "libsignal")) }

func python(t testing.TB, name string) *oracle {
	return run(t, foreign.Python(t, "xmlschema", name), "-W", "ignore", "python/oracle.py", name)
}
