package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
)

// likeMemory drives an engine and the reference with the same random steps and
// checks that nobody could tell them apart, restarts of the engine included.
func likeMemory(t *testing.T, open Open, reopens []func(*testing.T, store.Store) store.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{t: t, real: open(t), ref: memory.New()}
		m.declare()
		m.refSpace = []*store.Bucket{declare(m.ref, "a"), declare(m.ref, "b")}
		steps := map[string]func(*rapid.T){
			"apply": m.apply, "removeOwner": m.removeOwner, "append": m.append, "append again": m.append,
			"page": m.page, "delete": m.delete, "expire": m.expire, "forget": m.forget, "": m.same,
		}
		for _, r := range reopens {
			steps["reopen"] = func(*rapid.T) {
				m.real = r(t, m.real)
				m.declare()
			}
		}
		rt.Repeat(steps)
		must(t, m.real.Close())
	})
}

// model is an engine beside the reference. Versions are not compared, as engines
// may count differently: a precondition names what each of them last said.
type model struct {
	t                   *testing.T
	real, ref           store.Store
	realSpace, refSpace []*store.Bucket
	clock               int64
}

func (m *model) declare() {
	m.realSpace = []*store.Bucket{declare(m.real, "a"), declare(m.real, "b")}
}

var (
	owners  = rapid.SampledFrom([]string{alice, bob, carol, ""})
	keys    = rapid.SampledFrom([]string{"", "a", "aa", "ab", "b", "\xff"})
	numbers = rapid.Uint64Range(0, 80)
)

func (m *model) agree(rt *rapid.T, what string, a, b error) {
	for _, e := range []error{store.ErrConflict, store.ErrNotFound} {
		if errors.Is(a, e) != errors.Is(b, e) {
			rt.Fatalf("%s: %v, reference %v", what, a, b)
		}
	}
	if (a == nil) != (b == nil) {
		rt.Fatalf("%s: %v, reference %v", what, a, b)
	}
}

func (m *model) apply(rt *rapid.T) {
	owner := owners.Draw(rt, "owner")
	var a, b []store.Op
	for range rapid.IntRange(0, 4).Draw(rt, "ops") {
		space, key := rapid.IntRange(0, 1).Draw(rt, "space"), keys.Draw(rt, "key")
		opA, opB := store.Op{Space: m.realSpace[space], Key: key}, store.Op{Space: m.refSpace[space], Key: key}
		if rapid.Bool().Draw(rt, "set") {
			opA.Value = rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(rt, "value")
			opB.Value = opA.Value
		}
		if rapid.IntRange(0, 3).Draw(rt, "if") == 0 {
			itA, _ := opA.Space.Get(background(), owner, key)
			itB, _ := opB.Space.Get(background(), owner, key)
			opA.If, opB.If = &itA.Version, &itB.Version
		}
		a, b = append(a, opA), append(b, opB)
	}
	m.agree(rt, "apply", m.real.Apply(background(), owner, a...), m.ref.Apply(background(), owner, b...))
}

func (m *model) removeOwner(rt *rapid.T) {
	owner := owners.Draw(rt, "owner")
	m.agree(rt, "remove", m.real.RemoveOwner(background(), owner), m.ref.RemoveOwner(background(), owner))
}

func (m *model) append(rt *rapid.T) {
	m.clock += rapid.Int64Range(-2, 10).Draw(rt, "tick")
	g := &store.Group{First: m.ref.Last() + rapid.Uint64Range(1, 3).Draw(rt, "gap"), Time: m.clock}
	for range rapid.IntRange(0, 6).Draw(rt, "records") {
		r := store.Record{Time: m.clock + rapid.Int64Range(-2, 2).Draw(rt, "time"), Body: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(rt, "body")}
		for range rapid.IntRange(1, 3).Draw(rt, "entries") {
			r.Entries = append(r.Entries, store.Entry{Owner: owners.Draw(rt, "owner"), Peer: owners.Draw(rt, "peer"), Flags: rapid.Uint8().Draw(rt, "flags")})
		}
		g.Records = append(g.Records, r)
	}
	for range rapid.IntRange(0, 1).Draw(rt, "marks") {
		g.Marks = append(g.Marks, store.Mark{Session: [16]byte{1}, H: rapid.Uint32().Draw(rt, "h")})
	}
	m.agree(rt, "append", m.real.Append(g), m.ref.Append(g))
}

