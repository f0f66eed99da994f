// Package e2ee is the client's OMEMO (XEP-0384 0.3 as deployed and 0.9, side by side) over XMPP: one's
// own device, other people's device lists and bundles, sessions, trust, the
// honest lock, healing. It is not the mathematics (internal/omemo), not the
// network and not the conversation: it says what to ask of the server and is
// handed the answers; it makes and reads <encrypted/> elements.
//
// A Book belongs to one goroutine; nothing in it locks, waits or runs beside it.
// What changes comes back as a Step (or a batch), and the rules for whoever holds it are three:
//
//   - Apply Batch first, in one transaction with what it belongs to (the message that
//     was read, the message that goes into the outbox); only then let bytes leave.
//   - When applying fails the Book is ahead of the store: throw it away, Open another.
//   - Then Send and Ask what the Step says, and hand every answer to Answer, also that there is none.
//
// Invariants: no plain text ever comes out for the wire; nothing is encrypted to a key
// that is undecided or refused; a key is never replaced but by a person; what the lock
// says is computed from the same plan by which the message is encrypted.
//
// Both profiles are announced and read. A device is written to in one: Legacy if it announces that,
// else Two (docs/decisions/0016). It has one key, and what was decided about it holds in both.
//
// # The lock
//
// Of sending, the first line that is true; "readers" are the devices that a
// message sent now is encrypted to, of all recipients and one's own others:
//
//	Broken    a recipient has no reader and no key that waits for a decision: no message is made
//	Changed   a key of a device on a list, or one offered for a known device, waits for a decision;
//	          nothing goes to that key (and no message is made for whom it is the only one)
//	Verified  each reader's key was compared by a person
//	Locked    all readers' keys are decided, some only accepted on first use
//
// Who was never compared stays Locked when a device comes onto his list later: its key is accepted
// like those before it, and the alert new-device is what tells people, once for each device.
//
// Of receiving, by the key of the session that opened the message:
//
//	Broken    it could not be opened, or its key was refused, or it is not of whom it says: no text
//	Changed   the key waits for a decision; the text is shown with that said
//	Verified  the key was compared by a person
//	Locked    the key was accepted on first use
//	Open      there was no encryption (Plain); Why tells when there used to be
package e2ee
