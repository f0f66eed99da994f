// Package filter is the language of rules by which operators refuse some calls in
// an emergency, before clients are mended: signed text, its reader and its
// checker. It is no server: what a call is, it is told; who may activate rules, and
// where they are logged, is decided elsewhere.
//
// A file of rules is lines of words:
//
//	mirsal call rules 1
//	serial 7
//	issued 2026-11-22T10:00:00Z
//	expires 2026-11-29T10:00:00Z
//	refuse young-video propose media=video age<7d
//	refuse bad-extension session extension=urn:example:broken
//	signature BASE64
//
// A rule is its name, the stanzas that it is about (propose, session, or an action
// of a session), and what must be true of them: all of it. docs/ops/call-rules.md has
// the conditions.
//
// Invariants: what is not known is an error, never a rule that is left out; rules
// without an end, or with one that is further away than 30 days, are none; a
// signature is of every byte before it; a serial number is used once.
package filter
