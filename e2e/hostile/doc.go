// Package hostile attacks a server process over TCP, WebSocket and BOSH: attacks
// on the XML, on streams, on addresses, on sign-in, TLS and resumption; on other
// accounts, by what stanzas say and where they go; and on memory, disk and log, by
// amounts and by failures. Every attack is a test named for it: it must be refused
// with the right error and within the limits, while two innocent people chat on and
// miss nothing.
//
// Everything is sent to a server that the test started, on loopback, in bounded
// amounts. What needs another clock, or a fault between two steps of a sign-in, is in
// internal/c2s, internal/auth and internal/xmpp/sasl; full disks are in e2e/crash.
package hostile
