package archive

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// nowhere is a log that forgets: what is left is the committer's own cost.
type nowhere struct{ store.Log }

func (nowhere) Append(*store.Group) error { return nil }

// BenchmarkAppend is one kept message from Append to the hand-over for its
// release: the disk and the delivery are excepted.
func BenchmarkAppend(b *testing.B) {
	st := memory.New()
	a, err := prepare(b.Context(), nowhere{st}, st, Config{})
	if err != nil {
		b.Fatal(err)
	}
	transits := benchTransits(b.N)
	a.run.Go(a.commitGroups)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for i := range transits {
			a.Append(&transits[i])
		}
	}()
	for n := 0; n < b.N; {
		batch := <-a.durable
		n += len(batch)
		clear(batch)
		select {
		case a.spare <- batch:
		default:
		}
	}
	b.StopTimer()
	a.Close()
}

func benchTransits(n int) []core.Transit {
	alice, bob := jid.MustParse("alice@example.org"), jid.MustParse("bob@example.org")
	head := stanza.Head{Kind: stanza.Message, Type: stanza.Chat, From: jid.MustParse("alice@example.org/a"), To: bob}
	st := stanza.New(head, []byte("<encrypted xmlns='eu.siacs.conversations.axolotl'>"+strings.Repeat("x", 600)+"</encrypted>"))
	owners := []core.Owner{{JID: alice, Peer: bob}, {JID: bob, Peer: alice}}
	session := &core.Session{}
	now := time.Now()
	transits := make([]core.Transit, n)
	for i := range transits {
		head.ID = strconv.Itoa(i)
		transits[i] = core.Transit{Head: head, Stanza: st, Session: session, Time: now, Owners: owners, Mark: [16]byte{1}, H: uint32(i)}
	}
	return transits
}
