package core

import (
	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/xmpp/stanza"
)

// metrics are the router's counters. Their help texts are the documentation.
type metrics struct {
	received       [stanza.IQ + 1]prometheus.Counter
	delivered      prometheus.Counter
	overflows      prometheus.Counter
	noticesDropped prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, dir *Directory) *metrics {
	m := &metrics{
		delivered:      prometheus.NewCounter(prometheus.CounterOpts{Name: "mirsal_deliveries_total", Help: "Messages put into a session's queue, copies included."}),
		overflows:      prometheus.NewCounter(prometheus.CounterOpts{Name: "mirsal_queue_overflows_total", Help: "Sessions closed because too much waited for them."}),
		noticesDropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "mirsal_notices_dropped_total", Help: "Notices that observers were too slow for."}),
	}
	in := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirsal_stanzas_received_total", Help: "Stanzas received from sessions, by kind."}, []string{"kind"})
	for k := stanza.Message; k <= stanza.IQ; k++ {
		m.received[k] = in.WithLabelValues(k.String())
	}
	sessions := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "mirsal_sessions", Help: "Bound sessions, hibernating ones included."},
		func() float64 { return float64(dir.Count()) })
	if reg != nil {
		reg.MustRegister(m.delivered, m.overflows, m.noticesDropped, in, sessions)
	}
	return m
}
