// Package messages plays docs/protocol/messages.md: every example of the table
// is sent to a person who is there, to one who is away and to one who does not
// look, and each column must come true. It knows nothing of how the server
// decides.
package messages
