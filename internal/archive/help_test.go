package archive_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/archive"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

// late is an archive that a test makes inside its bubble.
type late struct{ *archive.Archive }

// steppedLog is a log whose groups become durable one by one, when the test
// says so.
type steppedLog struct {
	store.Log
	step   chan error // nil lets one group through, an error refuses it
	mu     sync.Mutex
	groups []string
}

func (l *steppedLog) Append(g *store.Group) error {
	if err := <-l.step; err != nil {
		return err
	}
	l.mu.Lock()
	l.groups = append(l.groups, describe(g))
	l.mu.Unlock()
	return l.Log.Append(g)
}

// describe names a group as "first+records marks h,h".
func describe(g *store.Group) string {
	s := fmt.Sprintf("%d+%d", g.First, len(g.Records))
	for _, m := range g.Marks {
		s += fmt.Sprintf(" h%d", m.H)
	}
	return s
}

func (l *steppedLog) wrote() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.groups, ", ")
}

// bench is a world with an archive on a log that the test steps.
type bench struct {
	*coretest.World
	*archive.Archive
	log   *steppedLog
	store store.Store
}

func stepped(t *testing.T, f func(b *bench)) {
	t.Helper()
	b := &bench{store: memory.New()}
	var a late
	coretest.RunOn(t, &a, func(w *coretest.World) {
		b.World = w
		b.log = &steppedLog{Log: b.store, step: make(chan error)}
		a.Archive = open(t, b.log, b.store, archive.Config{Waiting: 1 << 20})
		b.Archive = a.Archive
		a.Register(w.Host, w.Router)
	}, func(*coretest.World) {
		f(b)
		close(b.log.step)
		b.Close()
	})
}

func open(t *testing.T, log store.Log, kv store.KV, cfg archive.Config) *archive.Archive {
	t.Helper()
	a, err := archive.New(t.Context(), log, kv, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// durable lets one group through.
func (b *bench) durable() {
	b.log.step <- nil
	synctest.Wait()
}

func (b *bench) refuse(err error) {
	b.log.step <- err
	synctest.Wait()
}

func (b *bench) wrote(want string) {
	b.T.Helper()
	synctest.Wait()
	if got := b.log.wrote(); got != want {
		b.T.Errorf("groups written: %q, want %q", got, want)
	}
}

func chat(id, body string) string {
	return fmt.Sprintf("<message to='bob@example.org' id='%s' type='chat'><body>%s</body></message>", id, body)
}

// bodies are the bodies in what a client got, in order.
func bodies(xml string) string {
	var out []string
	for _, part := range strings.Split(xml, "<body>")[1:] {
		body, _, _ := strings.Cut(part, "</body>")
		out = append(out, body)
	}
	return strings.Join(out, " ")
}

func got(t *testing.T, c *coretest.Client, want string) {
	t.Helper()
	if got := bodies(c.Got()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

var (
	errFull = errors.New("no space left on device")
	alice   = jid.MustParse("alice@example.org")
	bob     = jid.MustParse("bob@example.org")
)

func newStore() store.Store { return memory.New() }

// reopen is a second archive on what the first one has made durable, as after
// a crash.
func reopen(t *testing.T, b *bench) *archive.Archive {
	t.Helper()
	again := open(t, b.store, newStore(), archive.Config{})
	b.T.Cleanup(again.Close)
	return again
}

func noHello([16]byte) []byte { return []byte("<enabled/>") }

// config remembers longer than any test takes.
func (b *bench) config() archive.Config { return archive.Config{Resumption: 24 * time.Hour} }

// allRows are all stanzas in an owner's archive.
func (b *bench) allRows(owner string) (out []string) {
	rows, _, err := b.store.Page(b.T.Context(), store.Query{Owner: owner, Limit: 10_000})
	if err != nil {
		b.T.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, string(r.Body))
	}
	return out
}
