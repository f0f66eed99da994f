package call

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// sampleMost is how many refusals of one minute the log shows.
const sampleMost = 10

// metrics are the counters. Their help texts are the documentation.
type metrics struct {
	refused  *prometheus.CounterVec
	attempts *prometheus.CounterVec

	mu     sync.Mutex // guards what follows
	minute time.Time
	shown  int
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mirsal_call_refusals_total",
			Help: "Stanzas of calls that were refused, by reason: those of the grammar (docs/protocol/calls.md), misplaced (not from person to person), uninvited (a session that nobody accepted), second (another device had accepted), rule (an operator's).",
		}, []string{"reason"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mirsal_call_attempts_total",
			Help: "Calls that were proposed, by what became of it: ring, link (it rang by a call link), stranger, often or rule (silent: not a contact, over a budget, refused by an operator's rule).",
		}, []string{"outcome"}),
	}
	if reg != nil {
		reg.MustRegister(m.refused, m.attempts)
	}
	return m
}

// sample tells whether one more refusal is to be shown.
func (m *metrics) sample() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.minute) >= time.Minute {
		m.minute, m.shown = now, 0
	}
	m.shown++
	return m.shown <= sampleMost
}
