package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"mirsal/internal/store"
)

func removalTests() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"delete removes from every archive":         deletes,
		"deleted numbers stay used":                 lastStays,
		"expire removes the oldest up to its limit": expires,
		"expire removes marks with their group":     expiresMarks,
		"a payload is replaced in its place":        replaces,
		"forget leaves the other owner's copy":      forgets,
	}
}

func ownersSeqs(t *testing.T, s store.Store, owner string) []uint64 {
	t.Helper()
	rows, _, err := s.Page(background(), store.Query{Owner: owner, Limit: 1000})
	must(t, err)
	if n, err := s.Count(background(), store.Query{Owner: owner}); err != nil || n != len(rows) {
		t.Errorf("count %d of %d rows, %v", n, len(rows), err)
	}
	return seqsOf(rows)
}

func deletes(t *testing.T, s store.Store) {
	must(t, s.Append(&store.Group{First: 1, Time: 1, Records: []store.Record{
		between(1, alice, bob, "1"), between(1, alice, bob, "2"), between(1, alice, bob, "3")}}))
	must(t, s.Delete(background(), []uint64{2, 9, 0, 2, 1<<63 + 5}))
	for _, owner := range []string{alice, bob} {
		if got := ownersSeqs(t, s, owner); !slices.Equal(got, []uint64{1, 3}) {
			t.Errorf("%s has %v", owner, got)
		}
	}
	if rows, err := s.Find(background(), alice, []uint64{1, 2}); err != nil || len(rows) != 1 {
		t.Errorf("found %v, %v", rows, err)
	}
	want := []store.Record{between(1, alice, bob, "1"), {}, between(1, alice, bob, "3")}
	if g := collect(t, s, 0); len(g) != 1 || !reflect.DeepEqual(g[0].Records, want) {
		t.Errorf("replayed %+v", g)
	}
}

func replaces(t *testing.T, s store.Store) {
	must(t, s.Append(&store.Group{First: 1, Time: 1, Records: []store.Record{
		between(1, alice, bob, "1"), between(2, alice, bob, "2"), between(3, alice, bob, "3")}}))
	must(t, s.Replace(background(), 2, []byte("other")))
	for _, seq := range []uint64{0, 4, 1<<63 + 2} {
		if err := s.Replace(background(), seq, []byte("x")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%d: %v", seq, err)
		}
	}
	for _, owner := range []string{alice, bob} {
		rows, err := s.Find(background(), owner, []uint64{2})
		if err != nil || len(rows) != 1 || string(rows[0].Body) != "other" || rows[0].Time != 2 {
			t.Errorf("%s has %+v, %v", owner, rows, err)
		}
		if got := ownersSeqs(t, s, owner); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Errorf("%s has %v", owner, got)
		}
	}
	must(t, s.Delete(background(), []uint64{2}))
	if err := s.Replace(background(), 2, []byte("back")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
}

func lastStays(t *testing.T, s store.Store) {
	fill(t, s)
	var all []uint64
	for seq := range uint64(61) {
		all = append(all, seq)
	}
	must(t, s.Delete(background(), all))
	if s.Last() != 60 || len(collect(t, s, 0)) != 0 || len(ownersSeqs(t, s, alice)) != 0 {
		t.Errorf("last %d, groups %v", s.Last(), collect(t, s, 0))
	}
	if err := s.Append(&store.Group{First: 60, Time: 1, Records: []store.Record{between(1, alice, bob, "x")}}); err == nil {
		t.Error("a deleted number was taken again")
	}
	must(t, s.Append(&store.Group{First: 61, Time: 1, Records: []store.Record{between(1, alice, bob, "x")}}))
}

func expires(t *testing.T, s store.Store) {
	fill(t, s) // groups begin at 1, 2, 4, 7, 11, 16, … with the time of their first
	for _, c := range []struct {
		before int64
		limit  int
		n      int
		first  uint64
	}{{1010, 9, 0, 1}, {1100, 4, 4, 5}, {1100, 0, 0, 5}, {1100, 100, 6, 11}, {1100, 100, 0, 11}, {1110, 1, 0, 11}, {1111, 100, 5, 16}} {
		n, err := s.Expire(background(), c.before, c.limit)
		if err != nil || n != c.n {
			t.Errorf("expire %d %d: %d, %v", c.before, c.limit, n, err)
		}
		if got := ownersSeqs(t, s, alice); len(got) == 0 || got[0] != c.first || got[len(got)-1] != 60 {
			t.Errorf("expire %d %d left %v", c.before, c.limit, got)
		}
	}
}

func expiresMarks(t *testing.T, s store.Store) {
	mark := []store.Mark{{H: 1}}
	must(t, s.Append(&store.Group{First: 1, Time: 10, Marks: mark, Records: []store.Record{between(1, alice, bob, "1"), between(1, alice, bob, "2")}}))
	must(t, s.Append(&store.Group{Time: 10, Marks: mark}))
	must(t, s.Append(&store.Group{Time: 20, Marks: mark}))
	for i, c := range []struct{ limit, n, left int }{{1, 1, 3}, {1, 1, 2}, {5, 1, 1}, {5, 0, 1}} {
		n, err := s.Expire(background(), 20, c.limit)
		if left := len(collect(t, s, 0)); err != nil || n != c.n || left != c.left {
			t.Errorf("step %d: %d expired, %d groups left, %v", i, n, left, err)
		}
	}
	must(t, s.Append(&store.Group{First: 3, Time: 30, Marks: mark, Records: []store.Record{between(1, alice, bob, "3")}}))
	must(t, s.Delete(background(), []uint64{3}))
	groups := collect(t, s, 30)
	if want := []store.Group{{Time: 30, Marks: mark}}; !reflect.DeepEqual(groups, want) {
		t.Errorf("a deletion left %+v, want the marks", groups)
	}
}

func forgets(t *testing.T, s store.Store) {
	var g store.Group
	g.First, g.Time = 1, 1
	for i := range 6 {
		g.Records = append(g.Records, between(1, alice, bob, fmt.Sprint(i)))
	}
	g.Records[1].Entries = g.Records[1].Entries[:1] // alice's alone
	g.Records[4].Entries = g.Records[4].Entries[1:] // bob's alone
	must(t, s.Append(&g))
	must(t, s.Forget(background(), "nobody@example.org"))
	must(t, s.Forget(background(), alice))
	if got := ownersSeqs(t, s, alice); len(got) != 0 {
		t.Errorf("alice still has %v", got)
	}
	if got := ownersSeqs(t, s, bob); !slices.Equal(got, []uint64{1, 3, 4, 5, 6}) {
		t.Errorf("bob has %v", got)
	}
	left := collect(t, s, 0)[0].Records
	if len(left) != 6 || left[1].Body != nil || len(left[0].Entries) != 1 || left[0].Entries[0].Owner != bob {
		t.Errorf("left %+v", left)
	}
	must(t, s.Append(&store.Group{First: 7, Time: 1, Records: []store.Record{between(1, bob, alice, "again")}}))
	if got := ownersSeqs(t, s, alice); !slices.Equal(got, []uint64{7}) {
		t.Errorf("alice, come back, has %v", got)
	}
}
