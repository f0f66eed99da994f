package call

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Bounds of one account's traces.
const (
	mostRung    = 500 // calls that rang, one by one; of older ones the number
	mostCallers = 500 // whose silent calls are counted one by one
	pageMost    = 100 // of those that rang, in one answer
)

// The keys: rung/TIME-NUMBER for a call that rang, silent/WHY/CALLER for the silent
// ones of one caller, more/WHY for those beyond the bounds.
const (
	rungPrefix   = "rung/"
	silentPrefix = "silent/"
	morePrefix   = "more/"
)

// attempt is a trace: one call, or several that were silent.
type attempt struct {
	ID    string `json:"id,omitempty"` // of the last
	By    string `json:"by,omitempty"` // bare
	At    int64  `json:"at"`           // Unix seconds, of the last
	First int64  `json:"first,omitempty"`
	Count int    `json:"count,omitempty"` // 0 is one
	Media string `json:"media,omitempty"`
	Why   string `json:"why,omitempty"`  // it was silent
	Link  string `json:"link,omitempty"` // by which a stranger rang
	End   string `json:"end,omitempty"`
}

// traces are what callees' accounts keep of calls. Callers cannot change them but by
// calling, and the server removes them when they are old.
type traces struct {
	bucket *store.Bucket
	kv     store.KV
	keep   time.Duration
	lock   locks

	mu   sync.Mutex          // guards full
	full map[string]struct{} // accounts that are known to count no more callers one by one
}

// mostKnown is how many accounts are known to be so.
const mostKnown = 10_000

func newTraces(kv store.KV, keep time.Duration) *traces {
	return &traces{full: map[string]struct{}{}, kv: kv, keep: keep, lock: newLocks(), bucket: kv.Declare(store.Space{
		Name: "call-attempts", Fields: "who called when, audio or video, whether it rang, by which link, and how it ended; no content",
		Purpose: "show people every call that they were sent, also those that did not ring or were taken back", Life: keep, Export: true,
	})}
}

// locks let one writer at a time at what an account keeps; they are held over storage.
type locks struct {
	seed maphash.Seed
	each [64]chan struct{}
}

func newLocks() (l locks) {
	l.seed = maphash.MakeSeed()
	for i := range l.each {
		l.each[i] = make(chan struct{}, 1)
	}
	return l
}

func (l *locks) of(owner string) (unlock func()) {
	c := l.each[maphash.String(l.seed, owner)%uint64(len(l.each))]
	c <- struct{}{}
	return func() { <-c }
}

// add makes a call's trace durable, with other steps for the callee's account, and
// returns its key.
func (t *traces) add(callee jid.JID, a attempt, also ...store.Op) (string, error) {
	owner, ctx := callee.String(), context.Background()
	defer t.lock.of(owner)()
	if a.Why != "" {
		return t.addSilent(ctx, owner, a)
	}
	all, err := t.bucket.Scan(ctx, owner, store.Range{Prefix: rungPrefix})
	if err != nil {
		return "", err
	}
	ops, err := t.summarise(ctx, owner, all)
	if err != nil {
		return "", err
	}
	last := ""
	if len(all) > 0 {
		last = all[len(all)-1].Key
	}
	k := keyAfter(last, a.At)
	return k, t.kv.Apply(ctx, owner, append(append(ops, t.bucket.Set(k, a.encode())), also...)...)
}

// keyAfter is a key for a time that sorts behind the last one, also if the clock was
// set back.
func keyAfter(last string, at int64) string {
	k := fmt.Sprintf("%s%012x-%04x", rungPrefix, at, 0)
	if k > last {
		return k
	}
	var sec, n int64
	if _, err := fmt.Sscanf(strings.TrimPrefix(last, rungPrefix), "%x-%x", &sec, &n); err != nil || n == 0xffff {
		return fmt.Sprintf("%s%012x-%04x", rungPrefix, sec+1, 0)
	}
	return fmt.Sprintf("%s%012x-%04x", rungPrefix, sec, n+1)
}

// summarise makes room for one more call.
func (t *traces) summarise(ctx context.Context, owner string, all []store.Item) (ops []store.Op, err error) {
	if len(all) < mostRung {
		return nil, nil
	}
	more, err := t.get(ctx, owner, morePrefix)
	if err != nil {
		return nil, err
	}
	for _, i := range all[:len(all)-mostRung+1] {
		more = more.and(decode(i.Value))
		ops = append(ops, t.bucket.Unset(i.Key))
	}
	return append(ops, t.bucket.Set(morePrefix, more.total("").encode())), nil
}

// addSilent counts a silent call with others of its caller, or, of many callers,
// with all.
func (t *traces) addSilent(ctx context.Context, owner string, a attempt) (string, error) {
	k := silentPrefix + a.Why + "/" + a.By
	had, err := t.get(ctx, owner, k)
	if err != nil {
		return "", err
	}
	if had.At == 0 {
		full, err := t.isFull(ctx, owner)
		if err != nil {
			return "", err
		}
		if full {
			k = morePrefix + a.Why
			if had, err = t.get(ctx, owner, k); err != nil {
				return "", err
			}
			return "", t.bucket.Put(ctx, owner, k, had.and(a).total(a.Why).encode())
		}
	}
	return k, t.bucket.Put(ctx, owner, k, had.and(a).encode())
}

