package clients

import (
	"testing"

	"mirsal/e2e/terminal"
)

// newProfanity starts Profanity for an account of localhost, and does not connect.
func newProfanity(t *testing.T, name string) *terminal.Profanity {
	t.Helper()
	return terminal.NewProfanity(t, name+"@localhost", password)
}

// connected starts Profanity and signs in with the line of README.
func connected(t *testing.T, s *server, name string) *terminal.Profanity {
	t.Helper()
	p := newProfanity(t, name)
	p.Connect(s.Addr("c2s"))
	return p
}
