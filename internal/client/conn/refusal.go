package conn

import (
	"context"
	"errors"
	"strings"

	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
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
	// at is where the server sends us (RFC 6120 §4.9.3.19), "" for nowhere.
	at string
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

// asRefusal is the Refusal inside an error, nil for none.
func asRefusal(err error) *Refusal {
	var r *Refusal
	errors.As(err, &r)
	return r
}

// refusal makes a Refusal of any error.
func refusal(err error) *Refusal {
	var bad *xtok.Error
	switch r := asRefusal(err); {
	case r != nil:
		return r
	case errors.As(err, &bad), errors.Is(err, errFrame):
		return &Refusal{Reason: Misbehaved, Words: "the server sends what nobody can read", Err: err}
	case errors.Is(err, sasl.ErrDowngrade):
		return &Refusal{Reason: Insecure, Words: "somebody between here and the server changes what is said", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Refusal{Reason: Unreachable, Words: "the server does not answer", Err: err}
	}
	return &Refusal{Reason: Unreachable, Words: "the connection was lost", Err: err}
}

func nonsense(words string) *Refusal { return &Refusal{Reason: Misbehaved, Words: words} }

// streamReasons are the stream errors that mean more than a lost connection.
// RFC 6120 §4.9.3
var streamReasons = [...]struct {
	condition string
	reason    Reason
	words     string
}{
	{"conflict", Replaced, "another connection took the place of this one"},
	{"not-authorized", Revoked, "this device is signed out"},
	{"host-unknown", HostUnknown, "the server does not serve this domain"},
	{"host-gone", HostUnknown, "the server serves this domain no more"},
	{"policy-violation", Policy, "the server refuses this by its rules"},
	{"resource-constraint", Busy, "the server has too much to do"},
	{"internal-server-error", Busy, "the server has a fault"},
	{"system-shutdown", Unreachable, "the server is being restarted"},
	{"reset", Unreachable, "the server asks for a new connection"},
	{"connection-timeout", Unreachable, "the server heard nothing from here"},
	{"see-other-host", Unreachable, "the server sends us elsewhere"},
}

// streamRefusal reads <stream:error/>.
func streamRefusal(e xtok.Elem) *Refusal {
	condition, text, at := "undefined-condition", "", ""
	for c := range e.Children() {
		switch {
		case c.NS() != stream.NSErrors:
		case c.Local() == "text":
			text = quote(c.Text())
		default:
			condition = quote(c.Local())
			if condition == "see-other-host" {
				at = strings.TrimSpace(c.Text())
			}
		}
	}
	r := &Refusal{Reason: Misbehaved, Words: "the server ended the connection", Err: &stream.Error{Condition: condition, Text: text}, at: at}
	for _, s := range streamReasons {
		if s.condition == condition {
			r.Reason, r.Words = s.reason, s.words
		}
	}
	return r
}

// saslReasons are the failures to sign in.
// RFC 6120 §6.5
var saslReasons = [...]struct {
	condition sasl.Condition
	reason    Reason
	words     string
}{
	{sasl.NotAuthorized, Rejected, "the name or the password is wrong"},
	{sasl.InvalidAuthzid, Rejected, "the name is wrong"},
	{sasl.AccountDisabled, AccountGone, "the account is disabled"},
	{sasl.CredentialsExpired, Revoked, "this device has to sign in anew"},
	{sasl.EncryptionRequired, Insecure, "the server asks for encryption that there is none of"},
	{sasl.InvalidMechanism, NoMechanism, "the server does not let us sign in that way"},
	{sasl.TemporaryAuthFailure, Busy, "the server cannot sign anybody in now"},
	{sasl.Aborted, Busy, "the server broke the sign-in off"},
}

// saslRefusal reads <failure/> of either SASL profile.
func saslRefusal(e xtok.Elem) *Refusal {
	condition, text := sasl.Condition(""), ""
	for c := range e.Children() {
		switch {
		case c.Local() == "text":
			text = quote(c.Text())
		case c.NS() == stream.NSSASL:
			condition = sasl.Condition(quote(c.Local()))
		}
	}
	r := &Refusal{Reason: Misbehaved, Words: "the server refuses to sign us in", Err: &sasl.Failure{Condition: condition, Text: text}}
	for _, s := range saslReasons {
		if s.condition == condition {
			r.Reason, r.Words = s.reason, s.words
		}
	}
	if text != "" {
		r.Words += " (the server says: " + text + ")"
	}
	return r
}

// quote is the server's text, short and on one line.
func quote(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
