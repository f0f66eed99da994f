package blocking

import (
	"maps"

	"mirsal/internal/xmpp/jid"
)

// list is what one account has blocked. A list is never changed, only replaced.
type list map[jid.JID]struct{}

// match tells whether a list names an address: itself, its account, its
// domain's resource or its domain.
// XEP-0191#matching
func (l list) match(j jid.JID) bool {
	if len(l) == 0 || j.IsZero() {
		return false
	}
	if l.has(j) || l.has(j.DomainOnly()) {
		return true
	}
	return j.IsFull() && l.has(j.Bare())
}

func (l list) has(j jid.JID) bool {
	_, ok := l[j]
	return ok
}

// with is the list and more; fresh are those that it did not have.
func (l list) with(more []jid.JID) (now list, fresh []jid.JID) {
	now = make(list, len(l)+len(more))
	maps.Copy(now, l)
	for _, j := range more {
		if !now.has(j) {
			now[j] = struct{}{}
			fresh = append(fresh, j)
		}
	}
	return now, fresh
}

// without is the list less some; gone are those that it had.
func (l list) without(less []jid.JID) (now list, gone []jid.JID) {
	now = maps.Clone(l)
	for _, j := range less {
		if now.has(j) {
			delete(now, j)
			gone = append(gone, j)
		}
	}
	return now, gone
}

// bytes is what the addresses take.
func (l list) bytes() int {
	n := 0
	for j := range l {
		n += len(j.String())
	}
	return n
}
