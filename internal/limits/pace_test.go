package limits

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// flood sends as fast as the pace lets it for some time.
func flood(l *Limits, account string, size int, d time.Duration) (stanzas int) {
	p := l.Pace(account)
	defer p.Release(account)
	for end := time.Now().Add(d); time.Now().Before(end); stanzas++ {
		time.Sleep(p.Take(1, size))
	}
	return stanzas
}

func near(got, want, by int) bool { return got >= want-by && got <= want+by }

// Attack 58.
func TestASessionSendsAtItsPace(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		if n := flood(l, "alice", 100, time.Minute); !near(n, 2000+60*200, 2*batch) {
			t.Errorf("%d stanzas in a minute", n)
		}
	})
	within(t, nil, func(t *testing.T, l *Limits) {
		const size = 200 << 10
		if n := flood(l, "alice", size, time.Minute); !near(n*size, (8+60)<<20, 1<<20) {
			t.Errorf("%d bytes in a minute", n*size)
		}
	})
}

func TestManySessionsOfAnAccountShareItsPace(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		sum := make(chan int)
		for range 20 {
			go func() { sum <- flood(l, "alice", 100, time.Minute) }()
		}
		all := 0
		for range 20 {
			all += <-sum
		}
		if want := crowd * (2000 + 60*200); !near(all, want, 20*2*batch) {
			t.Errorf("%d stanzas in a minute, want %d", all, want)
		}
	})
}

func TestComingBackDoesNotEmptyAnAccountsDebt(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		all := 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			all += flood(l, "alice", 100, 500*time.Millisecond)
		}
		if want := crowd * (2000 + 60*200); all > want+1000 {
			t.Errorf("%d stanzas in a minute, at most %d", all, want)
		}
	})
}

func TestOneAccountsFloodIsNotHeldAgainstAnother(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		go flood(l, "mallory", 100, time.Minute)
		synctest.Wait()
		p := l.Pace("alice")
		for range 600 {
			if d := p.Take(1, 500); d != 0 {
				t.Fatal("alice pauses", d)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestStrangersHaveATenth(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p, n := l.Stranger(), 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); n++ {
			time.Sleep(p.Take(1, 1)) // white space, byte by byte
		}
		if !near(n, 200+60*20, 2*batch) {
			t.Errorf("%d elements in a minute", n)
		}
	})
}

func TestReleaseLetsGo(t *testing.T) {
	within(t, nil, func(t *testing.T, l *Limits) {
		p, q := l.Pace("alice"), l.Pace("alice")
		if p.account != q.account || p.account.pins != 2 {
			t.Error("two sessions do not share")
		}
		held := p.account
		p.Release("alice")
		p.Release("alice")
		q.Release("alice")
		if held.pins != 0 {
			t.Errorf("%d hold on", held.pins)
		}
	})
}

func TestRegistrationsAreByAddressPrefixAndServer(t *testing.T) {
	within(t, anyNumber, func(t *testing.T, l *Limits) {
		make := func(n int, origin func(i int) *Peer) (scope string) {
			for i := range n {
				if err := origin(i).Register(); err != nil {
					return err.(*Refused).Scope
				}
			}
			return ""
		}
		if s := make(10, func(int) *Peer { return guest(t, l, at(1, 1)) }); s != "" {
			t.Errorf("ten from one address: the %s refuses", s)
		}
		if s := make(1, func(int) *Peer { return guest(t, l, at(1, 1)) }); s != "address" {
			t.Errorf("eleven from one address: %q", s)
		}
		time.Sleep(time.Minute)
		if s := make(30, func(i int) *Peer { return guest(t, l, at(1, 2+i)) }); s != "" {
			t.Errorf("forty from a prefix: the %s refuses", s)
		}
		time.Sleep(time.Minute)
		if s := make(5, func(i int) *Peer { return guest(t, l, at(1, 100+i)) }); s != "prefix" {
			t.Errorf("more from a prefix: %q", s)
		}
		time.Sleep(time.Minute)
		if s := make(31, func(i int) *Peer { return guest(t, l, at(2+i, 1)) }); s != "server" {
			t.Errorf("more in a minute: %q", s)
		}
	})
}

func BenchmarkTake(b *testing.B) {
	cfg := Default()
	cfg.Stanzas, cfg.Bytes = 1<<30, 1<<30
	l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
	defer l.Close()
	b.RunParallel(func(pb *testing.PB) {
		p := l.Pace("alice") // all of one account, which is the worst
		defer p.Release("alice")
		for pb.Next() {
			p.Take(1, 800)
		}
	})
}
