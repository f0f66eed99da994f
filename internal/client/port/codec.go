package port

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnknown is the error of a name that stands for no command or event.
var ErrUnknown = errors.New("port: unknown name")

// name is how a command or event stands in JSON: its name and its fields.
//
//	{"do":"send","ref":7,"chat":"bob@example.org","text":"hello"}
//	{"event":"done","ref":7,"message":"m12"}
type name struct {
	Do    string `json:"do,omitempty"`
	Event string `json:"event,omitempty"`
}

// EncodeCommand writes a command as one JSON object.
func EncodeCommand(c Command) ([]byte, error) { return named("do", c.command(), c) }

// EncodeEvent writes an event as one JSON object.
func EncodeEvent(e Event) ([]byte, error) { return named("event", e.event(), listed(e)) }

// named writes the fields of v with one more before them.
func named(key, name string, v any) ([]byte, error) {
	fields, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := fmt.Appendf(nil, "{%q:%q", key, name)
	if len(fields) > 2 { // more than {}
		out = append(out, ',')
	}
	return append(out, fields[1:]...), nil
}

// DecodeCommand reads what EncodeCommand wrote. Unknown fields are ignored,
// unknown names are ErrUnknown.
func DecodeCommand(b []byte) (Command, error) {
	var n name
	if err := json.Unmarshal(b, &n); err != nil {
		return nil, err
	}
	c := newCommand(n.Do)
	if c == nil {
		return nil, fmt.Errorf("%w: do %q", ErrUnknown, n.Do)
	}
	return c, json.Unmarshal(b, c)
}

// DecodeEvent reads what EncodeEvent wrote.
func DecodeEvent(b []byte) (Event, error) {
	var n name
	if err := json.Unmarshal(b, &n); err != nil {
		return nil, err
	}
	e := newEvent(n.Event)
	if e == nil {
		return nil, fmt.Errorf("%w: event %q", ErrUnknown, n.Event)
	}
	return e, json.Unmarshal(b, e)
}

// newCommand is an empty command of that name, nil for none.
func newCommand(name string) Command {
	for _, c := range Commands() {
		if c.command() == name {
			return c
		}
	}
	return nil
}

// newEvent is an empty event of that name, nil for none.
func newEvent(name string) Event {
	for _, e := range Events() {
		if e.event() == name {
			return e
		}
	}
	return nil
}

// Commands is an empty one of each: the whole of what can be asked.
func Commands() []Command {
	return []Command{
		&SignIn{},
		&SignUp{},
		&RecoveryCode{},
		&PasskeyTicket{},
		&ListPasskeys{},
		&RemovePasskey{},
		&SignOut{},
		&Attend{},
		&ListChats{},
		&History{},
		&Send{},
		&SendFile{},
		&Fetch{},
		&Retract{},
		&Retry{},
		&React{},
		&MarkRead{},
		&Typing{},
		&Pin{},
		&Mute{},
		&Archive{},
		&KeepDraft{},
		&DeleteForMe{},
		&ClearChat{},
		&Forward{},
		&Star{},
		&ListStarred{},
		&PinMessage{},
		&SetTimer{},
		&GetSettings{},
		&SetSettings{},
		&Report{},
		&SetEncryption{},
		&ListContacts{},
		&AddContact{},
		&InviteLink{},
		&RemoveContact{},
		&GetProfile{},
		&SetProfile{},
		&Avatar{},
		&Block{},
		&CreateRoom{},
		&JoinRoom{},
		&JoinByLink{},
		&RoomAccess{},
		&Admit{},
		&LeaveRoom{},
		&Invite{},
		&Kick{},
		&RoomInfo{},
		&SetRoom{},
		&SetRole{},
		&DestroyRoom{},
		&ListMembers{},
		&ListDevices{},
		&SetTrust{},
		&Verify{},
		&SafetyCode{},
		&RemoveDevice{},
		&Search{},
		&LinkShow{},
		&LinkConfirm{},
		&LinkJoin{},
		&Cancel{},
		&PlaceCall{},
		&AnswerCall{},
		&DeclineCall{},
		&HangUpCall{},
		&AddVideo{},
		&MuteCall{},
		&ListCalls{},
		&CallLinks{},
		&CallDescribed{},
		&CallAddress{},
		&CallConnected{},
		&CallFailed{},
		&CallNetwork{},
	}
}

// Events is an empty one of each: the whole of what can be told.
func Events() []Event {
	return []Event{
		&Done{},
		&Status{},
		&ChatList{},
		&ChatChanged{},
		&ChatGone{},
		&ChatCleared{},
		&MessageChanged{},
		&MessageGone{},
		&Page{},
		&ContactList{},
		&ContactChanged{},
		&Profile{},
		&Settings{},
		&Picture{},
		&MemberList{},
		&MembersChanged{},
		&RoomDoor{},
		&RoomDetails{},
		&DeviceList{},
		&KeyAlert{},
		&Code{},
		&PasskeyList{},
		&LinkAsked{},
		&LinkState{},
		&Progress{},
		&Found{},
		&CallChanged{},
		&CallMedia{},
		&CallList{},
		&CallLinkList{},
	}
}

