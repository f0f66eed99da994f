// Package link is what an old device and a new one of the same account say to each
// other so that the new one may join: the code that is shown as a QR, the agreement
// on keys that it begins, the digits that a person compares, the channel for what is
// handed over afterwards. docs/protocol/link.md is the protocol and its threat model.
//
// It is pure: no network, no store, no clock. It decides nothing: who is let in a
// person says, and a server carries what is sealed here.
//
// Invariants: keys come from both sides' fresh X25519 keys and from a secret that only
// whoever has seen the code knows, under a transcript of all that was said before and
// of the account, the server's link and the new device; the digits hang on a number that the
// old device draws after the new one is bound to its key, so that nobody in between can
// search for a match; nothing is opened that was sealed for another direction, place or pair.
package link
