// Written by scripts/porttypes from internal/client/port; do not edit.
//
// What a page says to the engine and hears from it: docs/protocol/engine.md.
// Times are RFC 3339 texts; a list that is empty may be null.

export type LockState = 'open' | 'locked' | 'verified' | 'changed' | 'broken';

export type Delivery = 'pending' | 'sent' | 'delivered' | 'read' | 'failed' | 'received';

export type FailureCode = 'bad-command' | 'not-signed-in' | 'wrong-password' | 'revoked' | 'unreachable' | 'untrusted' | 'no-such-chat' | 'no-such-message' | 'not-yours' | 'not-encrypted' | 'key-undecided' | 'refused' | 'too-large' | 'missing' | 'tampered' | 'taken' | 'bad-name' | 'canceled' | 'busy' | 'interrupted' | 'internal';

/**
 * Call is a one-to-one call as it is now; one that has ended is an entry of the log, and a line of its
 * chat: a Message whose Notice is "call" and whose Params are the call's ID, "mine" or "theirs", "audio" or
 * "video", its Why, and for how many seconds it was spoken ("0" for none).
 */
export interface Call {
	/** the engine's name for it, which means nothing elsewhere */
	id: string;
	chat: string;
	/** we have called */
	mine?: boolean;
	/** it was asked for with video, or has some by now */
	video?: boolean;
	/** calling, ringing (there), incoming, answering, connecting, active, ended */
	state: string;
	/**
	 * Why is how it has ended: missed, declined, declined-elsewhere, answered-elsewhere, cancelled, rejected,
	 * unanswered, hung-up, peer-hung-up, failed, insecure, migrated, tie.
	 */
	why?: string;
	/** plain words for people, with failed and insecure */
	text?: string;
	/** as PlaceCall or AnswerCall named it */
	seat?: string;
	/** when it was begun */
	at: string;
	answered?: string;
	ended?: string;
	/**
	 * Lock tells what binds the media's key to who it is; nil until that is known. Open: nothing does, so whoever
	 * has the server could listen. Locked and Verified: the key was sealed by a device of theirs whose own key
	 * is accepted, or compared.
	 */
	lock?: Lock;
	/** Muted is what we do not send, TheirMuted what they say that they do not send. */
	muted: CallMuted;
	theirMuted: CallMuted;
	/** Late: it was over before this device heard of it; no sound. */
	late?: boolean;
	/**
	 * Silent is why it did not ring, of calls that the server alone has seen: stranger, often, rule. Count is how
	 * many such calls this entry stands for, the first of them at First. Chat is "" where it stands for many callers.
	 */
	silent?: string;
	count?: number;
	first?: string;
	/**
	 * Link: it is a stranger's, and rings, or rang, by a link that we gave away (CallLinks). No name of theirs is
	 * known to be true, nor is anything but their address.
	 */
	link?: boolean;
}

/** CallMuted is which media are muted. */
export interface CallMuted {
	audio?: boolean;
	video?: boolean;
}

/** CallServer is a STUN or TURN server, as RTCPeerConnection takes it. */
export interface CallServer {
	urls: string[] | null;
	username?: string;
	credential?: string;
}

/**
 * PlaceCall calls somebody. Seat names who has the microphone, such as a tab: CallMedia goes to it. A device
 * has one call at a time: else Busy. Link is the token of a call link of theirs, xmpp:CHAT?call;link=TOKEN, by which
 * a stranger rings once: never without a person's word. Answer: Done, whose Call names it.
 */
export interface PlaceCall {
	do: 'placeCall';
	ref?: number;
	chat: string;
	video?: boolean;
	seat?: string;
	link?: string;
}

/**
 * CallLinks asks which links are open by which strangers may call us, each of them once. With Lasts a new one is
 * made, which ends after so many seconds (at most a week, 604800); with Revoke the one with that ID ends.
 * Answer: CallLinkList; Missing for one that is not open (any more).
 */
export interface CallLinks {
	do: 'callLinks';
	ref?: number;
	lasts?: number;
	revoke?: string;
}

/** CallLinkList answers CallLinks, the first to end first. */
export interface CallLinkList {
	event: 'callLinkList';
	ref?: number;
	links: CallLink[] | null;
	failure?: Failure;
}

/**
 * CallLink is a link by which a stranger may call us once. URI is what is given away: of the one that was just made
 * alone, for nobody keeps it.
 */
export interface CallLink {
	id: string;
	until: string;
	uri?: string;
}

/** AnswerCall accepts a call that rings. Answer: Done; Busy while another call is on. */
export interface AnswerCall {
	do: 'answerCall';
	ref?: number;
	call: string;
	video?: boolean;
	seat?: string;
}

/** DeclineCall ends a call that rings. The caller is not told by whom: it says busy. Answer: Done. */
export interface DeclineCall {
	do: 'declineCall';
	ref?: number;
	call: string;
}

/** HangUpCall ends a call of whatever state; one that rings is declined. Answer: Done. */
export interface HangUpCall {
	do: 'hangUpCall';
	ref?: number;
	call: string;
}

/** AddVideo opens the camera in an active call. Answer: Done. */
export interface AddVideo {
	do: 'addVideo';
	ref?: number;
	call: string;
}

/**
 * MuteCall says what is muted from now on; the seat is told by CallMedia "mute", the others too.
 * Answer: Done.
 */
export interface MuteCall extends CallMuted {
	do: 'muteCall';
	ref?: number;
	call: string;
}

/**
 * ListCalls asks for calls that were begun before a time (zero: the newest, and what is on now), at most Limit
 * (1–200): those of this device, and with the newest those that only the server has seen, such as strangers'.
 * Answer: CallList.
 */
