//go:build linux

package nat

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/client/port"
	"mirsal/internal/client/seat"
)

// patience is how long anything may take before the test gives up: the machine may be
// busy.
const patience = 60 * time.Second

// phone is `mirsal call` at work, and all that it has said.
type phone struct {
	who string
	t   testing.TB
	cmd *exec.Cmd

	mu    sync.Mutex
	heard sync.Cond
	calls []port.Call   // as told, in order
	stats []seat.Stats  // as told, in order
	now   port.Status   // as told last
	after []int64       // milliseconds to the first sound
	over  bool          // the process has ended
	err   error         // how
	words bytes.Buffer  // on standard error
	lines []string      // all, for messages of the test
	ended chan struct{} // closed when over
}

// phone starts `mirsal call` with arguments.
func (p *person) phone(t testing.TB, args ...string) *phone {
	t.Helper()
	k := &phone{who: p.name, t: t, ended: make(chan struct{})}
	k.heard.L = &k.mu
	k.cmd = exec.Command(p.bin, append([]string{"call", "--profile", p.Folder, "--json", "--stats", "100ms"}, args...)...)
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	k.cmd.Stderr = &k.words
	out, err := k.cmd.StdoutPipe()
	if err == nil {
		err = k.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go k.listen(out)
	t.Cleanup(k.kill)
	return k
}

func (k *phone) listen(out io.Reader) {
	defer close(k.ended)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		k.take(lines.Bytes())
	}
	err := k.cmd.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over, k.err = true, err
	k.heard.Broadcast()
}

func (k *phone) take(raw []byte) {
	var l struct {
		Event string          `json:"event"`
		Call  json.RawMessage `json:"call"`
		Media string          `json:"media"`
		After int64           `json:"after"`
		seat.Stats
	}
	err := json.Unmarshal(raw, &l)
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.heard.Broadcast()
	switch {
	case err != nil:
		k.lines = append(k.lines, "not JSON: "+string(raw))
		return
	case l.Event == "callChanged":
		var c port.Call
		_ = json.Unmarshal(l.Call, &c)
		k.calls = append(k.calls, c)
	case l.Event == "status":
		k.now = port.Status{}
		_ = json.Unmarshal(raw, &k.now)
	case l.Event == "callStats":
		k.stats = append(k.stats, l.Stats)
		return // too many to be read
	case l.Event == "callHeard" && l.Media == "audio":
		k.after = append(k.after, l.After)
	}
	k.lines = append(k.lines, string(raw))
}

// until waits for something to be true of what was told. It is asked with k.mu held.
func (k *phone) until(what string, is func() bool) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.heard.Broadcast()
	})()
	k.mu.Lock()
	defer k.mu.Unlock()
	for !is() { // what was told by one that has ended counts too
		if k.over || ctx.Err() != nil {
			k.t.Fatalf("%s waited in vain for %s (ended: %v, %v)\n%s\n%s\n%+v", k.who, what, k.over, k.err, strings.Join(k.lines, "\n"), k.said(), k.last())
		}
		k.heard.Wait()
	}
}

// said is standard error, if nobody writes there any more.
func (k *phone) said() string {
	if !k.over {
		return ""
	}
	return k.words.String()
}

// last is the last that was counted; with k.mu held.
func (k *phone) last() seat.Stats {
	if len(k.stats) == 0 {
		return seat.Stats{}
	}
	return k.stats[len(k.stats)-1]
}

// state waits for a call to be in a state: id is the end of its name, or "" for the first.
func (k *phone) state(id, state string) port.Call {
	k.t.Helper()
	var c port.Call
	k.until("a call that is "+state, func() bool {
		i := slices.IndexFunc(k.calls, func(c port.Call) bool { return c.State == state && strings.HasSuffix(c.ID, id) })
		if i >= 0 {
			c = k.calls[i]
		}
		return i >= 0
	})
	return c
}

// online waits until the server is there, or is not.
func (k *phone) online(is bool) {
	k.t.Helper()
	k.until("the server", func() bool { return (k.now.State == "online" && k.now.Synced) == is })
}

// hears waits until more has come, of all kinds that it has, and returns by which way.
func (k *phone) hears(video bool) string {
	k.t.Helper()
	k.mu.Lock()
	from := k.last()
	k.mu.Unlock()
	const more = 10
	var now seat.Stats
	k.until("more to hear", func() bool {
		now = k.last()
		return now.Path != "" && now.Audio.Packets >= from.Audio.Packets+more && now.Audio.SentFrames >= from.Audio.SentFrames+more &&
			(!video || now.Video.Frames >= from.Video.Frames+more && now.Video.SentFrames >= from.Video.SentFrames+more)
	})
	return now.Path
}

// silent waits until nothing was heard for so long that it has looked for another way, once at least.
func (k *phone) silent() {
	k.t.Helper()
	const counts = 65 // ten in a second: it is missed after five
	k.until("silence", func() bool {
		n := len(k.stats)
		return n > counts && k.stats[n-1].Audio.Packets == k.stats[n-1-counts].Audio.Packets
	})
}

// wait waits for something beside the phone.
func (k *phone) wait(done <-chan struct{}, what string) {
	k.t.Helper()
	select {
	case <-done:
	case <-k.ended:
		k.t.Fatalf("%s ended before %s\n%s\n%s", k.who, what, strings.Join(k.lines, "\n"), &k.words)
	case <-time.After(patience):
		k.t.Fatalf("waited in vain for %s\n%s", what, strings.Join(k.lines, "\n"))
	}
}

// hangUp is Ctrl-C.
func (k *phone) hangUp() {
	k.t.Helper()
	if err := k.cmd.Process.Signal(os.Interrupt); err != nil {
		k.t.Fatal(err)
	}
}

// end waits for the program's end, and is its exit status.
func (k *phone) end() int {
	k.t.Helper()
	select {
	case <-k.ended:
	case <-time.After(patience):
		_ = k.cmd.Process.Signal(syscall.SIGQUIT) // it tells what it is at
		<-k.ended
		k.t.Fatalf("%s does not end\n%s\n%s", k.who, strings.Join(k.lines, "\n"), &k.words)
	}
	if k.err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exec.ExitError](k.err); ok {
		return exit.ExitCode()
	}
	k.t.Fatal(k.err)
	return -1
}

func (k *phone) kill() {
	_ = k.cmd.Process.Kill()
	<-k.ended
}
