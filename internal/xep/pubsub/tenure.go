package pubsub

import (
	"maps"
	"slices"

	"mirsal/internal/xmpp/jid"
)

// tenure is how somebody owns a node at the service. Whom others made an owner has
// an owner's powers and nothing else, until he uses them by a request that changes
// something: till then the service asks him nothing, reads nothing of his and tells
// nobody that the node is his. Any address of this domain can be made an owner, so
// that nobody learns whether there is such an account.
type tenure struct {
	By   string `json:"by,omitempty"`   // who made him an owner, a bare address; "" for nobody who is still here
	Used bool   `json:"used,omitempty"` // he made the node, or has used his powers
}

// tenures are those of the owners in a list of affiliations; by is who made the list.
func (rec *record) tenures(affiliated map[string]string, by jid.JID) map[string]tenure {
	now := map[string]tenure{}
	for who, what := range affiliated {
		switch {
		case what != affOwner:
		case rec.Affiliated[who] == affOwner:
			now[who] = rec.Tenures[who]
		default:
			now[who] = tenure{By: by.String()}
		}
	}
	return now
}

// took tells whether an address owns a node and has taken that up.
func (rec *record) took(who string) bool {
	return rec.Affiliated[who] == affOwner && rec.Tenures[who].Used
}

// holders are the owners who took a node up, in order.
func (rec *record) holders() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(rec.Affiliated)), func(who string) bool { return !rec.took(who) })
}

// takeUp notes, durably, that an owner uses his powers.
func (s *Service) takeUp(r *request, n *node) error {
	who := r.Asker().String()
	if n.took(who) {
		return nil
	}
	now := maps.Clone(n.Tenures)
	if now == nil {
		now = map[string]tenure{}
	}
	now[who] = tenure{By: now[who].By, Used: true}
	return s.update(r.Ctx, r.owner, n, nil, func(rec *record) { rec.Tenures = now })
}

// reader is whose presence and roster a node's access model is about: the account's,
// or the owner's who chose the model; zero when he is none any more. Were others read,
// whoever makes them owners would learn how they file their contacts.
func (s *Service) reader(owner jid.JID, n *node) jid.JID {
	if !s.general(owner) {
		return owner
	}
	who, err := jid.Parse(n.Reads)
	if err != nil || n.Affiliated[n.Reads] != affOwner {
		return jid.JID{}
	}
	return who
}

// owes tells whether an owner is asked about somebody who wants to subscribe: no
// block stands between him and whoever has a part in that.
// XEP-0191#block
func (s *Service) owes(n *node, o, who jid.JID) bool {
	if !n.took(o.String()) || s.router.Apart(o, who) {
		return false
	}
	for _, text := range []string{n.Creator, n.Tenures[o.String()].By} {
		if other, err := jid.Parse(text); err == nil && other != o && s.router.Apart(o, other) {
			return false
		}
	}
	return true
}

// without is a record that no longer names an address; changed tells whether it did.
// Another holder of the node answers for it then, "" for none.
func (rec record) without(bare, heir string) (left record, changed bool) {
	left = rec
	left.Affiliated, left.Tenures = maps.Clone(rec.Affiliated), maps.Clone(rec.Tenures)
	delete(left.Affiliated, bare)
	delete(left.Tenures, bare)
	changed = len(left.Affiliated) != len(rec.Affiliated)
	for who, t := range left.Tenures {
		if t.By == bare {
			left.Tenures[who] = tenure{Used: t.Used}
			changed = true
		}
	}
	if rec.Creator == bare {
		left.Creator, changed = heir, true
	}
	if rec.Reads == bare {
		left.Reads, changed = "", true
	}
	return left, changed
}
