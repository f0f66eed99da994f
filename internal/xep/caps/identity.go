package caps

import (
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/ecaps2"
	"mirsal/internal/xmpp/xtok"
)

// maxAttr bounds what a <c/> says, each part in bytes; longer ones are ignored.
const maxAttr = 1023

// identity is what a <c/> says of XEP-0115, or one hash of XEP-0390's.
type identity struct {
	node   string // "" in XEP-0390
	hash   string // name of the hash function
	ver    string // the hash, in Base64
	second bool   // of XEP-0390
}

// verifiable tells whether the answer can be checked, and so shared.
func (i identity) verifiable() bool {
	if i.second {
		return slices.Contains(ecaps2.Algorithms(), i.hash)
	}
	return i.hash == "sha-1"
}

// key is the same for all identities that one verified answer serves. No hash of
// one edition is taken for a hash of the other.
func (i identity) key() string {
	if i.second {
		return i.question()
	}
	return "1 " + i.ver
}

// question is the node to ask for.
func (i identity) question() string {
	if i.second {
		return ecaps2.Node(i.hash, i.ver)
	}
	return i.node + "#" + i.ver
}

// readIdentity reads what a presence says, best what can be verified, and of that
// the second edition: where it is there, the first may not be believed instead.
// XEP-0390#impl-upgrade
func readIdentity(presence xtok.Elem) (id identity, ok bool) {
	second, ok2 := readSecond(presence.Child(ecaps2.NS, "c"))
	if ok2 && second.verifiable() {
		return second, true
	}
	e := presence.Child(nsCaps, "c")
	id = identity{node: e.Attr("node"), ver: e.Attr("ver"), hash: e.Attr("hash")}
	fits := len(id.node) <= maxAttr && len(id.ver) <= maxAttr
	if e.OK() && fits && id.ver != "" {
		return id, true
	}
	return second, ok2
}

// readSecond takes the hash that we like best out of a set.
// XEP-0390#usecases-broadcast
func readSecond(c xtok.Elem) (best identity, ok bool) {
	for e := range c.Children() {
		id := identity{hash: e.Attr("algo"), ver: strings.TrimSpace(e.Text()), second: true}
		if !e.Is(ecaps2.NSHashes, "hash") || id.hash == "" || id.ver == "" || len(id.hash) > maxAttr || len(id.ver) > maxAttr {
			continue
		}
		if !ok || rank(id.hash) < rank(best.hash) {
			best, ok = id, true
		}
	}
	return best, ok
}

// rank orders hash functions: those that we know first.
func rank(algorithm string) int {
	if i := slices.Index(ecaps2.Algorithms(), algorithm); i >= 0 {
		return i
	}
	return len(ecaps2.Algorithms())
}

// second tells whether a session has spoken by XEP-0390: it need not say
// everything again in every presence.
// XEP-0390#rules-processing
func (c *Caps) second(s *core.Session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cl := c.sessions[s]
	return cl != nil && cl.id.second
}
