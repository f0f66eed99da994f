package xtok

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

// omemo is a message like those that most of the traffic is.
var omemo = []byte(`<message to='bob@example.com' type='chat' id='5b2c6a0e-8d1f-4d6c-9a71-2f1f0b6f3c55'>` +
	`<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1234567890'>` +
	`<key rid='987654321'>` + strings.Repeat("MwohBQ", 20) + `</key><key prekey='true' rid='11223344'>` + strings.Repeat("Cv9aKx", 20) + `</key>` +
	`<iv>q0pXn3C1n6T9aB2d</iv></header><payload>` + strings.Repeat("Zm9vYmFy", 8) + `</payload></encrypted>` +
	`<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>` +
	`<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='5b2c6a0e'/><store xmlns='urn:xmpp:hints'/></message>`)

func open(t testing.TB) *Scanner {
	s := New(testLimits)
	if ev, _, err := s.Next([]byte(header)); ev != Open || err != nil {
		t.Fatal(ev, err)
	}
	return s
}

func TestACommonMessageAllocatesNothing(t *testing.T) {
	s := open(t)
	bad := 0
	dst := make([]byte, 0, 2*len(omemo))
	n := testing.AllocsPerRun(100, func() {
		ev, _, err := s.Next(omemo)
		r := s.Root()
		enc := r.Child("eu.siacs.conversations.axolotl", "encrypted")
		if ev != Element || err != nil || !r.AttrIs("type", "chat") || !enc.OK() || enc.Local() != "encrypted" || r.NS() != "jabber:client" {
			bad++
		}
		for c := range r.Children() {
			if c.NS() == "" || c.Local() == "" || c.Borrowed() != nil {
				bad++
			}
		}
		dst = r.AppendTo(dst[:0])
	})
	if n != 0 || bad != 0 {
		t.Fatalf("%v allocations, %d wrong", n, bad)
	}
}

func TestAnIdleScannerHoldsUnder300Bytes(t *testing.T) {
	s := open(t)
	if ev, _, err := s.Next(nil); ev != More || err != nil || s.d != nil {
		t.Fatal("the tables are kept while idle")
	}
	held := int(unsafe.Sizeof(*s)) + cap(s.scope)*int(unsafe.Sizeof(Binding{})) + len(s.name) + len(s.lang)
	for _, b := range s.scope {
		if known[b.NS] == "" {
			held += len(b.NS)
		}
		held += len(b.Prefix)
	}
	if held >= 300 {
		t.Fatalf("%d bytes", held)
	}
	s.Next(omemo)
	s.Release()
	if s.d != nil {
		t.Error("Release keeps the tables")
	}
	s.Next(omemo[:10])
	if s.Release(); s.d == nil {
		t.Error("Release forgets a part that was scanned")
	}
}

// Feeding byte by byte must cost what feeding at once costs, or a slow peer
// buys quadratic work.
func TestEveryByteIsLookedAtABoundedNumberOfTimes(t *testing.T) {
	for name, in := range map[string]string{
		"message":   string(omemo),
		"text":      "<a>" + strings.Repeat("x", 30000) + "</a>",
		"value":     "<a b='" + strings.Repeat(">", 30000) + "'/>",
		"quotes":    "<a " + strings.Repeat(`"'"`, 10000),
		"space":     "<a" + strings.Repeat(" ", 30000) + "/>",
		"elements":  "<a>" + strings.Repeat("<b/>", 8000) + "</a>",
		"end tag":   "<a></a" + strings.Repeat(" ", 30000) + ">",
		"reference": "<a>&#" + strings.Repeat("0", 30000) + "65;</a>",
	} {
		s, buf := open(t), []byte(in)
		for i := 1; i <= len(in); i++ {
			if ev, _, err := s.Next(buf[:i]); err != nil || ev != More && i < len(in) {
				t.Fatal(name, i, ev, err)
			}
		}
		if s.d.scanned > 3*len(in) {
			t.Errorf("%s: %d bytes looked at for %d", name, s.d.scanned, len(in))
		}
	}
}

func TestTablesThatGrewAreNotReused(t *testing.T) {
	s := open(t)
	if _, _, err := s.Next([]byte("<a>" + strings.Repeat("<b/>", 4*keepRows) + "</a>")); err != nil {
		t.Fatal(err)
	}
	grown := s.d
	s.Release()
	for range 8 {
		if d := newDoc(); d == grown || cap(d.nodes) > keepRows {
			t.Fatal("a large doc came back")
		}
	}
}

func TestAMovingBufferChangesNothing(t *testing.T) {
	s := open(t)
	for i := range omemo {
		moved := append(make([]byte, 0, i+1), omemo[:i+1]...)
		ev, n, err := s.Next(moved)
		if err != nil || (ev == Element) != (i == len(omemo)-1) {
			t.Fatal(i, ev, n, err)
		}
		if ev == Element && !bytes.Equal(s.Root().Raw(), omemo) {
			t.Fatal("another range")
		}
		if ev == More {
			clear(moved)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, in := range [][]byte{omemo, []byte("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")} {
		b.Run(fmt.Sprintf("%d bytes", len(in)), func(b *testing.B) {
			s := open(b)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if ev, _, err := s.Next(in); ev != Element || err != nil {
					b.Fatal(ev, err)
				}
			}
		})
	}
}

func BenchmarkAppendTo(b *testing.B) {
	s := open(b)
	if _, _, err := s.Next(omemo); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 2*len(omemo))
	for b.Loop() {
		dst = s.Root().AppendTo(dst[:0])
	}
}
