package rooms

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// sink is a connection that counts what it is sent.
type sink struct{ bytes *atomic.Int64 }

func (s sink) Write(b []byte) (int, error) { s.bytes.Add(int64(len(b))); return len(b), nil }
func (s sink) Abort(*stream.Error)         {}
func (s sink) Done() <-chan struct{}       { return nil }

// yard is a router without a clock, for measuring.
type yard struct {
	router *core.Router
	rooms  *Rooms
	bytes  atomic.Int64
}

type everybody struct{}

func (everybody) Exists(string) bool { return true }

// nothing is an archive that keeps nothing and is durable at once.
type nothing struct {
	past
	seq uint64
}

func (n *nothing) Append(t *core.Transit) {
	if len(t.Owners) > 0 {
		n.seq++
		t.Seq = n.seq
	}
	t.Release()
}

func newYard(tb testing.TB) *yard {
	kv := newLasting()
	h, past := core.NewHost(), &nothing{past: past{Log: store.Log(kv)}}
	y := &yard{router: core.NewRouter(core.Parts{
		Domain: jid.MustParse("example.org"), Host: h, Archive: past, Accounts: everybody{},
		Limits: core.Limits{Queue: 1 << 30, Sessions: 20}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})}
	y.rooms = New(y.router, h.Site(jid.MustParse(host)), kv, past, Settings{MaxOccupants: 20_000, MaxRooms: 5, History: 20, Unpaced: true})
	y.rooms.Register(h)
	return y
}

func (y *yard) bind(tb testing.TB, n int) *core.Session {
	s, err := y.router.Bind(core.Binding{Conn: sink{&y.bytes}, JID: jid.MustParse(fmt.Sprintf("u%d@example.org/x", n))})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (y *yard) send(tb testing.TB, s *core.Session, xml string) {
	e, err := xtok.Parse([]byte(xml), xtok.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := y.router.Handle(s, e); err != nil {
		tb.Fatal(err)
	}
}

func (y *yard) join(tb testing.TB, n int) *core.Session {
	s := y.bind(tb, n)
	y.send(tb, s, fmt.Sprintf("<presence xmlns='jabber:client' to='%s/n%d'>%s</presence>", den, n, enter))
	if n == 0 {
		y.send(tb, s, "<iq xmlns='jabber:client' type='set' id='c' to='"+den+"'><query xmlns='"+nsOwner+"'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	}
	return s
}

// settle waits until everything has been told and written.
func (y *yard) settle() {
	for was := int64(-1); ; {
		time.Sleep(2 * time.Millisecond)
		if is := y.bytes.Load(); is == was && y.waiting() == 0 {
			return
		} else {
			was = is
		}
	}
}

func (y *yard) waiting() (n int64) {
	for _, r := range y.rooms.rooms() {
		n += r.entered.Load()
	}
	return n
}

// BenchmarkGroupDelivery is the work of the whole server, but for disk and TLS,
// for one message to one of 200 occupants.
func BenchmarkGroupDelivery(b *testing.B) {
	const occupants = 200
	y := newYard(b)
	var first *core.Session
	for n := range occupants {
		if s := y.join(b, n); n == 0 {
			first = s
		}
	}
	y.settle()
	msg := "<message xmlns='jabber:client' type='groupchat' id='m%d' to='" + den + "'><body>one hundred characters of text, more or less, as people write them to each other every day of the week</body></message>"
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		y.send(b, first, fmt.Sprintf(msg, i))
	}
	y.settle()
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*occupants), "ns/delivery")
}

// BenchmarkJoinStorm is one more joining a room of many.
func BenchmarkJoinStorm(b *testing.B) {
	y := newYard(b)
	for n := range 2000 {
		y.join(b, n)
	}
	y.settle()
	y.bytes.Store(0)
	b.ResetTimer()
	for i := range b.N {
		y.join(b, 2000+i)
	}
	y.settle()
	b.StopTimer()
	b.ReportMetric(float64(y.bytes.Load())/float64(b.N), "bytes-out/join")
}
