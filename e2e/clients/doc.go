// Package clients holds the tests in which programs that others wrote talk
// through bin/mirsal: Profanity and Poezio, driven in tmux as a person would; Dino,
// on a screen of its own, by a small program in Python that does what a screen
// reader does; slixmpp, by a small agent in Python; go-sendxmpp, from the command
// line. They find out whether what the server says is what real clients expect;
// what the specifications say is tested in e2e/scripts.
//
// Invariants: every test starts a server and clients of its own, below
// t.TempDir, and ends them; nothing sleeps for a fixed time, everything waits
// for what it should see, and shows what it saw instead. Pictures of Dino's
// screens are left in the directory that MIRSAL_PICTURES names, for people to
// look at.
package clients
