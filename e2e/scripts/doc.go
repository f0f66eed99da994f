// Package scripts runs the conversations that stand beside it as text files,
// each against a fresh server in this process: people, what their devices send,
// and what must arrive. README.md tells how to read and write one. The client
// side is e2e/xmppclient, which shares no code with the server.
//
// Invariants: a script sees every element that reaches its devices, so what
// nobody expected fails it; nothing waits by the clock, except that what does
// not come is given up after ten seconds.
package scripts
