package port

import "time"

// Done answers a command. Failure is nil when it was carried out.
type Done struct {
	Ref
	Message string   `json:"message,omitempty"` // the message it was about
	Chat    string   `json:"chat,omitempty"`    // the chat it was about
	Call    string   `json:"call,omitempty"`    // the call it was about
	Suggest string   `json:"suggest,omitempty"` // SignUp: a name that may be free
	Waiting bool     `json:"waiting,omitempty"` // JoinByLink: for an admin
	Failure *Failure `json:"failure,omitempty"`
}

// Failure says in plain words why something was not done. Code is one of the
// names in failure.go.
type Failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Error makes a Failure usable as a Go error.
func (f *Failure) Error() string { return f.Text }

// Status tells where the connection stands.
type Status struct {
	State  string `json:"state"` // offline, connecting, online, refused
	Synced bool   `json:"synced,omitempty"`
	// Gathering: chats that are older than what a new device reads by itself are being looked for.
	Gathering bool      `json:"gathering,omitempty"`
	Address   string    `json:"address,omitempty"`
	Failure   *Failure  `json:"failure,omitempty"` // why offline or refused; none after signing out
	Retry     time.Time `json:"retry,omitzero"`    // when it is tried again, zero for not; past: it is being tried
}

// ChatList answers ListChats, newest first.
type ChatList struct {
	Ref
	Chats []Chat `json:"chats"`
}

// ChatChanged tells of a row of the list, new or other than before.
type ChatChanged struct {
	Chat Chat `json:"chat"`
}

// ChatGone tells that a chat is no longer on the list.
type ChatGone struct {
	Address string `json:"address"`
}

// ChatCleared tells that all that was in a chat is deleted here, but what is in the outbox.
type ChatCleared struct {
	Address string `json:"address"`
}

// MessageChanged tells of a message, New when it was not there before. After is
// the ID of the message it stands behind, "" when it is the oldest known:
// messages that arrive late do not always go to the end.
type MessageChanged struct {
	Message Message `json:"message"`
	New     bool    `json:"new,omitempty"`
	After   string  `json:"after,omitempty"`
	// Late: it came from the archive or was kept while we were away; no sound.
	Late bool `json:"late,omitempty"`
}

// MessageGone tells that a message is no longer in its chat: one that could not be decrypted and
// proved to be nothing that is shown.
type MessageGone struct {
	Chat    string `json:"chat"`
	Message string `json:"message"`
}

// Page answers History, oldest first. More tells that there are older ones, Newer, after
// Around and After, that there are newer ones. Before, Around and After are what was asked for.
type Page struct {
	Ref
	Chat     string    `json:"chat"`
	Before   string    `json:"before,omitempty"`
	Around   string    `json:"around,omitempty"`
	After    string    `json:"after,omitempty"`
	Messages []Message `json:"messages"`
	More     bool      `json:"more,omitempty"`
	Newer    bool      `json:"newer,omitempty"`
	Back     time.Time `json:"back,omitzero"` // how far At has read back, where that is not far enough yet
	Failure  *Failure  `json:"failure,omitempty"`
}

// ContactList answers ListContacts.
type ContactList struct {
	Ref
	Contacts []Contact `json:"contacts"`
}

// ContactChanged tells of one contact; State none means it is gone.
type ContactChanged struct {
	Contact Contact `json:"contact"`
}

// Settings answers GetSettings, and tells of a change.
type Settings struct {
	Ref
	Privacy
}

// Privacy is what others are told: that a text has arrived (0184), that it was read (0333), that
// one is writing (0085), and, to contacts, when one was last here (0012). All are told at first. The last
// is the account's, kept by the server: absent where that cannot tell.
type Privacy struct {
	Receipts    bool  `json:"receipts"`
	ReadMarkers bool  `json:"readMarkers"`
	Typing      bool  `json:"typing"`
	LastSeen    *bool `json:"lastSeen,omitempty"`
	// HideAddress, which is off at first: in calls nobody learns this device's network addresses, as those who
	// are no contacts never do. Media then goes by a relay.
	HideAddress bool `json:"hideAddress,omitempty"`
}

// Profile answers GetProfile, and tells of a change, made here or on another device.
type Profile struct {
	Ref
	Name   string `json:"name,omitempty"`
	Avatar string `json:"avatar,omitempty"` // as in Contact
}

