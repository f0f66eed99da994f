package port

import "time"

// SignIn opens the account and stays connected until SignOut. Answer: Done, at
// the first success or at a refusal that trying again cannot mend. Without
// Password the profile's token is used. A recovery code is a password, in whatever way it is written.
type SignIn struct {
	Ref
	Address  string `json:"address"`
	Password string `json:"password,omitempty"`
	Server   string `json:"server,omitempty"` // host:port or wss://…; "" looks the domain up
	// Token is one that the site has given for this device, whose UUID it was told: Device. It is
	// in place of a password, good for Mechanism ("": HT-SHA-256-NONE) and until Expiry.
	Token     string    `json:"token,omitempty"`
	Mechanism string    `json:"mechanism,omitempty"`
	Expiry    time.Time `json:"expiry,omitzero"`
	Device    string    `json:"device,omitempty"`
	Label     string    `json:"label,omitempty"` // what one's other devices call this one; "" is the program's own
}

// SignUp makes an account by an invitation and signs in to it: Invitation is its token, or
// its xmpp: address, and Domain where the account is to be, if that does not tell. Name is the
// wished name before the @; "" makes one of DisplayName, with a number behind it if need be.
// Nobody sees a password: a random one is kept until the device has its token. Answer: Done. The
// failure Taken comes with Suggest, a name that may be free; BadName with one if there is one;
// Missing is an invitation that cannot be used (any more).
type SignUp struct {
	Ref
	Invitation  string `json:"invitation"`
	Domain      string `json:"domain,omitempty"`
	Server      string `json:"server,omitempty"` // as of SignIn
	Name        string `json:"name,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// RecoveryCode makes a code by which a person comes back who has no device left. It becomes
// the account's password, so a former code or password is good no more; nothing keeps it. Other
// devices stay signed in and are told (KeyAlert); with Alone, or where the server does not know
// how, they are signed out. Answer: Code, with Alone when they were.
type RecoveryCode struct {
	Ref
	Alone bool `json:"alone,omitempty"`
}

// PasskeyTicket asks for what lets a page of the site add a passkey to the account, once. Answer: Code.
type PasskeyTicket struct{ Ref }

// ListPasskeys is answered by PasskeyList.
type ListPasskeys struct{ Ref }

// RemovePasskey ends one; the devices that it let in stay. Answer: Done.
type RemovePasskey struct {
	Ref
	ID string `json:"id"`
}

// SignOut closes the stream. Forget also ends the sign-in, at the server too where there is a
// connection, and takes this device off the account's list of keys. Answer: Done.
type SignOut struct {
	Ref
	Forget bool `json:"forget,omitempty"`
}

// Attend tells whether a person is looking (client state, 0352). Here is also "try now": a
// connection that waits to try again, or hangs, is made at once.
type Attend struct {
	Ref
	Here bool `json:"here"`
}

// ListChats is answered by ChatList.
type ListChats struct{ Ref }

// History asks for messages of a chat older than Before ("" the newest), at
// most Limit (1–200). Answer: Page. What is not here yet is fetched from the
// archive first.
// Around, in place of Before, asks for one message with those on both sides of it that
// are here without a gap; After for those newer than one. At asks for the first message of
// that time or later, as Around does: Page.Around names it, and where the archive was not
// read back that far yet, Page.Back says so: asking again goes on. At most one of the four is given.
type History struct {
	Ref
	Chat   string    `json:"chat"`
	Before string    `json:"before,omitempty"`
	Around string    `json:"around,omitempty"`
	After  string    `json:"after,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Limit  int       `json:"limit"`
}

// Send puts a message into the outbox. It is kept before the answer, Done, whose
// Message names it; what becomes of it is told by MessageChanged. Corrects names
// one's own message to be replaced, ReplyTo one to be answered.
type Send struct {
	Ref
	Chat     string `json:"chat"`
	Text     string `json:"text"`
	ReplyTo  string `json:"replyTo,omitempty"`
	Corrects string `json:"corrects,omitempty"`
}

