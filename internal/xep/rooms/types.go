// Package rooms is Multi-User Chat, XEP-0045 version 1.35.5: the service at
// conference.DOMAIN, with self-ping (XEP-0410 version 1.1.0: the server answers for
// the one who asks), occupant ids (XEP-0421 version 1.0.1), moderation (XEP-0425
// version 0.3.0), retraction (XEP-0424 version 0.4.2) and pictures (XEP-0486
// version 0.1.0). It is no archive to clients and keeps no messages itself:
// internal/archive does, under the room's address, and xep/mam shows them to whom
// Reads lets.
//
// A room has a front and a back. The front (room, under its lock) is what the room
// is and who is in it; it checks what is asked for on the asker's reader, writes what
// must last, changes, and gives what happened its place in the archive's one order.
// The back (back, a goroutine while there is something to tell) is handed that once
// it is durable, and alone sends to occupants. So
//   - joins, leaves, kicks and messages have one order, the same for all;
//   - a message is on disk before anybody is shown it, and its sender is acknowledged
//     behind it;
//   - what a newcomer is shown of the past ends where he came in;
//   - nothing that an occupant sends speaks in the room's name;
//   - who may not see real addresses is told none, in no stanza.
//
// Locks, in order: room.mu, then Rooms.mu, asks.mu or back.mu; none of the last
// three is held while another is taken. The archive's release goroutine takes back.mu only.
package rooms

// Affiliation is a lasting relation of a person to a room (XEP-0045 §5.2), in
// ascending order of what it allows.
type Affiliation uint8

// The affiliations.
const (
	Outcast Affiliation = iota
	None
	Member
	Admin
	Owner
)

// Role is what an occupant may do while in a room (XEP-0045 §5.1), ascending.
type Role uint8

// The roles.
const (
	Nobody Role = iota // not in the room: XEP-0045's "none"
	Visitor
	Participant
	Moderator
)

// Config is what owners decide of a room (XEP-0045 §10.2 and §15.5.3).
type Config struct {
	Name, Description, Lang string
	Persistent              bool
	Public                  bool // listed in disco#items of the service
	MembersOnly             bool
	Moderated               bool // who comes without an affiliation is a visitor
	NonAnonymous            bool // whois: anyone, else moderators
	Password                string
	MembersInvite           bool    // allowinvites
	SubjectByAnyone         bool    // changesubject
	PM                      string  // allowpm: anyone, participants, moderators, none
	MaxUsers                int     // 0: the service's limit
	History                 int     // messages of history on joining, at most the service's
	Archive                 bool    // muc#roomconfig_enablearchiving
	Broadcast               [4]bool // by Role: whose presence is told (presencebroadcast)
	MemberList              [4]bool // by Role: who may read the member list of a private room (getmemberlist)
	Queries                 bool    // IQs pass between occupants (allow_query_users)
	Encrypted               bool    // refuses readable texts: the setting of new private rooms
	Decided                 bool    // whether Encrypted was decided: by an owner, or when the room became private
	RegisterAllowed         bool    // allow members to register nicks
	LinkOpens               bool    // who comes by the link waits for nobody; an admin lets in everybody else
}

// Standing is what someone is in a room.
type Standing struct {
	Affiliation Affiliation
	Role        Role
}
