package server

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// idleGC gives memory that a burst of logins left behind back to the system
// once the server is quiet. The collector by itself does so only after minutes, and
// keeps a heap's worth in reserve.
type idleGC struct{ cycles uint64 }

// How often idleGC looks, and how much idle memory is worth a collection.
const (
	idleEvery = 10 * time.Second
	idleWorth = 8 << 20
)

// tick collects when there was no collection since the last tick and memory
// beyond what is in use is held.
func (g *idleGC) tick(time.Time) {
	read := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(read)
	cycles, free, unused := read[0].Value.Uint64(), read[1].Value.Uint64(), read[2].Value.Uint64()
	live, objects := read[3].Value.Uint64(), read[4].Value.Uint64()
	quiet := cycles == g.cycles
	g.cycles = cycles
	if quiet && free+unused+(objects-min(live, objects)) > idleWorth {
		debug.FreeOSMemory()
		g.cycles++
	}
}