export interface ListCalls {
	do: 'listCalls';
	ref?: number;
	before?: string;
	limit: number;
}

/**
 * CallDescribed is the seat's, for "offer" and "answer": the whole description that it has set, with the addresses
 * found so far. At most 64 KiB. Answer: Done.
 */
export interface CallDescribed {
	do: 'callDescribed';
	ref?: number;
	call: string;
	sdp: string;
}

/**
 * CallAddress is the seat's: an address was found for the medium Mid, a candidate line of SDP; "" says that no more
 * follow. Answer: Done.
 */
export interface CallAddress {
	do: 'callAddress';
	ref?: number;
	call: string;
	mid: string;
	candidate: string;
}

/** CallConnected is the seat's: media flows, and by the key that its description has. Answer: Done. */
export interface CallConnected {
	do: 'callConnected';
	ref?: number;
	call: string;
}

/**
 * CallFailed is the seat's: no microphone, no way for media, or none any more. Text is for people.
 * Answer: Done.
 */
export interface CallFailed {
	do: 'callFailed';
	ref?: number;
	call: string;
	text?: string;
}

/**
 * CallNetwork is the seat's: the network is another one, or media stopped. A new way is looked for ("offer" with
 * Restart). Answer: Done.
 */
export interface CallNetwork {
	do: 'callNetwork';
	ref?: number;
	call: string;
}

/** CallChanged tells of a call, new or other than before. */
export interface CallChanged {
	event: 'callChanged';
	call: Call;
}

/**
 * CallMedia tells the seat what to do, in order, and nothing else may open microphone, camera or a peer connection:
 * 
 * 	open     the microphone, and with Video the camera; show a preview. Nothing else is made yet
 * 	create   the peer connection, with Servers, and with RelayOnly by relays alone. Its tracks are what was opened
 * 	offer    make an offer (with Restart an ICE restart), set it, answer by CallDescribed
 * 	remote   set SDP as the other side's offer or answer (Type)
 * 	answer   make an answer, set it, answer by CallDescribed
 * 	address  add the other side's Candidate of Mid; "": no more follow
 * 	camera   open the camera and add it; offer follows
 * 	mute     send nothing of what is Audio or Video; the others flow
 * 	close    close everything that this call has opened; always the last
 */
export interface CallMedia {
	event: 'callMedia';
	call: string;
	seat?: string;
	do: string;
	/** open: the camera too; mute: muted */
	video?: boolean;
	/** mute: muted */
	audio?: boolean;
	servers?: CallServer[];
	relayOnly?: boolean;
	/** offer, answer */
	type?: string;
	sdp?: string;
	restart?: boolean;
	mid?: string;
	candidate?: string;
}

/** CallList answers ListCalls, newest first; what is on now goes before all. */
export interface CallList {
	event: 'callList';
	ref?: number;
	calls: Call[] | null;
	more?: boolean;
	failure?: Failure;
}

/**
 * SignIn opens the account and stays connected until SignOut. Answer: Done, at
 * the first success or at a refusal that trying again cannot mend. Without
 * Password the profile's token is used. A recovery code is a password, in whatever way it is written.
 */
export interface SignIn {
	do: 'signIn';
	ref?: number;
	address: string;
	password?: string;
	/** host:port or wss://…; "" looks the domain up */
	server?: string;
	/**
	 * Token is one that the site has given for this device, whose UUID it was told: Device. It is
	 * in place of a password, good for Mechanism ("": HT-SHA-256-NONE) and until Expiry.
	 */
	token?: string;
	mechanism?: string;
	expiry?: string;
	device?: string;
	/** what one's other devices call this one; "" is the program's own */
	label?: string;
}

/**
 * SignUp makes an account by an invitation and signs in to it: Invitation is its token, or
 * its xmpp: address, and Domain where the account is to be, if that does not tell. Name is the
 * wished name before the @; "" makes one of DisplayName, with a number behind it if need be.
 * Nobody sees a password: a random one is kept until the device has its token. Answer: Done. The
 * failure Taken comes with Suggest, a name that may be free; BadName with one if there is one;
 * Missing is an invitation that cannot be used (any more).
 */
export interface SignUp {
	do: 'signUp';
	ref?: number;
	invitation: string;
	domain?: string;
	/** as of SignIn */
	server?: string;
	name?: string;
	displayName?: string;
}

/**
 * RecoveryCode makes a code by which a person comes back who has no device left. It becomes
 * the account's password, so a former code or password is good no more; nothing keeps it. Other
 * devices stay signed in and are told (KeyAlert); with Alone, or where the server does not know
 * how, they are signed out. Answer: Code, with Alone when they were.
 */
export interface RecoveryCode {
	do: 'recoveryCode';
	ref?: number;
	alone?: boolean;
}

/** PasskeyTicket asks for what lets a page of the site add a passkey to the account, once. Answer: Code. */
export interface PasskeyTicket {
	do: 'passkeyTicket';
	ref?: number;
}

/** ListPasskeys is answered by PasskeyList. */
export interface ListPasskeys {
	do: 'listPasskeys';
	ref?: number;
}

/** RemovePasskey ends one; the devices that it let in stay. Answer: Done. */
export interface RemovePasskey {
	do: 'removePasskey';
	ref?: number;
	id: string;
}

/**
 * SignOut closes the stream. Forget also ends the sign-in, at the server too where there is a
 * connection, and takes this device off the account's list of keys. Answer: Done.
 */
