package omemo

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// wire is what is on its way between two parties, and what was read of it.
type wire struct {
	t       *rapid.T
	sides   [2]*party
	flying  []flight
	arrived []flight // to be sent again
	said    int
}

type flight struct {
	to   int
	m    Message
	text string
}

// TestAnyOrderLossRepetitionAndTampering: whatever the network does, each message that arrives whole
// is read once, rightly, and nothing else changes anything.
func TestAnyOrderLossRepetitionAndTampering(t *testing.T) {
	each(t, func(t *testing.T, p Profile) {
		one, two := newParty(t, p, 1), newParty(t, p, 2) // made once: pre-keys take their time
		rapid.Check(t, func(r *rapid.T) {
			alice, bob := &party{t: t, rand: one.rand, p: p, dev: one.dev}, &party{t: t, rand: two.rand, p: p, dev: two.dev}
			alice.start(bob)
			if rapid.Bool().Draw(r, "both start") {
				bob.start(alice)
			}
			w := &wire{t: r, sides: [2]*party{alice, bob}}
			r.Repeat(map[string]func(*rapid.T){
				"say":    w.say,
				"arrive": w.arrive,
				"lose":   w.lose,
				"repeat": w.repeat,
				"tamper": w.tamper,
			})
			for len(w.flying) > 0 {
				w.deliver(0)
			}
		})
	})
}

func (w *wire) say(r *rapid.T) {
	from := rapid.IntRange(0, 1).Draw(r, "from")
	if len(w.sides[from].sessions) == 0 {
		r.Skip("has not heard of anybody")
	}
	w.said++
	text := fmt.Sprint("message ", w.said)
	w.flying = append(w.flying, flight{1 - from, w.sides[from].say(text), text})
}

func (w *wire) pick(r *rapid.T, of []flight) int {
	if len(of) == 0 {
		r.Skip("nothing is on its way")
	}
	return rapid.IntRange(0, len(of)-1).Draw(r, "which")
}

func (w *wire) arrive(r *rapid.T) { w.deliver(w.pick(r, w.flying)) }

func (w *wire) deliver(i int) {
	f := w.flying[i]
	w.flying = append(w.flying[:i:i], w.flying[i+1:]...)
	got, err := w.sides[f.to].read(f.m)
	if err != nil || got != f.text {
		w.t.Fatalf("read %q, %v; want %q", got, err, f.text)
	}
	w.arrived = append(w.arrived, f)
}

func (w *wire) lose(r *rapid.T) {
	i := w.pick(r, w.flying)
	w.flying = append(w.flying[:i:i], w.flying[i+1:]...)
}

func (w *wire) repeat(r *rapid.T) {
	w.mustRefuse(w.arrived[w.pick(r, w.arrived)])
}

func (w *wire) tamper(r *rapid.T) {
	f := w.flying[w.pick(r, w.flying)]
	// A pre-key message's registration id, in Legacy, is bound to nothing: its inside is what counts.
	if f.m.PreKey && w.sides[f.to].p == Legacy {
		f.m.Data = append([]byte{}, f.m.Data...)
		f.m.Data[len(f.m.Data)-1-rapid.IntRange(0, 60).Draw(r, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
	} else {
		f.m.Data = flip(f.m.Data, rapid.IntRange(0, len(f.m.Data)*8-1).Draw(r, "bit"))
	}
	w.mustRefuse(f)
}

func (w *wire) mustRefuse(f flight) {
	a := w.sides[f.to]
	before := fmt.Sprint(w.state(a))
	if got, err := a.read(f.m); err == nil {
		w.t.Fatalf("read %q of what must not be read", got)
	}
	if fmt.Sprint(w.state(a)) != before {
		w.t.Fatal("a refused message changed something")
	}
}

func (w *wire) state(a *party) (all []string) {
	b, _ := a.dev.MarshalBinary()
	all = append(all, string(b))
	for _, s := range a.sessions {
		all = append(all, bytesOf(a.t, s))
	}
	return all
}

// TestStoredSessionsOfAnyShape: the store's form gives back what was put in.
func TestStoredSessionsOfAnyShape(t *testing.T) {
	key := rapid.Custom(func(r *rapid.T) [32]byte {
		return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "key"))
	})
	skip := rapid.Custom(func(r *rapid.T) skippedKey {
		// few ratchet keys, so that there are runs
		return skippedKey{[32]byte{rapid.ByteRange(0, 3).Draw(r, "ratchet")}, rapid.Uint32().Draw(r, "n"), key.Draw(r, "key")}
	})
	rapid.Check(t, func(r *rapid.T) {
		s := &Session{profile: Two, own: key.Draw(r, "own"), root: key.Draw(r, "root"), skipped: rapid.SliceOf(skip).Draw(r, "skipped")}
		s.send = chain{key.Draw(r, "send"), rapid.Uint32().Draw(r, "n"), rapid.Bool().Draw(r, "live")}
		s.former = []ended{{ratchet: key.Draw(r, "f"), n: 3, hasSpare: true, spare: key.Draw(r, "spare")}, {ratchet: key.Draw(r, "g")}}
		got := stored1(t, s)
		if fmt.Sprint(got) != fmt.Sprint(s) {
			r.Fatalf("%v became %v", s, got)
		}
	})
}
