package terminal

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/client/port"
)

// noticeWords is a line of the engine's own, in words.
func noticeWords(m *model, msg *port.Message) string {
	param := func(i int) string {
		if i < len(msg.Params) {
			return oneLine(msg.Params[i])
		}
		return ""
	}
	switch msg.Notice {
	case "invited":
		return m.invitedWords(param(0), param(1), param(2))
	case "not-invited":
		return m.tf("%s could not be invited", param(0))
	case "banned":
		return m.t("you were shut out of this room")
	case "kicked":
		return m.t("you were put out of this room")
	case "removed":
		return m.t("you are no member of this room any more")
	case "member-added":
		return m.tf("%s is a member of this room now, and reads what is said from here on", m.name(param(0)))
	case "member-removed":
		return m.tf("%s is no member of this room any more", m.name(param(0)))
	case "call":
		return m.callWords(param(1), param(3), param(4))
	case "members-changed":
		return "many members have come or gone; see who is in this room (Ctrl-G)"
	}
	if words := m.keyNews(msg.Notice, m.name(param(0))); words != "" {
		return words
	}
	return strings.TrimSpace(oneLine(msg.Notice) + " " + strings.Join(msg.Params, " "))
}

// callWords is a call that has ended.
func (m *model) callWords(who, why, seconds string) string {
	n, _ := strconv.Atoi(seconds)
	switch {
	case n > 0:
		return m.tf("call of %s", (time.Duration(n) * time.Second).String())
	case why == "insecure":
		return m.t("a call was ended: its key was not the one that it must be")
	case who == "mine":
		return m.t("you have called; the call was not taken")
	case why == "answered-elsewhere":
		return m.t("call, taken on another device")
	case why == "declined", why == "declined-elsewhere":
		return m.t("call, declined")
	}
	return m.t("missed call")
}

// invitedWords is an invitation, or that it was taken. Apps say the room's name as the reason, or
// what it is for.
func (m *model) invitedWords(room, by, reason string) string {
	if m.s.chat(room).Joined {
		words := m.t("you have entered a room: ")
		if by != "" {
			words = m.tf("you have entered a room that %s invited you to: ", m.name(by))
		}
		return words + cmp.Or(reason, room)
	}
	words := m.t("you are invited to a room: ")
	if by != "" {
		words = m.tf("%s invites you to a room: ", m.name(by))
	}
	return words + cmp.Or(reason, room) + m.t(pressEnter)
}

// pressEnter is how to take an invitation.
const pressEnter = " · choose this line and press Enter"

// Words is what is said in place of a message's text, in English and in one line: of a line of the
// engine's own, of what was taken back and of what cannot be read; "" of all others. It names no
// keys of the screen.
func Words(msg port.Message) string {
	switch {
	case msg.Notice != "":
		words := noticeWords(&model{s: newState()}, &msg)
		for _, hint := range []string{pressEnter, " (Ctrl-T)", " (Ctrl-G)"} {
			words = strings.TrimSuffix(words, hint)
		}
		return words
	case msg.Retracted:
		return "taken back"
	case msg.Unreadable != "":
		return "cannot be read here: " + whyWords(msg.Unreadable)
	}
	return ""
}

// Why is a reason of the engine's in English, for why something was not sent.
func Why(reason string) string { return failureWords(reason) }

// keyNews is what happened to somebody's keys.
func (m *model) keyNews(kind, who string) string {
	switch kind {
	case "new-device":
		return m.tf("%s has a new device; ask on another way whether it is theirs, and compare its key (Ctrl-T)", who)
	case "changed":
		return m.tf("a key of %s is another than before; ask why, on another way, and compare (Ctrl-T)", who)
	case "removed":
		return m.tf("%s has taken a device away", who)
	}
	return ""
}

// alert tells of what happened to keys, in a line or, where something can still be done, in a form.
func (m *model) alert(a port.KeyAlert) {
	switch words := m.keyNews(a.Kind, a.Address); {
	case a.Kind == "linked":
		m.linked(a)
	case a.Kind == "own-device":
		m.say("A new device is on your account. If it is not yours, take it off: Ctrl-K, my devices.")
	case words != "":
		m.say("%s", words)
	default:
		m.say("%s", oneLine(a.Kind+" "+a.Address))
	}
}

// whyWords is a reason of the engine's in words.
func whyWords(why string) string {
	switch why {
	case "keys-waiting":
		return "the keys are not here yet"
	case "no-device":
		return "no app that encrypts is signed in there"
	case "alone":
		return "nobody is here yet who could read this"
	case "outside":
		return "you are not in this room yet"
	case "no-key":
		return "no key is to be had"
	case "key-refused":
		return "you have refused the key"
	case "new-device":
		return "a device is new where another was compared"
	case "key-changed":
		return "a device has another key than before"
	case "foreign-key":
		return "the key is another account's"
	case "plain":
		return "it was sent without encryption"
	case "was-encrypted":
		return "this conversation used to be encrypted"
	case "switched-off":
		return "you have switched encryption off here"
	case "others-encrypt":
		return "others write encrypted in this room, and its server says that anybody may read along"
	case "public-room":
		return "anybody may enter this room"
	case "server":
		return "this is the server itself"
	case "some-cannot-read":
		return "some have no device that could read it"
	case "unreadable":
		return "no session opens it"
	case "tampered":
		return "it is not what was sent"
	case "not-for-us":
		return "it was not encrypted to this device"
	case "forged":
		return "it is not of whom it says"
	case "sender-unknown":
		return "the room hides who speaks"
	}
	return oneLine(why)
}

// failureWords is why a message was not sent: a reason of the engine's, or its own words.
func failureWords(failure string) string {
	if failure == "" {
		return "no reason was given"
	}
	return whyWords(failure)
}

// unready tells whether a lock is broken only because the other side cannot read yet: that is how
// every conversation begins, and no alarm.
func unready(l port.Lock) bool {
	return l.Unready()
}

// lockSign is the lock in at most three cells.
func lockSign(l port.Lock) string {
	if unready(l) {
		return "…"
	}
	switch l.State {
	case port.Locked:
		return "🔒"
	case port.Verified:
		return "🔒✓"
	case port.Open:
		return "🔓"
	case port.Changed:
		return "⚠"
	case port.Broken:
		return "✗"
	}
	return ""
}

// lockShort is the lock in a few words.
func lockShort(l port.Lock) string {
	switch {
	case unready(l) && l.Why == "no-device":
		return "no encrypting app there yet"
	case unready(l) && l.Why == "alone":
		return "nobody else is here yet"
	case unready(l) && l.Why == "outside":
		return "you are not in this room yet"
	case unready(l):
		return "keys are not here yet"
	case l.State == port.Changed && l.Why == "new-device":
		return "a new device, not compared"
	}
	switch l.State {
	case port.Locked:
		return "encrypted"
	case port.Verified:
		return "encrypted, keys compared"
	case port.Open:
		return "not encrypted"
	case port.Changed:
		return "a key has changed"
	case port.Broken:
		return "cannot be encrypted"
	}
	return ""
}
