// Package hostile attacks a server process over TCP: attacks on the XML, on
// streams, on addresses and on memory that an anonymous or a logged-in peer can
// make. Every attack is a test named for it: it must be refused with the right
// stream error and within the limits, while two innocent people chat on and miss
// nothing.
//
// Everything is sent to a server that the test started, on loopback, in bounded
// amounts. TLS and authentication have their attacks in internal/xmpp/sasl.
package hostile
