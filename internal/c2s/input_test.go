package c2s

import (
	"bytes"
	"io"
	"net"
	"testing"

	"pgregory.net/rapid"
)

// A whole element that is as long as a sip must not wait for what follows it.
func TestWhatWasReadIsHandedOnAtOnce(t *testing.T) {
	for size := 1; size < 40; size++ {
		here, there := net.Pipe()
		go there.Write(bytes.Repeat([]byte("x"), size))
		var in input
		for got := 0; got < size; got = len(in.bytes()) {
			if err := in.read(here); err != nil { // would never return
				t.Fatal(err)
			}
		}
		here.Close()
		there.Close()
	}
}

// portions is a reader that gives its portions one at a time.
type portions [][]byte

func (p *portions) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

func TestNothingIsLostWhateverTheReadsAndWhateverIsConsumed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p portions
		var want, got []byte
		for range rapid.IntRange(1, 8).Draw(t, "portions") {
			b := rapid.SliceOfN(rapid.Byte(), 1, 9000).Draw(t, "portion")
			p, want = append(p, b), append(want, b...)
		}
		var in input
		for in.read(&p) == nil {
			n := rapid.IntRange(0, len(in.bytes())).Draw(t, "consume")
			got = append(got, in.bytes()[:n]...)
			in.consume(n)
		}
		if got = append(got, in.bytes()...); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes of %d, or others", len(got), len(want))
		}
	})
}