func (*SignIn) command() string        { return "signIn" }
func (*SignUp) command() string        { return "signUp" }
func (*RecoveryCode) command() string  { return "recoveryCode" }
func (*PasskeyTicket) command() string { return "passkeyTicket" }
func (*ListPasskeys) command() string  { return "listPasskeys" }
func (*RemovePasskey) command() string { return "removePasskey" }
func (*SignOut) command() string       { return "signOut" }
func (*Attend) command() string        { return "attend" }
func (*ListChats) command() string     { return "listChats" }
func (*History) command() string       { return "history" }
func (*Send) command() string          { return "send" }
func (*SendFile) command() string      { return "sendFile" }
func (*Fetch) command() string         { return "fetch" }
func (*Retract) command() string       { return "retract" }
func (*Retry) command() string         { return "retry" }
func (*React) command() string         { return "react" }
func (*MarkRead) command() string      { return "markRead" }
func (*Typing) command() string        { return "typing" }
func (*Pin) command() string           { return "pin" }
func (*Mute) command() string          { return "mute" }
func (*Archive) command() string       { return "archive" }
func (*KeepDraft) command() string     { return "draft" }
func (*DeleteForMe) command() string   { return "deleteForMe" }
func (*ClearChat) command() string     { return "clearChat" }
func (*Forward) command() string       { return "forward" }
func (*Star) command() string          { return "star" }
func (*ListStarred) command() string   { return "listStarred" }
func (*PinMessage) command() string    { return "pinMessage" }
func (*SetTimer) command() string      { return "setTimer" }
func (*GetSettings) command() string   { return "getSettings" }
func (*SetSettings) command() string   { return "setSettings" }
func (*Report) command() string        { return "report" }
func (*SetEncryption) command() string { return "setEncryption" }
func (*ListContacts) command() string  { return "listContacts" }
func (*AddContact) command() string    { return "addContact" }
func (*InviteLink) command() string    { return "inviteLink" }
func (*RemoveContact) command() string { return "removeContact" }
func (*GetProfile) command() string    { return "getProfile" }
func (*SetProfile) command() string    { return "setProfile" }
func (*Avatar) command() string        { return "avatar" }
func (*Block) command() string         { return "block" }
func (*CreateRoom) command() string    { return "createRoom" }
func (*JoinRoom) command() string      { return "joinRoom" }
func (*JoinByLink) command() string    { return "joinByLink" }
func (*RoomAccess) command() string    { return "roomAccess" }
func (*Admit) command() string         { return "admit" }
func (*LeaveRoom) command() string     { return "leaveRoom" }
func (*Invite) command() string        { return "invite" }
func (*Kick) command() string          { return "kick" }
func (*RoomInfo) command() string      { return "roomInfo" }
func (*SetRoom) command() string       { return "setRoom" }
func (*SetRole) command() string       { return "setRole" }
func (*DestroyRoom) command() string   { return "destroyRoom" }
func (*ListMembers) command() string   { return "listMembers" }
func (*ListDevices) command() string   { return "listDevices" }
func (*SetTrust) command() string      { return "setTrust" }
func (*Verify) command() string        { return "verify" }
func (*SafetyCode) command() string    { return "safetyCode" }
func (*RemoveDevice) command() string  { return "removeDevice" }
func (*Search) command() string        { return "search" }
func (*LinkShow) command() string      { return "linkShow" }
func (*LinkConfirm) command() string   { return "linkConfirm" }
func (*LinkJoin) command() string      { return "linkJoin" }
func (*Cancel) command() string        { return "cancel" }
func (*PlaceCall) command() string     { return "placeCall" }
func (*AnswerCall) command() string    { return "answerCall" }
func (*DeclineCall) command() string   { return "declineCall" }
func (*HangUpCall) command() string    { return "hangUpCall" }
func (*AddVideo) command() string      { return "addVideo" }
func (*MuteCall) command() string      { return "muteCall" }
func (*ListCalls) command() string     { return "listCalls" }
func (*CallLinks) command() string     { return "callLinks" }
func (*CallDescribed) command() string { return "callDescribed" }
func (*CallAddress) command() string   { return "callAddress" }
func (*CallConnected) command() string { return "callConnected" }
func (*CallFailed) command() string    { return "callFailed" }
func (*CallNetwork) command() string   { return "callNetwork" }

func (*Done) event() string           { return "done" }
func (*Status) event() string         { return "status" }
func (*ChatList) event() string       { return "chatList" }
func (*ChatChanged) event() string    { return "chatChanged" }
func (*ChatGone) event() string       { return "chatGone" }
func (*ChatCleared) event() string    { return "chatCleared" }
func (*MessageChanged) event() string { return "messageChanged" }
func (*MessageGone) event() string    { return "messageGone" }
func (*Page) event() string           { return "page" }
func (*ContactList) event() string    { return "contactList" }
func (*ContactChanged) event() string { return "contactChanged" }
func (*Settings) event() string       { return "settings" }
func (*Profile) event() string        { return "profile" }
func (*Picture) event() string        { return "picture" }
func (*RoomDetails) event() string    { return "roomDetails" }
func (*MembersChanged) event() string { return "membersChanged" }
func (*RoomDoor) event() string       { return "roomDoor" }
func (*MemberList) event() string     { return "memberList" }
func (*DeviceList) event() string     { return "deviceList" }
func (*KeyAlert) event() string       { return "keyAlert" }
func (*Code) event() string           { return "code" }
func (*PasskeyList) event() string    { return "passkeyList" }
func (*LinkAsked) event() string      { return "linkAsked" }
func (*LinkState) event() string      { return "linkState" }
func (*Progress) event() string       { return "progress" }
func (*Found) event() string          { return "found" }
func (*CallChanged) event() string    { return "callChanged" }
func (*CallMedia) event() string      { return "callMedia" }
func (*CallList) event() string       { return "callList" }
func (*CallLinkList) event() string   { return "callLinkList" }
