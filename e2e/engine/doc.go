// Package engine holds the tests in which client engines talk through the real
// server: what people do, what must not be lost or doubled meanwhile, and what a
// server that lies can do to them. Engines run in the test's process (person) or as
// processes of their own (e2e/device), which can be killed.
//
// Invariants: every test has a server of its own; nothing sleeps for a fixed time to
// see what became of something; how long something took is told and never judged.
package engine
