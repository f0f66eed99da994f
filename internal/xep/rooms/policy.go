package rooms

import (
	"mirsal/internal/xmpp/stanza"
)

// affiliations and roles are the names on the wire and on disk.
// XEP-0045#schemas-user
var (
	affiliations = [...]string{Outcast: "outcast", None: "none", Member: "member", Admin: "admin", Owner: "owner"}
	roles        = [...]string{Nobody: "none", Visitor: "visitor", Participant: "participant", Moderator: "moderator"}
)

func (a Affiliation) String() string { return affiliations[a] }

func (r Role) String() string { return roles[r] }

// ParseAffiliation reads the name of an affiliation.
func ParseAffiliation(s string) (Affiliation, bool) {
	for i, name := range affiliations {
		if name == s {
			return Affiliation(i), true
		}
	}
	return None, false
}

// ParseRole reads the name of a role.
func ParseRole(s string) (Role, bool) {
	for i, name := range roles {
		if name == s {
			return Role(i), true
		}
	}
	return Nobody, false
}

// RoleOf is the role with which someone enters, Nobody for those who are not
// let in.
// XEP-0045#roles-default
func (c Config) RoleOf(a Affiliation) Role {
	switch {
	case a >= Admin:
		return Moderator
	case a == Outcast || a == None && c.MembersOnly:
		return Nobody
	case a == None && c.Moderated:
		return Visitor
	}
	return Participant
}

// mayChangeRole tells whether someone may give an occupant another role.
// Admins and owners may also while they are not in the room, as their rights
// hang on the address.
// XEP-0045#roles-change, XEP-0045#moderator, XEP-0045#grantmod
func mayChangeRole(by, of Standing, to Role) error {
	admin := by.Affiliation >= Admin
	switch {
	case by.Role != Moderator && !admin:
		return stanza.Errorf(stanza.Forbidden, "only moderators may change roles")
	case of.Role == Nobody:
		return stanza.Errorf(stanza.ItemNotFound, "nobody of that name is in the room")
	case of.Role == to:
		return nil
	case to == Nobody:
		return mayKick(by, of)
	case to < of.Role && of.Affiliation >= Admin:
		return mayLower(by, of)
	case to == Moderator && !admin, of.Role == Moderator && !admin:
		return stanza.Errorf(stanza.Forbidden, "only admins and owners decide who is a moderator")
	case to == Moderator, to > of.Role:
		return nil
	}
	return mayLower(by, of)
}

// XEP-0045#kick, and the last row of the table in XEP-0045#roles-change
func mayKick(by, of Standing) error {
	if by.Affiliation < of.Affiliation || of.Role == Moderator && by.Affiliation < Admin {
		return stanza.Errorf(stanza.NotAllowed, "an occupant of this rank cannot be removed by you")
	}
	return nil
}

// mayLower is about taking the role of moderator or the voice away. Rank is
// compared for those who have one: where both are unaffiliated, "at the
// moderator's level" would leave a moderator without the right that makes
// one.
// XEP-0045#revokevoice, XEP-0045#revokemod
func mayLower(by, of Standing) error {
	if of.Affiliation >= Admin {
		return stanza.Errorf(stanza.NotAllowed, "admins and owners are always moderators")
	}
	if of.Affiliation >= Member && of.Affiliation >= by.Affiliation {
		return stanza.Errorf(stanza.NotAllowed, "an occupant of this rank keeps the voice")
	}
	return nil
}

// mayChangeAffiliation tells whether someone may give an address another
// affiliation. self: it is the asker's own. owners: how many the room has
// now.
// XEP-0045#affil-change, XEP-0045#admin, XEP-0045#owner
func mayChangeAffiliation(by, of Standing, self bool, to Affiliation, owners int) error {
	switch {
	case by.Affiliation < Admin:
		return stanza.Errorf(stanza.Forbidden, "only admins and owners may change affiliations")
	case self && to == Outcast:
		// XEP-0045#ban
		return stanza.Errorf(stanza.Conflict, "nobody can ban themselves")
	case of.Affiliation == to:
		return nil
	case by.Affiliation < Owner && to == Outcast && of.Affiliation >= Admin:
		// XEP-0045#ban
		return stanza.Errorf(stanza.NotAllowed, "only owners can ban admins and owners")
	case self && by.Affiliation < Owner && to < Admin:
		return nil // who gives up what he is takes nothing from others
	case by.Affiliation < Owner && max(of.Affiliation, to) >= Admin:
		// XEP-0045#modifyowner, XEP-0045#modifyadmin
		return stanza.Errorf(stanza.Forbidden, "only owners decide who is an admin or an owner")
	case of.Affiliation == Owner && owners <= 1:
		// XEP-0045#revokeowner
		return stanza.Errorf(stanza.Conflict, "the room needs an owner: name another first")
	}
	return nil
}

// diff are the status codes that occupants hear after a change, none when
// nothing changed.
// XEP-0045#roomconfig-notify
func diff(was, is Config) (statuses []int) {
	rest := was
	rest.Archive, rest.NonAnonymous, rest.Decided = is.Archive, is.NonAnonymous, is.Decided
	if rest != is {
		statuses = append(statuses, 104)
	}
	statuses = appendFlip(statuses, was.Archive, is.Archive, 170, 171)
	return appendFlip(statuses, was.NonAnonymous, is.NonAnonymous, 172, 173)
}

func appendFlip(to []int, was, is bool, on, off int) []int {
	switch {
	case was == is:
		return to
	case is:
		return append(to, on)
	}
	return append(to, off)
}
