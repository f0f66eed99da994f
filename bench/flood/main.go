// Command flood measures how well two people chat while strangers flood their
// server. It starts a server of its own on loopback with the default limits, this
// machine's addresses not exempt, and has two accounts exchange messages through four
// phases: quiet; control, when the generator attacks a sink of its own
// instead; flood; after. All the while one of the two logs in every two seconds,
// from a place known to the server and from places never seen before.
//
//	flood -server bin/mirsal -kind connect|handshake|complete|guess
//
// It prints one line of JSON with the medians of all rounds; bench/README.md says
// how to read it. Generator and sink are this program again, as children with
// the lowest priority. Loopback only, bounded in count and time; it ends by itself.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"slices"
	"time"

	"mirsal/bench/measure"
)

// kinds of floods.
const (
	connect   = "connect"   // connections that say nothing
	handshake = "handshake" // the first message of a handshake, the same again and again: costs only the server
	complete  = "complete"  // whole handshakes
	guess     = "guess"     // passwords, for the victim's account and others
)

type options struct {
	server, data, label string
	role, addr          string
	kind                string
	rate, total         int
	together            int
	prefixes            int
	hold                time.Duration
	quiet, flood, after time.Duration
	settle              time.Duration
	rounds, messages    int
	verbose             bool
}

func main() {
	log.SetFlags(0)
	o := &options{}
	flag.StringVar(&o.server, "server", "bin/mirsal", "the server's program")
	flag.StringVar(&o.data, "data", "", "folder for its data (default: one for temporary files)")
	flag.StringVar(&o.label, "label", "", "goes into the result")
	flag.StringVar(&o.kind, "kind", connect, "connect, handshake, complete or guess")
	flag.IntVar(&o.rate, "rate", 0, "connections begun in a second (0: connect 1500, handshake 2000, complete 500, guess 300)")
	flag.IntVar(&o.total, "total", 60_000, "the most connections in one phase")
	flag.IntVar(&o.together, "together", 0, "the most at a time (0: connect 12000, otherwise 512)")
	flag.IntVar(&o.prefixes, "prefixes", 4, "networks (/24) that the attackers come from, with 250 addresses each")
	flag.DurationVar(&o.hold, "hold", 10*time.Second, "how long a connection is kept, or an answer awaited")
	flag.DurationVar(&o.quiet, "quiet", 10*time.Second, "length of the phases quiet and control")
	flag.DurationVar(&o.flood, "flood", 15*time.Second, "length of the flood")
	flag.DurationVar(&o.after, "after", 10*time.Second, "length of the time after it")
	flag.DurationVar(&o.settle, "settle", 0, "wait so long after the last round, and read the server's memory once more")
	flag.IntVar(&o.rounds, "rounds", 1, "rounds, each with a fresh server")
	flag.IntVar(&o.messages, "messages", 50, "messages of the pair in a second")
	flag.BoolVar(&o.verbose, "v", false, "print each round")
	flag.StringVar(&o.role, "role", "", "attack or sink: what this program starts itself for")
	flag.StringVar(&o.addr, "addr", "", "whom to attack")
	flag.Parse()
	if err := o.check(); err != nil {
		log.Fatal(err)
	}
	if err := o.run(); err != nil {
		log.Fatal(err)
	}
}

func (o *options) check() error {
	if !slices.Contains([]string{connect, handshake, complete, guess}, o.kind) {
		return fmt.Errorf("no kind of flood: %q", o.kind)
	}
	if o.rate == 0 {
		o.rate = map[string]int{connect: 1500, handshake: 2000, complete: 500, guess: 300}[o.kind]
	}
	if o.together == 0 {
		o.together = 512
		if o.kind == connect {
			o.together = 12_000
		}
	}
	switch {
	case o.rate < 1 || o.rate > 20_000 || o.total < 1 || o.total > 1_000_000 || o.together < 1:
		return errors.New("-rate is 1 to 20000, -total 1 to 1000000")
	case o.prefixes < 1 || o.prefixes > 200:
		return errors.New("-prefixes is 1 to 200")
	case o.rounds < 1 || o.messages < 2 || max(o.quiet, o.flood, o.after) > 5*time.Minute || min(o.quiet, o.flood, o.after) < time.Second:
		return errors.New("rounds are 1 or more, messages 2 or more, phases 1s to 5m")
	}
	files, err := measure.RaiseFileLimit()
	o.together = min(o.together, int(files)-500)
	return err
}

func (o *options) run() error {
	switch o.role {
	case "attack":
		return attack(o)
	case "sink":
		return sink()
	case "":
		return o.measure()
	}
	return fmt.Errorf("no role: %q", o.role)
}

// measure makes all rounds and prints the medians.
func (o *options) measure() error {
	values := map[string][]float64{}
	for n := range o.rounds {
		m, err := o.round(n == o.rounds-1)
		if err != nil {
			return err
		}
		if o.verbose {
			if err := measure.Print("flood-round", o.kind, asAny(m)); err != nil {
				return err
			}
		}
		for k, v := range m {
			values[k] = append(values[k], v)
		}
		fmt.Fprintf(os.Stderr, "%s: p99 %.1f ms quiet, %.1f with the generator alone, %.1f in the flood: %.2f times, control %.2f\n",
			o.kind, m["quiet_p99_ms"], m["control_p99_ms"], m["flood_p99_ms"], m["ratio"], m["ratio_control"])
	}
	out := map[string]any{"rounds": o.rounds, "kind": o.kind, "ratio_rounds": values["ratio"], "ratio_control_rounds": values["ratio_control"]}
	for k, v := range values {
		out[k] = measure.Round(measure.Median(v), 3)
	}
	return measure.Print("flood", o.label, out)
}

func asAny(m map[string]float64) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// onLoopback refuses every other address.
func onLoopback(addr string) error {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err == nil && !a.IP.IsLoopback() {
		err = fmt.Errorf("%s is not on loopback", addr)
	}
	return err
}
