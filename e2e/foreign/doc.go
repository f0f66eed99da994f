// Package foreign runs tests of XMPP servers that others wrote, the integration
// tests of slixmpp and the end-to-end tests of aioxmpp, against bin/mirsal and
// against Prosody, side by side. Nothing of them is kept here:
// scripts/foreign-suites.sh fetches fixed versions into suites/.
//
// Invariants: Mirsal passes whatever Prosody passes, but for what explained.txt
// names with its reason, and not fewer tests in all; docs/conformance/foreign-suites.md
// is what a run has seen.
package foreign
