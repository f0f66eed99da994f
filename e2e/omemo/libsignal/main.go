// Command libsignal is go.mau.fi/libsignal behind the protocol of e2e/omemo
// (README.md there): one question of JSON on each line of standard input, one
// answer on each line of standard output. It keeps the devices that the test asks
// for, in memory, with their secrets: it is for tests only.
//
// Invariants: a session is kept as bytes and read anew for every message, so that
// what a refused message changed in it is forgotten, as in a client that stores
// sessions only after success.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"go.mau.fi/libsignal/logger"
	"go.mau.fi/libsignal/signalerror"
)

// A question is one line in. Which fields count depends on Do; bytes are base64.
type question struct {
	Do      string
	Device  string // a name that the test chose
	Peer    string // the name of the device at the other end
	Bundle  []byte // XML, as published
	Plain   []byte
	Data    []byte
	PreKey  bool   // Data is a pre-key message
	Key     []byte // a public identity key, 32 bytes
	Message []byte // what is signed
	Rounds  int
	Kind    string
}

// An answer is one line out.
type answer struct {
	Error  string `json:",omitempty"` // one word, see word
	Text   string `json:",omitempty"` // the library's own words
	Bundle []byte `json:",omitempty"`
	Plain  []byte `json:",omitempty"`
	Data   []byte `json:",omitempty"`
	PreKey bool   `json:",omitempty"`
	Key    []byte `json:",omitempty"`
	True   bool   `json:",omitempty"`

	Nanoseconds, Allocations, Bytes int64 `json:",omitempty"` // of all rounds
}

func main() {
	quiet := logger.Loggable(silent{})
	logger.Setup(&quiet)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	all := devices{}
	for in.Scan() {
		if err := out.Encode(all.answer(in.Bytes())); err != nil {
			log.Fatal(err)
		}
	}
}

func (all devices) answer(line []byte) answer {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return failed(err)
	}
	do, ok := deeds[q.Do]
	if !ok {
		return failed(fmt.Errorf("nothing is called %q", q.Do))
	}
	a, err := guarded(do, all, q)
	if err != nil {
		return failed(err)
	}
	return a
}

var errPanic = errors.New("panic")

// guarded turns a panic of the library, which some malformed messages cause, into
// an error.
func guarded(do deed, all devices, q question) (a answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	return do(all, q)
}

func failed(err error) answer { return answer{Error: word(err), Text: err.Error()} }

// word sorts the library's errors into those that the tests tell apart.
func word(err error) string {
	for _, c := range []struct {
		err  error
		word string
	}{
		{signalerror.ErrOldCounter, "old"},
		{signalerror.ErrNoOneTimeKeyFound, "prekey"},
		{signalerror.ErrNoSignedPreKey, "prekey"},
		{signalerror.ErrInvalidSignature, "signature"},
		{signalerror.ErrBadMAC, "refused"},
		{signalerror.ErrTooFarIntoFuture, "refused"},
		{errNoSession, "refused"},
		{errPanic, "malformed"},
	} {
		if errors.Is(err, c.err) {
			return c.word
		}
	}
	return "malformed"
}

// silent keeps the library from writing its log between the answers.
type silent struct{}

func (silent) Debug(string, string)   {}
func (silent) Info(string, string)    {}
func (silent) Warning(string, string) {}
func (silent) Error(string, string)   {}
func (silent) Configure(string)       {}
