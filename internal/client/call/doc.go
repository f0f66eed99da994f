// Package call drives one call at one device: it is told what a person, the seat (who has microphone and
// sockets), the other side and one's server say, and says what is to be sent and what the seat is to do. What
// follows from what is decided by the table of internal/xmpp/jingle/life alone; this package adds to it what a
// table cannot hold: descriptions, addresses, keys.
//
// It has no clock and no network, and opens nothing: whoever holds a Call does what its methods return, in
// order, and tells it when the time of its state is over (State.Lasts). SDP stands between it and the seat only.
//
// Invariants: all that is sent is written by package jingle; nothing of the other side's description reaches the
// seat before a person here has accepted, nor before the keys in it were held to what was promised; a fingerprint
// is taken from a description and never from what comes later; where addresses are hidden none leaves but a relay's.
package call
