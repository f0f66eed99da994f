// Package conn is a client's connection to its server: it signs in, keeps the
// stream alive, comes back when it is lost, and says what became of each stanza
// that was sent. It reads stanzas no further than their heads and keeps nothing
// on disk: what must outlive the program is handed out as Saved and Token.
//
// Invariants: events come in one order, that of the stream; a stanza is
// acknowledged to the server only once it was settled, so what was acknowledged
// is stored; every ticket is told of once, as Handled or as Lost; no password and
// no token goes over a channel that is not private, and none is believed in whose
// other end has not proved that it knows it too.
//
// The package is built for js/wasm: files that need sockets, TLS or HTTP are not.
package conn
