// Package engine has engines call each other through a real server: who rings, where it stops, what the log says, and
// that another key ends a call. The seat is the test's own: it answers callMedia with descriptions as Chromium writes
// them, and sends nothing. Media itself is the matter of the package above it.
package engine