export interface SignOut {
	do: 'signOut';
	ref?: number;
	forget?: boolean;
}

/**
 * Attend tells whether a person is looking (client state, 0352). Here is also "try now": a
 * connection that waits to try again, or hangs, is made at once.
 */
export interface Attend {
	do: 'attend';
	ref?: number;
	here: boolean;
}

/** ListChats is answered by ChatList. */
export interface ListChats {
	do: 'listChats';
	ref?: number;
}

/**
 * History asks for messages of a chat older than Before ("" the newest), at
 * most Limit (1–200). Answer: Page. What is not here yet is fetched from the
 * archive first.
 * Around, in place of Before, asks for one message with those on both sides of it that
 * are here without a gap; After for those newer than one. At asks for the first message of
 * that time or later, as Around does: Page.Around names it, and where the archive was not
 * read back that far yet, Page.Back says so: asking again goes on. At most one of the four is given.
 */
export interface History {
	do: 'history';
	ref?: number;
	chat: string;
	before?: string;
	around?: string;
	after?: string;
	at?: string;
	limit: number;
}

/**
 * Send puts a message into the outbox. It is kept before the answer, Done, whose
 * Message names it; what becomes of it is told by MessageChanged. Corrects names
 * one's own message to be replaced, ReplyTo one to be answered.
 */
export interface Send {
	do: 'send';
	ref?: number;
	chat: string;
	text: string;
	replyTo?: string;
	corrects?: string;
}

/**
 * SendFile encrypts, uploads and sends the file that the host opens by Path.
 * Answer: Done when the message is in the outbox; Progress tells of the upload.
 */
export interface SendFile extends Media {
	do: 'sendFile';
	ref?: number;
	chat: string;
	path: string;
	name?: string;
	type?: string;
	/** a caption */
	text?: string;
}

/**
 * Fetch brings a message's file here, into Path ("" the profile's own folder).
 * Answer: Done.
 */
export interface Fetch {
	do: 'fetch';
	ref?: number;
	chat: string;
	message: string;
	path?: string;
}

/** Retract takes one's own message back, for all. Answer: Done. */
export interface Retract {
	do: 'retract';
	ref?: number;
	chat: string;
	message: string;
}

/**
 * Retry sends a message again that has failed, as it would be encrypted now. Answer:
 * Done.
 */
export interface Retry {
	do: 'retry';
	ref?: number;
	chat: string;
	message: string;
}

/**
 * React sets all of one's reactions to a message; an empty list takes them back.
 * Answer: Done.
 */
export interface React {
	do: 'react';
	ref?: number;
	chat: string;
	message: string;
	emoji: string[];
}

/** MarkRead tells that everything up to Message was seen. Answer: Done. */
export interface MarkRead {
	do: 'markRead';
	ref?: number;
	chat: string;
	message: string;
}

/** Typing tells the other side: composing, paused or active. */
export interface Typing {
	do: 'typing';
	ref?: number;
	chat: string;
	state: string;
}

/** Pin puts a chat before the others, or takes it back. Answer: Done. */
export interface Pin {
	do: 'pin';
	ref?: number;
	chat: string;
	on: boolean;
}

/** Mute has a chat make no sound until a time (zero: for good), or take it back. Answer: Done. */
export interface Mute {
	do: 'mute';
	ref?: number;
	chat: string;
	on: boolean;
	until?: string;
}

/** Archive puts a chat away until something new is said in it; a muted one stays away. Answer: Done. */
export interface Archive {
	do: 'archive';
	ref?: number;
	chat: string;
	on: boolean;
}

/** KeepDraft keeps what is being written in a chat; an empty one is none. Answer: Done. */
export interface KeepDraft extends Draft {
	do: 'draft';
	ref?: number;
	chat: string;
}

/**
 * DeleteForMe deletes messages here, and nowhere else; they do not come back from the archive.
 * Answer: Done; MessageGone tells of each.
 */
export interface DeleteForMe {
	do: 'deleteForMe';
	ref?: number;
	chat: string;
	/** at most 500 */
	messages: string[];
}

/**
 * ClearChat deletes all that is in a chat here, and nowhere else; Remove takes it off the list too,
 * until something is said in it (a room is left by LeaveRoom). Answer: Done; ChatCleared or ChatGone.
 */
export interface ClearChat {
	do: 'clearChat';
	ref?: number;
	chat: string;
	remove?: boolean;
}

/**
 * Forward says a message's text, or sends its file, again in other chats, at most 20: encrypted
 * as they are, without another upload. Answer: Done.
 */
export interface Forward {
	do: 'forward';
	ref?: number;
	chat: string;
	message: string;
	to: string[];
}

/** Star marks a message for oneself on this device. Answer: Done. */
export interface Star {
	do: 'star';
	ref?: number;
	chat: string;
	message: string;
	on: boolean;
}

/** ListStarred asks for them, newest first, at most Limit (1–200); Chat "" is all. Answer: Found. */
export interface ListStarred {
	do: 'listStarred';
	ref?: number;
	chat?: string;
	limit: number;
}

/** PinMessage keeps a message at the top of its chat on this device, at most 20 of them. Answer: Done. */
export interface PinMessage {
	do: 'pinMessage';
	ref?: number;
	chat: string;
	message: string;
	on: boolean;
}

/**
 * SetTimer has what is said in a chat from now on, by all, deleted so many Seconds (at most a year; 0: never)
 * after it was seen (0466). Others' programs may not know of it. Answer: Done.
 */
export interface SetTimer {
	do: 'setTimer';
	ref?: number;
	chat: string;
	seconds: number;
}

