package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
	"mirsal/internal/client/terminal"
)

// newChatPort is the port itself, for programs in other languages.
func newChatPort(o *chatOptions) *cobra.Command {
	return &cobra.Command{
		Use: "port", Short: "Take commands as JSON from standard input, print events as JSON",
		Long: "One command in a line of standard input, one event in a line of standard output, as docs/protocol/engine.md tells.\n" +
			"It ends when standard input does and all was answered, or --timeout after that.",
		Example: `  echo '{"do":"listChats","ref":1}' | mirsal chat port`, Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return servePort(cmd, o) },
	}
}

// mostCommand bounds one command, in bytes.
const mostCommand = 1 << 20

func servePort(cmd *cobra.Command, o *chatOptions) error {
	p, err := profile.Open(o.profile)
	if err != nil {
		return chatError(err)
	}
	a := newAnswers(cmd.OutOrStdout())
	e, err := p.Engine(deviceLabel(), a.tell, nil)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	go func() {
		defer end()
		lines := bufio.NewScanner(cmd.InOrStdin())
		lines.Buffer(nil, mostCommand)
		for lines.Scan() {
			a.takeLine(e, lines.Bytes())
		}
		limit, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		a.wait(limit, e)
	}()
	return chatError(errors.Join(<-ended, p.Close()))
}

// answers prints events, and knows which commands are not answered yet: who closes standard
// input behind a question waits for the answer.
type answers struct {
	mu    sync.Mutex
	out   *json.Encoder   // guarded by mu
	open  map[uint64]bool // guarded by mu
	ended bool            // guarded by mu: nothing more is asked
	all   chan struct{}   // closed when all was answered after that
}

// lastRef is of a command of our own, behind all others.
const lastRef = math.MaxUint64

func newAnswers(w io.Writer) *answers {
	return &answers{out: json.NewEncoder(w), open: map[uint64]bool{}, all: make(chan struct{})}
}

func (a *answers) tell(ev port.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ref := port.RefOf(ev)
	if raw, err := port.EncodeEvent(ev); err == nil && ref != lastRef {
		_ = a.out.Encode(json.RawMessage(raw)) // who does not read any more is gone soon
	}
	if !a.open[ref] {
		return
	}
	delete(a.open, ref)
	if a.ended && len(a.open) == 0 {
		close(a.all)
	}
}

func (a *answers) asked(ref uint64, last bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = a.ended || last
	if ref != 0 {
		a.open[ref] = true
	}
}

// wait returns when what was asked is answered, that without a number too is begun, or ctx ends.
func (a *answers) wait(ctx context.Context, e terminal.Engine) {
	a.asked(lastRef, true)
	e.Do(&port.ListContacts{Ref: port.Ref{Ref: lastRef}})
	select {
	case <-a.all:
	case <-ctx.Done():
	}
}

// takeLine carries out one line. Who writes nonsense is told so, under its number if
// it has one.
func (a *answers) takeLine(e terminal.Engine, line []byte) {
	if len(strings.TrimSpace(string(line))) == 0 {
		return
	}
	c, err := port.DecodeCommand(line)
	if err != nil {
		var asked struct{ Ref uint64 }
		_ = json.Unmarshal(line, &asked) // without a number the answer has none
		a.tell(&port.Done{Ref: port.Ref{Ref: asked.Ref}, Failure: port.Failf(port.BadCommand, "%s", err)})
		return
	}
	a.asked(port.RefOf(c), false)
	e.Do(c)
}
