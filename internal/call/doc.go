// Package call is the server's part of one-to-one calls: invitations by messages
// (XEP-0353) and Jingle sessions with RTP (XEP-0166, XEP-0167). It is no party of
// a call, relays no media and has no opinion on codecs; the grammar is
// internal/xmpp/jingle's, relays are elsewhere.
//
// Invariants: what passes on of a call was written by us, from values, whoever
// sent it; a device rings for a contact, within budgets, or not at all; nothing
// rings before its trace is durable, and only time removes a trace; of two
// devices that accept, the first does, and all others hear so from us; a session
// begins only with the device that accepted.
package call