/** GetSettings asks what others are told of. Answer: Settings. */
export interface GetSettings {
	do: 'getSettings';
	ref?: number;
}

/** SetSettings changes all of it; LastSeen, which is the account's, where it is given. Answer: Done. */
export interface SetSettings extends Privacy {
	do: 'setSettings';
	ref?: number;
}

/** Report tells who runs the server of somebody's doings, and blocks (0377). Answer: Done. */
export interface Report {
	do: 'report';
	ref?: number;
	address: string;
	/** spam, abuse */
	reason: string;
	text?: string;
}

/**
 * SetEncryption switches a chat's encryption off or on again. Off is refused for
 * a room that is encrypted by its own setting, and never happens by itself. In a room where others
 * encrypt although its server says that anybody may enter (lock broken, others-encrypt) nothing
 * is sent until it was switched off by a person.
 * Answer: Done.
 */
export interface SetEncryption {
	do: 'setEncryption';
	ref?: number;
	chat: string;
	on: boolean;
}

/** ListContacts is answered by ContactList. */
export interface ListContacts {
	do: 'listContacts';
	ref?: number;
}

/**
 * AddContact asks somebody to become a contact, or accepts who asked. Token is that of an
 * invitation of theirs, by which they have agreed beforehand. Answer: Done.
 */
export interface AddContact {
	do: 'addContact';
	ref?: number;
	address: string;
	name?: string;
	token?: string;
}

/**
 * InviteLink asks for a link by which somebody becomes a contact of ours, and has an account
 * made where the server lets us invite for that (0401). Answer: Code.
 */
export interface InviteLink {
	do: 'inviteLink';
	ref?: number;
}

/** RemoveContact ends it in both directions, and declines who asked. Answer: Done. */
export interface RemoveContact {
	do: 'removeContact';
	ref?: number;
	address: string;
}

/** GetProfile asks how others see this account. Answer: Profile. */
export interface GetProfile {
	do: 'getProfile';
	ref?: number;
}

/**
 * SetProfile changes that: the name (0172; nil leaves it, "" takes it away), and the picture
 * (0084): at most 64 KiB of JPEG, PNG or WebP, of Width and Height in pixels, made small by
 * who draws; NoPicture takes it away. Contacts see both. Answer: Done.
 */
export interface SetProfile {
	do: 'setProfile';
	ref?: number;
	name?: string;
	picture?: string;
	width?: number;
	height?: number;
	noPicture?: boolean;
}

/** Avatar asks for the picture that a contact, oneself or a room has now. Answer: Picture. */
export interface Avatar {
	do: 'avatar';
	ref?: number;
	address: string;
}

/** Block and unblock (0191). Answer: Done. */
export interface Block {
	do: 'block';
	ref?: number;
	address: string;
	on: boolean;
}

/**
 * CreateRoom makes a private, encrypted room and invites its members. Answer:
 * Done, whose Chat is the room's address.
 */
export interface CreateRoom {
	do: 'createRoom';
	ref?: number;
	name: string;
	members: string[];
}

/** JoinRoom enters a room and stays in it from now on. Answer: Done. */
export interface JoinRoom {
	do: 'joinRoom';
	ref?: number;
	address: string;
	nick?: string;
}

/**
 * JoinByLink comes into a room by the Token of its link: at once, or once an admin lets us in, of which the
 * chat tells (Name is what it is called until then). Answer: Done, with Waiting where an admin is asked.
 */
export interface JoinByLink {
	do: 'joinByLink';
	ref?: number;
	room: string;
	token: string;
	name?: string;
}

/**
 * RoomAccess asks by which link people come into a room, and who asks to be let in; for admins. Link "new" puts
 * a new link in the place of the one that is there, "none" ends that. Answer: RoomDoor.
 */
export interface RoomAccess {
	do: 'roomAccess';
	ref?: number;
	room: string;
	link?: string;
}

/** Admit lets somebody in who asks, or declines; for admins. Answer: Done. */
export interface Admit {
	do: 'admit';
	ref?: number;
	room: string;
	address: string;
	accept: boolean;
}

/** LeaveRoom leaves it for good; a room that one waits to be let into is asked no more. Answer: Done. */
export interface LeaveRoom {
	do: 'leaveRoom';
	ref?: number;
	address: string;
}

/** Invite makes somebody a member of the room and tells them. Answer: Done. */
export interface Invite {
	do: 'invite';
	ref?: number;
	room: string;
	address: string;
}

/** Kick takes the membership away. Answer: Done. */
export interface Kick {
	do: 'kick';
	ref?: number;
	room: string;
	address: string;
}

/** RoomInfo asks what a room is to us. Answer: RoomDetails. */
export interface RoomInfo {
	do: 'roomInfo';
	ref?: number;
	room: string;
}

/**
 * SetRoom changes what a room shows: a nil field stays as it is. Picture as in SetProfile. For
 * owners. Answer: Done.
 */
export interface SetRoom {
	do: 'setRoom';
	ref?: number;
	room: string;
	name?: string;
	description?: string;
	picture?: string;
	noPicture?: boolean;
	/** an admin decides about who comes by the link */
	approve?: boolean;
}

/**
 * SetRole makes a member an owner or an admin, or an ordinary member again; Kick ends the
 * membership. Answer: Done.
 */
export interface SetRole {
	do: 'setRole';
	ref?: number;
	room: string;
	address: string;
	/** owner, admin, member */
	role: string;
}

/** DestroyRoom ends a room for everybody; for owners. Answer: Done. */
export interface DestroyRoom {
	do: 'destroyRoom';
	ref?: number;
	room: string;
}

