package rooms

import (
	"sync"
	"time"

	"mirsal/internal/lru"
)

// paced lets each key do something so many times at once and again after pauses.
// It remembers the latest few thousand keys.
type paced[K comparable] struct {
	burst int
	pause time.Duration

	mu    sync.Mutex               // held for single operations
	spent *lru.Cache[K, time.Time] // when all that was taken will be there again
}

func newPaced[K comparable](burst int, pause time.Duration) *paced[K] {
	return &paced[K]{burst: burst, pause: pause, spent: lru.New[K, time.Time](8192)}
}

// take takes n, or nothing when there are not as many; wait says for how long.
func (p *paced[K]) take(key K, n int) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	full, _ := p.spent.Get(key)
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Duration(n) * p.pause)
	if over := full.Sub(now) - time.Duration(p.burst)*p.pause; over > 0 {
		return over
	}
	p.spent.Put(key, full, 1)
	return 0
}

// give gives back what was taken.
func (p *paced[K]) give(key K, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if full, ok := p.spent.Get(key); ok {
		p.spent.Put(key, full.Add(-time.Duration(n)*p.pause), 1)
	}
}
