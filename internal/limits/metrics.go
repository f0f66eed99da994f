package limits

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the budgets' numbers. Their help texts are the documentation.
type Metrics struct {
	refused, delayed, displaced *prometheus.CounterVec
	logins, handshakes          prometheus.Gauge
	reg                         prometheus.Registerer
}

// NewMetrics makes the numbers and registers them where reg is not nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	waiting := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mirsal_limits_waiting", Help: "Handshakes and logins that wait for their turn."}, []string{"budget"})
	m := &Metrics{
		refused:   vec("mirsal_limits_refused_total", "What was refused for a budget, by budget and by whose it was.", "budget", "scope"),
		delayed:   vec("mirsal_limits_delayed_total", "What had to wait for a budget, by budget and by whose it was.", "budget", "scope"),
		displaced: vec("mirsal_limits_displaced_total", "Connections without a login that made room for newer ones, by what was full.", "scope"),
		logins:    waiting.WithLabelValues("logins"), handshakes: waiting.WithLabelValues("handshakes"), reg: reg,
	}
	if reg != nil {
		reg.MustRegister(m.refused, m.delayed, m.displaced, waiting)
	}
	return m
}

// watch adds what is read off the budgets when asked.
func (m *Metrics) watch(l *Limits) {
	if m.reg == nil {
		return
	}
	m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mirsal_limits_strangers", Help: "Streams without a login.",
	}, func() float64 { return float64(l.Strangers()) }))
	m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mirsal_limits_web", Help: "Connections over HTTP that are no WebSockets.",
	}, func() float64 { return float64(l.Held(Web) + l.Held(Proxied) + l.Held(Ops)) }))
}

// notes tell the operator of refusals: at once when they begin, then how many
// there were, a line a minute for a budget at most.
type notes struct {
	log *slog.Logger

	mu     sync.Mutex // held for moments
	open   map[string]*note
	closed bool
}

type note struct {
	count int
	last  netip.Prefix
	timer *time.Timer
}

const noteEvery = time.Minute

func newNotes(log *slog.Logger) *notes { return &notes{log: log, open: map[string]*note{}} }

// add counts one refusal.
func (n *notes) add(budget, scope string, from netip.Prefix) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if o := n.open[budget]; o != nil {
		o.count, o.last = o.count+1, from
		return
	}
	n.open[budget] = &note{timer: time.AfterFunc(noteEvery, func() { n.tell(budget) })}
	n.log.Info("over a limit", "budget", budget, "scope", scope, "from", from)
}

// tell says what the last minute was like.
func (n *notes) tell(budget string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.open[budget]
	if n.closed || o.count == 0 {
		delete(n.open, budget)
		return
	}
	n.log.Info("over a limit, in the last minute", "budget", budget, "times", o.count, "lately_from", o.last)
	o.count = 0
	o.timer.Reset(noteEvery)
}

func (n *notes) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, o := range n.open {
		o.timer.Stop()
	}
}
