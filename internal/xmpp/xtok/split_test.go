package xtok

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// tight makes generated streams meet every limit.
var tight = Limits{Size: 220, Depth: 4, Attrs: 4, Name: 12, Prefixes: 6, Nodes: 8}

func TestAnySplitGivesTheSameEventsAndRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(stream().Draw(t, "stream"))
		l := rapid.SampledFrom([]Limits{testLimits, tight, {}}).Draw(t, "limits")
		size := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 20).Draw(t, "pieces")
		checkSplits(t, l, in, size)
	})
}

// checkSplits compares the whole input, single bytes and pieces of these sizes.
func checkSplits(t interface{ Fatalf(string, ...any) }, l Limits, in []byte, sizes []int) {
	i := 0
	pieces := func(int) int {
		i++
		return sizes[i%len(sizes)]
	}
	want := trace(l, in, whole)
	if got := trace(l, in, oneByte); got != want {
		t.Fatalf("%q byte by byte\n got %s\nwant %s", in, got, want)
	}
	if got := trace(l, in, pieces); got != want {
		t.Fatalf("%q in pieces\n got %s\nwant %s", in, got, want)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(header+"<message to='a'><body>x</body></message>"), uint16(7), false)
	f.Fuzz(func(t *testing.T, in []byte, piece uint16, few bool) {
		if len(in) > 4<<10 {
			return
		}
		l := testLimits
		if few {
			l = tight
		}
		checkSplits(t, l, in, []int{1 + int(piece&15), 1 + int(piece>>4&255), 1 + int(piece>>12)})
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<a xmlns='u'>x</a>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Parse(in, testLimits)
		if err != nil {
			if e.OK() || err.(*Error).Condition == "" {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		checkSameAlone(t, e)
		if !bytes.Contains(in, e.Raw()) || e.Borrowed() != nil {
			t.Fatalf("%q: raw %q", in, e.Raw())
		}
		compareWithGo(t, in, e)
	})
}

// checkSameAlone holds the promise of AppendTo for e and its children: alone,
// an element is the tree that it is in its place.
func checkSameAlone(t interface{ Fatalf(string, ...any) }, e Elem) {
	alone, err := Parse(e.AppendTo(nil), Limits{})
	if err != nil {
		t.Fatalf("%q: %v", e.AppendTo(nil), err)
	}
	if e.find(NSXML, "lang") != nil || e.Lang() == "" {
		if got, want := tree(alone), tree(e); got != want {
			t.Fatalf("%q\n got %s\nwant %s", e.Raw(), got, want)
		}
	}
	if alone.Lang() != e.Lang() {
		t.Fatalf("%q: language %q, not %q", e.Raw(), alone.Lang(), e.Lang())
	}
	for c := range e.Children() {
		checkSameAlone(t, c)
	}
}

func TestAnElementAloneIsTheTreeThatItIsInItsPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if e, err := Parse([]byte(document().Draw(t, "document")), testLimits); err == nil {
			checkSameAlone(t, e)
		}
	})
}

func TestAnythingEscapedIsLegalAndComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		x := Escape(nil, s)
		e, err := Parse([]byte("<a b='"+string(x)+"'>"+string(x)+"</a>"), Limits{})
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if again := Escape(nil, e.Text()); !bytes.Equal(again, x) || e.Attr("b") != e.Text() {
			t.Fatalf("%q: %q %q", s, e.Text(), e.Attr("b"))
		}
	})
}
