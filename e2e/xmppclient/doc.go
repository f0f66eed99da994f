// Package xmppclient is the XMPP client that end-to-end tests speak with: one
// TCP connection, TLS, SCRAM, resource binding and stream management, and
// whatever else a test sends by itself. It shares no code with the server, so
// that a mistake made there is not made here as well; it is no client for
// people and checks no certificates' names beyond what crypto/tls does.
//
// Invariants: nothing is answered behind the test's back; a Conn is used by one
// goroutine at a time, except that one may Send while another waits in Next.
package xmppclient
