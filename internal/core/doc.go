// Package core is the small middle of the server: the hooks features attach
// to (Host), the walk of a stanza (Router), bound streams and their queues
// (Session), and who is here (Directory). It knows bytes and addresses; it
// does no disk or network I/O of its own and declares, in ports.go, the
// interfaces by which others do it.
//
// Invariants, each with a test:
//   - acknowledged means kept: a stanza counts in XEP-0198's h only when it is
//     settled, and a kept message settles when its group is durable;
//   - delivered means kept, for every message that Keep named an owner for;
//   - nothing overtakes between one session and one recipient;
//   - one slow reader harms only itself.
//
// Goroutines. A connection has a reader, which owns the session: it alone
// calls Router.Handle for it. Everyone may Push, Settle and Close a session and
// read its flags, presence and JID. A writer runs only while there is
// something to write.
//
// Locks, in order: Directory shard, then Session.mu. Neither is held during
// I/O, and no hook is called under either.
package core
