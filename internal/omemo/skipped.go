package omemo

import "slices"

// skippedKey is the key of a message that has not come yet while a later one has.
type skippedKey struct {
	ratchet [32]byte
	n       uint32
	key     [32]byte
}

// ended is a receiving chain that a ratchet step ended. It tells a message that was read
// before from a new chain's.
type ended struct {
	ratchet [32]byte
	n       uint32 // messages whose keys were taken from it
	// spare is the key of message n, in Legacy.
	// COMPAT: libsignal counts the former chain one too short, so that its last message's
	// key would be missing; whoever counts rightly never uses it.
	spare    [32]byte
	hasSpare bool
}

// takeOld looks for the key of a message that others have overtaken. found is false when the message
// is on the present chain's end or begins a new one; an error tells that it is neither.
func (s *Session) takeOld(h header) (key [32]byte, found bool, err error) {
	if s.recv.live && h.ratchet == s.theirs && h.n >= s.recv.n {
		return key, false, nil
	}
	i := slices.IndexFunc(s.skipped, func(k skippedKey) bool { return k.n == h.n && k.ratchet == h.ratchet })
	if i >= 0 {
		key = s.skipped[i].key
		s.skipped = slices.Concat(s.skipped[:i], s.skipped[i+1:])
		return key, true, nil
	}
	return s.takeSpare(h)
}

func (s *Session) takeSpare(h header) (key [32]byte, found bool, err error) {
	i := slices.IndexFunc(s.former, func(e ended) bool { return e.ratchet == h.ratchet })
	if i < 0 {
		return key, false, nil
	}
	e := s.former[i]
	if !e.hasSpare || h.n != e.n {
		return key, false, ErrOld
	}
	s.former = slices.Clone(s.former)
	s.former[i] = ended{ratchet: e.ratchet, n: e.n + 1}
	return e.spare, true, nil
}

// skipTo keeps the keys of the receiving chain's messages before n, the oldest making room.
func (s *Session) skipTo(n uint32) {
	if n <= s.recv.n {
		return
	}
	kept := make([]skippedKey, 0, len(s.skipped)+int(n-s.recv.n))
	kept = append(kept, s.skipped...)
	for ; s.recv.n < n; s.recv.n++ {
		k := skippedKey{ratchet: s.theirs, n: s.recv.n}
		k.key, s.recv.key = stepChain(s.recv.key)
		kept = append(kept, k)
	}
	s.skipped = kept[max(0, len(kept)-maxKept):]
}

// endChain puts aside the keys of the receiving chain's messages that have not come, of
// which there were pn in all. Where more are missing than may be skipped, they are given up:
// the chain is over, and what comes after it must not be lost with it.
func (s *Session) endChain(pn uint32) {
	if pn > s.recv.n && pn-s.recv.n <= maxAhead {
		s.skipTo(pn)
	}
	e := ended{ratchet: s.theirs, n: s.recv.n, hasSpare: s.profile == Legacy}
	if e.hasSpare {
		e.spare, _ = stepChain(s.recv.key)
	}
	s.former = slices.Concat(s.former[max(0, len(s.former)-maxFormer+1):], []ended{e})
}
