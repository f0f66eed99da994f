package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// smallDisk is a file system of its own. Making one takes root: where that is
// required its lack fails the test, elsewhere it skips it.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("mirsal-test", dir, "tmpfs", 0, "size="+size); err != nil {
		if r := os.Getenv("MIRSAL_REQUIRE"); r == "all" || r == "" && os.Getenv("CI") == "true" {
			t.Fatalf("this test needs to mount a tmpfs (root): %v", err)
		}
		t.Skipf("this test needs to mount a tmpfs (root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error("unmount:", err)
		}
	})
	return dir
}

// fill takes all space that is left and returns what gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// chat is alice, who writes numbered messages, and bob, who reads them.
type chat struct {
	mu    sync.Mutex
	alice *xmppclient.Conn
	sent  int
	acked int
	got   []int
}

func newChat(ctx context.Context, t *testing.T, s *mirsal.Server) *chat {
	t.Helper()
	c := &chat{alice: connect(ctx, t, s, "alice")}
	bob := connect(ctx, t, s, "bob")
	say(t, bob, "<presence/>")
	if _, err := c.alice.EnableSM(ctx, true); err != nil {
		t.Fatal(err)
	}
	if n, err := bob.Next(ctx); err != nil || n.Name.Local != "presence" {
		t.Fatalf("bob's presence: %v %v", n, err)
	}
	go c.take(ctx, c.alice)
	go c.take(ctx, bob)
	return c
}

// take reads one of the two connections until it ends.
func (c *chat) take(ctx context.Context, from *xmppclient.Conn) {
	for {
		n, err := from.Next(ctx)
		if err != nil {
			return
		}
		c.mu.Lock()
		if n.Is(xmppclient.NSSM, "a") {
			c.acked, _ = strconv.Atoi(n.Attr("h"))
		} else if body := n.Child(xmppclient.NSClient, "body"); body != nil {
			number, _, _ := strings.Cut(body.Text, " ")
			i, _ := strconv.Atoi(number)
			c.got = append(c.got, i)
		}
		c.mu.Unlock()
	}
}

// write sends n messages of about 2 kB without waiting.
func (c *chat) write(t *testing.T, n int) {
	t.Helper()
	for range n {
		c.mu.Lock()
		c.sent++
		text := fmt.Sprintf("<message to='bob@%s' type='chat' id='%d'><body>%d %s</body></message>",
			mirsal.Domain, c.sent, c.sent, strings.Repeat("x", 2000))
		c.mu.Unlock()
		say(t, c.alice, text+requestAck)
	}
}

func (c *chat) state() (sent, acked, got int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent, c.acked, len(c.got)
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func ready(ctx context.Context, s *mirsal.Server) int {
	status, _, err := s.Get(ctx, "/readyz")
	if err != nil {
		return 0
	}
	return status
}

func TestAFullDiskIsToldAndSurvived(t *testing.T) {
	disk := smallDisk(t, "32m")
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Data: filepath.Join(disk, "data"), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "alice", "bob", "bob2")
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	c := newChat(ctx, t, s)
	c.write(t, 20)
	eventually(t, "20 messages", func() bool { _, acked, got := c.state(); return acked == 20 && got == 20 })

	free := fill(t, disk)
	// what the log can still take in place goes through; then all must stop
	eventually(t, "the server to say that it is not ready", func() bool {
		if sent, acked, _ := c.state(); sent < acked+100 {
			c.write(t, 20)
		}
		return ready(ctx, s) == 503
	})
	held(ctx, t, s, c)

	free()
	eventually(t, "everything to go through", func() bool { sent, acked, got := c.state(); return acked == sent && got == sent })
	c.write(t, 20)
	eventually(t, "new messages", func() bool { sent, acked, got := c.state(); return acked == sent && got == sent })
	if status := ready(ctx, s); status != 200 {
		t.Errorf("/readyz is %d after the disk has room", status)
	}
	inOrder(t, c)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	sound(t, s)
	keptAll(ctx, t, s, c.sent)
}

// held checks that nothing moves while the disk is full, and that the server says why.
func held(ctx context.Context, t *testing.T, s *mirsal.Server, c *chat) {
	t.Helper()
	sent, acked, got := c.state()
	if got > sent-1 || acked > got {
		t.Errorf("of %d messages %d are acknowledged and %d delivered on a full disk", sent, acked, got)
	}
	time.Sleep(2 * time.Second) // several tries of the server
	if _, acked2, got2 := c.state(); acked2 != acked || got2 != got {
		t.Errorf("on a full disk acknowledged went from %d to %d, delivered from %d to %d", acked, acked2, got, got2)
	}
	_, body, err := s.Get(ctx, "/readyz")
	if err != nil || !strings.Contains(body, "full") && !strings.Contains(body, "space") {
		t.Errorf("/readyz says %q, %v", body, err)
	}
	notKept(ctx, t, s)
	if log := s.Log(); !strings.Contains(log, "messages cannot be stored") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

// notKept checks that somebody can log in, and that what he asks to be kept is
// refused: nothing hangs, and nothing is said to be done that is not.
func notKept(ctx context.Context, t *testing.T, s *mirsal.Server) {
	t.Helper()
	c := connect(ctx, t, s, "bob2")
	say(t, c, "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='x@"+mirsal.Domain+"' name='"+strings.Repeat("n", 500)+"'/></query></iq>")
	for {
		n, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("a roster set on a full disk: %v", err)
		}
		if n.Attr("id") == "r" {
			if n.Attr("type") != "error" {
				t.Errorf("a roster set on a full disk is answered %s", n)
			}
			return
		}
	}
}

func inOrder(t *testing.T, c *chat) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, n := range c.got {
		if n != i+1 {
			t.Fatalf("bob got message %d at place %d", n, i+1)
		}
	}
}

// sound asks SQLite whether a stopped server's database is whole.
func sound(t *testing.T, s *mirsal.Server) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Data, "*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database in %s: %v", s.Data, err)
	}
	for _, f := range files {
		db, err := sql.Open("sqlite", "file:"+f+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		var verdict string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("%s: %s %v", f, verdict, err)
		}
		db.Close()
	}
}

// keptAll starts the server again and looks for messages 1 to most in bob's archive.
func keptAll(ctx context.Context, t *testing.T, s *mirsal.Server, most int) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	all, err := newPerson(s, "bob", nil, false).whole(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		if number, _, _ := strings.Cut(e.key, " "); number != strconv.Itoa(i+1) {
			t.Fatalf("message %s stands at place %d of the archive", number, i+1)
		}
	}
	if len(all) < most {
		t.Errorf("the archive has %d messages, want %d", len(all), most)
	}
}

func TestAKillOnAFullDiskLosesNothingAcknowledged(t *testing.T) {
	disk := smallDisk(t, "32m")
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Data: filepath.Join(disk, "data"), Args: []string{"--set", "c2s.require_tls=false"}})
	s.Accounts(password, "alice", "bob")
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	c := newChat(ctx, t, s)
	free := fill(t, disk)
	eventually(t, "the server to say that it is not ready", func() bool {
		if sent, acked, _ := c.state(); sent < acked+100 {
			c.write(t, 20)
		}
		return ready(ctx, s) == 503
	})
	s.Kill()
	// it may start or not, but a refusal says why in a line
	if err := s.Start(); err != nil {
		lines := strings.Split(strings.TrimSpace(s.Log()), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, "full") && !strings.Contains(last, "space") {
			t.Errorf("the server does not start on a full disk, and says %q", last)
		}
	}
	s.Kill()
	free()
	_, acked, _ := c.state()
	keptAll(ctx, t, s, acked)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	sound(t, s)
}