// SendFile encrypts, uploads and sends the file that the host opens by Path.
// Answer: Done when the message is in the outbox; Progress tells of the upload.
type SendFile struct {
	Ref
	Chat string `json:"chat"`
	Path string `json:"path"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Text string `json:"text,omitempty"` // a caption
	Media
}

// Fetch brings a message's file here, into Path ("" the profile's own folder).
// Answer: Done.
type Fetch struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
}

// Retract takes one's own message back, for all. Answer: Done.
type Retract struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
}

// Retry sends a message again that has failed, as it would be encrypted now. Answer:
// Done.
type Retry struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
}

// React sets all of one's reactions to a message; an empty list takes them back.
// Answer: Done.
type React struct {
	Ref
	Chat    string   `json:"chat"`
	Message string   `json:"message"`
	Emoji   []string `json:"emoji"`
}

// MarkRead tells that everything up to Message was seen. Answer: Done.
type MarkRead struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
}

// Typing tells the other side: composing, paused or active.
type Typing struct {
	Ref
	Chat  string `json:"chat"`
	State string `json:"state"`
}

// Pin puts a chat before the others, or takes it back. Answer: Done.
type Pin struct {
	Ref
	Chat string `json:"chat"`
	On   bool   `json:"on"`
}

// Mute has a chat make no sound until a time (zero: for good), or take it back. Answer: Done.
type Mute struct {
	Ref
	Chat  string    `json:"chat"`
	On    bool      `json:"on"`
	Until time.Time `json:"until,omitzero"`
}

// Archive puts a chat away until something new is said in it; a muted one stays away. Answer: Done.
type Archive struct {
	Ref
	Chat string `json:"chat"`
	On   bool   `json:"on"`
}

// KeepDraft keeps what is being written in a chat; an empty one is none. Answer: Done.
type KeepDraft struct {
	Ref
	Chat string `json:"chat"`
	Draft
}

// DeleteForMe deletes messages here, and nowhere else; they do not come back from the archive.
// Answer: Done; MessageGone tells of each.
type DeleteForMe struct {
	Ref
	Chat     string   `json:"chat"`
	Messages []string `json:"messages"` // at most 500
}

// ClearChat deletes all that is in a chat here, and nowhere else; Remove takes it off the list too,
// until something is said in it (a room is left by LeaveRoom). Answer: Done; ChatCleared or ChatGone.
type ClearChat struct {
	Ref
	Chat   string `json:"chat"`
	Remove bool   `json:"remove,omitempty"`
}

// Forward says a message's text, or sends its file, again in other chats, at most 20: encrypted
// as they are, without another upload. Answer: Done.
type Forward struct {
	Ref
	Chat    string   `json:"chat"`
	Message string   `json:"message"`
	To      []string `json:"to"`
}

// Star marks a message for oneself on this device. Answer: Done.
type Star struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
	On      bool   `json:"on"`
}

// ListStarred asks for them, newest first, at most Limit (1–200); Chat "" is all. Answer: Found.
type ListStarred struct {
	Ref
	Chat  string `json:"chat,omitempty"`
	Limit int    `json:"limit"`
}

// PinMessage keeps a message at the top of its chat on this device, at most 20 of them. Answer: Done.
type PinMessage struct {
	Ref
	Chat    string `json:"chat"`
	Message string `json:"message"`
	On      bool   `json:"on"`
}

// SetTimer has what is said in a chat from now on, by all, deleted so many Seconds (at most a year; 0: never)
// after it was seen (0466). Others' programs may not know of it. Answer: Done.
type SetTimer struct {
	Ref
	Chat    string `json:"chat"`
	Seconds int    `json:"seconds"`
}

// GetSettings asks what others are told of. Answer: Settings.
type GetSettings struct{ Ref }

// SetSettings changes all of it; LastSeen, which is the account's, where it is given. Answer: Done.
type SetSettings struct {
	Ref
	Privacy
}

// Report tells who runs the server of somebody's doings, and blocks (0377). Answer: Done.
type Report struct {
	Ref
	Address string `json:"address"`
	Reason  string `json:"reason"` // spam, abuse
	Text    string `json:"text,omitempty"`
}

// SetEncryption switches a chat's encryption off or on again. Off is refused for
// a room that is encrypted by its own setting, and never happens by itself. In a room where others
// encrypt although its server says that anybody may enter (lock broken, others-encrypt) nothing
// is sent until it was switched off by a person.
// Answer: Done.
type SetEncryption struct {
	Ref
	Chat string `json:"chat"`
	On   bool   `json:"on"`
}

// ListContacts is answered by ContactList.
type ListContacts struct{ Ref }

// AddContact asks somebody to become a contact, or accepts who asked. Token is that of an
// invitation of theirs, by which they have agreed beforehand. Answer: Done.
type AddContact struct {
	Ref
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	Token   string `json:"token,omitempty"`
}

// InviteLink asks for a link by which somebody becomes a contact of ours, and has an account
// made where the server lets us invite for that (0401). Answer: Code.
type InviteLink struct{ Ref }

// RemoveContact ends it in both directions, and declines who asked. Answer: Done.
type RemoveContact struct {
	Ref
	Address string `json:"address"`
}

// GetProfile asks how others see this account. Answer: Profile.
type GetProfile struct{ Ref }

// SetProfile changes that: the name (0172; nil leaves it, "" takes it away), and the picture
// (0084): at most 64 KiB of JPEG, PNG or WebP, of Width and Height in pixels, made small by
// who draws; NoPicture takes it away. Contacts see both. Answer: Done.
type SetProfile struct {
	Ref
	Name      *string `json:"name,omitempty"`
	Picture   []byte  `json:"picture,omitempty"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	NoPicture bool    `json:"noPicture,omitempty"`
}

