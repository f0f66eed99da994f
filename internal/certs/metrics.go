package certs

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what is counted of certificates. The help texts are the documentation.
type Metrics struct {
	certs    atomic.Pointer[Certs] // whose certificates; nil before there are any
	notAfter *prometheus.Desc
	failures prometheus.Counter
}

// NewMetrics makes the metrics and registers them where reg is not nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		notAfter: prometheus.NewDesc("mirsal_certificate_not_after_timestamp_seconds",
			"When the certificate in use for a name ends; nothing while there is none.", []string{"name"}, nil),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mirsal_certificate_failures_total",
			Help: "Certificates that could not be obtained, renewed or read; the one in use stayed.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m, m.failures)
	}
	return m
}

// Describe satisfies prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.notAfter }

// Collect satisfies prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	c := m.certs.Load()
	if c == nil {
		return
	}
	for name, l := range c.current.Load().all(ASCII(c.domain)) {
		ch <- prometheus.MustNewConstMetric(m.notAfter, prometheus.GaugeValue, float64(l.cert.Leaf.NotAfter.Unix()), name)
	}
}
