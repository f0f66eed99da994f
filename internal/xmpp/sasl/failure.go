package sasl

import "errors"

// Condition names why authentication failed (RFC 6120 §6.5).
type Condition string

// The conditions: those that SCRAM meets, and those of the stream around it
// (base64 that is none, <abort/>, a channel that must be encrypted first).
const (
	Aborted              Condition = "aborted"
	AccountDisabled      Condition = "account-disabled"
	CredentialsExpired   Condition = "credentials-expired"
	EncryptionRequired   Condition = "encryption-required"
	IncorrectEncoding    Condition = "incorrect-encoding"
	InvalidAuthzid       Condition = "invalid-authzid"
	InvalidMechanism     Condition = "invalid-mechanism"
	MalformedRequest     Condition = "malformed-request"
	NotAuthorized        Condition = "not-authorized"
	TemporaryAuthFailure Condition = "temporary-auth-failure"
)

// Failure is what the peer hears. Its text holds nothing that the peer sent and
// does not tell an unknown name from a wrong password.
type Failure struct {
	Condition Condition
	Text      string // for people; may be empty
	Cause     error  // for the log, nil when the peer is to blame
}

func (f *Failure) Error() string {
	s := "sasl: " + string(f.Condition)
	if f.Text != "" {
		s += ": " + f.Text
	}
	if f.Cause != nil {
		s += ": " + f.Cause.Error()
	}
	return s
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// AsFailure turns any error into what the peer hears: a Failure as it is, all
// else as temporary-auth-failure.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Condition: TemporaryAuthFailure, Cause: err}
}

func malformed(text string) error { return &Failure{Condition: MalformedRequest, Text: text} }

func refused(text string) error { return &Failure{Condition: NotAuthorized, Text: text} }
