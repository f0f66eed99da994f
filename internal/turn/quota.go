package turn

import (
	"net"
	"net/netip"
	"sync"
)

// quotas count the allocations of accounts and of addresses. What is asked for takes
// its place before it is made, so that many who ask at once do not get more.
type quotas struct {
	perAccount, perAddress, most int

	mu       sync.Mutex // held for moments
	accounts map[who]int
	places   map[netip.Prefix]int
	all      int
	pending  map[string][]who // by who asked; until it is made or has failed
}

func newQuotas(perAccount, perAddress, most int) *quotas {
	return &quotas{
		perAccount: perAccount, perAddress: perAddress, most: most,
		accounts: map[who]int{}, places: map[netip.Prefix]int{}, pending: map[string][]who{},
	}
}

// placeOf is what one household has: an IPv4 address, or a /64 of IPv6.
func placeOf(a net.Addr) netip.Prefix {
	ip := addrOf(a).Addr()
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits)
	return p
}

// addrOf is a network address; not valid where it is no IP's.
func addrOf(a net.Addr) netip.AddrPort {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		p = a.AddrPort()
	case *net.TCPAddr:
		p = a.AddrPort()
	}
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}

func keyOf(a net.Addr) string { return a.Network() + a.String() }

// ask takes a place for one more allocation; full is what there are too many of.
func (q *quotas) ask(account who, from net.Addr) (full string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch place := placeOf(from); {
	case q.accounts[account] >= q.perAccount:
		return "account"
	case q.places[place] >= q.perAddress:
		return "address"
	case q.all >= q.most:
		return "server"
	}
	q.add(account, from, 1)
	q.pending[keyOf(from)] = append(q.pending[keyOf(from)], account)
	return ""
}

// made says that the allocation is there: from now on it holds its place itself.
func (q *quotas) made(account who, from net.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.settle(account, from) {
		q.add(account, from, 1)
	}
}

// failed gives back what was taken for an allocation that is not made. One client's
// requests are served one after the other, so it is the one just asked for.
func (q *quotas) failed(from net.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if list := q.pending[keyOf(from)]; len(list) > 0 {
		q.settle(list[0], from)
		q.add(list[0], from, -1)
	}
}

// gone gives an allocation's place back.
func (q *quotas) gone(account who, from net.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(account, from, -1)
}

func (q *quotas) settle(account who, from net.Addr) bool {
	key := keyOf(from)
	for i, w := range q.pending[key] {
		if w == account {
			if q.pending[key] = append(q.pending[key][:i:i], q.pending[key][i+1:]...); len(q.pending[key]) == 0 {
				delete(q.pending, key)
			}
			return true
		}
	}
	return false
}

func (q *quotas) add(account who, from net.Addr, n int) {
	place := placeOf(from)
	q.all += n
	if q.accounts[account] += n; q.accounts[account] <= 0 {
		delete(q.accounts, account)
	}
	if q.places[place] += n; q.places[place] <= 0 {
		delete(q.places, place)
	}
}
