// Package precis prepares names and passwords for comparison, by the two profiles of
// PRECIS that XMPP uses: UsernameCaseMapped and OpaqueString (RFC 8265).
//
// It has each profile twice. Programs use golang.org/x/text; the browser's engine, on
// the way to which every byte counts, uses a small table of its own (small.go) and the
// browser's String.prototype.normalize: x/text would be a tenth of it. Invariants: both
// give the same for every string, as long as the browser knows at least the Unicode of
// the table; a character that the table does not know is refused, so that a browser with
// a newer Unicode takes no name for another that the server tells apart.
package precis

import "errors"

//go:generate go run ./maketable

// ErrRefused is the error of a string that has a character, or an order of them, that
// its profile does not allow.
var ErrRefused = errors.New("a character that is not allowed here")
