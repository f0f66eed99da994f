package client

import (
	"testing"

	"mirsal/internal/client/port"
)

func TestWordsWithAServerAreOpenAndNotBroken(t *testing.T) {
	e := &Engine{}
	if l := e.lockOf("example.org"); l.State != port.Open || l.Why != "server" {
		t.Errorf("the lock is %+v", l)
	}
}
