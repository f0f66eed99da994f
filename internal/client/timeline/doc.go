// Package timeline is what conversations are made of: it reads messages into what
// happened, and keeps what is true afterwards: lines with their edits, reactions,
// retractions and ticks, what is unread, what waits to be sent, which parts of
// an archive are known.
//
// It is not the engine: it has no connection, no clock, no goroutine and no keys,
// it neither decrypts nor asks a server. What it is told is already unwrapped
// and decrypted; who may be believed about a sender, the engine says (Envelope).
//
// Invariants: a Book belongs to one goroutine. Everything that changes comes back
// as a Change, whose batch is kept in one transaction or not at all. A line appears
// exactly once, whichever way and however often it comes: live, as a carbon copy,
// from an archive, as a room's reflection, after a restart. The order of a chat is
// the archive's where that is known and otherwise that of arrival. Only who wrote a
// line changes it, a room's moderators excepted, who can only take it back. A text
// that was taken back is nowhere any more.
//
// What a server can do: with the deployed profile of OMEMO only a text is encrypted. So
// a correction in the clear does not replace what was encrypted, but taking back,
// reactions and receipts always come in the clear and are believed; otherwise nobody could
// take back anything. That an encrypted text corrects or answers something stands outside
// of it, too. A server can forge all this; it cannot write a text by it.
package timeline
