package archive

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/store"
)

// metrics are the archive's counters. Their help texts are the documentation.
type metrics struct {
	groups, records, bytes, repeats, failures, panics, expired prometheus.Counter
	seconds                                                    prometheus.Counter
	healthy                                                    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "mirsal_archive_" + name, Help: help})
	}
	m := &metrics{
		groups:   counter("groups_total", "Groups made durable, one disk sync each."),
		records:  counter("records_total", "Messages made durable."),
		bytes:    counter("bytes_total", "Bytes of these messages."),
		seconds:  counter("commit_seconds_total", "Time from the start of a group's commit to its durability, failed tries included."),
		repeats:  counter("repeats_total", "Messages recognised as sent before."),
		failures: counter("failures_total", "Groups that could not be written and are tried again."),
		panics:   counter("panics_total", "Messages whose delivery broke an invariant. Must stay 0."),
		expired:  counter("expired_total", "Messages removed because their time was over."),
		healthy:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "mirsal_archive_healthy", Help: "0 while messages cannot be stored."}),
	}
	m.healthy.Set(1)
	if reg != nil {
		reg.MustRegister(m.groups, m.records, m.bytes, m.seconds, m.repeats, m.failures, m.panics, m.expired, m.healthy)
	}
	return m
}

func (m *metrics) wrote(g *store.Group, took time.Duration) {
	m.groups.Inc()
	m.seconds.Add(took.Seconds())
	m.records.Add(float64(len(g.Records)))
	n := 0
	for i := range g.Records {
		n += len(g.Records[i].Body)
	}
	m.bytes.Add(float64(n))
}