/** ListMembers is answered by MemberList. MembersChanged tells once when that is not so any more. */
export interface ListMembers {
	do: 'listMembers';
	ref?: number;
	room: string;
}

/**
 * ListDevices is answered by DeviceList: the devices of a contact, of all members
 * of a room, or ("") one's own.
 */
export interface ListDevices {
	do: 'listDevices';
	ref?: number;
	address: string;
}

/** SetTrust decides about one key: verified, first-use or refused. Answer: Done. */
export interface SetTrust {
	do: 'setTrust';
	ref?: number;
	address: string;
	fingerprint: string;
	trust: string;
}

/**
 * Verify takes the text of a scanned safety code (an xmpp: address with
 * fingerprints). Answer: Done; a code that does not match is a Failure, and
 * changes nothing.
 * With Address a code of anybody else is refused (Tampered); a code of one's own
 * account always is, but with that as Address.
 */
export interface Verify {
	do: 'verify';
	ref?: number;
	code: string;
	address?: string;
}

/** SafetyCode asks for one's own code to show. Answer: Code. */
export interface SafetyCode {
	do: 'safetyCode';
	ref?: number;
}

/**
 * RemoveDevice takes a device of one's own off the account: nothing is encrypted to it any
 * more, and what it signs in by ends, if its Access is known. It hears of it, and stays off. Client instead of
 * ID ends the sign-in of one without known keys. Answer: Done; refused where the server cannot end the
 * sign-in but by another password: the keys are off then all the same.
 */
export interface RemoveDevice {
	do: 'removeDevice';
	ref?: number;
	id?: number;
	client?: string;
}

/**
 * Search looks for words in the decrypted history, newest first, at most Limit
 * (1–200). Chat "" searches all. Answer: Found.
 */
export interface Search {
	do: 'search';
	ref?: number;
	query: string;
	chat?: string;
	limit: number;
}

/**
 * LinkShow makes an old device show a code by which a new one can join. Answer:
 * Code; LinkAsked follows when a new device has scanned it.
 */
export interface LinkShow {
	do: 'linkShow';
	ref?: number;
}

/**
 * LinkConfirm lets the device that LinkAsked named in, or refuses it. Answer: Done
 * when all that was to be handed over is. With Link it refuses, on any device of the account, what
 * another one has let in and what waits still (KeyAlert).
 */
export interface LinkConfirm {
	do: 'linkConfirm';
	ref?: number;
	accept: boolean;
	link?: string;
}

/**
 * LinkJoin makes this empty profile join by the scanned code. Answer: Done when it is
 * signed in and has its history.
 */
export interface LinkJoin {
	do: 'linkJoin';
	ref?: number;
	code: string;
	/** what the other devices will call this one */
	label: string;
}

/**
 * Cancel gives up the command with that number, if it can be given up, or what sends or fetches the
 * file of a Message, whoever asked for that, or with neither what LinkJoin waits for. Answer: Done.
 */
export interface Cancel {
	do: 'cancel';
	ref?: number;
	command?: number;
	message?: string;
}

/** Done answers a command. Failure is nil when it was carried out. */
export interface Done {
	event: 'done';
	ref?: number;
	/** the message it was about */
	message?: string;
	/** the chat it was about */
	chat?: string;
	/** the call it was about */
	call?: string;
	/** SignUp: a name that may be free */
	suggest?: string;
	/** JoinByLink: for an admin */
	waiting?: boolean;
	failure?: Failure;
}

/**
 * Failure says in plain words why something was not done. Code is one of the
 * names in failure.go.
 */
export interface Failure {
	code: FailureCode;
	text: string;
}

/** Status tells where the connection stands. */
export interface Status {
	event: 'status';
	/** offline, connecting, online, refused */
	state: string;
	synced?: boolean;
	/** Gathering: chats that are older than what a new device reads by itself are being looked for. */
	gathering?: boolean;
	address?: string;
	/** why offline or refused; none after signing out */
	failure?: Failure;
	/** when it is tried again, zero for not; past: it is being tried */
	retry?: string;
}

/** ChatList answers ListChats, newest first. */
export interface ChatList {
	event: 'chatList';
	ref?: number;
	chats: Chat[] | null;
}

/** ChatChanged tells of a row of the list, new or other than before. */
export interface ChatChanged {
	event: 'chatChanged';
	chat: Chat;
}

/** ChatGone tells that a chat is no longer on the list. */
export interface ChatGone {
	event: 'chatGone';
	address: string;
}

/** ChatCleared tells that all that was in a chat is deleted here, but what is in the outbox. */
export interface ChatCleared {
	event: 'chatCleared';
	address: string;
}

/**
 * MessageChanged tells of a message, New when it was not there before. After is
 * the ID of the message it stands behind, "" when it is the oldest known:
 * messages that arrive late do not always go to the end.
 */
export interface MessageChanged {
	event: 'messageChanged';
	message: Message;
	new?: boolean;
	after?: string;
	/** Late: it came from the archive or was kept while we were away; no sound. */
	late?: boolean;
}

/**
 * MessageGone tells that a message is no longer in its chat: one that could not be decrypted and
 * proved to be nothing that is shown.
 */
export interface MessageGone {
	event: 'messageGone';
	chat: string;
	message: string;
}

/**
 * Page answers History, oldest first. More tells that there are older ones, Newer, after
 * Around and After, that there are newer ones. Before, Around and After are what was asked for.
 */
