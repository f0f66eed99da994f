package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/store"
)

// cpu is the processor time of the process so far, all threads and the kernel's
// part included.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// groupOf makes a group of messages of 700 bytes, each for two of the owners.
func groupOf(size, owners int, first uint64) *store.Group {
	g := &store.Group{First: first, Time: int64(first)}
	body := bytes.Repeat([]byte("x"), 700)
	for i := range size {
		n := (int(first) + i) * 7919
		from, to := fmt.Sprintf("user%d@example.org", n%owners), fmt.Sprintf("user%d@example.org", (n/owners+n+1)%owners)
		g.Records = append(g.Records, store.Record{Time: int64(first), Body: body,
			Entries: []store.Entry{{Owner: from, Peer: to, Flags: 1}, {Owner: to, Peer: from}}})
	}
	return g
}

// knowNames gives every owner a number beforehand, as in a server that has run
// for a while.
func knowNames(b *testing.B, s *engine, owners int) {
	var r store.Record
	for i := range owners {
		r.Entries = append(r.Entries, store.Entry{Owner: fmt.Sprintf("user%d@example.org", i), Peer: "user0@example.org"})
		if len(r.Entries) == 1000 || i == owners-1 {
			if err := s.Append(&store.Group{First: s.Last() + 1, Records: []store.Record{r}}); err != nil {
				b.Fatal(err)
			}
			r.Entries = nil
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ size, owners int }{{128, 100}, {128, 2000}, {128, 100000}, {8, 2000}, {1, 2000}} {
		b.Run(fmt.Sprintf("group=%d/owners=%d", c.size, c.owners), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{})
			knowNames(b, s, c.owners)
			var groups []*store.Group
			for i := range b.N {
				groups = append(groups, groupOf(c.size, c.owners, s.Last()+uint64(i*c.size)+1))
			}
			var took []time.Duration
			b.ResetTimer()
			before := cpu(b)
			for _, g := range groups {
				began := time.Now()
				if err := s.Append(g); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N*c.size), "cpu-µs/msg")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
			b.ReportMetric(float64(took[len(took)-1])/1e6, "worst-ms")
		})
	}
}

func BenchmarkPage(b *testing.B) {
	s := open(b, b.TempDir(), Options{Synchronous: "OFF"})
	const owners = 100
	for first := uint64(1); first < 40000; first += 128 {
		if err := s.Append(groupOf(128, owners, first)); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		q    store.Query
	}{{"tail", store.Query{Backward: true}}, {"index", store.Query{}}, {"index/backward", store.Query{Backward: true, Before: 9000}}} {
		b.Run(c.name, func(b *testing.B) {
			before := cpu(b)
			for i := range b.N {
				c.q.Owner, c.q.Limit = fmt.Sprintf("user%d@example.org", i%owners), 50
				rows, _, err := s.Page(context.Background(), c.q)
				if err != nil || len(rows) != 50 {
					b.Fatalf("%d rows, %v", len(rows), err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N), "cpu-µs/page")
		})
	}
}

func BenchmarkDelete(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	for first := uint64(1); first < uint64(b.N+128); first += 128 {
		if err := s.Append(groupOf(128, 100, first)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	before := cpu(b)
	for i := range b.N {
		if err := s.Delete(context.Background(), []uint64{uint64(i + 1)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N), "cpu-µs/delete")
}

func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	bucket := s.Declare(store.Space{Name: "s", Fields: "f", Purpose: "p"})
	before := cpu(b)
	for i := range b.N {
		if err := bucket.Put(context.Background(), "alice@example.org", fmt.Sprint(i%1000), []byte("value")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N), "cpu-µs/put")
}
