package core_test

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
)

// tens gives its packets ten at a time.
type tens struct{ next, last int }

func (f *tens) Next() (packets []core.Packet) {
	for len(packets) < 10 && f.next < f.last {
		f.next++
		packets = append(packets, core.Bytes(fmt.Appendf(nil, "<%d/>", f.next)))
	}
	return packets
}

func TestWhatIsPushedBehindASourceComesBehindIt(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		bob.Session.Push(core.Bytes([]byte("<first/>")))
		bob.Session.Feed(&tens{0, 25})
		bob.Session.Push(core.Bytes([]byte("<between/>")))
		bob.Session.Feed(&tens{25, 30})
		bob.Session.Push(core.Bytes([]byte("<last/>")))
		var want strings.Builder
		want.WriteString("<first/>")
		for i := 1; i <= 30; i++ {
			fmt.Fprintf(&want, "<%d/>", i)
			if i == 25 {
				want.WriteString("<between/>")
			}
		}
		want.WriteString("<last/>")
		if got := bob.Got(); got != want.String() {
			t.Error(got)
		}
		bob.Session.Push(core.Bytes([]byte("<later/>")))
		if got := bob.Got(); got != "<later/>" {
			t.Error(got)
		}
	})
}

func TestASourceWaitsForAPeerThatDoesNotAcknowledge(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		bob := w.Login("bob@example.org/b")
		bob.Session.EnableSM(false, silent)
		f := &tens{0, 1 << 30}
		bob.Session.Feed(f)
		bob.Got()
		given := f.next
		if bob.Got(); f.next != given || given > 100_000 {
			t.Fatalf("given %d, then %d", given, f.next)
		}
		bob.Session.Acked(uint32(given))
		if bob.Got(); f.next <= given {
			t.Error("acknowledged, and nothing more comes")
		}
		bob.Session.Close(nil)
	})
}