// Avatar asks for the picture that a contact, oneself or a room has now. Answer: Picture.
type Avatar struct {
	Ref
	Address string `json:"address"`
}

// Block and unblock (0191). Answer: Done.
type Block struct {
	Ref
	Address string `json:"address"`
	On      bool   `json:"on"`
}

// CreateRoom makes a private, encrypted room and invites its members. Answer:
// Done, whose Chat is the room's address.
type CreateRoom struct {
	Ref
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// JoinRoom enters a room and stays in it from now on. Answer: Done.
type JoinRoom struct {
	Ref
	Address string `json:"address"`
	Nick    string `json:"nick,omitempty"`
}

// JoinByLink comes into a room by the Token of its link: at once, or once an admin lets us in, of which the
// chat tells (Name is what it is called until then). Answer: Done, with Waiting where an admin is asked.
type JoinByLink struct {
	Ref
	Room  string `json:"room"`
	Token string `json:"token"`
	Name  string `json:"name,omitempty"`
}

// RoomAccess asks by which link people come into a room, and who asks to be let in; for admins. Link "new" puts
// a new link in the place of the one that is there, "none" ends that. Answer: RoomDoor.
type RoomAccess struct {
	Ref
	Room string `json:"room"`
	Link string `json:"link,omitempty"`
}

// Admit lets somebody in who asks, or declines; for admins. Answer: Done.
type Admit struct {
	Ref
	Room    string `json:"room"`
	Address string `json:"address"`
	Accept  bool   `json:"accept"`
}

// LeaveRoom leaves it for good; a room that one waits to be let into is asked no more. Answer: Done.
type LeaveRoom struct {
	Ref
	Address string `json:"address"`
}

// Invite makes somebody a member of the room and tells them. Answer: Done.
type Invite struct {
	Ref
	Room    string `json:"room"`
	Address string `json:"address"`
}

// Kick takes the membership away. Answer: Done.
type Kick struct {
	Ref
	Room    string `json:"room"`
	Address string `json:"address"`
}

// RoomInfo asks what a room is to us. Answer: RoomDetails.
type RoomInfo struct {
	Ref
	Room string `json:"room"`
}

// SetRoom changes what a room shows: a nil field stays as it is. Picture as in SetProfile. For
// owners. Answer: Done.
type SetRoom struct {
	Ref
	Room        string  `json:"room"`
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
	Picture     []byte  `json:"picture,omitempty"`
	NoPicture   bool    `json:"noPicture,omitempty"`
	Approve     *bool   `json:"approve,omitempty"` // an admin decides about who comes by the link
}

// SetRole makes a member an owner or an admin, or an ordinary member again; Kick ends the
// membership. Answer: Done.
type SetRole struct {
	Ref
	Room    string `json:"room"`
	Address string `json:"address"`
	Role    string `json:"role"` // owner, admin, member
}

// DestroyRoom ends a room for everybody; for owners. Answer: Done.
type DestroyRoom struct {
	Ref
	Room string `json:"room"`
}

// ListMembers is answered by MemberList. MembersChanged tells once when that is not so any more.
type ListMembers struct {
	Ref
	Room string `json:"room"`
}

// ListDevices is answered by DeviceList: the devices of a contact, of all members
// of a room, or ("") one's own.
type ListDevices struct {
	Ref
	Address string `json:"address"`
}

// SetTrust decides about one key: verified, first-use or refused. Answer: Done.
type SetTrust struct {
	Ref
	Address     string `json:"address"`
	Fingerprint string `json:"fingerprint"`
	Trust       string `json:"trust"`
}

// Verify takes the text of a scanned safety code (an xmpp: address with
// fingerprints). Answer: Done; a code that does not match is a Failure, and
// changes nothing.
// With Address a code of anybody else is refused (Tampered); a code of one's own
// account always is, but with that as Address.
type Verify struct {
	Ref
	Code    string `json:"code"`
	Address string `json:"address,omitempty"`
}

// SafetyCode asks for one's own code to show. Answer: Code.
type SafetyCode struct{ Ref }

// RemoveDevice takes a device of one's own off the account: nothing is encrypted to it any
// more, and what it signs in by ends, if its Access is known. It hears of it, and stays off. Client instead of
// ID ends the sign-in of one without known keys. Answer: Done; refused where the server cannot end the
// sign-in but by another password: the keys are off then all the same.
type RemoveDevice struct {
	Ref
	ID     uint32 `json:"id,omitempty"`
	Client string `json:"client,omitempty"`
}

// Search looks for words in the decrypted history, newest first, at most Limit
// (1–200). Chat "" searches all. Answer: Found.
type Search struct {
	Ref
	Query string `json:"query"`
	Chat  string `json:"chat,omitempty"`
	Limit int    `json:"limit"`
}

// LinkShow makes an old device show a code by which a new one can join. Answer:
// Code; LinkAsked follows when a new device has scanned it.
type LinkShow struct{ Ref }

// LinkConfirm lets the device that LinkAsked named in, or refuses it. Answer: Done
// when all that was to be handed over is. With Link it refuses, on any device of the account, what
// another one has let in and what waits still (KeyAlert).
type LinkConfirm struct {
	Ref
	Accept bool   `json:"accept"`
	Link   string `json:"link,omitempty"`
}

// LinkJoin makes this empty profile join by the scanned code. Answer: Done when it is
// signed in and has its history.
type LinkJoin struct {
	Ref
	Code  string `json:"code"`
	Label string `json:"label"` // what the other devices will call this one
}

// Cancel gives up the command with that number, if it can be given up, or what sends or fetches the
// file of a Message, whoever asked for that, or with neither what LinkJoin waits for. Answer: Done.
type Cancel struct {
	Ref
	Command uint64 `json:"command,omitempty"`
	Message string `json:"message,omitempty"`
}