export interface Page {
	event: 'page';
	ref?: number;
	chat: string;
	before?: string;
	around?: string;
	after?: string;
	messages: Message[] | null;
	more?: boolean;
	newer?: boolean;
	/** how far At has read back, where that is not far enough yet */
	back?: string;
	failure?: Failure;
}

/** ContactList answers ListContacts. */
export interface ContactList {
	event: 'contactList';
	ref?: number;
	contacts: Contact[] | null;
}

/** ContactChanged tells of one contact; State none means it is gone. */
export interface ContactChanged {
	event: 'contactChanged';
	contact: Contact;
}

/** Settings answers GetSettings, and tells of a change. */
export interface Settings extends Privacy {
	event: 'settings';
	ref?: number;
}

/**
 * Privacy is what others are told: that a text has arrived (0184), that it was read (0333), that
 * one is writing (0085), and, to contacts, when one was last here (0012). All are told at first. The last
 * is the account's, kept by the server: absent where that cannot tell.
 */
export interface Privacy {
	receipts: boolean;
	readMarkers: boolean;
	typing: boolean;
	lastSeen?: boolean;
	/**
	 * HideAddress, which is off at first: in calls nobody learns this device's network addresses, as those who
	 * are no contacts never do. Media then goes by a relay.
	 */
	hideAddress?: boolean;
}

/** Profile answers GetProfile, and tells of a change, made here or on another device. */
export interface Profile {
	event: 'profile';
	ref?: number;
	name?: string;
	/** as in Contact */
	avatar?: string;
}

/** Picture answers Avatar: at most 64 KiB of an image, of the Type that its first bytes tell. */
export interface Picture {
	event: 'picture';
	ref?: number;
	address: string;
	hash?: string;
	/** image/jpeg, image/png, image/webp, image/gif */
	type?: string;
	data?: string;
	failure?: Failure;
}

/** MemberList answers ListMembers. */
export interface MemberList {
	event: 'memberList';
	ref?: number;
	room: string;
	members: Member[] | null;
	failure?: Failure;
}

/**
 * MembersChanged tells once after a MemberList that it is not so any more: who is in the room, or its member,
 * is another. Whoever still looks asks again.
 */
export interface MembersChanged {
	event: 'membersChanged';
	room: string;
}

/** RoomDoor answers RoomAccess. */
export interface RoomDoor {
	event: 'roomDoor';
	ref?: number;
	room: string;
	/** "" while there is none */
	link?: string;
	until?: string;
	/** also for people who have no account yet */
	account?: boolean;
	/** an admin decides about who comes by it */
	approve?: boolean;
	/** the first to ask first */
	asking: Asking[] | null;
	failure?: Failure;
}

/** RoomDetails answers RoomInfo, and tells of a change. */
export interface RoomDetails {
	event: 'roomDetails';
	ref?: number;
	room: string;
	name?: string;
	description?: string;
	/** as in Chat */
	avatar?: string;
	/** one's own: owner, admin, member; "" none */
	role?: string;
	encrypted?: boolean;
	members?: number;
	mayInvite?: boolean;
	/** Kick, and (owners) SetRole */
	mayLead?: boolean;
	/** SetRoom, DestroyRoom, SetRole */
	mayChange?: boolean;
	/** RoomAccess, Admit */
	mayLink?: boolean;
	/** how many ask to be let in, as far as it is known; for admins */
	asking?: number;
	failure?: Failure;
}

/** DeviceList answers ListDevices. */
export interface DeviceList {
	event: 'deviceList';
	ref?: number;
	address: string;
	devices: Device[] | null;
	/** Others, with one's own devices, are clients that have access and do not say which keys are theirs. */
	others?: Access[];
	failure?: Failure;
}

/**
 * KeyAlert tells of something about keys that a person ought to see: a new
 * device of a contact, a changed key, a new device of one's own.
 */
export interface KeyAlert {
	event: 'keyAlert';
	address: string;
	device?: number;
	/** new-device, changed, own-device, removed, linked, recovery-code, passkey */
	kind: string;
	/**
	 * Label is what a linked device calls itself. Where it waits until it can sign in, Until is when, and
	 * Link names it to LinkConfirm, which refuses it on any device until then. With recovery-code and passkey,
	 * which another device has made, it is that device's name or the passkey's, and
	 * Link is the same each time that the same is told.
	 */
	label?: string;
	link?: string;
	until?: string;
}

/**
 * Code answers SafetyCode and LinkShow, a text to be drawn as a QR code, RecoveryCode, one to be
 * printed or written down, InviteLink, a link, and PasskeyTicket, for the site.
 */
export interface Code {
	event: 'code';
	ref?: number;
	text: string;
	until?: string;
	/** RecoveryCode: all other devices are signed out */
	alone?: boolean;
	/** InviteLink: also for people who have no account yet */
	account?: boolean;
	failure?: Failure;
}

/** PasskeyList answers ListPasskeys. */
export interface PasskeyList {
	event: 'passkeyList';
	ref?: number;
	passkeys: Passkey[] | null;
	failure?: Failure;
}

/** LinkAsked tells an old device that a new one wants in. */
export interface LinkAsked {
	event: 'linkAsked';
	/** as the new device declares itself */
	label: string;
	software?: string;
	/** six digits that both screens show, for a person to compare */
	check: string;
	/**
	 * Network is the part of the internet that the server sees the new device in, such as
	 * 203.0.113.0/24, "" where it does not say; Same that this device is seen there too. Where that is on
	 * a map is not known.
	 */
	network?: string;
	same?: boolean;
}

