package pubsub

import (
	"slices"

	"mirsal/internal/xmpp/jid"
)

// account is the index of one owner's nodes, an account's or the service's:
// everything but the payloads.
type account struct {
	nodes map[string]*node
	order []*node // by name; nil when it is to be made anew
	seq   uint64  // the highest place ever given, as far as this process knows
	total int     // what all items cost, in bytes
	// ties tell, for each bare address, with which nodes it has to do: how many
	// subscriptions it has, one more for an affiliation, one for having made it. nil
	// for an account.
	ties map[jid.JID]map[*node]int
}

// node is one node. The embedded record is what is kept.
type node struct {
	record
	name    string
	entries []entry // in the order of publication
	cost    int     // of the entries, in bytes
	last    []byte  // payload of the last entry, nil when not at hand
	acct    *account
	// subs are the subscriptions made by a request, by address, bare or full:
	// subscribed or pending.
	subs map[jid.JID]string
	// asked are those, bare, about whom owners have a question to answer, even where
	// they gave up meanwhile: they cause no second one.
	asked map[jid.JID]struct{}
}

// record is a node on disk.
type record struct {
	Config
	Created int64 `json:"created"` // Unix seconds
	// Creator is whose quota counts the node, at the service.
	Creator string `json:"creator,omitempty"`
	// Affiliated are those with an affiliation, by bare address; not an account
	// that owns the node because it is its own.
	Affiliated map[string]string `json:"affiliated,omitempty"`
	// Tenures are how the owners of a node at the service own it, by bare address.
	Tenures map[string]tenure `json:"tenures,omitempty"`
	// Reads is the owner, at the service, who chose the access model: his roster and
	// presence decide. "" for nobody.
	Reads string `json:"reads,omitempty"`
}

// States of a subscription.
// XEP-0060#substates
const (
	subscribed = "subscribed"
	pending    = "pending"
	none       = "none"
)

// entry is one item's place in a node.
type entry struct {
	seq  uint64
	id   string
	size int    // bytes of the payload
	at   int64  // when it was published, Unix seconds; 0 for not known
	by   string // the publisher's bare address; "" for the owner of an account, and for who is none any more
}

// entryCost is about what an item takes besides its payload and its id: counted, so
// that many empty items are no way around the bound.
const entryCost = 128

func (e *entry) cost() int { return e.size + len(e.id) + entryCost }

// smallPayload is up to which size a last item is kept in memory.
const smallPayload = 4 << 10

func newAccount(service bool) *account {
	a := &account{nodes: map[string]*node{}}
	if service {
		a.ties = map[jid.JID]map[*node]int{}
	}
	return a
}

// shared tells whether the nodes are those of the service for all.
func (a *account) shared() bool { return a.ties != nil }

// add puts a node into the index, with its ties.
func (a *account) add(n *node) {
	if a.nodes[n.name] == n {
		return
	}
	a.nodes[n.name], a.order = n, nil
	a.tieAll(n, 1)
}

func (a *account) remove(n *node) {
	delete(a.nodes, n.name)
	a.order = nil
	a.tieAll(n, -1)
}

func (a *account) tieAll(n *node, by int) {
	for who := range n.subs {
		a.tie(who.Bare(), n, by)
	}
	for who := range n.Affiliated {
		a.tieText(who, n, by)
	}
	a.tieText(n.Creator, n, by)
}

// tieText is tie for an address as records have it.
func (a *account) tieText(who string, n *node, by int) {
	if a.ties == nil || who == "" {
		return
	}
	if j, err := jid.Parse(who); err == nil {
		a.tie(j, n, by)
	}
}

// tie counts one more, or one less, tie between an address and a node.
func (a *account) tie(bare jid.JID, n *node, by int) {
	if a.ties == nil {
		return
	}
	to := a.ties[bare]
	if to == nil {
		to = map[*node]int{}
		a.ties[bare] = to
	}
	if to[n] += by; to[n] <= 0 {
		delete(to, n)
	}
	if len(to) == 0 {
		delete(a.ties, bare)
	}
}

// tied are the nodes with which an address may have to do, by name; at an account
// all of them.
func (a *account) tied(bare jid.JID) []*node {
	if a.ties == nil {
		return a.sorted()
	}
	list := make([]*node, 0, len(a.ties[bare]))
	for n := range a.ties[bare] {
		list = append(list, n)
	}
	return byName(list)
}

// sorted are the nodes in the order of their names; nobody changes the list.
func (a *account) sorted() []*node {
	if a.order == nil || len(a.order) != len(a.nodes) {
		list := make([]*node, 0, len(a.nodes))
		for _, n := range a.nodes {
			list = append(list, n)
		}
		a.order = byName(list)
	}
	return a.order
}

func byName(list []*node) []*node {
	slices.SortFunc(list, func(x, y *node) int {
		if x.name < y.name {
			return -1
		}
		return 1
	})
	return list
}

// memory is about what the index takes, in bytes.
func (a *account) memory() int {
	size := 128
	for name, n := range a.nodes {
		size += 512 + len(name) + 64*(len(n.Affiliated)+len(n.subs)) + len(n.last)
		for i := range n.entries {
			size += 64 + len(n.entries[i].id)
		}
	}
	return size
}

func (n *node) find(id string) int {
	return slices.IndexFunc(n.entries, func(e entry) bool { return e.id == id })
}

// lastSize is the size of the last entry's payload.
func (n *node) lastSize() int {
	if len(n.entries) == 0 {
		return 0
	}
	return n.entries[len(n.entries)-1].size
}

// takes tells whether an address has a subscription that is in force.
func (n *node) takes(bare jid.JID) bool {
	for who, state := range n.subs {
		if state == subscribed && who.Bare() == bare {
			return true
		}
	}
	return false
}

// subscriptionsOf counts an address's subscriptions, those that wait included.
func (a *account) subscriptionsOf(bare jid.JID) (count int) {
	for n, ties := range a.ties[bare] {
		count += ties
		if n.Affiliated[bare.String()] != "" {
			count--
		}
		if n.Creator == bare.String() {
			count--
		}
	}
	return count
}

// heldBy is how many nodes count for an address, and what their items cost.
func (a *account) heldBy(creator string) (nodes, cost int) {
	bare, err := jid.Parse(creator)
	if err != nil {
		return 0, 0
	}
	for n := range a.ties[bare] {
		if n.Creator == creator {
			nodes, cost = nodes+1, cost+n.cost
		}
	}
	return nodes, cost
}
