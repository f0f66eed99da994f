package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"mirsal/internal/store"
)

func logTests() map[string]func(*testing.T, store.Store) {
	return map[string]func(*testing.T, store.Store){
		"every bound pages both ways":                   pages,
		"pages walk the whole archive without a gap":    walks,
		"a page has peer, flags, time and body":         wholeRow,
		"bodies are copied and an empty one is kept":    bodiesCopied,
		"find returns only the owner's, once, in order": finds,
		"replay returns the groups as they came":        replays,
		"replay stops at an error":                      replayStops,
		"numbers may skip and may not go back":          sequence,
		"a group may hold marks only, or nothing":       marksOnly,
		"the first of an owner's entries counts":        repeatedOwner,
		"what is appended is seen, and nothing before":  visibility,
	}
}

const alice, bob, carol = "alice@example.org", "bob@example.org", "carol@example.org"

func entry(owner, peer string, flags uint8) store.Entry {
	return store.Entry{Owner: owner, Peer: peer, Flags: flags}
}

func mark(session byte, h uint32) store.Mark {
	return store.Mark{Session: [16]byte{session}, H: h}
}

// between is a record from one to another, in both archives.
func between(time int64, from, to, body string) store.Record {
	return store.Record{Time: time, Body: []byte(body), Entries: []store.Entry{entry(from, to, 1), entry(to, from, 2)}}
}

// fill appends records 1 to 60 in groups of 1, 2, 3, …: alice writes to bob, each
// third to carol, number n at time 1000+10n.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	for seq, size := uint64(1), 1; seq <= 60; size++ {
		g := store.Group{First: seq, Time: 1000 + 10*int64(seq)}
		for ; len(g.Records) < size && seq <= 60; seq++ {
			to := bob
			if seq%3 == 0 {
				to = carol
			}
			g.Records = append(g.Records, between(1000+10*int64(seq), alice, to, fmt.Sprint("m", seq)))
		}
		must(t, s.Append(&g))
	}
}

func seqsOf(rows []store.Row) []uint64 {
	seqs := []uint64{}
	for _, r := range rows {
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

func pages(t *testing.T, s store.Store) {
	fill(t, s)
	for _, c := range []struct {
		q    store.Query
		want []uint64
		more bool
		all  int
	}{
		{store.Query{Owner: alice, Limit: 3}, []uint64{1, 2, 3}, true, 60},
		{store.Query{Owner: alice, Limit: 3, Backward: true}, []uint64{58, 59, 60}, true, 60},
		{store.Query{Owner: alice, Limit: 3, Peer: carol}, []uint64{3, 6, 9}, true, 20},
		{store.Query{Owner: alice, Limit: 3, Peer: carol, Backward: true, Before: 57}, []uint64{48, 51, 54}, true, 18},
		{store.Query{Owner: alice, Limit: 3, After: 57}, []uint64{58, 59, 60}, false, 3},
		{store.Query{Owner: alice, Limit: 5, After: 5, Before: 8}, []uint64{6, 7}, false, 2},
		{store.Query{Owner: alice, Limit: 5, After: 5, Before: 8, Backward: true}, []uint64{6, 7}, false, 2},
		{store.Query{Owner: alice, Limit: 5, From: 1100, To: 1120}, []uint64{10, 11, 12}, false, 3},
		{store.Query{Owner: alice, Limit: 2, From: 1100, To: 1120}, []uint64{10, 11}, true, 3},
		{store.Query{Owner: alice, Limit: 2, From: 1100, To: 1120, Backward: true}, []uint64{11, 12}, true, 3},
		{store.Query{Owner: alice, Limit: 2, From: 1105, Before: 12}, []uint64{11}, false, 1},
		{store.Query{Owner: alice, Limit: 2, To: 1005}, []uint64{}, false, 0},
		{store.Query{Owner: alice, Limit: 2, After: 60}, []uint64{}, false, 0},
		{store.Query{Owner: alice, Limit: 2, After: 1 << 63}, []uint64{}, false, 0},
		{store.Query{Owner: carol, Limit: 2, Backward: true}, []uint64{57, 60}, true, 20},
		{store.Query{Owner: "nobody@example.org", Limit: 2}, []uint64{}, false, 0},
		{store.Query{Owner: alice, Limit: 2, Peer: "nobody@example.org"}, []uint64{}, false, 0},
		{store.Query{Owner: alice, Limit: 1000}, nil, false, 60},
	} {
		rows, more, err := s.Page(background(), c.q)
		must(t, err)
		if got := seqsOf(rows); c.want != nil && !slices.Equal(got, c.want) || more != c.more {
			t.Errorf("%+v: %v, more %v", c.q, got, more)
		}
		if n, err := s.Count(background(), c.q); err != nil || n != c.all {
			t.Errorf("%+v: count %d, %v, want %d", c.q, n, err, c.all)
		}
	}
}

func walks(t *testing.T, s store.Store) {
	fill(t, s)
	var forward, backward []uint64
	for more, after := true, uint64(0); more; {
		rows, m, err := s.Page(background(), store.Query{Owner: alice, After: after, Limit: 7})
		must(t, err)
		forward = append(forward, seqsOf(rows)...)
		more, after = m, rows[len(rows)-1].Seq
	}
	for more, before := true, uint64(0); more; {
		rows, m, err := s.Page(background(), store.Query{Owner: alice, Before: before, Limit: 7, Backward: true})
		must(t, err)
		backward = append(seqsOf(rows), backward...)
		more, before = m, rows[0].Seq
	}
	if len(forward) != 60 || !slices.IsSorted(forward) || !slices.Equal(forward, backward) {
		t.Errorf("forward %v\nbackward %v", forward, backward)
	}
}

func wholeRow(t *testing.T, s store.Store) {
	must(t, s.Append(&store.Group{First: 9, Time: 50, Records: []store.Record{between(49, alice, bob, "hi")}}))
	q := store.Query{Owner: bob, Limit: 1}
	rows, _, err := s.Page(background(), q)
	if want := []store.Row{{Seq: 9, Time: 49, Peer: alice, Flags: 2, Body: []byte("hi")}}; err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v, %v", rows, err)
	}
	q.NoBody = true
	rows, _, err = s.Page(background(), q)
	if want := []store.Row{{Seq: 9, Time: 49, Peer: alice, Flags: 2, Body: nil}}; err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("without body: %+v, %v", rows, err)
	}
}

