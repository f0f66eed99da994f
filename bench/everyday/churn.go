package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirsal/bench/measure"
)

// churn has people come, join a room, say something, send a file and go, at a
// steady rate, and looks whether what the server holds grows.
func churn(ctx context.Context, o *options) (map[string]any, error) {
	var rounds, failed atomic.Int64
	var run sync.WaitGroup
	begin := time.Now()
	end := begin.Add(o.duration)
	var samples []sample
	done := make(chan struct{})
	go func() {
		defer close(done)
		for time.Now().Before(end) {
			samples = append(samples, o.sample(time.Since(begin)))
			pause(ctx, time.Now().Add(5*time.Second))
		}
	}()
	client := web()
	for p := range o.people {
		run.Go(func() {
			for k := 0; time.Now().Before(end); k++ {
				due := begin.Add(time.Duration(float64(k*o.people+p) / o.rate * float64(time.Second)))
				pause(ctx, due)
				if err := o.round(ctx, client, p, k); err != nil {
					failed.Add(1)
					fmt.Fprintln(os.Stderr, err)
				}
				rounds.Add(1)
			}
		})
	}
	run.Wait()
	<-done
	pause(ctx, time.Now().Add(20*time.Second))
	last := o.sample(time.Since(begin))
	m := map[string]any{"rounds": rounds.Load(), "failed": failed.Load(), "minutes": measure.Round(o.duration.Minutes(), 1), "samples": len(samples)}
	half := samples[len(samples)/3:] // the first third fills caches and pools
	for name, of := range map[string]func(sample) float64{
		"server_rss_mb": func(s sample) float64 { return s.rss }, "goroutines": func(s sample) float64 { return s.goroutines },
		"open_files": func(s sample) float64 { return s.files },
	} {
		m[name+"_first"], m[name+"_last"], m[name+"_after_rest"] = of(half[0]), of(half[len(half)-1]), of(last)
		m[name+"_slope_per_hour"] = measure.Round(slope(half, of), 3)
	}
	return m, nil
}

// round is one visit of user p.
func (o *options) round(ctx context.Context, client *http.Client, p, k int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := o.login(ctx, p)
	if err != nil {
		return err
	}
	defer c.Kill()
	room := fmt.Sprintf("churn%d@conference.%s", k%7, o.domain)
	if err := c.Send(fmt.Sprintf("<presence to='%s/n%d'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room, p)); err != nil {
		return err
	}
	put, _, err := o.slot(ctx, c, k, 10_000)
	if err != nil {
		return err
	}
	put.Body, put.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 10_000))), 10_000
	if err := fetchAll(client, put, 0); err != nil {
		return err
	}
	c.Send("<message type='groupchat' to='" + room + "'><body>hello</body></message>")
	if _, err := ask(ctx, c, "p", o.domain, "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		return err
	}
	c.Send("<presence type='unavailable' to='" + room + "/n" + fmt.Sprint(p) + "'/>")
	return c.Close(ctx)
}

// sample is what the server holds at a time.
type sample struct {
	at                     time.Duration
	rss, goroutines, files float64
}

func (o *options) sample(at time.Duration) sample {
	s := sample{at: at}
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", o.pids[0]))
	if f := strings.Fields(string(b)); len(f) > 1 {
		pages, _ := strconv.ParseFloat(f[1], 64)
		s.rss = measure.Round(pages*float64(os.Getpagesize())/(1<<20), 1)
	}
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", o.pids[0]))
	s.files = float64(len(open))
	if answer, err := http.Get("http://" + o.ops + "/metrics"); o.ops != "" && err == nil {
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		_, rest, _ := strings.Cut(string(text), "\ngo_goroutines ")
		line, _, _ := strings.Cut(rest, "\n")
		s.goroutines, _ = strconv.ParseFloat(line, 64)
	}
	return s
}

// slope is how much a value grows in an hour, by least squares.
func slope(all []sample, of func(sample) float64) float64 {
	var x, y, xx, xy float64
	for _, s := range all {
		h := s.at.Hours()
		x, y, xx, xy = x+h, y+of(s), xx+h*h, xy+h*of(s)
	}
	n := float64(len(all))
	if d := n*xx - x*x; d != 0 {
		return (n*xy - x*y) / d
	}
	return 0
}
