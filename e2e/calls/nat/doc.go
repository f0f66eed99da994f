// Package nat holds the end-to-end tests of the ways that calls take: `mirsal call` at both
// ends and bin/mirsal with its relay between them, each in a network namespace, with
// routers in between that translate addresses or let little through. That sound and
// pictures come is counted at both ends, which way they take is told by both, and what
// nobody may see is looked for in captures of packets. It knows command lines and the
// port, and nothing of what is inside.
package nat
