package turn

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the relay's numbers. Their help texts are the documentation.
type Metrics struct {
	allocations, connections prometheus.Gauge
	made, failed             prometheus.Counter
	refused, dropped         *prometheus.CounterVec
	bytes                    *prometheus.CounterVec
	sent, received           prometheus.Counter
}

// NewMetrics makes the numbers and registers them where reg is not nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	count := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		allocations: gauge("mirsal_turn_allocations", "Relay addresses that are given out."),
		connections: gauge("mirsal_turn_connections", "Connections to the relay over TCP and TLS."),
		made:        count("mirsal_turn_allocations_total", "Relay addresses that were given out."),
		failed:      count("mirsal_turn_errors_total", "Requests and packets that the relay could not serve: malformed, without permission, by a wrong password, over a quota."),
		refused:     vec("mirsal_turn_refused_total", "What the relay refused, by why: credentials, expired, account, address, server (quotas), peer.", "why"),
		dropped:     vec("mirsal_turn_dropped_total", "Packets that were dropped, by why: flood, rate, peer.", "why"),
		bytes:       vec("mirsal_turn_bytes_total", "Bytes that were relayed, to peers and from them.", "direction"),
	}
	m.sent, m.received = m.bytes.WithLabelValues("to"), m.bytes.WithLabelValues("from")
	if reg != nil {
		reg.MustRegister(m.allocations, m.connections, m.made, m.failed, m.refused, m.dropped, m.bytes)
	}
	return m
}
