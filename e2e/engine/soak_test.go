package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

// soakSize is how many messages a soak has: a few in every run, MIRSAL_SOAK of them
// in `make soak`.
func soakSize(t *testing.T, few int) int {
	n, err := strconv.Atoi(os.Getenv("MIRSAL_SOAK"))
	if err != nil {
		return few
	}
	t.Logf("MIRSAL_SOAK asks for %d messages", n)
	return n
}

// soakSeed is what the accidents are drawn from: MIRSAL_SEED, or always the same.
func soakSeed(t *testing.T) uint64 {
	seed, err := strconv.ParseUint(os.Getenv("MIRSAL_SEED"), 10, 64)
	if err != nil {
		seed = 20261122
	}
	t.Logf("MIRSAL_SEED=%d", seed)
	return seed
}

// sea is a soak: devices that talk while accidents happen to them.
type sea struct {
	t       *testing.T
	server  *device.Server
	between *between
	devices []*swimmer
	seed    uint64
	pause   time.Duration // between two accidents, on the average
	direct  bool          // devices connect to the server, and not to between
	also    []string      // what was said before
	turns   bool          // messages overtake each other on the way, and stay so
	count   struct{ kills, crashes int }
}

// newSea starts a server and a hostile network before it.
func newSea(t *testing.T, accounts ...string) *sea {
	t.Helper()
	w := &sea{t: t, server: device.Serve(t, accounts), seed: soakSeed(t)}
	w.between = newBetween(t, w.server, w.seed)
	return w
}

// enter adds a device of an account, signed in.
func (w *sea) enter(account, name string) *swimmer {
	w.t.Helper()
	d := device.New(w.t, w.server.Bin, name, account+"@"+device.Domain, w.between.ca, w.server.CA)
	s := &swimmer{Device: d, t: w.t, has: map[string]port.Delivery{}}
	w.devices = append(w.devices, s)
	s.begin()
	if w.direct {
		s.SignIn(device.Password, w.server.C2S)
	} else {
		s.SignIn(device.Password, w.between.url())
	}
	return s
}

// marker is in every text of a soak, and must be nowhere else.
const marker = "plaintext-marker-c0ffee"

// write gives every device its share of what is to be said.
func (w *sea) write(total int) {
	for i := range total {
		s := w.devices[i%len(w.devices)]
		s.texts = append(s.texts, fmt.Sprintf("%s %s %05d", marker, s.Name, i))
	}
}

// talk has all devices send what they have to say, each at its own pace.
func (w *sea) talk(total int) {
	w.t.Helper()
	w.write(total)
	began := time.Now()
	over := make(chan struct{})
	var accidents, talking sync.WaitGroup
	accidents.Go(func() { w.accidents(over) })
	for _, s := range w.devices {
		talking.Go(s.talk)
	}
	talking.Wait()
	close(over)
	accidents.Wait()
	w.t.Logf("%d messages between %d devices in %v; %d broken connections, %d killed clients, %d killed servers",
		total, len(w.devices), time.Since(began).Round(time.Second), w.between.cuts, w.count.kills, w.count.crashes)
}

// accidents happen until it is over: connections break, clients and the server are
// killed and started again.
func (w *sea) accidents(over chan struct{}) {
	rng := rand.New(rand.NewPCG(w.seed, 1))
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(rng.IntN(int(2 * w.pause)))):
		}
		switch n := rng.IntN(100); {
		case n < 55:
			w.between.cut()
		case n < 97:
			s := w.devices[rng.IntN(len(w.devices))]
			s.Kill()
			s.begin()
			w.count.kills++
		default:
			w.server.Kill()
			w.count.crashes++
			if err := w.server.Start(); err != nil {
				w.t.Error(err)
				return
			}
		}
	}
}

// calm ends the accidents, and waits until every device says that it has everything.
func (w *sea) calm() {
	w.t.Helper()
	w.between.mood.twice.Store(0)
	w.between.mood.swapped.Store(0)
	w.between.mood.forgotten.Store(0)
	for _, s := range w.devices {
		s.Close()
		s.begin()
	}
	for _, s := range w.devices {
		s.Synced()
	}
}

// agree tells what a device lacks, has twice or cannot read, of all that was said.
func (w *sea) agree() {
	w.t.Helper()
	for _, s := range w.devices {
		have, others := map[string]int{}, 0
		turned, last := 0, map[string]string{}
		for _, m := range s.History(s.chat) {
			have[m.Text]++
			if m.Unreadable != "" || m.Lock.State != port.Locked || m.Delivery == port.Failed || m.Delivery == port.Pending {
				w.t.Errorf("%s has %+v", s.Name, m)
			}
			var from, number string
			if n, _ := fmt.Sscanf(m.Text, marker+" %s %s", &from, &number); n != 2 {
				if !slices.Contains(w.also, m.Text) {
					others++
				}
			} else if number < last[from] {
				turned++
			} else {
				last[from] = number
			}
		}
		for _, from := range w.devices {
			for _, text := range from.texts {
				if n := have[text]; n != 1 {
					w.t.Errorf("%s has %q %d times", s.Name, text, n)
				}
			}
		}
		if others > 0 || turned > 0 && !w.turns {
			w.t.Errorf("%s has %d lines that nobody wrote, and %d in the wrong order", s.Name, others, turned)
		}
		w.t.Logf("%s has %d lines, %d overtaken on the way", s.Name, len(have), turned)
	}
}
