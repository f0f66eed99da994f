package engine

import (
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// TestWhoComesWhileItIsCalledRings: a device that has just come, whose archive may tell of the call before it is
// told itself.
func TestWhoComesWhileItIsCalledRings(t *testing.T) {
	s := device.Serve(t, []string{"alice", "bob"}, "--set", "calls.pair=100", "--set", "calls.callee=100", "--set", "calls.caller=100", "--set", "calls.newcomer=100")
	a, b := signIn(t, s, "alice", 1), signIn(t, s, "bob", 2)
	meet(a, b)
	is := func(state string) func(port.Event) bool {
		return func(ev port.Event) bool {
			c, ok := ev.(*port.CallChanged)
			return ok && c.Call.State == state
		}
	}
	for range 20 {
		b.Close()
		b.Start()
		b.Until("the connection", func(ev port.Event) bool {
			s, ok := ev.(*port.Status)
			return ok && s.State == "online"
		})
		call := a.Must(&port.PlaceCall{Chat: bob}).(*port.Done).Call
		b.Until("the ringing", is("incoming"))
		a.Must(&port.HangUpCall{Call: call})
		b.Until("its end", is("ended"))
	}
}
