// Package client is the client engine: it owns the account's connection,
// synchronisation, encryption and history, and serves the terminal, the
// browser (as wasm in a Worker), bots and tests through one port
// (internal/client/port). It draws nothing, knows no operating system and no
// database: stores, sockets and files are handed in (Config).
//
// One goroutine, Run's, owns all state. Commands, what the connection tells,
// and the ends of work done beside it (uploads) come to it through one queue;
// what leaves it are events, stanzas and batches, in this order:
//
//   - a batch is kept before anything that depends on it is told or sent, so that
//     no ratchet step leaves this device and is forgotten by it;
//   - a stanza is acknowledged to the server (XEP-0198) only once what it brought is kept;
//   - a message in a chat that is encrypted leaves encrypted or not at all.
//
// Who reads should begin with engine.go (the loop), then inbound.go (what comes) and
// outbox.go (what goes); each other file is one subject: contacts, rooms, catch-up,
// keys, files.
package client