/** LinkState tells of the steps of linking, on both sides. */
export interface LinkState {
	event: 'linkState';
	/** waiting, joined, held, sending, receiving, done, failed */
	state: string;
	check?: string;
	/** held: when the server lets the new device in, unless a person refuses */
	until?: string;
	/** messages handed over */
	done?: number;
	total?: number;
	/** Failure says why, with failed. */
	failure?: Failure;
}

/** Progress tells of a file on its way, in bytes. */
export interface Progress {
	event: 'progress';
	message: string;
	done: number;
	/** -1 unknown */
	total: number;
}

/** Found answers Search, newest first. */
export interface Found {
	event: 'found';
	ref?: number;
	messages: Message[] | null;
	failure?: Failure;
}

/**
 * A Lock is what the engine knows of a message's or a conversation's
 * encryption, and never more than that (R5).
 */
export interface Lock {
	state: LockState;
	/**
	 * Why says, in the engine's words (a key for translation), what is behind
	 * Open, Changed or Broken.
	 */
	why?: string;
	/** Missing names who could not read (send) or whose key is in question. */
	missing?: string[];
}

/**
 * Message is a line of a conversation as it is now: edits, reactions and
 * retractions are already applied.
 */
export interface Message {
	id: string;
	chat: string;
	/** bare address; in a room whose members are hidden, the nick */
	sender: string;
	/** what to show for the sender */
	name?: string;
	mine?: boolean;
	time: string;
	text?: string;
	edited?: boolean;
	retracted?: boolean;
	reply?: Quote;
	reactions?: Reaction[];
	file?: File;
	delivery: Delivery;
	/** plain words, when Delivery is Failed */
	failure?: string;
	lock: Lock;
	/** why it could not be decrypted; Text is empty then */
	unreadable?: string;
	/** a line of the engine's own: a key for translation ("key-changed", "joined" …) */
	notice?: string;
	/** what the notice speaks of */
	params?: string[];
	starred?: boolean;
	/** a room's text that has one's name behind an @ */
	forMe?: boolean;
	/** seconds that it is kept once it was seen, or (one's own) sent */
	timer?: number;
	/** when it is deleted here, once that runs */
	expires?: string;
	/** one's own, said elsewhere before; others are not told */
	forwarded?: boolean;
}

/** Quote is what a reply answers to, as far as it is known here. */
export interface Quote {
	/** empty when the message is not in this profile */
	id?: string;
	sender?: string;
	/** at most 160 characters */
	text?: string;
}

/** Reaction is one sign and everybody who gave it. */
export interface Reaction {
	emoji: string;
	who: string[] | null;
	mine?: boolean;
}

/** File is what a message carries besides text. URL and keys stay inside. */
export interface File extends Media {
	name: string;
	/** media type as declared; nothing trusts it */
	type?: string;
	/** bytes, -1 unknown */
	size?: number;
	/** remote, loading, here, sending, failed */
	state: string;
	/** the code of the failure, when failed */
	why?: string;
	/** where it lies, when here */
	path?: string;
	/**
	 * Caption is the ID of the message that says something about it, by the same sender and behind it, and
	 * Text what that says. One's own file on its way has the Text alone: it is no message yet.
	 */
	caption?: string;
	text?: string;
}

/**
 * Media is what a sender says of a file before it is here; nothing trusts it. It goes only where
 * it is encrypted with the text, so programs of the older encryption neither send nor see it.
 */
export interface Media {
	/** pixels, at most 65536 */
	width?: number;
	height?: number;
	/** milliseconds */
	duration?: number;
	/** a data:image/… address of at most 4 KiB, of a blurred picture */
	thumb?: string;
	/** of files that are sent at once: the same made-up word, at most 64 printable ASCII characters */
	album?: string;
	/** how loud a voice note is, 0–255, in at most 256 equal steps */
	waveform?: string;
}

/** Chat is a row of the chat list. */
export interface Chat {
	address: string;
	room?: boolean;
	name: string;
	unread?: number;
	/** ID of the first unread message */
	first?: string;
	last?: Message;
	/** what the list is ordered by, newest first */
	active: string;
	/** what a message sent now would be */
	lock: Lock;
	online?: boolean;
	blocked?: boolean;
	/** rooms: we are in it */
	joined?: boolean;
	/** who is writing now */
	typing?: string[];
	/** names the picture, which Avatar asks for; "" none */
	avatar?: string;
	/** since when; lists are in no order by it */
	pinned?: string;
	/** until when; year 9999: for good */
	muted?: string;
	archived?: boolean;
	/** something unread is ForMe */
	mentioned?: boolean;
	/** ID of the first of these */
	mention?: string;
	/** seconds that what is said now is kept; 0 for good */
	timer?: number;
	draft?: Draft;
	/** IDs of messages, the latest pinned first */
	pins?: string[];
}

/** Draft is what is being written. */
export interface Draft {
	text?: string;
	replyTo?: string;
	/** when it was kept; the engine's */
	time?: string;
}

/** Contact is a person one knows, or who asks to be known. */
export interface Contact {
	address: string;
	name?: string;
	/** contact, asked (by us), asks (us), none */
	state: string;
	online?: boolean;
	blocked?: boolean;
	/** when last online, as far as that is known; zero while online */
	seen?: string;
	/** what they call themselves; Name is one's own name for them */
	nick?: string;
	/** names the picture, which Avatar asks for; "" none */
	avatar?: string;
}

/** Member is somebody in a room. */
export interface Member {
	nick?: string;
	/** "" where the room hides it */
	address?: string;
	/** owner, admin, member, none */
	role: string;
	here?: boolean;
	/** as in Contact */
	avatar?: string;
}

