package turn

import (
	"net"
	"sync"
)

// begun are permissions that the library has entered in its books and whose timers it is
// about to start. An allocation that ends in between would stop a timer that is not there,
// which ends the whole process (pion/turn v5.1.0, internal/allocation: AddPermission,
// Close): with a lifetime of a second, whoever has an account could try that all day.
//
// A client's messages are handled by one goroutine, one after the other. Once it calls us
// again, the timer runs; until then whoever takes the permission away waits, which is
// for some instructions: that goroutine needs none of the library's locks before.
type begun struct {
	mu   sync.Mutex // held for moments
	open map[string]chan struct{}
}

// begin is called when the library is about to start a timer for a client.
func (b *begun) begin(client net.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[keyOf(client)] == nil {
		b.open[keyOf(client)] = make(chan struct{})
	}
}

// settle is called by the goroutine that handles a client's messages.
func (b *begun) settle(client net.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.open) == 0 {
		return
	}
	if ch := b.open[keyOf(client)]; ch != nil {
		close(ch)
		delete(b.open, keyOf(client))
	}
}

// wait returns when no timer of a client is about to start.
func (b *begun) wait(client net.Addr) {
	b.mu.Lock()
	ch := b.open[keyOf(client)]
	b.mu.Unlock()
	if ch != nil {
		<-ch
	}
}

// isResponse tells messages that are written by the goroutine that handles the client's
// from what is relayed to him.
// RFC 8489 §5
func isResponse(p []byte) bool { return len(p) > 0 && p[0] == 1 }
