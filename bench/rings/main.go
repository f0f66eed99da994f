// Command rings measures how long it takes from a propose until it rings at the other side, for pairs of contacts, while
// others call somebody else so often that it is an attack, and without that.
//
//	rings -addr ADDRESS -domain DOMAIN -pid PID [flags]
//
// The accounts user0, user1, … are there with the password "secret-secret". It prints a line of JSON; bench/README.md says how
// to read it, bench/rings/run.sh starts all. It ends by itself.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/bench/measure"
	"mirsal/e2e/xmppclient"
)

type options struct {
	addr, domain             string
	pid                      int
	pairs, attackers, rounds int
	every, phase             time.Duration
	rate                     float64

	mu    sync.Mutex
	times []float64 // milliseconds, of the phase
}

func main() {
	log.SetFlags(0)
	o := &options{}
	flag.StringVar(&o.addr, "addr", "", "host:port")
	flag.StringVar(&o.domain, "domain", "localhost", "of the accounts")
	flag.IntVar(&o.pid, "pid", 0, "the server's process")
	flag.IntVar(&o.pairs, "pairs", 5, "who are measured")
	flag.IntVar(&o.attackers, "attackers", 50, "half of them are contacts of whom they call")
	flag.IntVar(&o.rounds, "rounds", 3, "each is a phase without and one with an attack")
	flag.DurationVar(&o.every, "every", 120*time.Millisecond, "between the calls of a pair; an account may be rung 1,000 times an hour")
	flag.DurationVar(&o.phase, "phase", 15*time.Second, "how long a phase is")
	flag.Float64Var(&o.rate, "rate", 28, "attempts a second of all attackers: 100,000 an hour")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(2*o.rounds+8)*o.phase)
	defer cancel()
	if err := o.run(ctx); err != nil {
		log.Fatal(err)
	}
}

func (o *options) run(ctx context.Context) error {
	for i := range o.pairs {
		if err := o.pair(ctx, 2*i, 2*i+1); err != nil {
			return err
		}
	}
	attack, err := o.attack(ctx)
	if err != nil {
		return err
	}
	all := map[bool][]float64{}
	cpu := map[bool]time.Duration{}
	for range o.rounds {
		for _, on := range []bool{false, true} {
			stop := func() {}
			if on {
				stop = attack()
			}
			time.Sleep(time.Second)
			o.take()
			before := measure.Of(o.pid)
			time.Sleep(o.phase)
			cpu[on] += measure.Of(o.pid).CPU - before.CPU
			all[on] = append(all[on], o.take()...)
			stop()
		}
	}
	m := map[string]any{}
	for name, on := range map[string]bool{"quiet": false, "attacked": true} {
		t := all[on]
		slices.Sort(t)
		if len(t) == 0 {
			return fmt.Errorf("%s: nothing rang", name)
		}
		for _, p := range []int{50, 95, 99} {
			m[fmt.Sprintf("%s_p%d_ms", name, p)] = at(t, p)
		}
		m[name+"_rings"] = len(t)
		m[name+"_server_cores"] = measure.Round(cpu[on].Seconds()/(o.phase.Seconds()*float64(o.rounds)), 3)
	}
	m["p99_ratio"] = measure.Round(m["attacked_p99_ms"].(float64)/m["quiet_p99_ms"].(float64), 3)
	return measure.Print("rings", "mirsal", m)
}

// at is a percentile of sorted numbers.
func at(all []float64, percent int) float64 {
	return measure.Round(all[(len(all)*percent+99)/100-1], 3)
}

func (o *options) take() []float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.times
	o.times = nil
	return t
}

func (o *options) login(ctx context.Context, i int) (*xmppclient.Conn, error) {
	c, err := xmppclient.Dial(ctx, xmppclient.Options{Addr: o.addr, Domain: o.domain, TLS: &tls.Config{InsecureSkipVerify: true}}) //nolint:gosec // it is on this machine
	if err != nil {
		return nil, err
	}
	if err = c.LoginBy(ctx, "SCRAM-SHA-256", fmt.Sprint("user", i), "secret-secret"); err == nil {
		err = c.Bind(ctx, "")
	}
	if err == nil {
		err = c.Send("<presence/>")
	}
	if err != nil {
		c.Kill()
		return nil, fmt.Errorf("user%d: %w", i, err)
	}
	return c, nil
}

func (o *options) bare(i int) string { return fmt.Sprintf("user%d@%s", i, o.domain) }

// knows puts somebody on a contact list.
func (o *options) knows(c *xmppclient.Conn, i int) error {
	return c.Send(fmt.Sprintf("<iq type='set' id='r%d'><query xmlns='jabber:iq:roster'><item jid='%s'/></query></iq>", i, o.bare(i)))
}

func invite(kind, to, id string) string {
	inner := ""
	if kind == "propose" {
		inner = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
	}
	return fmt.Sprintf("<message to='%s' type='chat' id='%s-%s'><%[2]s xmlns='urn:xmpp:jingle-message:0' id='%[3]s'>%s</%[2]s></message>", to, kind, id, inner)
}

// pair has one call another over and over, and take it back when it has rung.
func (o *options) pair(ctx context.Context, from, to int) error {
	caller, err := o.login(ctx, from)
	if err != nil {
		return err
	}
	callee, err := o.login(ctx, to)
	if err == nil {
		err = o.knows(callee, from)
	}
	if err != nil {
		return err
	}
	go drain(ctx, caller)
	go func() {
		for {
			n, err := callee.Next(ctx)
			if err != nil {
				return
			}
			propose := n.Child("urn:xmpp:jingle-message:0", "propose")
			if propose == nil {
				continue
			}
			text, _, _ := strings.Cut(propose.Attr("id"), "-")
			begun, _ := strconv.ParseInt(text, 10, 64)
			took := time.Since(time.Unix(0, begun))
			o.mu.Lock()
			o.times = append(o.times, float64(took.Microseconds())/1000)
			o.mu.Unlock()
		}
	}()
	go func() {
		time.Sleep(time.Duration(from) * o.every / time.Duration(2*o.pairs)) // not all at once
		tick := time.NewTicker(o.every)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			id := fmt.Sprintf("%d-%d", time.Now().UnixNano(), from)
			_ = caller.Send(invite("propose", o.bare(to), id))
			time.Sleep(o.every / 2)
			_ = caller.Send(invite("retract", o.bare(to), id))
		}
	}()
	return nil
}

func drain(ctx context.Context, c *xmppclient.Conn) {
	for {
		if _, err := c.Next(ctx); err != nil {
			return
		}
	}
}

// attack is what begins one, and what that returns ends it.
func (o *options) attack(ctx context.Context) (func() func(), error) {
	victim := 2 * o.pairs
	v, err := o.login(ctx, victim)
	if err != nil {
		return nil, err
	}
	go drain(ctx, v)
	var all []*xmppclient.Conn
	for i := range o.attackers {
		c, err := o.login(ctx, victim+1+i)
		if err != nil {
			return nil, err
		}
		if i%2 == 0 {
			if err := o.knows(v, victim+1+i); err != nil {
				return nil, err
			}
		}
		go drain(ctx, c)
		all = append(all, c)
	}
	n := 0
	return func() func() {
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					c, id := all[n%len(all)], fmt.Sprint("a", n)
					n++
					_ = c.Send(invite("propose", o.bare(victim), id))
					if n%2 == 0 { // calls that want to leave no trace
						_ = c.Send(invite("retract", o.bare(victim), id))
					}
				case <-done:
					return
				}
			}
		}()
		return func() { close(done); <-ended }
	}, nil
}