// Picture answers Avatar: at most 64 KiB of an image, of the Type that its first bytes tell.
type Picture struct {
	Ref
	Address string   `json:"address"`
	Hash    string   `json:"hash,omitempty"`
	Type    string   `json:"type,omitempty"` // image/jpeg, image/png, image/webp, image/gif
	Data    []byte   `json:"data,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// MemberList answers ListMembers.
type MemberList struct {
	Ref
	Room    string   `json:"room"`
	Members []Member `json:"members"`
	Failure *Failure `json:"failure,omitempty"`
}

// MembersChanged tells once after a MemberList that it is not so any more: who is in the room, or its member,
// is another. Whoever still looks asks again.
type MembersChanged struct {
	Room string `json:"room"`
}

// RoomDoor answers RoomAccess.
type RoomDoor struct {
	Ref
	Room    string    `json:"room"`
	Link    string    `json:"link,omitempty"` // "" while there is none
	Until   time.Time `json:"until,omitzero"`
	Account bool      `json:"account,omitempty"` // also for people who have no account yet
	Approve bool      `json:"approve,omitempty"` // an admin decides about who comes by it
	Asking  []Asking  `json:"asking"`            // the first to ask first
	Failure *Failure  `json:"failure,omitempty"`
}

// RoomDetails answers RoomInfo, and tells of a change.
type RoomDetails struct {
	Ref
	Room        string   `json:"room"`
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	Avatar      string   `json:"avatar,omitempty"` // as in Chat
	Role        string   `json:"role,omitempty"`   // one's own: owner, admin, member; "" none
	Encrypted   bool     `json:"encrypted,omitempty"`
	Members     int      `json:"members,omitempty"`
	MayInvite   bool     `json:"mayInvite,omitempty"`
	MayLead     bool     `json:"mayLead,omitempty"`   // Kick, and (owners) SetRole
	MayChange   bool     `json:"mayChange,omitempty"` // SetRoom, DestroyRoom, SetRole
	MayLink     bool     `json:"mayLink,omitempty"`   // RoomAccess, Admit
	Asking      int      `json:"asking,omitempty"`    // how many ask to be let in, as far as it is known; for admins
	Failure     *Failure `json:"failure,omitempty"`
}

// DeviceList answers ListDevices.
type DeviceList struct {
	Ref
	Address string   `json:"address"`
	Devices []Device `json:"devices"`
	// Others, with one's own devices, are clients that have access and do not say which keys are theirs.
	Others  []Access `json:"others,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// KeyAlert tells of something about keys that a person ought to see: a new
// device of a contact, a changed key, a new device of one's own.
type KeyAlert struct {
	Address string `json:"address"`
	Device  uint32 `json:"device,omitempty"`
	Kind    string `json:"kind"` // new-device, changed, own-device, removed, linked, recovery-code, passkey
	// Label is what a linked device calls itself. Where it waits until it can sign in, Until is when, and
	// Link names it to LinkConfirm, which refuses it on any device until then. With recovery-code and passkey,
	// which another device has made, it is that device's name or the passkey's, and
	// Link is the same each time that the same is told.
	Label string    `json:"label,omitempty"`
	Link  string    `json:"link,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Code answers SafetyCode and LinkShow, a text to be drawn as a QR code, RecoveryCode, one to be
// printed or written down, InviteLink, a link, and PasskeyTicket, for the site.
type Code struct {
	Ref
	Text    string    `json:"text"`
	Until   time.Time `json:"until,omitzero"`
	Alone   bool      `json:"alone,omitempty"`   // RecoveryCode: all other devices are signed out
	Account bool      `json:"account,omitempty"` // InviteLink: also for people who have no account yet
	Failure *Failure  `json:"failure,omitempty"`
}

// PasskeyList answers ListPasskeys.
type PasskeyList struct {
	Ref
	Passkeys []Passkey `json:"passkeys"`
	Failure  *Failure  `json:"failure,omitempty"`
}

// LinkAsked tells an old device that a new one wants in.
type LinkAsked struct {
	Label    string `json:"label"` // as the new device declares itself
	Software string `json:"software,omitempty"`
	Check    string `json:"check"` // six digits that both screens show, for a person to compare
	// Network is the part of the internet that the server sees the new device in, such as
	// 203.0.113.0/24, "" where it does not say; Same that this device is seen there too. Where that is on
	// a map is not known.
	Network string `json:"network,omitempty"`
	Same    bool   `json:"same,omitempty"`
}

// LinkState tells of the steps of linking, on both sides.
type LinkState struct {
	State string    `json:"state"` // waiting, joined, held, sending, receiving, done, failed
	Check string    `json:"check,omitempty"`
	Until time.Time `json:"until,omitzero"` // held: when the server lets the new device in, unless a person refuses
	Done  int       `json:"done,omitempty"` // messages handed over
	Total int       `json:"total,omitempty"`
	// Failure says why, with failed.
	Failure *Failure `json:"failure,omitempty"`
}

// Progress tells of a file on its way, in bytes.
type Progress struct {
	Message string `json:"message"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"` // -1 unknown
}

// Found answers Search, newest first.
type Found struct {
	Ref
	Messages []Message `json:"messages"`
	Failure  *Failure  `json:"failure,omitempty"`
}
