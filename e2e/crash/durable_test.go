package crash

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/foreign"
)

const tracedMessages = 400

func TestEveryAckIsPrecededByTheSyncThatCoversIt(t *testing.T) {
	l := traceAcks(t, "full")
	t.Logf("%d acknowledgements over %d messages, %d syncs of the log", l.acks, tracedMessages, len(l.syncs))
	if l.bad > 0 || l.acks == 0 {
		t.Errorf("%d of %d acknowledgements were not covered: %s", l.bad, l.acks, strings.Join(l.faults, "; "))
	}
}

// The check itself must be able to fail.
func TestTheTraceShowsAStoreThatDoesNotSync(t *testing.T) {
	l := traceAcks(t, "off")
	if l.acks == 0 || l.bad != l.acks {
		t.Errorf("without syncs %d of %d acknowledgements were found uncovered", l.bad, l.acks)
	}
}

// traceAcks sends messages through a traced server and checks its acknowledgements.
func traceAcks(t *testing.T, synchronous string) *ledger {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	s := mirsal.Start(t, mirsal.Options{
		Bin: mirsal.Build(t), Wrap: traced(foreign.Program(t, "strace"), file),
		Args: []string{"--set", "c2s.require_tls=false", "--set", "store.synchronous=" + synchronous},
	})
	s.Accounts(password, "alice", "bob")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	bob := connect(ctx, t, s, "bob")
	say(t, bob, "<presence/>")
	sendTraced(ctx, t, connect(ctx, t, s, "alice"))
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	all, err := readTrace(file)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{mark: func(n int) []byte { return []byte(mark(n)) }}
	l.follow(all, tracedMessages)
	return l
}

// mark is in message n and in no other.
func mark(n int) string { return fmt.Sprintf("message-%05d-of-the-trace", n) }

// sendTraced sends messages in bursts and asks for an acknowledgement after
// each burst. Message n is the stream's stanza n.
func sendTraced(ctx context.Context, t *testing.T, c *xmppclient.Conn) {
	t.Helper()
	if _, err := c.EnableSM(ctx, true); err != nil {
		t.Fatal(err)
	}
	asked := make(chan int, tracedMessages)
	go func() {
		defer close(asked)
		for n, burst := 1, 1; n <= tracedMessages; burst++ {
			var b strings.Builder
			for range 1 + burst%7 {
				if n <= tracedMessages {
					fmt.Fprintf(&b, "<message to='bob@%s' type='chat' id='%d'><body>%s</body></message>", mirsal.Domain, n, mark(n))
					n++
				}
			}
			if err := c.Send(b.String() + requestAck); err != nil {
				return
			}
			asked <- n - 1
			if burst%2 == 0 {
				time.Sleep(3 * time.Millisecond) // groups of different sizes
			}
		}
	}()
	heard := ""
	for range asked {
		n, err := c.Next(ctx)
		if err != nil || !n.Is(xmppclient.NSSM, "a") {
			t.Fatalf("waiting for an acknowledgement: %v %v", n, err)
		}
		heard = n.Attr("h")
	}
	if heard != fmt.Sprint(tracedMessages) {
		t.Fatalf("the last acknowledgement is h=%q", heard)
	}
}

func connect(ctx context.Context, t *testing.T, s *mirsal.Server, name string) *xmppclient.Conn {
	t.Helper()
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain, Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if err := c.Login(ctx, name, password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(ctx, "device"); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(t *testing.T, c *xmppclient.Conn, text string) {
	t.Helper()
	if err := c.Send(text); err != nil {
		t.Fatal(err)
	}
}
