package push

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters. Their help texts are the documentation.
type metrics struct {
	outcomes *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, f *Push) *metrics {
	m := &metrics{outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mirsal_push_total",
		Help: "Push notifications by where they went (web, component) and outcome: sent, refused, later (may work later), ended (the service wants no more).",
	}, []string{"to", "outcome"})}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.outcomes)
	for _, state := range []string{"ok", "failing", "paused", "ended", "never-used"} {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "mirsal_push_registrations", Help: "Push registrations by their state.", ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(f.inState(state)) }))
	}
	return m
}

func (f *Push) inState(state string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.of {
		for _, r := range a.regs {
			if r.health.state() == state {
				n++
			}
		}
	}
	return n
}

// way is the metric's word for where a registration's notifications go.
func (r *registration) way(f *Push) string {
	if r.service == f.site {
		return "web"
	}
	return "component"
}
