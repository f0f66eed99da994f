// Package terminal is the screen of the client for a terminal: the chat list, the
// conversation, and sheets over it for everything else. It talks to the engine by
// commands and events (internal/client/port) and by nothing else.
//
// It is not the engine: it keeps no messages but those it shows, knows nothing of XMPP
// or keys, and decides nothing about encryption; the lock is the engine's, told in
// words. Invariants: whatever others wrote is cleaned (clean.go) before it is laid out,
// so that no text can move the cursor, change colours or turn the direction of what
// stands beside it; every line of a view is exactly as wide as its place; the engine's
// goroutine is never made to wait (screen.go). state.go follows from events alone and
// needs no terminal; views are plain functions of it (their tests compare texts).
package terminal
