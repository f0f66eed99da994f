package conn

import (
	"errors"
)

// Reason says in one word why there is no connection.
type Reason string

// The reasons.
const (
	Unreachable    Reason = "unreachable"     // no connection, or it broke
	Rejected       Reason = "wrong-password"  // the name or the password is wrong, or the token is and there is no password
	AccountGone    Reason = "account-gone"    // disabled or removed
	Revoked        Reason = "device-removed"  // this device was taken off the account, or its password changed
	Replaced       Reason = "replaced"        // another connection took this one's place
	Policy         Reason = "policy"          // against the server's rules, or too much
	HostUnknown    Reason = "host-unknown"    // the server does not serve that domain
	BadCertificate Reason = "bad-certificate" // the server cannot show who it is
	Insecure       Reason = "insecure"        // the server would have us sign in without protection, or somebody tampers
	NoMechanism    Reason = "no-mechanism"    // no common way to sign in
	Misbehaved     Reason = "misbehaved"      // what the server says makes no sense
	Busy           Reason = "busy"            // the server cannot now: try later
)

// Refusal is why there is no connection: Reason to branch on, Words for people.
type Refusal struct {
	Reason Reason
	Words  string // plain English, nothing secret; may quote the server
	Err    error  // for the log, may be nil
}

func (r *Refusal) Error() string {
	s := string(r.Reason)
	if r.Words != "" {
		s += ": " + r.Words
	}
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// Unwrap is the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Errors of Send, Ask and Inquire.
var (
	ErrDown    = errors.New("conn: there is no connection")
	ErrBusy    = errors.New("conn: too much is waiting to be sent")
	ErrTimeout = errors.New("conn: no answer in time")
	ErrLost    = errors.New("conn: the connection was lost before the answer came")
)
