// Package chat holds a newcomer's first ten minutes with `mirsal chat`, as a test: one
// person has the screen, in tmux, another the scriptable side, and both a real server.
// What is to be seen is also what docs/chat.md shows: with -docs the test writes the
// captures there anew. It knows what people type and read, and nothing of the inside.
package chat
