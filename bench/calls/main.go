// Command calls measures calls between two people: how long it takes from the wish to call until the first sound of
// the other side, who answers at once, and what a call costs the servers that carry it. Both people are engines with the
// terminal's seat in this process, online all the time; the servers are others, given by -server, and take turns.
//
//	calls -server NAME,DOMAIN,ADDRESS,CA,PIDS,RELAY-PIDS -server … [flags]
//
// The accounts alice and bob are there, with the password "secret-secret"; several processes are joined by "+". It prints a line of JSON for each server
// and way; bench/README.md says how to read it. bench/calls/run.sh starts all. It ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/bench/measure"
)

// server is one that is measured, with its two people.
type server struct {
	name, domain, at, ca string
	pids, relay          []int
	alice, bob           *person
	ways                 map[string]*sums
}

// sums are what the calls of one way came to.
type sums struct {
	rings, sounds []float64 // milliseconds
	cpu, relay    time.Duration
	idle, idleRly time.Duration // in as much time without a call
	noise         []float64
}

type options struct {
	rounds, calls int
	length        time.Duration
	servers       []*server
}

func main() {
	log.SetFlags(0)
	o := &options{}
	flag.IntVar(&o.rounds, "rounds", 2, "how often each server has its turn for each way")
	flag.IntVar(&o.calls, "calls", 5, "calls of a turn")
	flag.DurationVar(&o.length, "length", 5*time.Second, "how long they speak")
	limit := flag.Duration("limit", 15*time.Minute, "end with an error after that")
	flag.Func("server", "NAME,DOMAIN,ADDRESS,CA,PIDS,RELAY-PIDS", o.server)
	flag.Parse()
	if len(o.servers) == 0 || o.rounds < 1 || o.calls < 1 || o.length <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	if err := o.run(ctx); err != nil {
		log.Fatal(err)
	}
}

func (o *options) server(text string) error {
	w := strings.Split(text, ",")
	if len(w) != 6 {
		return fmt.Errorf("six words, not %d", len(w))
	}
	s := &server{name: w[0], domain: w[1], at: w[2], ca: w[3], ways: map[string]*sums{"direct": {}, "relay": {}}}
	for i, to := range []*[]int{&s.pids, &s.relay} {
		for one := range strings.SplitSeq(w[4+i], "+") {
			if one == "" {
				continue
			}
			n, err := strconv.Atoi(one)
			if err != nil {
				return err
			}
			*to = append(*to, n)
		}
	}
	o.servers = append(o.servers, s)
	return nil
}

func (o *options) run(ctx context.Context) error {
	for _, s := range o.servers {
		if err := s.open(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer s.close()
		if _, _, err := s.call(ctx, "direct", time.Second); err != nil { // the first has keys to fetch
			return fmt.Errorf("%s: the first call: %w", s.name, err)
		}
	}
	for range o.rounds {
		for _, way := range []string{"direct", "relay"} {
			for _, s := range o.servers {
				if err := s.turn(ctx, way, o); err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, way, err)
				}
			}
		}
	}
	for _, s := range o.servers {
		for _, way := range []string{"direct", "relay"} {
			if err := s.print(way, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// turn is some calls by one way, and behind them as much time without any.
func (s *server) turn(ctx context.Context, way string, o *options) error {
	if err := s.hide(ctx, way == "relay"); err != nil {
		return err
	}
	sum := s.ways[way]
	time.Sleep(settle)
	begun, main, relay := time.Now(), measure.Of(s.pids...), measure.Of(s.relay...)
	for range o.calls {
		ring, sound, err := s.call(ctx, way, o.length)
		if err != nil {
			return err
		}
		sum.rings, sum.sounds = append(sum.rings, ring), append(sum.sounds, sound)
	}
	time.Sleep(settle)
	long, all := time.Since(begun), measure.Of(append(s.pids, s.relay...)...)
	sum.noise = append(sum.noise, measure.Noise(add(main, relay), all, 2))
	main2, relay2 := measure.Of(s.pids...), measure.Of(s.relay...)
	sum.cpu, sum.relay = sum.cpu+main2.CPU-main.CPU, sum.relay+relay2.CPU-relay.CPU
	rest := min(long, 5*time.Second)
	time.Sleep(rest)
	main, relay = measure.Of(s.pids...), measure.Of(s.relay...)
	sum.idle += time.Duration(float64(main.CPU-main2.CPU) * float64(long) / float64(rest))
	sum.idleRly += time.Duration(float64(relay.CPU-relay2.CPU) * float64(long) / float64(rest))
	return nil
}

// settle is left to what goes on behind a call.
const settle = 500 * time.Millisecond

// add is what two servers have used together.
func add(a, b measure.Usage) measure.Usage {
	a.CPU += b.CPU
	return a
}

func (s *server) print(way string, o *options) error {
	sum := s.ways[way]
	each := func(d time.Duration) float64 {
		return measure.Round(float64(d.Microseconds())/1000/float64(len(sum.sounds)), 2)
	}
	slices.Sort(sum.rings)
	slices.Sort(sum.sounds)
	return measure.Print("calls", s.name, map[string]any{
		"way": way, "calls": len(sum.sounds), "length_seconds": o.length.Seconds(),
		"sound_p50_ms": at(sum.sounds, 50), "sound_p95_ms": at(sum.sounds, 95), "ring_p50_ms": at(sum.rings, 50), "ring_p95_ms": at(sum.rings, 95),
		"server_cpu_ms_per_call": each(sum.cpu), "relay_cpu_ms_per_call": each(sum.relay),
		"idle_server_cpu_ms": each(sum.idle), "idle_relay_cpu_ms": each(sum.idleRly), "noise_others_share": slices.Max(sum.noise),
	})
}

// at is a percentile of sorted numbers.
func at(all []float64, percent int) float64 {
	return measure.Round(all[(len(all)*percent+99)/100-1], 1)
}