// isFull tells whether there are as many callers as are counted one by one.
func (t *traces) isFull(ctx context.Context, owner string) (bool, error) {
	t.mu.Lock()
	_, full := t.full[owner]
	t.mu.Unlock()
	if full {
		return true, nil
	}
	all, err := t.bucket.Scan(ctx, owner, store.Range{Prefix: silentPrefix, Limit: mostCallers})
	if len(all) < mostCallers {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.full) < mostKnown {
		t.full[owner] = struct{}{}
	}
	return true, nil
}

// room forgets that an account is full.
func (t *traces) room(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.full, owner)
}

// and is two traces in one.
func (a attempt) and(b attempt) attempt {
	if a.At == 0 {
		return b
	}
	first := a.At
	if a.First != 0 {
		first = a.First
	}
	b.First, b.Count = first, max(a.Count, 1)+max(b.Count, 1)
	return b
}

// total leaves of a trace what is true of many callers.
func (a attempt) total(why string) attempt {
	return attempt{At: a.At, First: a.First, Count: max(a.Count, 1), Why: why}
}

// ended notes how a call ended. A trace that is gone stays so.
func (t *traces) ended(callee jid.JID, k, how string) error {
	owner, ctx := callee.String(), context.Background()
	defer t.lock.of(owner)()
	a, err := t.get(ctx, owner, k)
	if err != nil || a.At == 0 {
		return err
	}
	a.End = how
	return t.bucket.Put(ctx, owner, k, a.encode())
}

// get is the zero attempt where there is none.
func (t *traces) get(ctx context.Context, owner, k string) (attempt, error) {
	i, err := t.bucket.Get(ctx, owner, k)
	if errors.Is(err, store.ErrNotFound) {
		return attempt{}, nil
	}
	return decode(i.Value), err
}

// sweep removes what is older than traces are kept.
func (t *traces) sweep(now time.Time) error {
	owners, err := t.bucket.Owners(context.Background())
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := t.sweepOf(owner, now.Add(-t.keep).Unix()); err != nil {
			return err
		}
	}
	return nil
}

func (t *traces) sweepOf(owner string, before int64) error {
	defer t.lock.of(owner)()
	all, err := t.bucket.Scan(context.Background(), owner, store.Range{})
	if err != nil {
		return err
	}
	var ops []store.Op
	for _, i := range all {
		if decode(i.Value).At < before {
			ops = append(ops, t.bucket.Unset(i.Key))
		}
	}
	if ops == nil {
		return nil
	}
	defer t.room(owner)
	return t.kv.Apply(context.Background(), owner, ops...)
}

func (a attempt) encode() []byte {
	b, _ := json.Marshal(a) // strings and numbers only
	return b
}

// decode is the zero attempt for what nobody can read.
func decode(b []byte) (a attempt) {
	if json.Unmarshal(b, &a) != nil {
		return attempt{}
	}
	return a
}

// attempts answers an account's own devices: the newest traces, or those before a
// time, in no order.
func (f *Calls) attempts(q *core.Query) ([]byte, error) {
	switch {
	case !q.Own():
		return nil, stanza.Errorf(stanza.ServiceUnavailable, "")
	case q.Set():
		return nil, stanza.Errorf(stanza.NotAllowed, "traces of calls stay until they are old")
	}
	before := int64(1<<62 - 1)
	if at := q.Payload.Attr("before"); at != "" {
		t, err := stanza.ParseTime(at)
		if err != nil {
			return nil, stanza.Errorf(stanza.BadRequest, "before is no time")
		}
		before = t.Unix()
	}
	return f.traces.page(q.Ctx, q.Head.To.String(), before, time.Now())
}

// page writes traces, of calls that rang the newest.
func (t *traces) page(ctx context.Context, owner string, before int64, now time.Time) ([]byte, error) {
	all, err := t.bucket.Scan(ctx, owner, store.Range{Reverse: true})
	if err != nil {
		return nil, err
	}
	var body []byte
	left := map[string]int{rungPrefix: pageMost, silentPrefix: mostCallers, morePrefix: pageMost}
	complete := "true"
	for _, i := range all {
		a := decode(i.Value)
		kind, _, _ := strings.Cut(i.Key, "/")
		if a.At >= before || a.At < now.Add(-t.keep).Unix() {
			continue
		}
		if left[kind+"/"]--; left[kind+"/"] < 0 {
			complete = "false"
			continue
		}
		body = a.append(body)
	}
	b := append([]byte("<attempts xmlns='"+NS+"' complete='"), complete...)
	b = append(append(b, "'>"...), body...)
	return append(b, "</attempts>"...), nil
}

func (a attempt) append(b []byte) []byte {
	b = append(b, "<attempt"...)
	b = attr(b, "by", a.By)
	b = attr(b, "id", a.ID)
	b = append(stanza.AppendTime(append(b, " at='"...), time.Unix(a.At, 0)), '\'')
	if a.Count > 1 {
		b = fmt.Appendf(b, " count='%d'", a.Count)
		b = append(stanza.AppendTime(append(b, " first='"...), time.Unix(a.First, 0)), '\'')
	}
	b = attr(b, "media", a.Media)
	b = attr(b, "why", a.Why)
	b = attr(b, "link", a.Link)
	b = attr(b, "end", a.End)
	return append(b, "/>"...)
}

func attr(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return xtok.AppendAttr(b, name, value)
}
