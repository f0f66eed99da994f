// Package foreign holds the tests in which the calls of other programs are tried: stanza.js, as the npm registry has it, in a
// page of Chromium with a microphone and a camera that are not there, which calls `mirsal call` and is called by it,
// with media that is counted at both ends; and Dino and Conversations, whose words are played back, as their sources
// and recordings have them, to an engine at the other end.
//
// It knows the command line, the port and the stanzas on the wire, and nothing of the engine's inside. Invariants: what a
// test starts has ended when it has; a wait is for a condition, never for a time; the page reaches no other network.
package foreign