func bodiesCopied(t *testing.T, s store.Store) {
	body := []byte("abc")
	g := &store.Group{First: 1, Time: 1, Records: []store.Record{
		{Time: 1, Body: body, Entries: []store.Entry{{Owner: alice}}},
		{Time: 1, Entries: []store.Entry{{Owner: alice}}}}}
	must(t, s.Append(g))
	body[0] = 'X'
	g.Records[0].Entries[0].Owner = bob
	for range 2 {
		rows, _, err := s.Page(background(), store.Query{Owner: alice, Limit: 9})
		must(t, err)
		if len(rows) != 2 || string(rows[0].Body) != "abc" || rows[1].Body == nil || len(rows[1].Body) != 0 {
			t.Fatalf("got %+v", rows)
		}
		rows[0].Body[1] = 'Y'
	}
}

func finds(t *testing.T, s store.Store) {
	fill(t, s)
	rows, err := s.Find(background(), bob, []uint64{7, 3, 60, 59, 7, 0, 1000, 1<<63 + 1})
	must(t, err)
	if got := seqsOf(rows); !slices.Equal(got, []uint64{7, 59}) {
		t.Fatalf("found %v", got)
	}
	if r := rows[0]; string(r.Body) != "m7" || r.Peer != alice || r.Time != 1070 || r.Flags != 2 {
		t.Errorf("row %+v", r)
	}
	if rows, err := s.Find(background(), alice, nil); err != nil || len(rows) != 0 {
		t.Errorf("nothing asked: %v, %v", rows, err)
	}
}

func collect(t *testing.T, s store.Log, since int64) (groups []store.Group) {
	t.Helper()
	must(t, s.Replay(background(), since, func(g store.Group) error {
		groups = append(groups, g)
		return nil
	}))
	return groups
}

func replays(t *testing.T, s store.Store) {
	in := []store.Group{
		{First: 1, Time: 100, Records: []store.Record{between(99, alice, bob, "1"), between(98, bob, carol, "2")}},
		{Time: 100, Marks: []store.Mark{mark(1, 5)}},
		{First: 7, Time: 90, Records: []store.Record{between(100, alice, bob, "7")}, Marks: []store.Mark{mark(2, 1<<31), mark(1, 6)}},
		{First: 8, Time: 200, Records: []store.Record{{Time: -1, Body: []byte{0}, Entries: []store.Entry{entry(alice, "", 255)}}}},
	}
	for i := range in {
		must(t, s.Append(&in[i]))
	}
	want := []store.Group{in[2], in[0], in[1], in[3]}
	if got := collect(t, s, 90); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := collect(t, s, 101); !reflect.DeepEqual(got, want[3:]) {
		t.Errorf("since 101: %+v", got)
	}
}

