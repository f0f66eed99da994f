// Package archtest holds the tests that keep the shape of the tree: which
// package may import which, no state at package level, sizes, and that
// ARCHITECTURE.md tells the truth. It is not a linter of style and has no code
// outside its tests. Invariants: every rule prints its reason when it breaks,
// every exception stands in a table with a reason, and an exception that is no
// longer needed is itself a failure.
package archtest
