// Package calls holds the tests in which people call each other: bin/mirsal as the server, and as both ends
// (`mirsal call`), each a process of its own, with media that is counted at both, and the terminal's seat with Chromium at the other end.
//
// It knows the command line, what that prints, and the port. Invariants: what a test starts has ended when it has.
package calls
