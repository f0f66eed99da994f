package limits

import (
	"sync"
	"time"
)

// placesMost is how many places of one account are familiar; the one used
// longest ago gives way.
const placesMost = 8

// places remembers from where accounts have signed in. Only a login with the
// right password adds to it, and one account has few places, so nobody can make it
// forget others' without having as many accounts.
type places struct {
	mu   sync.RWMutex // held for moments
	most int
	of   map[uint64][]place // by account, the latest last
	refs map[uint64]int     // how many accounts sign in from an address or prefix
}

type place struct {
	addr, prefix uint64
	fail         bucket // attempts that failed for this account from here
}

func (f *places) init(most int) {
	f.most, f.of, f.refs = most, map[uint64][]place{}, map[uint64]int{}
}

// knows tells whether somebody signs in from an address or prefix.
func (f *places) knows(key uint64) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.refs[key] > 0
}

// add makes the place familiar to the account.
func (f *places) add(account uint64, o Origin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.of[account]
	p := place{addr: o.addr, prefix: o.prefix}
	if i := find(list, o); i >= 0 {
		p.fail = list[i].fail
		list = f.remove(list, i)
	} else if len(list) >= placesMost {
		list = f.remove(list, 0)
	}
	if list == nil && len(f.of) >= f.most {
		f.forgetOne()
	}
	f.refs[p.addr]++
	f.refs[p.prefix]++
	f.of[account] = append(list, p)
}

func find(list []place, o Origin) int {
	for i := range list {
		if list[i].addr == o.addr {
			return i
		}
	}
	return -1
}

func (f *places) remove(list []place, i int) []place {
	f.unref(list[i].addr)
	f.unref(list[i].prefix)
	return append(list[:i], list[i+1:]...)
}

func (f *places) unref(key uint64) {
	if f.refs[key]--; f.refs[key] == 0 {
		delete(f.refs, key)
	}
}

// forgetOne forgets some account's places: any's.
func (f *places) forgetOne() {
	for account, list := range f.of {
		for _, p := range list {
			f.unref(p.addr)
			f.unref(p.prefix)
		}
		delete(f.of, account)
		return
	}
}

// wait is how long attempts from a familiar place are in debt; ok is false where the place is
// not familiar to the account.
func (f *places) wait(account uint64, o Origin, r rate, now int64) (d time.Duration, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := f.of[account]
	i := find(list, o)
	if i < 0 {
		return 0, false
	}
	return list[i].fail.wait(r, now), true
}

// owe charges a failed attempt to a familiar place.
func (f *places) owe(account uint64, o Origin, r rate, now int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.of[account]
	if i := find(list, o); i >= 0 {
		list[i].fail.owe(r, now, 1, debt)
	}
}

func (f *places) gone(account uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.of[account] {
		f.unref(p.addr)
		f.unref(p.prefix)
	}
	delete(f.of, account)
}
