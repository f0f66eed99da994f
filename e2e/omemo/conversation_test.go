package omemo

import (
	"bytes"
	"slices"
	"testing"
)

// conversations are held by every pair, in both directions.
var conversations = []struct {
	about string
	hold  func(t *testing.T, alice, bob *end)
}{
	{"the first message is read and its pre key is gone", theFirstMessageIsReadAndItsPreKeyIsGone},
	{"many messages without an answer", manyMessagesWithoutAnAnswer},
	{"ping pong", pingPong},
	{"the first message is lost", theFirstMessageIsLost},
	{"out of order", outOfOrder},
	{"a gap of hundreds", aGapOfHundreds},
	{"a gap too wide heals with an answer", aGapTooWide},
	{"late from the chain before", lateFromTheChainBefore},
	{"both start at once", bothStartAtOnce},
	{"a session is begun anew in mid conversation", aSessionIsBegunAnewInMidConversation},
	{"the signed pre key rotates", theSignedPreKeyRotates},
	{"a changed message is refused and changes nothing", aChangedMessageIsRefusedAndChangesNothing},
}

func TestConversations(t *testing.T) {
	eachPair(t, func(t *testing.T, meet func(fataler) (alice, bob *end)) {
		for _, c := range conversations {
			t.Run(c.about, func(t *testing.T) {
				alice, bob := meet(t)
				c.hold(t, alice, bob)
			})
		}
	})
}

func theFirstMessageIsReadAndItsPreKeyIsGone(t *testing.T, alice, bob *end) {
	one := alice.withOne(bob.bundle())
	first := alice.startFrom(one)
	bob.reads(first)
	left := preKeys.FindAll(bob.bundle(), -1)
	used := preKeys.Find(one)
	if len(left) != 99 || slices.ContainsFunc(left, func(k []byte) bool { return bytes.Equal(k, used) }) {
		t.Errorf("%d pre-keys are left", len(left))
	}
	bob.refuses(first, old)
	// a second session with the key that is gone
	bob.refuses(alice.startFrom(one), preKey)
	alice.reads(bob.write())
}

func manyMessagesWithoutAnAnswer(t *testing.T, alice, bob *end) {
	first := alice.start()
	letters := alice.writes(60)
	for i, l := range letters {
		if !l.preKey {
			t.Fatalf("message %d without the key exchange", i)
		}
	}
	bob.reads(first)
	bob.reads(letters...)
	answer := bob.write()
	if answer.preKey {
		t.Error("the answer starts another session")
	}
	alice.reads(answer)
	last := alice.write()
	if last.preKey {
		t.Error("still with the key exchange after an answer")
	}
	bob.reads(last)
}

func pingPong(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	for range 50 {
		bob.reads(alice.write())
		alice.reads(bob.write())
	}
}

func theFirstMessageIsLost(t *testing.T, alice, bob *end) {
	lost, second, third := alice.start(), alice.write(), alice.write()
	bob.reads(third)
	alice.reads(bob.write())
	bob.reads(second, alice.write(), lost)
	bob.refuses(lost)
}

func outOfOrder(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	for _, e := range []*end{alice, bob} {
		letters := e.writes(20)
		slices.Reverse(letters)
		e.peer.reads(letters...)
		for _, l := range letters {
			e.peer.refuses(l, old)
		}
	}
}

func aGapOfHundreds(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	letters := alice.writes(500)
	bob.reads(letters[499])
	alice.reads(bob.write())
	bob.reads(letters[0], letters[250], letters[498])
	bob.refuses(letters[250])
}

// Who missed more than it is willing to make up for cannot read that chain any
// more, but the next. (Where nothing of the chain was read before, there is no next one:
// then only a new session helps.)
func aGapTooWide(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	letters := alice.writes(bob.library.ahead + 3)
	bob.reads(letters[0])
	bob.refuses(letters[len(letters)-1])
	alice.reads(bob.write())
	bob.reads(alice.write())
	alice.reads(bob.write())
}

// The last message of a chain is late: how long the chain was is known only from
// what the next chain says of it.
func lateFromTheChainBefore(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	for _, e := range []*end{alice, bob, alice} {
		letters := e.writes(5)
		e.peer.reads(letters[:2]...)
		e.reads(e.peer.write())
		e.peer.reads(e.write())
		e.peer.reads(letters[2], letters[3])
		if e.library.short && e.peer.library.exact {
			e.peer.refuses(letters[4])
			continue
		}
		e.peer.reads(letters[4])
		e.peer.refuses(letters[4])
	}
}

func bothStartAtOnce(t *testing.T, alice, bob *end) {
	a, b := alice.start(), bob.start()
	late, next := alice.write(), alice.write()
	alice.reads(b)
	bob.reads(a, next)
	for range 5 {
		x, y := alice.write(), bob.write()
		bob.reads(x)
		alice.reads(y)
	}
	bob.reads(late)
	for range 5 {
		bob.reads(alice.write())
		alice.reads(bob.write())
	}
}

func aSessionIsBegunAnewInMidConversation(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	fromA, fromB := alice.write(), bob.write()
	bob.reads(alice.start())
	bob.reads(fromA)
	alice.reads(fromB, bob.write())
	bob.reads(alice.write())
	alice.reads(bob.write())
}

func theSignedPreKeyRotates(t *testing.T, alice, bob *end) {
	before := bob.bundle()
	bob.rotate()
	if bytes.Equal(before, bob.bundle()) {
		t.Fatal("the bundle is the same")
	}
	bob.reads(alice.startFrom(before)) // from a list that was fetched before
	bob.reads(alice.start())
	alice.reads(bob.write())
}

func aChangedMessageIsRefusedAndChangesNothing(t *testing.T, alice, bob *end) {
	acquaint(alice, bob)
	for _, e := range []*end{alice, bob} {
		tampered(t, e.peer, e.write())
		tampered(t, e.peer, e.write())
		e.reads(e.peer.write())
		tampered(t, e.peer, e.write()) // with a new ratchet key
	}
}

// tampered delivers the letter changed in each of its bytes, cut short, and at
// last as it is.
func tampered(t *testing.T, e *end, l letter) {
	t.Helper()
	from := 0
	if e.library.loose {
		from = 1 // of the version it reads the upper half
	}
	for i := from; i < len(l.data); i++ {
		changed := letter{message: message{l.preKey, bytes.Clone(l.data)}}
		changed.data[i] ^= 1 << (i % 8)
		e.refuses(changed)
	}
	for n := range len(l.data) {
		e.refuses(letter{message: message{l.preKey, l.data[:n]}})
	}
	e.reads(l)
}
