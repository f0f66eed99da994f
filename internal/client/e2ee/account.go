package e2ee

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"mirsal/internal/omemo"
	"mirsal/internal/xmpp/jid"
)

const (
	maxListed  = 100 // devices of one account that are considered
	maxDevices = 200 // that are remembered, those no longer listed included
)

// account is what is known of one account's devices and keys, one's own included. Its
// exported fields are what is kept.
type account struct {
	who     jid.JID
	turn    uint64                  // when it was last used
	Lists   map[omemo.Profile]*list `json:"lists,omitempty"`
	Devices map[uint32]*device      `json:"devices,omitempty"`
	// Keys holds what was decided about each key, by fingerprint. A decision
	// belongs to the key: it stays when the device goes.
	Keys map[string]Trust `json:"keys,omitempty"`
}

// list is an account's device list in one profile as the server last told it.
type list struct {
	Devices []omemo.Listed `json:"devices,omitempty"` // at most maxListed, by number
	Told    time.Time      `json:"told,omitzero"`     // zero: never
	Failed  int            `json:"failed,omitempty"`  // questions in a row
	Next    time.Time      `json:"next,omitzero"`     // not asked before
	Lost    bool           `json:"lost,omitempty"`    // Next is there since no answer came
}

// device is one device of an account. Which key is Key only a person changes.
type device struct {
	Key     string    `json:"key,omitempty"`     // fingerprint; "" as long as it is not known
	Offered string    `json:"offered,omitempty"` // another key that claims to be this device
	Label   string    `json:"label,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Seen    time.Time `json:"seen,omitzero"` // last message, to the hour
	Healed  time.Time `json:"healed,omitzero"`
	// Met: it was on a list, or people were told of it: coming back it is no news.
	Met bool `json:"met,omitempty"`
	// Heal and Answer are what is owed to it once catch-up ends: a new session, an
	// empty message in its session.
	Heal   map[omemo.Profile]bool `json:"heal,omitempty"`
	Answer map[omemo.Profile]bool `json:"answer,omitempty"`
	// Sessions are the numbers of its sessions, the latest used in front.
	Sessions map[omemo.Profile][]uint32 `json:"sessions,omitempty"`
	Fetch    map[omemo.Profile]fetch    `json:"fetch,omitempty"`
}

// fetch remembers that a bundle could not be had.
type fetch struct {
	Failed int       `json:"failed"`
	Next   time.Time `json:"next"`
	Lost   bool      `json:"lost,omitempty"` // no answer came
}

// touch marks an account as changed.
func (b *Book) touch(a *account) {
	b.dirty[a] = true
	b.generation++
}

// Generation grows whenever something changes that a Lock is made of: devices, keys,
// trust, what is asked for. What was computed in the same one is still true.
func (b *Book) Generation() uint64 { return b.generation }

// listIn is the account's list in a profile, made when there is none.
func (a *account) listIn(p omemo.Profile) *list {
	l := a.Lists[p]
	if l == nil {
		l = &list{}
		if a.Lists == nil {
			a.Lists = map[omemo.Profile]*list{}
		}
		a.Lists[p] = l
	}
	return l
}

// listOf is what is on the list of a profile.
func (a *account) listOf(p omemo.Profile) []omemo.Listed {
	if l := a.Lists[p]; l != nil {
		return l.Devices
	}
	return nil
}

// listed tells whether a device is on the list of a profile.
func (a *account) listed(p omemo.Profile, id uint32) bool {
	l := a.Lists[p]
	return l != nil && l.has(id)
}

func (l *list) has(id uint32) bool {
	_, there := slices.BinarySearchFunc(l.Devices, id, byID)
	return there
}

func byID(x omemo.Listed, id uint32) int { return cmp.Compare(x.ID, id) }

// active tells whether a device is on any list.
func (a *account) active(id uint32) bool {
	for p := range a.Lists {
		if a.listed(p, id) {
			return true
		}
	}
	return false
}

// device finds or makes a device.
func (a *account) device(id uint32, now time.Time) *device {
	d := a.Devices[id]
	if d == nil {
		d = &device{Since: now}
		if a.Devices == nil {
			a.Devices = map[uint32]*device{}
		}
		a.Devices[id] = d
	}
	return d
}

// setTrust notes a decision.
func (a *account) setTrust(fingerprint string, t Trust) {
	if a.Keys == nil {
		a.Keys = map[string]Trust{}
	}
	a.Keys[fingerprint] = t
}

// trust is what was decided about a device's key: Undecided where nothing was.
func (a *account) trust(fingerprint string) Trust {
	if t, known := a.Keys[fingerprint]; known {
		return t
	}
	return Undecided
}

// compared tells whether a person has verified a key of the account: from then on no
// key is taken on first use.
func (a *account) compared() bool {
	for _, t := range a.Keys {
		if t == Verified {
			return true
		}
	}
	return false
}

// ids are the devices known, by number.
func (a *account) ids() []uint32 { return slices.Sorted(maps.Keys(a.Devices)) }

// prune forgets devices that are on no list and were never heard of, and above
// maxDevices those longest silent. Decisions of people are never forgotten.
func (a *account) prune(b *Book) {
	for id, d := range a.Devices {
		if !a.active(id) && d.Key == "" && d.Offered == "" {
			delete(a.Devices, id)
		}
	}
	for len(a.Devices) > maxDevices {
		a.forget(b, a.oldest())
	}
}

// oldest is the device longest silent, those on a list last.
func (a *account) oldest() uint32 {
	ids := a.ids()
	return slices.MinFunc(ids, func(x, y uint32) int {
		if ax, ay := a.active(x), a.active(y); ax != ay {
			if ay {
				return -1
			}
			return 1
		}
		return a.Devices[x].last().Compare(a.Devices[y].last())
	})
}

func (d *device) last() time.Time {
	if d.Seen.After(d.Since) {
		return d.Seen
	}
	return d.Since
}

// forget drops a device, its sessions and what was not decided by a person about its keys.
func (a *account) forget(b *Book, id uint32) {
	d := a.Devices[id]
	for p, numbers := range d.Sessions {
		for _, n := range numbers {
			b.dropSession(sessionKey{a.who, id, p, n})
		}
	}
	delete(a.Devices, id)
	for _, fp := range []string{d.Key, d.Offered} {
		if t := a.Keys[fp]; (t == FirstUse || t == Undecided) && !a.holds(fp) {
			delete(a.Keys, fp)
		}
	}
}

// holds tells whether a device has, or offers, a key.
func (a *account) holds(fingerprint string) bool {
	for _, d := range a.Devices {
		if d.Key == fingerprint || d.Offered == fingerprint {
			return true
		}
	}
	return false
}
