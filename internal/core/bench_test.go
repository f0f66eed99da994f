package core_test

import (
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
)

// sink is a connection that reads everything at once.
type sink struct{}

func (sink) Write(b []byte) (int, error) { return len(b), nil }
func (sink) Abort(*stream.Error)         {}
func (sink) Done() <-chan struct{}       { return nil }

type everyone struct{}

func (everyone) Exists(string) bool { return true }

// BenchmarkPush is what every delivery costs a session that somebody looks at.
func BenchmarkPush(b *testing.B) {
	h := core.NewHost()
	h.Hold = func(*core.Session, core.Packet) string { panic("an active session was asked for") }
	limits := core.Limits{Queue: 1 << 30, Sessions: 1}
	r := core.NewRouter(core.Parts{Domain: jid.MustParse("example.org"), Host: h, Accounts: everyone{}, Limits: limits})
	s, err := r.Bind(core.Binding{Conn: sink{}, JID: jid.MustParse("bob@example.org/b")})
	if err != nil {
		b.Fatal(err)
	}
	p := core.Bytes(make([]byte, 700))
	b.ReportAllocs()
	for b.Loop() {
		s.Push(p)
	}
}
