package files

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL is the longest address that is looked at, in bytes.
const maxURL = 4096

// Policy says which addresses are spoken to.
type Policy struct {
	// PlainLoopback has loopback addresses of this machine ("localhost", 127.0.0.1, ::1) spoken
	// to in plain HTTP, for those whose account is on a server of their own there: no file leaves
	// the machine so. For all others it is off: a link would have them ask what else listens here.
	// Links to loopback addresses are then understood as http, all others as https. Without it
	// everything is https.
	PlainLoopback bool
}

// Allows returns nil for an address that files are put to and got from, else a
// Failure. It has to be https, with a host, and nothing else that could mean two
// things: no user, no fragment, no character that needs escaping.
// XEP-0363#request: both are HTTPS, non-ASCII characters are percent-encoded.
func (p Policy) Allows(address string) error {
	if len(address) > maxURL || !printable(address) {
		return fail(Unreadable, nil, "the address of the file cannot be read")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		// what url.Parse says quotes the address, which is a secret
		return fail(Unreadable, nil, "the address of the file cannot be read")
	case u.Host == "" || u.Hostname() == "" || u.User != nil || u.Opaque != "" || strings.Contains(address, "#"):
		return fail(Unreadable, nil, "the address of the file is none")
	case u.Scheme == "https", u.Scheme == "http" && p.PlainLoopback && Loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fail(Insecure, nil, "the file would go over the network in the clear (http)")
	}
	return fail(Unreadable, nil, "the file is kept in a place that cannot be reached from here")
}

// scheme is how a host is spoken to.
func (p Policy) scheme(host string) string {
	if p.PlainLoopback && Loopback(host) {
		return "http"
	}
	return "https"
}

// follows returns nil for an address that the answer of another may send a GET on to:
// from elsewhere it never leads to this machine, nor from https to http.
func (p Policy) follows(from, to *url.URL) error {
	if aims(to.Hostname()) && !aims(from.Hostname()) || to.Scheme == "http" && from.Scheme != "http" {
		return fail(Insecure, nil, "the file service sends us to where it may not")
	}
	return p.Allows(to.String())
}

// aims tells whether a host may mean this machine, in the widest reading: names under
// localhost, and the number that means all of a machine's, do so on most systems.
func aims(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(host)
	return Loopback(host) || strings.HasSuffix(host, ".localhost") || err == nil && ip.Unmap().IsUnspecified()
}

// Loopback tells whether a host is this machine, by its name or number alone.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// printable tells whether a string is of ASCII characters that leave ink.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// hostOf is a host as a log may tell it: links are secrets, hosts are not.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Hostname()
	}
	return "?"
}

// noURL takes the address out of an error that net/url or net/http put it in.
func noURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
