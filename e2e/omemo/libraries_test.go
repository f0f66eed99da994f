package omemo

import (
	"testing"

	ours "mirsal/internal/omemo"
)

// A library is one implementation of one profile.
type library struct {
	name    string
	profile ours.Profile
	device  func(t fataler, name string) party // makes one

	// What not all do alike:

	// ahead is how many messages of a chain may be missing before one that it reads.
	ahead int
	// chains is how many chains back it still reads messages that come late.
	chains int
	// short: it says that a chain of its own was one message shorter than it was, so
	// that others may not expect the last one when it comes late.
	short bool
	// exact: it believes what others say of a chain's length, as the specification has it.
	exact bool
	// loose: what it does not look at may be changed without its refusing it.
	loose bool
}

const plenty = 1 << 20

// libraries starts all that there are, by name.
func libraries(t *testing.T) map[string]library {
	all := map[string]library{}
	for _, l := range []library{
		{name: "mirsal", profile: ours.Legacy, device: mirsal(ours.Legacy), ahead: 1000, chains: plenty},
		{name: "mirsal two", profile: ours.Two, device: mirsal(ours.Two), ahead: 1000, chains: plenty},
		{name: "libsignal", profile: ours.Legacy, device: libsignal(t).device, ahead: 2000, chains: 4, short: true, loose: true},
		{name: "oldmemo", profile: ours.Legacy, device: python(t, "oldmemo").device, ahead: 1000, chains: plenty, exact: true},
		{name: "twomemo", profile: ours.Two, device: python(t, "twomemo").device, ahead: 1000, chains: plenty, exact: true},
	} {
		all[l.name] = l
	}
	return all
}

// pairs are those that talk to each other, in this direction: the first starts.
func pairs(l map[string]library) [][2]library {
	var all [][2]library
	for _, p := range [][2]string{
		{"libsignal", "oldmemo"}, {"mirsal", "libsignal"}, {"mirsal", "oldmemo"}, {"mirsal two", "twomemo"},
	} {
		all = append(all, [2]library{l[p[0]], l[p[1]]}, [2]library{l[p[1]], l[p[0]]})
	}
	return append(all, [2]library{l["twomemo"], l["twomemo"]})
}

// eachPair runs a test for all pairs; meet makes two new devices.
func eachPair(t *testing.T, test func(t *testing.T, meet func(fataler) (alice, bob *end))) {
	for _, p := range pairs(libraries(t)) {
		t.Run(p[0].name+" to "+p[1].name, func(t *testing.T) {
			test(t, func(t fataler) (alice, bob *end) {
				alice = &end{t: t, party: p[0].device(t, "alice"), library: p[0], name: "alice", taken: map[string]bool{}}
				bob = &end{t: t, party: p[1].device(t, "bob"), library: p[1], name: "bob", taken: map[string]bool{}}
				alice.peer, bob.peer = bob, alice
				return alice, bob
			})
		})
	}
}
