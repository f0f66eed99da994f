// Package omemo is the mathematics of OMEMO (XEP-0384): the key agreement X3DH, the
// Double Ratchet, and the XML and bytes that carry them, in the two profiles
// that are spoken: Legacy, which every client has, and Two. It is written from the
// published specifications of X3DH, XEdDSA and the Double Ratchet.
//
// It knows no network, store, clock or trust: what is sent where, which devices are
// believed and when a key is thrown away is decided above it, in client/e2ee.
//
// Invariants:
//   - Device and Session are values. No function changes what it was given: each
//     returns the new state, so that a store can put state and message in one
//     transaction, and a state that was not stored simply never was.
//   - A state is returned only after the message that caused it was authenticated.
//     On an error the old state is the state.
//   - Whatever comes from the network has a bound, given at the function that reads it.
//   - No state is used twice to encrypt: who encrypts must store the returned state
//     before the message leaves, or two messages have one key.
//
// # What a caller keeps
//
// For each device of others a few sessions (four are plenty), the latest used in
// front. Both sides may start at once: then each has the session that it started and
// the one that it accepted, and messages of both may still be on their way.
//
//   - To send: the front session, or Start when there is none.
//   - To read a message with PreKey set: if Inner of one of the sessions tells that it
//     belongs to it, Decrypt with that one; else Accept, and put the new session in front.
//   - To read another: Decrypt with each in turn until one does not answer an error; it
//     moves to the front.
//   - ErrOld of any session that knows the message's chain means that it was read before: ignore it.
//
// The side that accepted answers soon, if only with an empty message (Empty): until
// then the other repeats the key exchange in each message, which is why answers may be lost.
package omemo
