package omemo

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// TestMain makes the random conversations the same each time, ten of a hundred
// steps for each pair, unless the command line says -rapid.seed or -rapid.checks. The
// keys are others each time, and so no file of a failure is kept.
func TestMain(m *testing.M) {
	flag.Parse()
	said := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { said[f.Name] = true })
	for name, value := range map[string]string{"rapid.seed": "384", "rapid.checks": "10", "rapid.nofailfile": "true"} {
		if said[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func TestConversationsOfAThousandRandomSteps(t *testing.T) {
	steps := rapid.SliceOfN(rapid.Custom(drawStep), 100, 100)
	eachPair(t, func(t *testing.T, meet func(fataler) (alice, bob *end)) {
		rapid.Check(t, func(t *rapid.T) {
			alice, bob := meet(t)
			w := &walk{t: t, there: newDirection(alice), back: newDirection(bob)}
			for _, s := range steps.Draw(t, "steps") {
				s.take(w)
			}
			w.end()
		})
	})
}

// A step is one thing that happens: what, in which direction, to which message.
type step struct {
	what string
	back bool
	pick int
}

// deeds are what can happen, the likely ones more than once; the first is what
// failures are reduced to.
var deeds = []string{
	"nothing", "write", "write", "write", "write", "write", "deliver", "deliver", "deliver", "deliver",
	"deliver next", "deliver next", "deliver next", "deliver next", "lose", "repeat", "change", "begin anew",
}

func drawStep(t *rapid.T) step {
	return step{
		rapid.SampledFrom(deeds).Draw(t, "what"), rapid.Bool().Draw(t, "back"), rapid.IntRange(0, 1<<16).Draw(t, "pick"),
	}
}

// A walk is a random conversation.
type walk struct {
	t           *rapid.T
	there, back *direction
}

// A direction is what one end writes to the other.
type direction struct {
	writer  *end
	begun   int
	chains  map[string]int // in the order they were begun
	flying  []letter
	arrived []letter
	reached map[int]bool // chains of arrived
}

func newDirection(writer *end) *direction {
	return &direction{writer: writer, chains: map[string]int{}, reached: map[int]bool{}}
}

func (s step) take(w *walk) {
	d := w.there
	if s.back {
		d = w.back
	}
	switch s.what {
	case "write":
		d.write()
	case "begin anew":
		if d.begun > 0 && d.begun < 3 {
			d.begin()
		}
	case "deliver next":
		d.deliver(0)
	case "deliver":
		d.deliver(s.pick)
	case "lose":
		if len(d.flying) > 0 {
			d.take(s.pick)
		}
	case "repeat":
		d.repeat(s.pick)
	case "change":
		d.change(s.pick)
	}
}

func (d *direction) begin() {
	d.begun++
	d.send(d.writer.start())
}

// write uses the session that there is. Who has none begins one, so that both may
// begin at once.
func (d *direction) write() {
	plain := d.writer.fresh()
	m, err := d.writer.encrypt(d.writer.peer.name, plain)
	if err != nil {
		d.begin()
		return
	}
	d.send(letter{m, plain})
}

func (d *direction) send(l letter) {
	if _, ok := d.chains[chain(l)]; !ok {
		d.chains[chain(l)] = len(d.chains)
	}
	d.flying = append(d.flying, l)
}

func (d *direction) take(pick int) letter {
	i := pick % len(d.flying)
	l := d.flying[i]
	d.flying = append(d.flying[:i:i], d.flying[i+1:]...)
	return l
}

func (d *direction) deliver(pick int) {
	if len(d.flying) == 0 {
		return
	}
	l := d.take(pick)
	reader := d.writer.peer
	if d.excused(l) {
		if _, err := reader.decrypt(d.writer.name, l.message); err != nil {
			return
		}
	} else {
		reader.reads(l)
	}
	d.arrived = append(d.arrived, l)
	d.reached[d.chains[chain(l)]] = true
}

// newer is how many chains begun after that of the letter have reached the reader.
func (d *direction) newer(l letter) int {
	n := 0
	for c := range d.reached {
		if c > d.chains[chain(l)] {
			n++
		}
	}
	return n
}

// excused: the reader may refuse it, by the limits of the two libraries.
func (d *direction) excused(l letter) bool {
	w, r := d.writer.library, d.writer.peer.library
	return d.newer(l) >= r.chains || w.short && r.exact && d.newer(l) > 0
}

func (d *direction) repeat(pick int) {
	if len(d.arrived) == 0 {
		return
	}
	l := d.arrived[pick%len(d.arrived)]
	if d.newer(l) == 0 {
		d.writer.peer.refuses(l, old)
		return
	}
	d.writer.peer.refuses(l)
}

// change delivers a letter changed in its last part, which is authenticated, and
// leaves the letter itself on its way.
func (d *direction) change(pick int) {
	if len(d.flying) == 0 {
		return
	}
	l := d.flying[pick%len(d.flying)]
	changed := letter{message: message{l.preKey, bytes.Clone(l.data)}}
	// from the end: a MAC of 8 bytes and a ciphertext of 48 (Two has its ciphertext there
	// too, or with a key exchange around it that too)
	changed.data[len(l.data)-9-pick%32] ^= 1 << (pick % 8)
	d.writer.peer.refuses(changed)
}

// end delivers what is still on its way, and then both must understand each other.
func (w *walk) end() {
	for _, d := range []*direction{w.there, w.back} {
		for len(d.flying) > 0 {
			d.deliver(0)
		}
	}
	for range 2 {
		for _, d := range []*direction{w.there, w.back} {
			d.write()
			d.deliver(0)
		}
	}
}

// chain is the ratchet key of a letter, which all of its chain have in common.
func chain(l letter) string {
	// XEP-0384 0.3.0: version, field 1, 33 bytes, 5; XEP-0384 0.8: field 3, 32 bytes
	for _, head := range []string{"\x33\x0a\x21\x05", "\x1a\x20"} {
		if i := bytes.LastIndex(l.data, []byte(head)); i >= 0 && len(l.data) >= i+len(head)+32 {
			return string(l.data[i+len(head):][:32])
		}
	}
	return ""
}
