// Package doctor looks at everything that a Mirsal needs, whether it runs or not,
// and says in sentences what it found and what to do about it.
//
// It changes nothing: it takes no lock, opens no database and leaves no file behind.
// It judges only what can be seen from this machine. Invariants: what is asked of
// the network is bounded in time and size; a finding that is no comfort comes with a
// remedy; the names of checks are stable (docs/ops/doctor.md lists them).
package doctor

import (
	"context"
	"strings"
	"sync"
	"time"

	"mirsal/internal/config"
	"mirsal/internal/xmpp/jid"
)

// Level is how much a finding matters.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Notice  Level = "notice"  // good to know; nothing need be done
	Warning Level = "warning" // works, but not as it should, or not for long
	Problem Level = "problem" // something does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string `json:"check"` // stable name, as in "dns.domain"
	Group  string `json:"group"` // heading
	Level  Level  `json:"level"`
	Text   string `json:"text"`             // a sentence
	Remedy string `json:"remedy,omitempty"` // what to do, in a sentence or two
}

// Report is everything that was found, in a fixed order of groups.
type Report struct {
	Version  int       `json:"version"` // of this shape: 1
	Domain   string    `json:"domain"`
	Data     string    `json:"data"`
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Findings []Finding `json:"findings"`
}

// Options say what to look at.
type Options struct {
	Load   func() (config.Config, error) // as serve would
	File   string                        // configuration file, "" for none
	Folder func(dir string) error        // whether the data folder may be ours
	World  *World                        // nil for the real one
}

// patience is how long one look at the network may take.
const patience = 5 * time.Second

// exam is one examination; its checks only read it.
type exam struct {
	*World
	o      Options
	cfg    config.Config
	domain jid.JID
	server running
	of     ownership
}

// group is a heading and the checks below it.
type group struct {
	name  string
	check func(*exam, context.Context) []Finding
}

// groups are in the order of the report.
func groups() []group {
	return []group{
		{"Configuration", (*exam).configuration},
		{"Server", (*exam).running},
		{"Data", (*exam).data},
		{"Files and push", (*exam).services},
		{"Calls", (*exam).calls},
		{"Certificate", (*exam).certificate},
		{"DNS", (*exam).dns},
		{"Ports", (*exam).ports},
		{"Machine", (*exam).machine},
	}
}

// Examine looks at everything, which takes some seconds at most.
func Examine(ctx context.Context, o Options) Report {
	e := &exam{World: o.World, o: o}
	if e.World == nil {
		e.World = Real()
	}
	list := groups()
	cfg, err := o.Load()
	if err == nil {
		e.cfg = cfg
		e.domain, err = jid.Parse(cfg.Domain)
	}
	if err != nil {
		return e.withoutConfiguration(ctx, err)
	}
	e.server = e.Running(ctx, cfg.Data)
	e.adopt()
	return e.report(ctx, list)
}

// withoutConfiguration is the report when nothing is known of the server: only the
// machine can be looked at.
func (e *exam) withoutConfiguration(ctx context.Context, err error) Report {
	e.cfg = config.Default()
	r := e.report(ctx, []group{
		{"Configuration", func(*exam, context.Context) []Finding {
			return []Finding{
				{"config.load", "", Problem, sentence("The configuration cannot be used: " + strings.TrimPrefix(err.Error(), "configuration: ")), "Mend that; `mirsal config` prints every key with its meaning. The server does not start like this."},
				{"config.rest", "", Notice, "What depends on the configuration was not looked at.", ""},
			}
		}},
		{"Machine", (*exam).machine},
	})
	r.Domain, r.Data = "", ""
	return r
}

// sentence ends what may end already, as errors with advice do.
func sentence(s string) string {
	if strings.HasSuffix(s, "?") || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// report runs the groups side by side: most of them wait.
func (e *exam) report(ctx context.Context, list []group) Report {
	r := Report{Version: 1, Domain: e.cfg.Domain, Data: e.cfg.Data, Findings: []Finding{}}
	found := make([][]Finding, len(list))
	var run sync.WaitGroup
	for i, g := range list {
		run.Go(func() { found[i] = g.check(e, ctx) })
	}
	run.Wait()
	for i, g := range list {
		for _, f := range found[i] {
			f.Group = g.name
			r.Findings = append(r.Findings, f)
			switch f.Level {
			case Problem:
				r.Problems++
			case Warning:
				r.Warnings++
			}
		}
	}
	return r
}
