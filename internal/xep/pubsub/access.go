package pubsub

import (
	"slices"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Affiliations.
// XEP-0060#affiliations
const (
	affOwner   = "owner"
	affMember  = "member"
	affOutcast = "outcast"
	affNone    = "none"
)

// knows tells whether owner's roster has the asker in it, or lets him see
// owner's presence: then the asker may hear what is wrong. Anyone else hears what
// he would hear of an account that is not there.
func (s *Service) knows(owner, asker jid.JID) bool {
	if s.people.Subscribed(owner, asker) {
		return true
	}
	_, listed := s.people.Contact(owner, asker)
	return listed
}

// may tells whether asker may retrieve items of a node and hear of events; the
// error says why not.
// XEP-0060#accessmodels, XEP-0060#subscriber-retrieve-error
func (s *Service) may(owner, asker jid.JID, n *node) error {
	if owner == asker {
		return nil
	}
	if m := s.mirrors[n.name]; m != nil && n.acct.nodes[m.Of] != nil {
		if err := s.may(owner, asker, n.acct.nodes[m.Of]); err != nil {
			return err
		}
	}
	switch n.Affiliated[asker.String()] {
	case affOutcast:
		return stanza.Errorf(stanza.Forbidden, "the owner does not want that")
	case affMember:
		return nil
	}
	switch n.Access {
	case open:
		return nil
	case presence:
		if s.people.Subscribed(owner, asker) || s.also(owner, asker, n.name) {
			return nil
		}
		return fail(stanza.NotAuthorized, "presence-subscription-required", "only those who see the owner's presence may do that")
	case rosterAcc:
		if s.inGroup(owner, asker, n.Groups) {
			return nil
		}
		return fail(stanza.NotAuthorized, "not-in-roster-group", "only some groups of the owner's contacts may do that")
	}
	return fail(stanza.NotAllowed, "closed-node", "only those whom the owner names may do that")
}

func (s *Service) also(owner, asker jid.JID, node string) bool {
	return s.Also != nil && s.Also(owner, asker, node)
}

func (s *Service) inGroup(owner, asker jid.JID, groups []string) bool {
	return s.people.Subscribed(owner, asker) &&
		slices.ContainsFunc(s.people.Groups(owner, asker), func(g string) bool { return slices.Contains(groups, g) })
}

// see is the node that a request names, if the asker may retrieve from it. One
// whom the owner does not know cannot tell a closed node, a missing one and a
// missing account apart.
func (s *Service) see(r *request) (*node, error) {
	n, err := r.own()
	if err == nil {
		err = s.may(r.owner, r.Asker(), n)
	}
	if err != nil && !s.knows(r.owner, r.Asker()) && !s.also(r.owner, r.Asker(), r.node) {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return n, err
}

// affiliation is the word for what an address is to a node.
func (n *node) affiliation(owner, who jid.JID) string {
	if owner == who {
		return affOwner
	}
	if a := n.Affiliated[who.String()]; a != "" {
		return a
	}
	return affNone
}
