package omemo

import (
	"slices"
	"strings"
	"testing"

	ours "mirsal/internal/omemo"
)

func TestEnvelopesOfAllLengthsAreRead(t *testing.T) {
	eachPair(t, func(t *testing.T, meet func(fataler) (alice, bob *end)) {
		alice, bob := meet(t)
		if alice.library.name == "libsignal" || bob.library.name == "libsignal" {
			t.Skip("libsignal knows no envelopes")
		}
		alice.start()
		for _, text := range []string{"", "a", "السلام عليكم", strings.Repeat("x", 16), strings.Repeat("y", 40000)} {
			enveloped(alice, bob, text) // with the key exchange, until bob writes
		}
		for _, text := range []string{"hello", "", "👩🏽‍🚀"} {
			enveloped(bob, alice, text)
			enveloped(alice, bob, text)
		}
	})
}

func enveloped(from, to *end, text string) {
	from.t.Helper()
	element, err := from.seal(to.name, []byte(text))
	if err != nil {
		from.t.Fatalf("%s: %v", from, err)
	}
	if got, err := to.unseal(from.name, element); err != nil || string(got) != text {
		to.t.Fatalf("%s reads %q, %v, want %q in %.2000s", to, got, err, text, element)
	}
}

// COMPAT: Conversations wrote initialisation vectors of 16 bytes for years.
func TestAnInitialisationVectorOfSixteenBytesIsRead(t *testing.T) {
	o := python(t, "oldmemo")
	bob := newOwn(t, "bob", ours.Legacy)
	for _, length := range []int{12, 16} {
		s := o.device(t, "").(stranger)
		if _, err := s.start("bob", bob.bundle(), make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		a := o.must(question{Do: "seal", Device: s.name, Peer: "bob", Plain: []byte("hello"), IV: length})
		if got, err := bob.unseal(s.name, a.Data); err != nil || string(got) != "hello" {
			t.Errorf("%d bytes: %q, %v", length, got, err)
		}
	}
}

// Without labels: twomemo 1.0.3 refuses a whole list in which one label is signed, as
// XEP-0384 0.9 has it (its schema knows no labelsig).
func TestDeviceListsAreReadBothWays(t *testing.T) {
	for name, p := range map[string]ours.Profile{"oldmemo": ours.Legacy, "twomemo": ours.Two} {
		t.Run(name, func(t *testing.T) {
			want := []ours.Listed{{ID: 1}, {ID: 31415}, {ID: ours.MaxID}}
			theirs := python(t, name).must(question{Do: "list", Data: ours.AppendDevices(nil, p, want)}).Data
			q, got, err := ours.ReadDevices(parse(t, theirs))
			same := func(a, b ours.Listed) bool { return a.ID == b.ID && a.Label == b.Label }
			if err != nil || q != p || !slices.EqualFunc(got, want, same) {
				t.Errorf("%+v, %v, want %+v in %s", got, err, want, theirs)
			}
		})
	}
}
