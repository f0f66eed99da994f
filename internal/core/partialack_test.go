package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
)

// pages is a source of some small stanzas and many large ones.
type pages struct{ small, large int }

func (p *pages) Next() []core.Packet {
	size := 10_000
	switch {
	case p.small > 0:
		p.small--
		size = 1
	case p.large > 0:
		p.large--
	default:
		return nil
	}
	return []core.Packet{core.Bytes(fmt.Appendf(nil, "<message><body>%s</body></message>", strings.Repeat("x", size)))}
}

// A client answers <r/> with what it had read by then; more may have been
// written behind it. The rest must be asked for again, or a source that waits
// for room waits for ever.
func TestWhatAPartialAckLeavesOpenIsAskedForAgain(t *testing.T) {
	coretest.Run(t, nil, func(w *coretest.World) {
		alice := w.Login("alice@example.org/a")
		alice.Session.EnableSM(false, func([16]byte) []byte { return nil })
		alice.Session.Feed(&pages{small: 24, large: 276})
		got := 0
		for silence := 0; silence < 5; {
			text := alice.Got()
			if text == "" {
				silence++
				time.Sleep(5 * time.Second)
				continue
			}
			silence = 0
			for part := range strings.SplitAfterSeq(text, "<r xmlns='urn:xmpp:sm:3'/>") {
				got += strings.Count(part, "<message>")
				if strings.HasSuffix(part, "/>") && !alice.Session.Acked(uint32(got)) {
					t.Fatal("ack refused")
				}
			}
		}
		if got != 300 || alice.Ended != "" {
			t.Errorf("got %d of 300, ended %q", got, alice.Ended)
		}
	})
}
