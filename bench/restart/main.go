// Command restart measures a server that is restarted under many sessions: how
// soon all are back, and what that costs. It opens the sessions (STARTTLS, SCRAM,
// stream management that can be resumed, roster, presence), has the server
// stopped and started again, and lets all clients come back by themselves.
//
//	restart -addr 127.0.0.1:5222 -sessions 5000 -stop CMD -start CMD -pids CMD
//
// The accounts user0, user1, … are there already. The three commands run in a
// shell: stop returns when the server has ended, start when it runs again with the
// data it had, pids prints its process ids. It prints one line of JSON;
// bench/README.md says how to read it. Loopback only; it ends by itself.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirsal/bench/measure"
)

type options struct {
	addr, domain, user, password string
	sessions, sources, together  int
	from, label                  string
	start, stop, pids            string
	timeout, limit, rest         time.Duration
	tls                          *tls.Config
}

func main() {
	log.SetFlags(0)
	o := &options{tls: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.X25519}}}
	flag.StringVar(&o.addr, "addr", "127.0.0.1:5222", "the server, on loopback")
	flag.StringVar(&o.domain, "domain", "localhost", "XMPP domain")
	flag.StringVar(&o.user, "user", "user", "accounts are USER0, USER1, …")
	flag.StringVar(&o.password, "password", "secret", "password of all")
	flag.IntVar(&o.sessions, "sessions", 5000, "sessions, each of an account of its own")
	flag.IntVar(&o.sources, "sources", 8, "addresses to come from, 127.0.0.2 and up")
	flag.IntVar(&o.together, "together", 64, "logins at a time before the restart")
	flag.StringVar(&o.from, "from", "drop", "clients begin to come back when they are cut off (drop) or when the port is open (open)")
	flag.StringVar(&o.label, "label", "", "goes into the result")
	flag.StringVar(&o.stop, "stop", "", "command that stops the server")
	flag.StringVar(&o.start, "start", "", "command that starts it again")
	flag.StringVar(&o.pids, "pids", "", "command that prints its process ids")
	flag.DurationVar(&o.timeout, "timeout", time.Minute, "limit of one attempt to log in")
	flag.DurationVar(&o.limit, "limit", 4*time.Minute, "limit of the storm, and of what is before it")
	flag.DurationVar(&o.rest, "rest", 2*time.Second, "quiet time before the restart, and after the last is back")
	flag.Parse()
	if err := o.check(); err != nil {
		log.Fatal(err)
	}
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func (o *options) check() error {
	a, err := net.ResolveTCPAddr("tcp", o.addr)
	switch {
	case err != nil:
		return err
	case !a.IP.IsLoopback():
		return fmt.Errorf("%s is not on loopback", o.addr)
	case o.start == "" || o.stop == "" || o.pids == "":
		return errors.New("-stop, -start and -pids are needed")
	case o.from != "drop" && o.from != "open":
		return errors.New("-from is drop or open")
	case o.sessions < 1 || o.together < 1 || o.sources < 1 || o.sources > 250:
		return errors.New("-sessions, -together and -sources are counts; there are 250 sources")
	}
	files, err := measure.RaiseFileLimit()
	if err == nil && uint64(o.sessions)+200 > files {
		err = fmt.Errorf("only %d files may be open", files)
	}
	return err
}

func run(o *options) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := newStorm(o)
	limited, end := context.WithTimeout(ctx, o.limit)
	err := s.loginAll(limited)
	end()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, c := range s.clients {
		all.Go(func() { s.live(ctx, c) })
	}
	defer all.Wait()
	defer cancel()
	return s.restart(ctx)
}

// restart restarts the server, waits for all clients and tells how it went.
func (s *storm) restart(ctx context.Context) error {
	o := s.o
	sleep(ctx, o.rest)
	held, err := s.usage(ctx)
	if err != nil {
		return err
	}
	s.begun.Store(true)
	begin := time.Now()
	if _, err := shell(ctx, o.stop); err != nil {
		return err
	}
	stopped := time.Now()
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	started := make(chan error, 1)
	go func() {
		_, err := shell(ctx, o.start)
		started <- err
	}()
	if err := s.awaitPort(ctx); err != nil {
		return errors.Join(err, <-started)
	}
	opened, err := s.usage(ctx)
	if err != nil {
		return err
	}
	if err := <-started; err != nil {
		return err
	}
	select {
	case <-s.over:
	case <-ctx.Done():
	}
	done, err := s.usage(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	sleep(ctx, o.rest)
	settled, err := s.usage(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	return s.report(stopped.Sub(begin), s.openAt.Sub(stopped), held, opened, done, settled)
}

func (s *storm) report(stop, start time.Duration, held, opened, done, settled measure.Usage) error {
	times, n := s.since(), max(len(s.back), 1)
	us := func(d time.Duration) float64 { return measure.Round(float64(d.Microseconds())/float64(n), 1) }
	s.mu.Lock()
	defer s.mu.Unlock()
	failures := 0
	for _, k := range s.failed {
		failures += k
	}
	m := map[string]any{
		"sessions": len(s.clients), "back": len(s.back), "resumed": s.resumed, "logged_in_anew": len(s.back) - s.resumed,
		"missing": len(s.clients) - len(s.back), "failed_attempts": failures, "broke_before_restart": s.early.Load(), "broke_again": s.again,
		"stop_seconds": measure.Round(stop.Seconds(), 3), "start_seconds": measure.Round(start.Seconds(), 3),
		"login_p50_ms": measure.Ms(measure.Quantile(s.logins, 0.5)), "login_p99_ms": measure.Ms(measure.Quantile(s.logins, 0.99)),
		"server_cpu_us_per_session": us(done.CPU - opened.CPU), "server_sys_us_per_session": us(done.System - opened.System),
		"server_cpu_seconds_to_open": measure.Round(opened.CPU.Seconds(), 2), "server_cpu_seconds_since_start": measure.Round(done.CPU.Seconds(), 2),
		"generator_cpu_us_per_session": us(done.Self - opened.Self), "noise_others_share": measure.Noise(opened, done, runtime.NumCPU()),
		"server_pss_mb_before": held.PSS >> 20, "server_pss_mb_open": opened.PSS >> 20, "server_pss_mb_back": done.PSS >> 20, "server_pss_mb_settled": settled.PSS >> 20,
	}
	for name, q := range map[string]float64{"back_50_seconds": 0.5, "back_99_seconds": 0.99, "back_100_seconds": 1} {
		if i := int(q*float64(len(s.clients))+0.5) - 1; i >= 0 && i < len(times) {
			m[name] = measure.Round(times[i].Seconds(), 3)
		}
	}
	s.tellFailures()
	return measure.Print("restart", s.o.label, m)
}

// usage reads what the server that runs now has used.
func (s *storm) usage(ctx context.Context) (measure.Usage, error) {
	out, err := shell(ctx, s.o.pids)
	if err != nil {
		return measure.Usage{}, err
	}
	var pids []int
	for _, f := range strings.FieldsFunc(out, func(r rune) bool { return r < '0' || r > '9' }) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return measure.Usage{}, err
		}
		pids = append(pids, pid)
	}
	return measure.Of(pids...), nil
}

func shell(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w", command, err)
	}
	return string(out), err
}
