// Command everyday measures what people do besides writing to each other: many
// who join one room at a time, somebody who reads a long history, files that are
// sent and fetched, and all of it over and over.
//
//	everyday joins|pages|files|churn -addr 127.0.0.1:5222 -pid PID[,PID] [flags]
//
// The accounts user0, user1, … are there already. It prints one line of JSON;
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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/bench/measure"
	"mirsal/e2e/xmppclient"
)

type options struct {
	mode, addr, domain, label string
	pids                      []int
	people, sources, together int
	rate                      float64
	messages, page            int
	files, size               int
	duration, limit           time.Duration
	ops                       string
}

func main() {
	log.SetFlags(0)
	o := &options{}
	modes := map[string]func(context.Context, *options) (map[string]any, error){
		"joins": joins, "pages": pages, "files": files, "churn": churn,
	}
	if len(os.Args) > 1 {
		o.mode = os.Args[1]
	}
	run := modes[o.mode]
	if run == nil {
		log.Fatal("everyday joins|pages|files|churn [flags]")
	}
	if err := o.parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.limit)
	defer cancel()
	m, err := run(ctx, o)
	if err == nil {
		err = measure.Print(o.mode, o.label, m)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (o *options) parse(args []string) error {
	f := flag.NewFlagSet(o.mode, flag.ExitOnError)
	pids := ""
	f.StringVar(&o.addr, "addr", "127.0.0.1:5222", "the server, on loopback")
	f.StringVar(&o.domain, "domain", "localhost", "XMPP domain")
	f.StringVar(&o.label, "label", "", "goes into the result")
	f.StringVar(&pids, "pid", "", "processes of the server")
	f.IntVar(&o.people, "people", 1000, "joins: who joins; files, churn: who works at a time")
	f.IntVar(&o.sources, "sources", 8, "addresses to come from, 127.0.0.2 and up")
	f.IntVar(&o.together, "together", 32, "logins at a time")
	f.Float64Var(&o.rate, "rate", 0, "joins: in a second, 0 for all at once; churn: rounds in a second")
	f.IntVar(&o.messages, "messages", 5000, "pages: how long the history is")
	f.IntVar(&o.page, "page", 50, "pages: messages in a page")
	f.IntVar(&o.files, "files", 40, "files: how many")
	f.IntVar(&o.size, "size", 10<<20, "files: bytes of each")
	f.DurationVar(&o.duration, "duration", time.Minute, "churn: how long")
	f.DurationVar(&o.limit, "limit", 10*time.Minute, "limit of the whole run")
	f.StringVar(&o.ops, "ops", "", "churn: the server's ops address, for the number of goroutines")
	f.Parse(args)
	for _, p := range strings.FieldsFunc(pids, func(r rune) bool { return r < '0' || r > '9' }) {
		pid, _ := strconv.Atoi(p)
		o.pids = append(o.pids, pid)
	}
	a, err := net.ResolveTCPAddr("tcp", o.addr)
	switch {
	case err != nil:
		return err
	case !a.IP.IsLoopback():
		return fmt.Errorf("%s is not on loopback", o.addr)
	case len(o.pids) == 0:
		return errors.New("-pid is needed")
	}
	_, err = measure.RaiseFileLimit()
	return err
}

// usage is what the server has used so far.
func (o *options) usage() measure.Usage { return measure.Of(o.pids...) }

// spent puts what was used between two readings into the result, for n units.
func spent(m map[string]any, unit string, n int, a, b measure.Usage) {
	per := func(d time.Duration) float64 { return measure.Round(float64(d.Microseconds())/float64(max(n, 1)), 1) }
	m["server_cpu_us_per_"+unit] = per(b.CPU - a.CPU)
	m["generator_cpu_us_per_"+unit] = per(b.Self - a.Self)
	m["seconds"] = measure.Round(b.At.Sub(a.At).Seconds(), 3)
	m["noise_others_share"] = measure.Noise(a, b, runtime.NumCPU())
}

// login makes a session of user number i.
func (o *options) login(ctx context.Context, i int) (*xmppclient.Conn, error) {
	c, err := xmppclient.Dial(ctx, xmppclient.Options{
		Addr: o.addr, Domain: o.domain, From: net.IPv4(127, 0, 0, byte(2+i%o.sources)),
		TLS: &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}},
	})
	if err != nil {
		return nil, err
	}
	mechanism := "SCRAM-SHA-256" // without channel binding: not all servers know the newer ones
	if !slices.Contains(c.Mechanisms(), mechanism) {
		mechanism = "SCRAM-SHA-1"
	}
	if err = c.LoginBy(ctx, mechanism, fmt.Sprint("user", i), "secret"); err == nil {
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

// ask sends a request and waits for its answer, past everything else.
func ask(ctx context.Context, c *xmppclient.Conn, id, to, kind, payload string) (*xmppclient.Node, error) {
	addr := ""
	if to != "" {
		addr = " to='" + to + "'"
	}
	if err := c.Send("<iq type='" + kind + "' id='" + id + "'" + addr + ">" + payload + "</iq>"); err != nil {
		return nil, err
	}
	for {
		n, err := c.Next(ctx)
		if err != nil {
			return nil, err
		}
		if n.Name.Local == "iq" && n.Attr("id") == id {
			if n.Attr("type") != "result" {
				return nil, fmt.Errorf("%s was refused: %s", payload, n)
			}
			return n, nil
		}
	}
}
