package port

import "time"

// Call is a one-to-one call as it is now; one that has ended is an entry of the log, and a line of its
// chat: a Message whose Notice is "call" and whose Params are the call's ID, "mine" or "theirs", "audio" or
// "video", its Why, and for how many seconds it was spoken ("0" for none).
type Call struct {
	ID    string `json:"id"` // the engine's name for it, which means nothing elsewhere
	Chat  string `json:"chat"`
	Mine  bool   `json:"mine,omitempty"`  // we have called
	Video bool   `json:"video,omitempty"` // it was asked for with video, or has some by now
	State string `json:"state"`           // calling, ringing (there), incoming, answering, connecting, active, ended
	// Why is how it has ended: missed, declined, declined-elsewhere, answered-elsewhere, cancelled, rejected,
	// unanswered, hung-up, peer-hung-up, failed, insecure, migrated, tie.
	Why      string    `json:"why,omitempty"`
	Text     string    `json:"text,omitempty"` // plain words for people, with failed and insecure
	Seat     string    `json:"seat,omitempty"` // as PlaceCall or AnswerCall named it
	At       time.Time `json:"at"`             // when it was begun
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// Lock tells what binds the media's key to who it is; nil until that is known. Open: nothing does, so whoever
	// has the server could listen. Locked and Verified: the key was sealed by a device of theirs whose own key
	// is accepted, or compared.
	Lock *Lock `json:"lock,omitempty"`
	// Muted is what we do not send, TheirMuted what they say that they do not send.
	Muted      CallMuted `json:"muted"`
	TheirMuted CallMuted `json:"theirMuted"`
	// Late: it was over before this device heard of it; no sound.
	Late bool `json:"late,omitempty"`
	// Silent is why it did not ring, of calls that the server alone has seen: stranger, often, rule. Count is how
	// many such calls this entry stands for, the first of them at First. Chat is "" where it stands for many callers.
	Silent string    `json:"silent,omitempty"`
	Count  int       `json:"count,omitempty"`
	First  time.Time `json:"first,omitzero"`
	// Link: it is a stranger's, and rings, or rang, by a link that we gave away (CallLinks). No name of theirs is
	// known to be true, nor is anything but their address.
	Link bool `json:"link,omitempty"`
}

// CallMuted is which media are muted.
type CallMuted struct {
	Audio bool `json:"audio,omitempty"`
	Video bool `json:"video,omitempty"`
}

// CallServer is a STUN or TURN server, as RTCPeerConnection takes it.
type CallServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// PlaceCall calls somebody. Seat names who has the microphone, such as a tab: CallMedia goes to it. A device
// has one call at a time: else Busy. Link is the token of a call link of theirs, xmpp:CHAT?call;link=TOKEN, by which
// a stranger rings once: never without a person's word. Answer: Done, whose Call names it.
type PlaceCall struct {
	Ref
	Chat  string `json:"chat"`
	Video bool   `json:"video,omitempty"`
	Seat  string `json:"seat,omitempty"`
	Link  string `json:"link,omitempty"`
}

// CallLinks asks which links are open by which strangers may call us, each of them once. With Lasts a new one is
// made, which ends after so many seconds (at most a week, 604800); with Revoke the one with that ID ends.
// Answer: CallLinkList; Missing for one that is not open (any more).
type CallLinks struct {
	Ref
	Lasts  int    `json:"lasts,omitempty"`
	Revoke string `json:"revoke,omitempty"`
}

// CallLinkList answers CallLinks, the first to end first.
type CallLinkList struct {
	Ref
	Links   []CallLink `json:"links"`
	Failure *Failure   `json:"failure,omitempty"`
}

// CallLink is a link by which a stranger may call us once. URI is what is given away: of the one that was just made
// alone, for nobody keeps it.
type CallLink struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
	URI   string    `json:"uri,omitempty"`
}

// AnswerCall accepts a call that rings. Answer: Done; Busy while another call is on.
type AnswerCall struct {
	Ref
	Call  string `json:"call"`
	Video bool   `json:"video,omitempty"`
	Seat  string `json:"seat,omitempty"`
}

