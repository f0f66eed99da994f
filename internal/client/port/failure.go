package port

import "fmt"

// The codes of failures: what a program branches on. The text beside it is for
// people and may change.
const (
	BadCommand    = "bad-command"    // it cannot be understood
	NotSignedIn   = "not-signed-in"  // there is no account in this profile
	WrongPassword = "wrong-password" // the server refused the credentials
	Revoked       = "revoked"        // this device was signed out from elsewhere
	Unreachable   = "unreachable"    // no connection within the time allowed
	Untrusted     = "untrusted"      // the server's certificate is not to be trusted
	NoSuchChat    = "no-such-chat"
	NoSuchMessage = "no-such-message"
	NotYours      = "not-yours"     // only one's own messages can be edited or taken back
	NotEncrypted  = "not-encrypted" // it would have to go in the clear, and does not
	KeyUndecided  = "key-undecided" // a person must decide about a key first
	Refused       = "refused"       // the server or the other side said no
	TooLarge      = "too-large"
	Missing       = "missing"  // what is asked for is not there (any more)
	Tampered      = "tampered" // what came is not what was sent
	Taken         = "taken"    // the name is somebody's
	BadName       = "bad-name" // the server does not take such a name
	Canceled      = "canceled"
	Busy          = "busy"        // another call is on
	Interrupted   = "interrupted" // the engine ended before it answered: what is there now shows whether it was done
	Internal      = "internal"    // the profile or the engine; the text says which
)

// Failf is a failure with its words.
func Failf(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Text: fmt.Sprintf(format, args...)}
}

// FailureOf is the failure that an answer carries, nil for none.
func FailureOf(e Event) *Failure {
	switch e := e.(type) {
	case *Done:
		return e.Failure
	case *Page:
		return e.Failure
	case *MemberList:
		return e.Failure
	case *DeviceList:
		return e.Failure
	case *Code:
		return e.Failure
	case *RoomDetails:
		return e.Failure
	case *RoomDoor:
		return e.Failure
	case *Picture:
		return e.Failure
	case *CallLinkList:
		return e.Failure
	case *CallList:
		return e.Failure
	case *Found:
		return e.Failure
	}
	return nil
}
