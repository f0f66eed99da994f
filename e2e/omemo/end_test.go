package omemo

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"

	ours "mirsal/internal/omemo"
)

// fataler is the part of a test that both kinds of test have.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// An end is one side of a conversation.
type end struct {
	party
	t       fataler
	library library
	name    string
	peer    *end
	taken   map[string]bool // pre-keys of the peer's, as they stand in its bundle
}

// A letter is a message on its way, and what it should say.
type letter struct {
	message
	plain []byte
}

// fresh is what a client puts through a ratchet for each message: a key and a tag.
func (e *end) fresh() []byte {
	plain := make([]byte, 32)
	if e.library.profile == ours.Two {
		plain = make([]byte, 48)
	}
	_, _ = rand.Read(plain)
	return plain
}

// start begins a session from what the peer publishes now.
func (e *end) start() letter {
	e.t.Helper()
	return e.startFrom(e.withOne(e.peer.bundle()))
}

func (e *end) startFrom(bundle []byte) letter {
	e.t.Helper()
	plain := e.fresh()
	m, err := e.party.start(e.peer.name, bundle, plain)
	if err != nil {
		e.t.Fatalf("%s does not start: %v", e, err)
	}
	if !m.preKey {
		e.t.Fatalf("%s starts with an ordinary message", e)
	}
	return letter{m, plain}
}

func (e *end) write() letter {
	e.t.Helper()
	plain := e.fresh()
	m, err := e.encrypt(e.peer.name, plain)
	if err != nil {
		e.t.Fatalf("%s does not encrypt: %v", e, err)
	}
	return letter{m, plain}
}

func (e *end) writes(n int) []letter {
	e.t.Helper()
	var all []letter
	for range n {
		all = append(all, e.write())
	}
	return all
}

// reads wants the letters read as they were written.
func (e *end) reads(letters ...letter) {
	e.t.Helper()
	for i, l := range letters {
		plain, err := e.decrypt(e.peer.name, l.message)
		if err != nil || !bytes.Equal(plain, l.plain) {
			e.t.Fatalf("%s, letter %d of %d, pre-key %v: got %x, %v, want %x", e, i+1, len(letters), l.preKey, plain, err, l.plain)
		}
	}
}

// refuses wants the letter refused, for one of the reasons (any without one).
func (e *end) refuses(l letter, reasons ...refusal) {
	e.t.Helper()
	plain, err := e.decrypt(e.peer.name, l.message)
	if err == nil {
		e.t.Fatalf("%s reads %x, want a refusal %v", e, plain, reasons)
	}
	for _, r := range reasons {
		if errors.Is(err, r) {
			return
		}
	}
	if len(reasons) > 0 {
		e.t.Fatalf("%s refuses with %v, want %v", e, err, reasons)
	}
}

// acquaint lets both know each other: a start and an answer.
func acquaint(alice, bob *end) {
	alice.t.Helper()
	bob.reads(alice.start())
	alice.reads(bob.write())
}

func (e *end) String() string { return fmt.Sprintf("%s (%s)", e.name, e.library.name) }

// preKeys are the one-time keys of a bundle, as they stand in it.
var preKeys = regexp.MustCompile(`<(\w+:)?(preKeyPublic|pk) [^>]*>[^<]*</(\w+:)?(preKeyPublic|pk)>`)

// withOne is the bundle with only the first of its one-time pre-keys that no session
// was begun with: two that are begun with the same, one of them is refused.
func (e *end) withOne(bundle []byte) []byte {
	kept := false
	return preKeys.ReplaceAllFunc(bundle, func(k []byte) []byte {
		if kept || e.taken[string(k)] {
			return nil
		}
		kept, e.taken[string(k)] = true, true
		return k
	})
}
