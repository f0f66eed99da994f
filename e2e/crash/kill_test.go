package crash

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
)

// patience bounds every wait for something that should come.
const patience = 60 * time.Second

// kills is how many kills to make, of those that a run by itself makes.
func kills(t *testing.T, usual int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("MIRSAL_CRASH_KILLS"))
	if os.Getenv("MIRSAL_CRASH_KILLS") == "" {
		return usual
	}
	if err != nil || n < 1 {
		t.Fatalf("MIRSAL_CRASH_KILLS=%q is no number", os.Getenv("MIRSAL_CRASH_KILLS"))
	}
	return n
}

func TestKillsLoseNothingAndRepeatNothing(t *testing.T) {
	t.Run("in clear", func(t *testing.T) { survive(t, kills(t, 40), false) })
	t.Run("over TLS", func(t *testing.T) { survive(t, 8, true) })
}

// survive kills the server under traffic and then audits what everybody has.
func survive(t *testing.T, kills int, tls bool) {
	o := mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=" + strconv.FormatBool(tls), "--set", "log.level=warn"}}
	s := mirsal.Start(t, o)
	names := []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace"}
	s.Accounts(password, names...)
	c := assemble(t, s, names, tls)
	for i := range kills {
		c.letThemTalk(t, i)
		s.Kill()
		if err := s.Start(); err != nil {
			t.Fatalf("after kill %d: %v", i+1, err)
		}
		if c.complaints(t) {
			t.Fatalf("after kill %d", i+1)
		}
	}
	c.settle(t)
	c.audit(t, kills)
}

// company are people who write to each other.
type company struct {
	all  []*person
	hush chan struct{} // closed: nobody writes any more
	over context.CancelFunc
	run  sync.WaitGroup
}

func assemble(t *testing.T, s *mirsal.Server, names []string, tls bool) *company {
	ctx, cancel := context.WithCancel(t.Context())
	c := &company{hush: make(chan struct{}), over: cancel}
	for i, name := range names {
		others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		p := newPerson(s, name, others, tls)
		p.old = i%2 == 1
		c.all = append(c.all, p)
		c.run.Go(func() { p.live(ctx, c.hush) })
	}
	t.Cleanup(func() { cancel(); c.run.Wait() })
	return c
}

// letThemTalk returns at a random instant: mostly under full traffic, sometimes
// while people are still coming back.
func (c *company) letThemTalk(t *testing.T, round int) {
	if round%4 != 3 {
		c.await(t, "everybody to be connected", func(p *person) bool { return p.conn != nil })
	}
	time.Sleep(time.Duration(rand.IntN(150_000)) * time.Microsecond)
	if round%3 != 0 {
		return
	}
	// a lost connection, while the server lives on
	p := c.all[rand.IntN(len(c.all))]
	p.mu.Lock()
	if p.conn != nil {
		p.conn.Kill()
		p.counts.dropped++
	}
	p.mu.Unlock()
	time.Sleep(time.Duration(rand.IntN(100_000)) * time.Microsecond)
}

func (c *company) await(t *testing.T, what string, done func(p *person) bool) {
	t.Helper()
	until := time.Now().Add(patience)
	for _, p := range c.all {
		for {
			p.mu.Lock()
			ok := done(p)
			p.mu.Unlock()
			if ok {
				break
			}
			if time.Now().After(until) {
				c.complaints(t)
				t.Fatalf("waited in vain for %s: %s", what, p.state())
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func (c *company) complaints(t *testing.T) bool {
	t.Helper()
	found := false
	for _, p := range c.all {
		p.mu.Lock()
		for _, s := range p.problems {
			t.Error(s)
			found = true
		}
		p.problems = nil
		p.mu.Unlock()
	}
	return found
}

// settle waits until everything written is acknowledged and everybody has
// repaired, then ends all connections.
func (c *company) settle(t *testing.T) {
	t.Helper()
	close(c.hush)
	c.await(t, "everything to be acknowledged", func(p *person) bool {
		return p.conn != nil && !p.catching && !slices.ContainsFunc(p.notes, func(n *note) bool { return !n.acked })
	})
	// whoever repairs now has all of it
	for _, p := range c.all {
		p.mu.Lock()
		p.more <- p.page()
		p.mu.Unlock()
	}
	c.await(t, "the last repair", func(p *person) bool { return !p.catching })
	c.over()
	c.run.Wait()
}

// audit compares what was written with every archive and with what was shown;
// everybody's goroutines have ended.
func (c *company) audit(t *testing.T, kills int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	archives := map[string]archive{}
	for _, p := range c.all {
		all, err := p.whole(ctx)
		if err != nil {
			t.Fatalf("the archive of %s: %v", p.name, err)
		}
		checkOrder(t, p.name, all)
		archives[p.name] = index(all)
	}
	var r result
	for _, p := range c.all {
		r.add(t, c, p, archives)
	}
	c.complaints(t)
	t.Logf("%d kills: %d messages acknowledged, %d lost, %d shown or kept twice; %d sessions resumed, %d refused (%d without h), %d stanzas sent again",
		kills, r.written, r.lost, r.twice, r.resumed, r.failed, r.failedWithoutH, r.resent)
	if r.lost > 0 || r.twice > 0 || r.written < 10*kills {
		t.Fail()
	}
}

// checkOrder holds each sender's messages to the order of their numbers.
func checkOrder(t *testing.T, owner string, all []entry) {
	t.Helper()
	last := map[string]int{}
	for _, e := range all {
		from, n := splitKey(e.key)
		if before, any := last[from]; any && n <= before {
			t.Errorf("archive of %s: %s stands behind %s:%d", owner, e.key, from, before)
		}
		last[from] = n
	}
}

// archive is what somebody's archive has: how often each message, and what each
// id stands for.
type archive struct {
	times map[string]int
	ids   map[string]string
}

func index(all []entry) archive {
	a := archive{map[string]int{}, map[string]string{}}
	for _, e := range all {
		a.times[e.key]++
		a.ids[e.id] = e.key
	}
	return a
}

type result struct {
	counts
	written, lost, twice int
}

// add checks everything that p wrote, and that p saw no more than the archive has.
func (r *result) add(t *testing.T, c *company, p *person, archives map[string]archive) {
	t.Helper()
	r.resumed += p.counts.resumed
	r.failed += p.counts.failed
	r.failedWithoutH += p.counts.failedWithoutH
	r.resent += p.counts.resent
	r.twice += p.counts.repeated
	for _, n := range p.notes {
		r.written++
		for _, owner := range []string{p.name, n.to} {
			r.tally(t, n.key+" in the archive of "+owner, archives[owner].times[n.key])
		}
		if c.find(n.to).shown[n.key] == "" { // show and unique complain of a second time by themselves
			r.tally(t, n.key+" as seen by "+n.to, 0)
		}
	}
	for id, key := range p.ids {
		if archives[p.name].ids[id] != key {
			t.Errorf("%s saw %s as %s, which the archive does not have", p.name, key, id)
		}
	}
}

func (r *result) tally(t *testing.T, what string, n int) {
	t.Helper()
	switch {
	case n == 0:
		r.lost++
		t.Errorf("lost: %s", what)
	case n > 1:
		r.twice++
		t.Errorf("%d times: %s", n, what)
	}
}

func (c *company) find(name string) *person {
	i := slices.IndexFunc(c.all, func(p *person) bool { return p.name == name })
	return c.all[i]
}
