package core

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func packet(i int) Packet {
	return Packet{Segments: [][]byte{fmt.Appendf(nil, "<%d/>", i)}, Seq: uint64(i)}
}

func drain(q *outq) string {
	b, _ := q.fill(nil, math.MaxInt)
	return string(b)
}

func TestUnacknowledgedStanzasAreSentAgainInOrderAfterRewind(t *testing.T) {
	q := outq{keep: true}
	for i := 1; i <= 20; i++ {
		q.push(packet(i))
	}
	drain(&q)
	if seq, ok := q.ack(18); !ok || seq != 18 {
		t.Fatalf("ack = %d, %v", seq, ok)
	}
	q.push(Packet{Segments: [][]byte{[]byte("<r/>")}, Nonza: true})
	q.rewind(Packet{Segments: [][]byte{[]byte("<resumed/>")}, Nonza: true})
	if got := drain(&q); got != "<resumed/><19/><20/>" {
		t.Error(got)
	}
	if q.unread != 2 {
		t.Errorf("unread = %d", q.unread)
	}
}

func TestAckOfMoreThanWasSentIsRefused(t *testing.T) {
	q := outq{keep: true}
	q.push(packet(1))
	if _, ok := q.ack(1); ok {
		t.Error("acknowledged a stanza that was not written")
	}
	drain(&q)
	if _, ok := q.ack(2); ok {
		t.Error("acknowledged two of one")
	}
	if _, ok := q.ack(1); !ok {
		t.Error("refused the right count")
	}
}

func TestAckCountWrapsAtTwoToThe32(t *testing.T) {
	q := outq{keep: true, acked: math.MaxUint32 - 1}
	for i := range 4 {
		q.push(packet(i + 1))
	}
	drain(&q)
	if seq, ok := q.ack(1); !ok || seq != 3 || q.unread != 1 {
		t.Errorf("ack = %d, %v; unread %d", seq, ok, q.unread)
	}
}

func TestAnEmptyQueueHoldsNoMemory(t *testing.T) {
	for _, keep := range []bool{false, true} {
		q := outq{keep: keep}
		for i := range 100 {
			q.push(packet(i))
		}
		drain(&q)
		if keep {
			q.ack(100)
		}
		if q.ring != nil || q.bytes != 0 || q.n != 0 || q.written != 0 {
			t.Errorf("keep %v: %+v", keep, q)
		}
	}
}

// The ring behaves like a list of all stanzas ever pushed, of which a prefix
// is acknowledged.
func TestRingMatchesAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := outq{keep: rapid.Bool().Draw(t, "keep")}
		var sent, written, acked int
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) { sent++; q.push(packet(sent)) },
			"nonza": func(*rapid.T) {
				q.push(Packet{Segments: [][]byte{nil}, Nonza: true})
			},
			"write": func(t *rapid.T) {
				b, _ := q.fill(nil, rapid.IntRange(1, 30).Draw(t, "limit"))
				for len(b) > 0 {
					written++
					want := fmt.Sprintf("<%d/>", written)
					if len(b) < len(want) || string(b[:len(want)]) != want {
						t.Fatalf("wrote %q, want %q first", b, want)
					}
					b = b[len(want):]
				}
			},
			"ack": func(t *rapid.T) {
				if !q.keep {
					return
				}
				h := rapid.IntRange(acked, written).Draw(t, "h")
				if _, ok := q.ack(uint32(h)); !ok {
					t.Fatalf("refused h=%d of %d", h, written)
				}
				acked = h
			},
			"": func(t *rapid.T) {
				if q.keep && q.unread != written-acked {
					t.Fatalf("unread %d, want %d", q.unread, written-acked)
				}
				bytes := 0
				for i := range q.n {
					bytes += q.at(i).Size()
				}
				if bytes != q.bytes {
					t.Fatalf("bytes %d, want %d", q.bytes, bytes)
				}
			},
		})
	})
}

func TestHandledIsTheLongestSettledPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := window{received: math.MaxUint32 - 10, handled: math.MaxUint32 - 10}
		open := map[uint32]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"receive": func(*rapid.T) {
				if !w.full() {
					w.received++
					open[w.received] = true
				}
			},
			"settle": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				var all []uint32
				for i := w.handled + 1; i != w.received+1; i++ {
					if open[i] {
						all = append(all, i)
					}
				}
				n := rapid.SampledFrom(all).Draw(t, "n")
				delete(open, n)
				w.settle(n)
			},
			"": func(t *rapid.T) {
				for n := w.handled; n != w.received; n++ {
					if n == w.handled && !open[n+1] && len(open) > 0 {
						t.Fatalf("%d is settled and not counted", n+1)
					}
				}
				if len(open) == 0 && w.handled != w.received {
					t.Fatal("all settled, not all counted")
				}
			},
		})
	})
}
