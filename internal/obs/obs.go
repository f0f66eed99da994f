// Package obs makes what the operator sees of a running server: the logger, the
// registry of metrics, and the handler of the ops port. What is logged and
// counted is each package's own business.
//
// Invariants: nothing here is global, so two servers in one process do not mix;
// the handler tells states and numbers, never content.
package obs

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewLogger logs to w. Levels are debug, info, warn and error, formats text and json.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("log format %q is neither text nor json", format)
}

// NewRegistry returns a registry with the metrics of the Go runtime and of the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Check tells whether a part can do its work: nil, or why it cannot. It must be
// quick and may be called from many goroutines at a time.
type Check struct {
	Name string
	Ok   func() error
}

// Handler serves /metrics, /healthz (the process lives) and /readyz (every check
// passes; those that do not are named, their reasons too).
//
// With profiles, /debug/pprof/ serves profiles of the running program as well.
func Handler(metrics prometheus.Gatherer, profiles bool, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	checks = slices.Clone(checks)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, failed(checks)) })
	return mux
}

func failed(checks []Check) (lines []string) {
	for _, c := range checks {
		if err := c.Ok(); err != nil {
			lines = append(lines, c.Name+": "+err.Error())
		}
	}
	return lines
}

func answer(w http.ResponseWriter, trouble []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(trouble) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, strings.Join(trouble, "\n")+"\n")
		return
	}
	io.WriteString(w, "ok\n")
}
