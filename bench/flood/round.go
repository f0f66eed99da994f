package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"mirsal/bench/measure"
)

const (
	warmup = 2 * time.Second
	gap    = time.Second // between phases: what is under way ends
)

// round is one server's life under one flood.
type round struct {
	o       *options
	s       *server
	pair    *pair
	known   newcomer
	fresh   newcomer
	metrics map[string]float64

	mu   sync.Mutex
	peak int64 // bytes of the server's memory since the last phase began
}

// round starts a server, goes through the phases and returns what was measured.
func (o *options) round(last bool) (_ map[string]float64, err error) {
	s, err := startServer(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	r := &round{o: o, s: s, metrics: map[string]float64{}}
	home := net.IPv4(127, 0, 0, 4)
	if err := s.visit(ctx, home); err != nil {
		return nil, err
	}
	if r.pair, err = newPair(ctx, s, o.messages); err != nil {
		return nil, err
	}
	start := time.Now()
	all.Go(func() { r.pair.chat(ctx) })
	all.Go(func() { r.known.come(ctx, s, start, func(int) net.IP { return home }) })
	all.Go(func() { r.fresh.come(ctx, s, start, freshAddress) })
	all.Go(func() { r.watchMemory(ctx) })
	sleep(ctx, warmup)
	if err := r.phases(ctx); err != nil {
		return nil, err
	}
	if last && o.settle > 0 {
		sleep(ctx, o.settle)
		r.metrics["settled_pss_mb"] = mb(measure.Of(s.pid()).PSS)
	}
	return r.metrics, r.pair.err
}

// freshAddress is one in a network that nobody was in before.
func freshAddress(i int) net.IP { return net.IPv4(127, byte(20+i/250%200), byte(1+i%250), 7) }

func (r *round) phases(ctx context.Context) error {
	o := r.o
	target := r.s.addrs["c2s-tls"]
	if o.kind == connect {
		target = r.s.addrs["c2s"]
	}
	for _, p := range []struct {
		name string
		d    time.Duration
		do   func() error
	}{
		{"quiet", o.quiet, func() error { sleep(ctx, o.quiet); return nil }},
		{"control", o.quiet, func() error { return r.control() }},
		{"flood", o.flood, func() error { return r.attack("flood", o.kind, target, o.flood) }},
		{"after", o.after, func() error { sleep(ctx, o.after); return nil }},
	} {
		if err := r.phase(ctx, p.name, p.d, p.do); err != nil {
			return err
		}
	}
	ratio := func(p string) float64 {
		return measure.Round(r.metrics[p+"_p99_ms"]/max(r.metrics["quiet_p99_ms"], 0.001), 3)
	}
	r.metrics["ratio"], r.metrics["ratio_control"], r.metrics["ratio_after"] = ratio("flood"), ratio("control"), ratio("after")
	return nil
}

// control attacks a sink. A guess is a whole handshake there, which is most of
// what it costs the generator.
func (r *round) control() error {
	addr, stop, err := startSink()
	if err != nil {
		return err
	}
	defer stop()
	kind := r.o.kind
	if kind == guess {
		kind = complete
	}
	return r.attack("control", kind, addr, r.o.quiet)
}

func (r *round) attack(phase, kind, addr string, d time.Duration) error {
	seen, err := generate(r.o, kind, addr, d)
	for k, v := range seen {
		r.metrics[phase+"_generator_"+k] = measure.Round(v, 3)
	}
	return err
}

// phase lets one phase pass and reads off what happened in it. What do makes of a
// phase's length beyond d is not looked at.
func (r *round) phase(ctx context.Context, name string, d time.Duration, do func() error) error {
	counters, err := r.s.metrics()
	if err != nil {
		return err
	}
	before := measure.Of(r.s.pid())
	r.takePeak()
	from := time.Since(r.pair.start)
	if err := do(); err != nil {
		return err
	}
	after := measure.Of(r.s.pid())
	sleep(ctx, gap)
	now, err := r.s.metrics()
	if err != nil {
		return err
	}
	r.chatted(name, r.pair.between(from, from+d))
	r.came(name+"_known", &r.known, from, from+d)
	r.came(name+"_fresh", &r.fresh, from, from+d)
	r.used(name, before, after)
	r.counted(name, counters, now)
	return nil
}

func (r *round) chatted(phase string, c chatted) {
	m := r.metrics
	m[phase+"_p50_ms"], m[phase+"_p99_ms"] = measure.Ms(measure.Quantile(c.latency, 0.5)), measure.Ms(measure.Quantile(c.latency, 0.99))
	m[phase+"_p95_ms"], m[phase+"_max_ms"] = measure.Ms(measure.Quantile(c.latency, 0.95)), measure.Ms(measure.Quantile(c.latency, 1))
	m[phase+"_sent_late_p99_ms"] = measure.Ms(measure.Quantile(c.late, 0.99))
	m[phase+"_messages"], m[phase+"_lost"] = float64(len(c.latency)+c.lost), float64(c.lost)
}

func (r *round) came(name string, n *newcomer, from, to time.Duration) {
	took, failed := n.between(from, to)
	r.metrics[name+"_logins"], r.metrics[name+"_failed"] = float64(len(took)), float64(len(failed))
	r.metrics[name+"_login_p50_ms"] = measure.Ms(measure.Quantile(took, 0.5))
	r.metrics[name+"_login_max_ms"] = measure.Ms(measure.Quantile(took, 1))
	for _, err := range failed {
		fmt.Fprintf(os.Stderr, "%s: a login failed: %v\n", name, err)
	}
}

func (r *round) used(phase string, a, b measure.Usage) {
	wall := b.At.Sub(a.At).Seconds()
	r.metrics[phase+"_server_cores"] = measure.Round((b.CPU-a.CPU).Seconds()/wall, 3)
	r.metrics[phase+"_machine_cores"] = measure.Round((b.Machine-a.Machine).Seconds()/wall, 3)
	r.metrics["processors"] = float64(runtime.NumCPU())
	r.metrics[phase+"_pss_mb"] = mb(b.PSS)
	r.metrics[phase+"_pss_peak_mb"] = mb(max(r.takePeak(), b.PSS))
}

// counted keeps by how much the counters of the port and the limits rose.
func (r *round) counted(phase string, a, b map[string]float64) {
	short := strings.NewReplacer("mirsal_", "", "limits_", "", "_total", "", "{", "_", "}", "", `"`, "", ",", "_", "budget=", "", "scope=", "", "outcome=", "")
	for name, v := range b {
		if (strings.HasPrefix(name, "mirsal_c2s_") || strings.HasPrefix(name, "mirsal_limits_")) && strings.Contains(name, "_total") && v > a[name] {
			r.metrics[phase+"_"+short.Replace(name)] = v - a[name]
		}
	}
	r.metrics[phase+"_goroutines"] = b["go_goroutines"]
	r.metrics[phase+"_heap_mb"] = measure.Round(b["go_memstats_heap_alloc_bytes"]/(1<<20), 1)
}

// watchMemory looks at the server's memory every second, in every phase alike.
func (r *round) watchMemory(ctx context.Context) {
	for sleep(ctx, time.Second) {
		pss := measure.PSS(r.s.pid())
		r.mu.Lock()
		r.peak = max(r.peak, pss)
		r.mu.Unlock()
	}
}

func (r *round) takePeak() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	peak := r.peak
	r.peak = 0
	return peak
}

func mb(n int64) float64 { return measure.Round(float64(n)/(1<<20), 1) }
