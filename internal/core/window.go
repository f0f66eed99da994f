package core

// Window is how many received stanzas of a session may be unsettled before
// its reader waits.
const Window = 256

// window tracks which received stanzas are settled. Stanzas are numbered from
// 1; everything up to handled is settled.
type window struct {
	received, handled uint32
	settled           [Window / 64]uint64 // ring of bits for handled+1 … handled+Window
}

func (w *window) full() bool { return w.received-w.handled >= Window }

// settle marks stanza n and tells whether handled moved.
func (w *window) settle(n uint32) bool {
	w.settled[n%Window/64] |= 1 << (n % 64)
	moved := false
	for w.handled != w.received && w.take(w.handled+1) {
		w.handled++
		moved = true
	}
	return moved
}

func (w *window) take(n uint32) bool {
	word, bit := &w.settled[n%Window/64], uint64(1)<<(n%64)
	if *word&bit == 0 {
		return false
	}
	*word &^= bit
	return true
}