// DeclineCall ends a call that rings. The caller is not told by whom: it says busy. Answer: Done.
type DeclineCall struct {
	Ref
	Call string `json:"call"`
}

// HangUpCall ends a call of whatever state; one that rings is declined. Answer: Done.
type HangUpCall struct {
	Ref
	Call string `json:"call"`
}

// AddVideo opens the camera in an active call. Answer: Done.
type AddVideo struct {
	Ref
	Call string `json:"call"`
}

// MuteCall says what is muted from now on; the seat is told by CallMedia "mute", the others too.
// Answer: Done.
type MuteCall struct {
	Ref
	Call string `json:"call"`
	CallMuted
}

// ListCalls asks for calls that were begun before a time (zero: the newest, and what is on now), at most Limit
// (1–200): those of this device, and with the newest those that only the server has seen, such as strangers'.
// Answer: CallList.
type ListCalls struct {
	Ref
	Before time.Time `json:"before,omitzero"`
	Limit  int       `json:"limit"`
}

// CallDescribed is the seat's, for "offer" and "answer": the whole description that it has set, with the addresses
// found so far. At most 64 KiB. Answer: Done.
type CallDescribed struct {
	Ref
	Call string `json:"call"`
	SDP  string `json:"sdp"`
}

// CallAddress is the seat's: an address was found for the medium Mid, a candidate line of SDP; "" says that no more
// follow. Answer: Done.
type CallAddress struct {
	Ref
	Call      string `json:"call"`
	Mid       string `json:"mid"`
	Candidate string `json:"candidate"`
}

// CallConnected is the seat's: media flows, and by the key that its description has. Answer: Done.
type CallConnected struct {
	Ref
	Call string `json:"call"`
}

// CallFailed is the seat's: no microphone, no way for media, or none any more. Text is for people.
// Answer: Done.
type CallFailed struct {
	Ref
	Call string `json:"call"`
	Text string `json:"text,omitempty"`
}

// CallNetwork is the seat's: the network is another one, or media stopped. A new way is looked for ("offer" with
// Restart). Answer: Done.
type CallNetwork struct {
	Ref
	Call string `json:"call"`
}

// CallChanged tells of a call, new or other than before.
type CallChanged struct {
	Call Call `json:"call"`
}

// CallMedia tells the seat what to do, in order, and nothing else may open microphone, camera or a peer connection:
//
//	open     the microphone, and with Video the camera; show a preview. Nothing else is made yet
//	create   the peer connection, with Servers, and with RelayOnly by relays alone. Its tracks are what was opened
//	offer    make an offer (with Restart an ICE restart), set it, answer by CallDescribed
//	remote   set SDP as the other side's offer or answer (Type)
//	answer   make an answer, set it, answer by CallDescribed
//	address  add the other side's Candidate of Mid; "": no more follow
//	camera   open the camera and add it; offer follows
//	mute     send nothing of what is Audio or Video; the others flow
//	close    close everything that this call has opened; always the last
type CallMedia struct {
	Call      string       `json:"call"`
	Seat      string       `json:"seat,omitempty"`
	Do        string       `json:"do"`
	Video     bool         `json:"video,omitempty"` // open: the camera too; mute: muted
	Audio     bool         `json:"audio,omitempty"` // mute: muted
	Servers   []CallServer `json:"servers,omitempty"`
	RelayOnly bool         `json:"relayOnly,omitempty"`
	Type      string       `json:"type,omitempty"` // offer, answer
	SDP       string       `json:"sdp,omitempty"`
	Restart   bool         `json:"restart,omitempty"`
	Mid       string       `json:"mid,omitempty"`
	Candidate string       `json:"candidate,omitempty"`
}

// CallList answers ListCalls, newest first; what is on now goes before all.
type CallList struct {
	Ref
	Calls   []Call   `json:"calls"`
	More    bool     `json:"more,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}
