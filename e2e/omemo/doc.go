// Package omemo holds the tests in which internal/omemo and implementations of
// OMEMO that others wrote read each other's bundles, sessions and messages:
// go.mau.fi/libsignal, python-oldmemo and python-twomemo, each in a process of its
// own that README.md describes. The same conversations are held between two foreign
// implementations, so that a mistake of the tests is not taken for one of ours.
//
// Invariants: a message that was sent is read as it was sent, once, in whatever
// order it comes, and one that was changed on the way changes nothing; where a foreign
// implementation does otherwise, a limit in libraries_test.go says so.
package omemo