func replayStops(t *testing.T, s store.Store) {
	fill(t, s)
	stop, n := errors.New("stop"), 0
	err := s.Replay(background(), 0, func(store.Group) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
}

func sequence(t *testing.T, s store.Store) {
	if s.Last() != 0 {
		t.Errorf("a new log's last is %d", s.Last())
	}
	one := func(first uint64) error {
		return s.Append(&store.Group{First: first, Time: 1, Records: []store.Record{between(1, alice, bob, "x"), between(1, alice, bob, "y")}})
	}
	must(t, one(5))
	for _, bad := range []uint64{0, 1, 4, 5, 6, store.MaxSeq, 1<<64 - 1} {
		if err := one(bad); err == nil || errors.Is(err, store.ErrFatal) {
			t.Errorf("group at %d after 6: %v", bad, err)
		}
	}
	must(t, one(100))
	if s.Last() != 101 {
		t.Errorf("last %d", s.Last())
	}
	rows, more, err := s.Page(background(), store.Query{Owner: alice, Limit: 10})
	if got := seqsOf(rows); err != nil || more || !slices.Equal(got, []uint64{5, 6, 100, 101}) {
		t.Errorf("rows %v, %v", got, err)
	}
}

func marksOnly(t *testing.T, s store.Store) {
	must(t, s.Append(&store.Group{}))
	must(t, s.Append(&store.Group{Time: 5, Marks: []store.Mark{{H: 1}}}))
	must(t, s.Append(&store.Group{First: 1, Time: 6, Records: []store.Record{between(6, alice, bob, "x")}}))
	must(t, s.Append(&store.Group{Time: 7, Marks: []store.Mark{{H: 2}}}))
	must(t, s.Append(&store.Group{First: 2, Time: 8, Records: []store.Record{between(8, alice, bob, "y")}}))
	if s.Last() != 2 {
		t.Errorf("last %d", s.Last())
	}
	var shape []string
	for _, g := range collect(t, s, 0) {
		shape = append(shape, fmt.Sprint(g.First, len(g.Records), len(g.Marks)))
	}
	if want := []string{"0 0 1", "1 1 0", "0 0 1", "2 1 0"}; !slices.Equal(shape, want) {
		t.Errorf("groups %v", shape)
	}
}

func repeatedOwner(t *testing.T, s store.Store) {
	must(t, s.Append(&store.Group{First: 1, Time: 1, Records: []store.Record{between(1, alice, alice, "note to self")}}))
	rows, _, err := s.Page(background(), store.Query{Owner: alice, Limit: 9})
	if err != nil || len(rows) != 1 || rows[0].Flags != 1 {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if g := collect(t, s, 0); len(g[0].Records[0].Entries) != 1 {
		t.Errorf("replayed %+v", g)
	}
}

// visibility appends while readers walk: whoever sees number n sees all before
// it, and what Append returned for is seen by who looks after.
func visibility(t *testing.T, s store.Store) {
	const groups = 60
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					seesPrefix(t, s, s.Last())
				}
			}
		})
	}
	for i := range uint64(groups) {
		g := &store.Group{First: 1 + 2*i, Time: int64(i), Records: []store.Record{between(1, alice, bob, "x"), between(1, bob, alice, "y")}}
		if err := s.Append(g); err != nil {
			t.Error(err)
		}
		seesPrefix(t, s, 2*i+2)
	}
	close(stop)
	readers.Wait()
}

// seesPrefix checks that bob's archive holds 1, 2, 3, … up to least or further.
func seesPrefix(t *testing.T, s store.Store, least uint64) {
	rows, _, err := s.Page(background(), store.Query{Owner: bob, Limit: 1000})
	if err != nil || uint64(len(rows)) < least {
		t.Errorf("%d rows after %d were appended, %v", len(rows), least, err)
		return
	}
	for i, r := range rows {
		if r.Seq != uint64(i)+1 || len(r.Body) != 1 {
			t.Errorf("row %d is %+v", i, r)
			return
		}
	}
}
