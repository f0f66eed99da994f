package pubsub

import "sync"

// How the service for all sends: up to outboxDirect messages at once on the goroutine
// of whoever causes them. More are left to a goroutine, which outboxJobs may wait for:
// then who publishes waits, and with him all who want something of the service.
const (
	outboxDirect = 100
	outboxJobs   = 64
)

// outbox sends in the order in which it is given what is to be sent. Its owner's lock
// is held by whoever puts something in.
type outbox struct {
	slots chan struct{} // one for each job that waits
	run   sync.WaitGroup

	mu   sync.Mutex // held for single operations
	jobs []func()
	busy bool // a goroutine is at it
}

// put does a job that sends so many messages, now or behind those that wait.
func (o *outbox) put(job func(), messages int) {
	o.mu.Lock()
	busy := o.busy
	o.mu.Unlock()
	if !busy && messages <= outboxDirect {
		job()
		return
	}
	o.slots <- struct{}{}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.jobs = append(o.jobs, job)
	if !o.busy {
		o.busy = true
		o.run.Go(o.work)
	}
}

// work does jobs until there are none.
func (o *outbox) work() {
	for {
		o.mu.Lock()
		if len(o.jobs) == 0 {
			o.busy = false
			o.mu.Unlock()
			return
		}
		job := o.jobs[0]
		o.jobs = o.jobs[1:]
		o.mu.Unlock()
		job()
		<-o.slots
	}
}

// Wait waits until all that was to be sent has been sent.
func (s *Service) Wait() { s.outbox.run.Wait() }
