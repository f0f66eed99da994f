package pubsub

import (
	"slices"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Affiliations.
// XEP-0060#affiliations
const (
	affOwner       = "owner"
	affPublisher   = "publisher"
	affPublishOnly = "publish-only"
	affMember      = "member"
	affOutcast     = "outcast"
	affNone        = "none"
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
	if m := s.mirror(owner, n.name); m != nil && n.acct.nodes[m.Of] != nil {
		if err := s.may(owner, asker, n.acct.nodes[m.Of]); err != nil {
			return err
		}
	}
	switch n.affiliation(owner, asker) {
	case affOutcast:
		return stanza.Errorf(stanza.Forbidden, "the owner does not want that")
	case affPublishOnly:
		return stanza.Errorf(stanza.Forbidden, "you may publish only")
	case affOwner, affPublisher, affMember:
		return nil
	}
	return s.lets(owner, asker, n)
}

// lets tells whether a node's access model lets in one who is nothing to the node.
// XEP-0060#accessmodels
func (s *Service) lets(owner, asker jid.JID, n *node) error {
	reads := s.reader(owner, n)
	switch n.Access {
	case open:
		return nil
	case presence:
		if s.people.Subscribed(reads, asker) || s.also(owner, asker, n.name) {
			return nil
		}
		return fail(stanza.NotAuthorized, "presence-subscription-required", "only those who see the owner's presence may do that")
	case rosterAcc:
		if s.inGroup(reads, asker, n.Groups) {
			return nil
		}
		return fail(stanza.NotAuthorized, "not-in-roster-group", "only some groups of the owner's contacts may do that")
	case authorize:
		if n.takes(asker) {
			return nil
		}
		return fail(stanza.NotAuthorized, "not-subscribed", "only those whose subscription was approved may do that")
	}
	return fail(stanza.NotAllowed, "closed-node", "only those whom the owner names may do that")
}

// mayPublish tells whether the asker may publish to a node. At an account that is
// settled: the owner asks.
// XEP-0060#publisher-publish-error-forbidden
func (r *request) mayPublish(n *node) error {
	if !r.general {
		return nil
	}
	switch n.affiliation(r.owner, r.Asker()) {
	case affOwner, affPublisher, affPublishOnly:
		return nil
	case affOutcast:
		return stanza.Errorf(stanza.Forbidden, "the owner does not want that")
	}
	if n.Publish == byAll || n.Publish == bySubscribers && n.takes(r.Asker()) {
		return nil
	}
	return stanza.Errorf(stanza.Forbidden, "you may not publish here")
}

// mayRemove tells whether the asker may take an item out of a node, or put another
// in its place: owners and publishers every item, others what they published.
// XEP-0060#affiliations
func (r *request) mayRemove(n *node, e *entry) bool {
	switch n.affiliation(r.owner, r.Asker()) {
	case affOwner, affPublisher:
		return true
	}
	return e.by == r.Asker().String()
}

func (s *Service) also(owner, asker jid.JID, node string) bool {
	return s.Also != nil && !s.general(owner) && s.Also(owner, asker, node)
}

func (s *Service) inGroup(owner, asker jid.JID, groups []string) bool {
	return s.people.Subscribed(owner, asker) &&
		slices.ContainsFunc(s.people.Groups(owner, asker), func(g string) bool { return slices.Contains(groups, g) })
}

// see is the node that a request names, if the asker may retrieve from it. At an
// account, one whom the owner does not know cannot tell a closed node, a missing one
// and a missing account apart.
func (s *Service) see(r *request) (*node, error) {
	n, err := r.own()
	if err == nil {
		err = s.may(r.owner, r.Asker(), n)
	}
	if err != nil && s.stranger(r) && !s.also(r.owner, r.Asker(), r.node) {
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	}
	return n, err
}

// stranger tells whether an account would not let the asker know that it is there.
func (s *Service) stranger(r *request) bool { return !r.general && !s.knows(r.owner, r.Asker()) }

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
