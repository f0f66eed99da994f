package c2s

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the port's counters. Their help texts are the documentation.
type Metrics struct {
	accepted, refused, panics prometheus.Counter
	handshakes, logins        *prometheus.CounterVec
}

// NewMetrics makes the counters and registers them where reg is not nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Metrics{
		accepted:   counter("mirsal_c2s_connections_total", "Connections accepted from clients."),
		refused:    counter("mirsal_c2s_refused_total", "Connections refused because too many had not logged in yet."),
		panics:     counter("mirsal_c2s_panics_total", "Connections that ended by a fault of the server."),
		handshakes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirsal_c2s_handshakes_total", Help: "TLS handshakes, by outcome."}, []string{"outcome"}),
		logins:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mirsal_c2s_logins_total", Help: "Authentication attempts, by outcome."}, []string{"outcome"}),
	}
	if reg != nil {
		reg.MustRegister(m.accepted, m.refused, m.panics, m.handshakes, m.logins)
	}
	return m
}