func (m *model) query(rt *rapid.T) store.Query {
	around := rapid.Int64Range(0, max(m.clock, 0)+2)
	return store.Query{
		Owner: owners.Draw(rt, "owner"), Peer: owners.Draw(rt, "peer"),
		After: numbers.Draw(rt, "after") / 2, Before: numbers.Draw(rt, "before") * 2,
		From: around.Draw(rt, "from") / 2, To: around.Draw(rt, "to"),
		Limit: rapid.IntRange(1, 9).Draw(rt, "limit"), Backward: rapid.Bool().Draw(rt, "backward"), NoBody: rapid.Bool().Draw(rt, "no body"),
	}
}

func (m *model) page(rt *rapid.T) {
	q := m.query(rt)
	rowsA, moreA, errA := m.real.Page(background(), q)
	rowsB, moreB, errB := m.ref.Page(background(), q)
	m.agree(rt, "page", errA, errB)
	if moreA != moreB || fmt.Sprint(rowsA) != fmt.Sprint(rowsB) {
		rt.Fatalf("page %+v: %v %v, reference %v %v", q, rowsA, moreA, rowsB, moreB)
	}
	nA, _ := m.real.Count(background(), q)
	if nB, _ := m.ref.Count(background(), q); nA != nB {
		rt.Fatalf("count %+v: %d, reference %d", q, nA, nB)
	}
	seqs := rapid.SliceOfN(numbers, 0, 5).Draw(rt, "seqs")
	foundA, _ := m.real.Find(background(), q.Owner, seqs)
	if foundB, _ := m.ref.Find(background(), q.Owner, seqs); fmt.Sprint(foundA) != fmt.Sprint(foundB) {
		rt.Fatalf("find %v: %v, reference %v", seqs, foundA, foundB)
	}
}

func (m *model) delete(rt *rapid.T) {
	seqs := rapid.SliceOfN(numbers, 0, 5).Draw(rt, "seqs")
	m.agree(rt, "delete", m.real.Delete(background(), seqs), m.ref.Delete(background(), seqs))
}

func (m *model) expire(rt *rapid.T) {
	before, limit := m.clock-rapid.Int64Range(0, 20).Draw(rt, "age"), rapid.IntRange(0, 9).Draw(rt, "limit")
	a, errA := m.real.Expire(background(), before, limit)
	b, errB := m.ref.Expire(background(), before, limit)
	m.agree(rt, "expire", errA, errB)
	if a != b {
		rt.Fatalf("expired %d, reference %d", a, b)
	}
}

func (m *model) forget(rt *rapid.T) {
	owner := owners.Draw(rt, "owner")
	m.agree(rt, "forget", m.real.Forget(background(), owner), m.ref.Forget(background(), owner))
}

// same compares all that can be read without a parameter.
func (m *model) same(rt *rapid.T) {
	if a, b := m.real.Last(), m.ref.Last(); a != b {
		rt.Fatalf("last %d, reference %d", a, b)
	}
	for i := range m.realSpace {
		for _, owner := range []string{alice, bob, carol, ""} {
			if a, b := dump(m.t, m.realSpace[i], owner), dump(m.t, m.refSpace[i], owner); a != b {
				rt.Fatalf("keys of %s: %q, reference %q", owner, a, b)
			}
		}
	}
	if a, b := collect(m.t, m.real, m.clock-20), collect(m.t, m.ref, m.clock-20); !reflect.DeepEqual(a, b) {
		rt.Fatalf("groups %+v\nreference %+v", a, b)
	}
	for _, owner := range []string{alice, bob, carol, ""} {
		q := store.Query{Owner: owner, Limit: 1000}
		a, _, _ := m.real.Page(background(), q)
		if b, _, _ := m.ref.Page(background(), q); fmt.Sprint(a) != fmt.Sprint(b) {
			rt.Fatalf("archive of %s: %v\nreference %v", owner, a, b)
		}
	}
}
