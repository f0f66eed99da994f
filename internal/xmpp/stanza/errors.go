package stanza

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"mirsal/internal/xmpp/xtok"
)

// Condition is a defined stanza error condition (RFC 6120 §8.3.3).
type Condition string

// The defined conditions.
const (
	BadRequest            Condition = "bad-request"
	Conflict              Condition = "conflict"
	FeatureNotImplemented Condition = "feature-not-implemented"
	Forbidden             Condition = "forbidden"
	Gone                  Condition = "gone"
	InternalServerError   Condition = "internal-server-error"
	ItemNotFound          Condition = "item-not-found"
	JIDMalformed          Condition = "jid-malformed"
	NotAcceptable         Condition = "not-acceptable"
	NotAllowed            Condition = "not-allowed"
	NotAuthorized         Condition = "not-authorized"
	PolicyViolation       Condition = "policy-violation"
	RecipientUnavailable  Condition = "recipient-unavailable"
	RegistrationRequired  Condition = "registration-required"
	RemoteServerNotFound  Condition = "remote-server-not-found"
	RemoteServerTimeout   Condition = "remote-server-timeout"
	ResourceConstraint    Condition = "resource-constraint"
	ServiceUnavailable    Condition = "service-unavailable"
	SubscriptionRequired  Condition = "subscription-required"
	UndefinedCondition    Condition = "undefined-condition"
	UnexpectedRequest     Condition = "unexpected-request"
)

// kinds gives each condition the error type and the legacy code that
// XEP-0086 §3 assigns. COMPAT: Profanity takes "no such node" only from the code.
var kinds = map[Condition]struct{ kind, code string }{
	BadRequest:            {"modify", "400"},
	Conflict:              {"cancel", "409"},
	FeatureNotImplemented: {"cancel", "501"},
	Forbidden:             {"auth", "403"},
	Gone:                  {"cancel", "302"},
	InternalServerError:   {"wait", "500"},
	ItemNotFound:          {"cancel", "404"},
	JIDMalformed:          {"modify", "400"},
	NotAcceptable:         {"modify", "406"},
	NotAllowed:            {"cancel", "405"},
	NotAuthorized:         {"auth", "401"},
	PolicyViolation:       {"modify", "405"},
	RecipientUnavailable:  {"wait", "404"},
	RegistrationRequired:  {"auth", "407"},
	RemoteServerNotFound:  {"cancel", "404"},
	RemoteServerTimeout:   {"wait", "504"},
	ResourceConstraint:    {"wait", "500"},
	ServiceUnavailable:    {"cancel", "503"},
	SubscriptionRequired:  {"auth", "407"},
	UndefinedCondition:    {"cancel", "500"},
	UnexpectedRequest:     {"wait", "400"},
}

// StanzaError is a refusal that the sender of a stanza is told.
type StanzaError struct {
	Condition Condition
	Kind      string // error type where it is not the condition's usual one
	Text      string // for people; plain English
	App       []byte // application-specific condition, self-contained XML
	// Beside stands before <error/> in the reply: what of a request it is about, as
	// self-contained XML; nil for nothing.
	Beside []byte
	// Asked is the address that was asked for, where that is none: it was read, and
	// Head.To could not hold it.
	Asked string
}

func (e *StanzaError) Error() string { return string(e.Condition) + ": " + e.Text }

// Errorf makes a StanzaError with a text for people.
func Errorf(c Condition, format string, args ...any) *StanzaError {
	return &StanzaError{Condition: c, Text: fmt.Sprintf(format, args...)}
}

// WithApp adds an application-specific condition.
func (e *StanzaError) WithApp(ns, name string) *StanzaError {
	e.App = fmt.Appendf(nil, "<%s xmlns='%s'/>", name, ns)
	return e
}

// AsError turns any error into what the peer hears: a StanzaError as it is,
// all else as internal-server-error without details.
func AsError(err error) *StanzaError {
	var se *StanzaError
	if errors.As(err, &se) {
		return se
	}
	return &StanzaError{Condition: InternalServerError}
}

// Append appends the <error/> element (RFC 6120 §8.3.2).
func (e *StanzaError) Append(b []byte) []byte {
	k := kinds[e.Condition]
	kind := e.Kind
	if kind == "" {
		kind = k.kind
	}
	// XEP-0086 §3
	b = append(b, "<error type='"+kind+"' code='"+k.code+"'><"+string(e.Condition)+" xmlns='"+NSStanzas+"'/>"...)
	if e.Text != "" {
		b = append(b, "<text xmlns='"+NSStanzas+"' xml:lang='en'>"...)
		b = xtok.Escape(b, e.Text)
		b = append(b, "</text>"...)
	}
	b = append(b, e.App...)
	return append(b, "</error>"...)
}

// ErrorReply answers a stanza with an error, addresses swapped, also where the one that
// was asked for is none. The refused content is not sent back (RFC 6120 §8.3.1
// leaves that open).
func ErrorReply(h Head, err error) *Stanza {
	reply := Head{Kind: h.Kind, Type: Error, ID: h.ID, From: h.To, To: h.From}
	se := AsError(err)
	return from(reply, cmp.Or(se.Asked, h.To.String()), se.Append(slices.Clone(se.Beside)))
}

// ResultReply answers an IQ request, addresses swapped.
func ResultReply(h Head, payload []byte) *Stanza {
	return New(Head{Kind: IQ, Type: Result, ID: h.ID, From: h.To, To: h.From}, payload)
}

// ReadError reads the error that a stanza of type error carries. A condition that
// RFC 6120 does not define is undefined-condition.
func ReadError(e xtok.Elem) *StanzaError {
	se := &StanzaError{Condition: UndefinedCondition}
	inner := e.Child(NSClient, "error")
	if k := inner.Attr("type"); slices.Contains([]string{"auth", "cancel", "continue", "modify", "wait"}, k) {
		se.Kind = k
	}
	for c := range inner.Children() {
		if _, known := kinds[Condition(c.Local())]; known && c.NS() == NSStanzas {
			se.Condition = Condition(c.Local())
		}
		if c.Is(NSStanzas, "text") {
			se.Text = c.Text()
		}
	}
	return se
}
