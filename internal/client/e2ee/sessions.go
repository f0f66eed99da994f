package e2ee

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

// maxSessions is how many sessions with one device are kept in a profile. Two come of a
// simultaneous start; each healing adds one.
const maxSessions = 6

// sessionKey names a session: a device in a profile, and a number.
type sessionKey struct {
	who     jid.JID
	device  uint32
	profile omemo.Profile
	number  uint32
}

func (k sessionKey) String() string {
	return fmt.Sprintf("%s\x00%08x\x00%d\x00%08x", k.who, k.device, k.profile, k.number)
}

// session reads a session; nil when it is gone.
func (b *Book) session(k sessionKey) (*omemo.Session, error) {
	if s, known := b.sessions[k]; known {
		b.remember(k, s)
		return s, nil
	}
	raw, err := b.store.Get(sessionTable, k.String())
	if err != nil || raw == nil {
		return nil, err
	}
	s := &omemo.Session{}
	if err := s.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("e2ee: session with %s: %w", k.who, err)
	}
	b.remember(k, s)
	return s, nil
}

// putSession keeps a session's new state.
func (b *Book) putSession(k sessionKey, s *omemo.Session) error {
	raw, err := s.MarshalBinary()
	if err != nil {
		return err
	}
	b.remember(k, s)
	b.batch.Put(sessionTable, k.String(), raw)
	return nil
}

func (b *Book) dropSession(k sessionKey) {
	delete(b.sessions, k)
	delete(b.turns, k)
	b.batch.Delete(sessionTable, k.String())
}

// maxLoaded is how many sessions stay in memory; one can have 136 kB of skipped keys.
const maxLoaded = 512

// remember has a session in memory, as the latest used.
func (b *Book) remember(k sessionKey, s *omemo.Session) {
	b.turn++
	b.sessions[k], b.turns[k] = s, b.turn
}

// restSessions puts sessions out of memory, the longest unused first, when there are too many. One
// whose state is not in the store yet stays: read again from there, it would use a key twice.
func (b *Book) restSessions() {
	if len(b.sessions) <= maxLoaded {
		return
	}
	keys := slices.SortedFunc(maps.Keys(b.sessions), func(x, y sessionKey) int { return cmp.Compare(b.turns[x], b.turns[y]) })
	for _, k := range keys[:len(keys)-maxLoaded/2] {
		if b.stored(k) {
			delete(b.sessions, k)
			delete(b.turns, k)
		}
	}
}

// stored tells whether the store has just the state of a session that memory has.
func (b *Book) stored(k sessionKey) bool {
	now, err := b.sessions[k].MarshalBinary()
	return err == nil && b.holds(sessionTable, k.String(), now)
}

// addSession puts a new session in front of a device's others; too many make the one
// longest unused go.
func (b *Book) addSession(a *account, id uint32, s *omemo.Session) error {
	d, p := a.device(id, b.now()), s.Profile()
	numbers := d.Sessions[p]
	k := sessionKey{a.who, id, p, 1}
	if len(numbers) > 0 {
		k.number = slices.Max(numbers) + 1
	}
	if err := b.putSession(k, s); err != nil {
		return err
	}
	numbers = slices.Insert(slices.Clone(numbers), 0, k.number)
	if len(numbers) > maxSessions {
		b.dropSession(sessionKey{a.who, id, p, numbers[maxSessions]})
		numbers = numbers[:maxSessions]
	}
	d.setSessions(p, numbers)
	b.touch(a)
	return nil
}

func (d *device) setSessions(p omemo.Profile, numbers []uint32) {
	if d.Sessions == nil {
		d.Sessions = map[omemo.Profile][]uint32{}
	}
	d.Sessions[p] = numbers
}

// used puts a session in front, as the one the other side uses.
func (b *Book) used(a *account, k sessionKey) {
	d := a.Devices[k.device]
	numbers := d.Sessions[k.profile]
	i := slices.Index(numbers, k.number)
	if i <= 0 {
		return
	}
	numbers = slices.Delete(slices.Clone(numbers), i, i+1)
	d.setSessions(k.profile, slices.Insert(numbers, 0, k.number))
	b.touch(a)
}

// front is the session to write in: the latest used of those with the device's own key.
// Sessions with another key that was offered are only read.
func (b *Book) front(a *account, id uint32, p omemo.Profile) (sessionKey, *omemo.Session, error) {
	d := a.Devices[id]
	if d == nil || d.Key == "" {
		return sessionKey{}, nil, nil
	}
	for _, n := range d.Sessions[p] {
		k := sessionKey{a.who, id, p, n}
		s, err := b.session(k)
		if err != nil {
			return k, nil, err
		}
		if s != nil && s.Peer().Fingerprint() == d.Key {
			return k, s, nil
		}
	}
	return sessionKey{}, nil, nil
}
