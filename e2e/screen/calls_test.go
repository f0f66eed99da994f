package screen

import "testing"

// newCallers is a house whose people call each other on one machine.
func newCallers(t *testing.T, names ...string) *house {
	t.Helper()
	h := prepared(t)
	h.opens(names, "--set", "upload.public_url=http://"+h.web, "--set", "calls.loopback=true")
	return h
}

func TestPeopleCallEachOtherAndNothingListensBeforeSomebodyAccepts(t *testing.T) {
	newCallers(t, "alice", "bob").tell("calls", nil)
}
