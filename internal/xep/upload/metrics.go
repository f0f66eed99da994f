package upload

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"mirsal/internal/xmpp/stanza"
)

// metrics are the feature's numbers. Their help texts are the documentation.
type metrics struct {
	slots, puts, gets, swept *prometheus.CounterVec
	unused, full             prometheus.Counter
	in, out                  prometheus.Counter
	running                  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	one := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	bytes := vec("mirsal_upload_bytes_total", "Bytes of files, by direction: in or out.", "direction")
	m := &metrics{
		slots:   vec("mirsal_upload_slots_total", "Slots asked for, by result: given, or the condition of the refusal.", "result"),
		puts:    vec("mirsal_upload_puts_total", "Files put, by result.", "result"),
		gets:    vec("mirsal_upload_gets_total", "Files asked for, by result.", "result"),
		swept:   vec("mirsal_upload_swept_total", "Files removed by the sweeper: expired, or left by a crash or a failure.", "why"),
		unused:  one("mirsal_upload_slots_unused_total", "Slots that ended without a file."),
		full:    one("mirsal_upload_full_total", "Slots refused because the disk has too little room."),
		in:      bytes.WithLabelValues("in"),
		out:     bytes.WithLabelValues("out"),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "mirsal_upload_running", Help: "Files that are being put."}),
	}
	if reg != nil {
		reg.MustRegister(m.slots, m.puts, m.gets, m.swept, m.unused, m.full, bytes, m.running)
	}
	return m
}

// slot counts an answer to a request for a slot.
func (m *metrics) slot(err error) {
	result := "given"
	if err != nil {
		result = string(stanza.InternalServerError)
		var refused *stanza.StanzaError
		if errors.As(err, &refused) {
			result = string(refused.Condition)
		}
	}
	m.slots.WithLabelValues(result).Inc()
}