/** Asking is somebody who asks to be let into a room. */
export interface Asking {
	address: string;
	/** what they would like to be called in it */
	nick?: string;
	time?: string;
}

/** Device is one installation that somebody reads and writes with. */
export interface Device {
	address: string;
	id: number;
	/** 64 hex digits, "" as long as its key is not known */
	fingerprint?: string;
	/** verified, first-use, undecided, refused */
	trust: string;
	/** on the account's list now */
	active: boolean;
	/** of our own account */
	own?: boolean;
	/** this very device */
	here?: boolean;
	label?: string;
	/** last message of it */
	seen?: string;
	/**
	 * Access is its sign-in, where the device has told the server which keys are its: RemoveDevice
	 * ends that too. Of one's own devices only; nil for those of other makers, and while offline.
	 */
	access?: Access;
}

/** Passkey is a way into the account that a browser or phone keeps. */
export interface Passkey {
	/** names it in RemovePasskey */
	id: string;
	name?: string;
	/** whose pages can use it */
	site?: string;
	added?: string;
	used?: string;
}

/** Access is what the server knows of a client that has access to one's account (XEP-0494). */
export interface Access {
	/** names it in RemoveDevice */
	client: string;
	/** as it declares itself: nothing proves it */
	name?: string;
	/** the same */
	software?: string;
	/** first seen */
	first?: string;
	/** last seen, to the hour */
	last?: string;
	/** what it signs in by: password, token */
	by?: string[];
	online?: boolean;
	/** this very device */
	here?: boolean;
}

export type Command =
	| SignIn
	| SignUp
	| RecoveryCode
	| PasskeyTicket
	| ListPasskeys
	| RemovePasskey
	| SignOut
	| Attend
	| ListChats
	| History
	| Send
	| SendFile
	| Fetch
	| Retract
	| Retry
	| React
	| MarkRead
	| Typing
	| Pin
	| Mute
	| Archive
	| KeepDraft
	| DeleteForMe
	| ClearChat
	| Forward
	| Star
	| ListStarred
	| PinMessage
	| SetTimer
	| GetSettings
	| SetSettings
	| Report
	| SetEncryption
	| ListContacts
	| AddContact
	| InviteLink
	| RemoveContact
	| GetProfile
	| SetProfile
	| Avatar
	| Block
	| CreateRoom
	| JoinRoom
	| JoinByLink
	| RoomAccess
	| Admit
	| LeaveRoom
	| Invite
	| Kick
	| RoomInfo
	| SetRoom
	| SetRole
	| DestroyRoom
	| ListMembers
	| ListDevices
	| SetTrust
	| Verify
	| SafetyCode
	| RemoveDevice
	| Search
	| LinkShow
	| LinkConfirm
	| LinkJoin
	| Cancel
	| PlaceCall
	| AnswerCall
	| DeclineCall
	| HangUpCall
	| AddVideo
	| MuteCall
	| ListCalls
	| CallLinks
	| CallDescribed
	| CallAddress
	| CallConnected
	| CallFailed
	| CallNetwork;

export type Event =
	| Done
	| Status
	| ChatList
	| ChatChanged
	| ChatGone
	| ChatCleared
	| MessageChanged
	| MessageGone
	| Page
	| ContactList
	| ContactChanged
	| Settings
	| Profile
	| Picture
	| RoomDetails
	| MembersChanged
	| RoomDoor
	| MemberList
	| DeviceList
	| KeyAlert
	| Code
	| PasskeyList
	| LinkAsked
	| LinkState
	| Progress
	| Found
	| CallChanged
	| CallMedia
	| CallList
	| CallLinkList;

/** The event that answers each command. */
export interface Answers {
	placeCall: Done;
	callLinks: CallLinkList;
	answerCall: Done;
	declineCall: Done;
	hangUpCall: Done;
	addVideo: Done;
	muteCall: Done;
	listCalls: CallList;
	callDescribed: Done;
	callAddress: Done;
	callConnected: Done;
	callFailed: Done;
	callNetwork: Done;
	signIn: Done;
	signUp: Done;
	recoveryCode: Code;
	passkeyTicket: Code;
	listPasskeys: PasskeyList;
	removePasskey: Done;
	signOut: Done;
	attend: Done;
	listChats: ChatList;
	history: Page;
	send: Done;
	sendFile: Done;
	fetch: Done;
	retract: Done;
	retry: Done;
	react: Done;
	markRead: Done;
	typing: Done;
	pin: Done;
	mute: Done;
	archive: Done;
	draft: Done;
	deleteForMe: Done;
	clearChat: Done;
	forward: Done;
	star: Done;
	listStarred: Found;
	pinMessage: Done;
	setTimer: Done;
	getSettings: Settings;
	setSettings: Done;
	report: Done;
	setEncryption: Done;
	listContacts: ContactList;
	addContact: Done;
	inviteLink: Code;
	removeContact: Done;
	getProfile: Profile;
	setProfile: Done;
	avatar: Picture;
	block: Done;
	createRoom: Done;
	joinRoom: Done;
	joinByLink: Done;
	roomAccess: RoomDoor;
	admit: Done;
	leaveRoom: Done;
	invite: Done;
	kick: Done;
	roomInfo: RoomDetails;
	setRoom: Done;
	setRole: Done;
	destroyRoom: Done;
	listMembers: MemberList;
	listDevices: DeviceList;
	setTrust: Done;
	verify: Done;
	safetyCode: Code;
	removeDevice: Done;
	search: Found;
	linkShow: Code;
	linkConfirm: Done;
	linkJoin: Done;
	cancel: Done;
}
