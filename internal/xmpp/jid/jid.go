// Package jid holds XMPP addresses (RFC 7622): local@domain/resource, each part
// enforced by its PRECIS profile.
//
// It is not a directory and resolves nothing. Invariants: a JID that is not
// zero is normalised, so Parse(j.String()) == j, and two addresses are equal
// exactly when their values are.
package jid

import (
	"errors"
	"fmt"
	"strings"
)

// JID is a valid, normalised address. The zero JID is "no address". JIDs are
// comparable: equal addresses are equal values and may be map keys.
type JID struct {
	s   string // the whole normalised address
	at  uint16 // length of the localpart, 0 when there is none
	res uint16 // offset of the resource in s, 0 when there is none
}

const (
	// MaxPart is the most bytes one part may have, once normalised.
	// RFC 7622 §3.1
	MaxPart = 1023
	// MaxLen is the most bytes an address may have, separators included.
	MaxLen = 3*MaxPart + 2
)

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed address")

func malformed(reason string) error { return fmt.Errorf("%w: %s", ErrMalformed, reason) }

// Parse reads an address and normalises it. A plain lower-case ASCII address is
// kept as the string it came in; nothing is copied. Input over MaxLen bytes is
// refused unread. Errors wrap ErrMalformed.
func Parse(s string) (JID, error) {
	if len(s) > MaxLen {
		return JID{}, malformed("over 3071 bytes")
	}
	local, domain, resource, err := split(s)
	if err != nil {
		return JID{}, err
	}
	j, changed, err := build(local, domain, resource)
	if err == nil && !changed {
		j.s = s
	}
	return j, err
}

// New makes an address of its parts; an empty local or resource is "none".
// Errors wrap ErrMalformed.
func New(local, domain, resource string) (JID, error) {
	if len(local) > MaxLen || len(domain) > MaxLen || len(resource) > MaxLen {
		return JID{}, malformed("over 3071 bytes")
	}
	j, changed, err := build(local, domain, resource)
	if err == nil && !changed {
		j.s = join(local, domain, resource)
	}
	return j, err
}

// MustParse is Parse for tests and constants; it panics on an error.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic("jid: MustParse(" + s + "): " + err.Error())
	}
	return j
}

// split cuts the original string, before any mapping, so that a character that
// maps to a separator never becomes one.
// RFC 7622 §3.2
func split(s string) (local, domain, resource string, err error) {
	domain = s
	if i := strings.IndexByte(s, '/'); i >= 0 {
		domain, resource = s[:i], s[i+1:]
		if resource == "" {
			return "", "", "", malformed("empty resource")
		}
	}
	if i := strings.IndexByte(domain, '@'); i >= 0 {
		local, domain = domain[:i], domain[i+1:]
		if local == "" {
			return "", "", "", malformed("empty localpart")
		}
	}
	return local, domain, resource, nil
}

// build enforces the three parts. When none changed it leaves the string to the
// caller, who may already hold it.
func build(local, domain, resource string) (j JID, changed bool, err error) {
	l, err := enforceLocal(local)
	if err != nil {
		return JID{}, false, err
	}
	d, err := enforceDomain(domain)
	if err != nil {
		return JID{}, false, err
	}
	r, err := enforceResource(resource)
	if err != nil {
		return JID{}, false, err
	}
	j.at = uint16(len(l))
	if r != "" {
		j.res = uint16(j.domainStart() + len(d) + 1)
	}
	if changed = l != local || d != domain || r != resource; changed {
		j.s = join(l, d, r)
	}
	return j, changed, nil
}

func join(local, domain, resource string) string {
	switch {
	case local == "" && resource == "":
		return domain
	case local == "":
		return domain + "/" + resource
	case resource == "":
		return local + "@" + domain
	}
	return local + "@" + domain + "/" + resource
}

func (j JID) domainStart() int {
	if j.at == 0 {
		return 0
	}
	return int(j.at) + 1
}

// bareEnd is the length of the address without its resource.
func (j JID) bareEnd() int {
	if j.res == 0 {
		return len(j.s)
	}
	return int(j.res) - 1
}

// Local is the part before the @, or "".
func (j JID) Local() string { return j.s[:j.at] }

// Domain is the domain, without a trailing dot, its labels as U-labels.
func (j JID) Domain() string { return j.s[j.domainStart():j.bareEnd()] }

// Resource is the part behind the slash, or "".
func (j JID) Resource() string {
	if j.res == 0 {
		return ""
	}
	return j.s[j.res:]
}

// String is the whole address, "" for the zero JID.
func (j JID) String() string { return j.s }

// Bare is the address without its resource.
func (j JID) Bare() JID { return JID{s: j.s[:j.bareEnd()], at: j.at} }

// DomainOnly is the address of the domain alone.
func (j JID) DomainOnly() JID { return JID{s: j.Domain()} }

// IsZero tells whether this is no address.
func (j JID) IsZero() bool { return j.s == "" }

// IsBare tells whether there is an address without a resource.
func (j JID) IsBare() bool { return j.s != "" && j.res == 0 }

// IsFull tells whether there is a resource.
func (j JID) IsFull() bool { return j.res != 0 }

// IsDomain tells whether this is a domain alone: no localpart, no resource.
func (j JID) IsDomain() bool { return j.s != "" && j.at == 0 && j.res == 0 }

// WithResource is the address with another resource, or with none if it is "".
// It fails for the zero JID; errors wrap ErrMalformed.
func (j JID) WithResource(resource string) (JID, error) {
	if j.IsZero() {
		return JID{}, malformed("no domain")
	}
	if len(resource) > MaxLen {
		return JID{}, malformed("over 3071 bytes")
	}
	r, err := enforceResource(resource)
	if err != nil {
		return JID{}, err
	}
	bare := j.Bare()
	if r == "" {
		return bare, nil
	}
	return JID{s: bare.s + "/" + r, at: j.at, res: uint16(len(bare.s) + 1)}, nil
}
