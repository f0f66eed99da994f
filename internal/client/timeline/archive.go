package timeline

import (
	"cmp"
	"encoding/json"
	"time"
)

// archive is which parts of an archive are known: stretches without a hole, in
// order, what is missing between them. The last one is where messages come live; it
// may be empty.
type archive struct {
	Stretches []stretch `json:"parts,omitempty"`
	End       uint64    `json:"end"`             // the highest place given
	Whole     bool      `json:"whole,omitempty"` // nothing is older than the first stretch
	Back      int       `json:"back"`            // pages that are still to be fetched of older ones
	Short     bool      `json:"short,omitempty"` // chats may lack a row whose messages are all older than that

	live  bool   // what is said comes on the stream, behind the last stretch
	epoch uint64 // grows with each stream: an answer that crosses it closes no gap
}

// stretch is a part of an archive without a hole, as places and as the archive's
// ids of its ends; these are "" as long as nothing of it has an id.
type stretch struct {
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	Time  int64  `json:"time,omitempty"` // of the last, Unix milliseconds
	Lost  bool   `json:"lost,omitempty"` // the archive does not have Last any more

	// What comes live does not always come in the archive's order, and one's own messages have no
	// place there before it is asked: from Safe on it is asked again. Of one's own all
	// that were on their way at once are behind Safe, or all before it.
	Safe string `json:"safe,omitempty"` // "" is Last
	Next string `json:"next,omitempty"` // is Safe when Live have come after it
	Live int    `json:"live,omitempty"`
}

// overlap is how many messages may be between two that change places on their way.
const overlap = 32

// mostBehind bounds how far one's own messages on their way hold Safe back.
const mostBehind = 1000

// mostStretches is how many are kept apart; beyond that the oldest hole is given up.
const mostStretches = 64

// pageSize is how many messages are asked for at a time.
const pageSize = 100

func (a *archive) encode() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return b
}

// archive is what is known of one, made where nothing is.
func (b *Book) archive(name string) *archive {
	a := b.known[name]
	if a == nil {
		a = &archive{End: middle, Back: b.depth}
		b.known[name] = a
	}
	return a
}

// last is the stretch in which messages come live.
func (a *archive) last() *stretch { return &a.Stretches[len(a.Stretches)-1] }

// append gives what came live its place. busy tells whether messages of one's own are on their way.
func (a *archive) append(id string, t time.Time, busy func() bool) uint64 {
	s := a.last()
	if s.Safe == "" && (len(a.Stretches) == 1 || !busy()) {
		s.Safe, s.Next, s.Live = s.Last, "", 0
	}
	if s.Live++; s.Safe != "" && s.Live > overlap && (s.Live > mostBehind || !busy()) {
		s.Safe, s.Next, s.Live = cmp.Or(s.Next, s.Safe), id, 0
	}
	a.End++
	s.To, s.Last, s.Time, s.Lost = a.End, id, t.UnixMilli(), false
	if s.First == "" {
		s.First = id
	}
	return a.End
}

// bare tells that an archive was asked and had nothing: all that will be in it has come since.
func (a *archive) bare() bool { return a.Whole && len(a.Stretches) > 0 && a.Stretches[0].Last == "" }

// open begins a stretch behind a hole as large as can be needed. Where there was
// nothing to go on from, all begins anew, with so many pages back.
func (a *archive) open(depth int) {
	if len(a.Stretches) > 0 {
		a.End += stride
	}
	if len(a.Stretches) == 0 || a.last().Last != "" || len(a.Stretches) == 1 && a.bare() {
		a.Stretches = append(a.Stretches, stretch{})
	}
	a.last().From, a.last().To = a.End, a.End
	if len(a.Stretches) == 1 {
		a.Whole, a.Back, a.Short = false, depth, true
	}
	if len(a.Stretches) > mostStretches {
		a.join(0, 1)
	}
}

// join makes one of the stretches from i to j: nothing is missing between them.
func (a *archive) join(i, j int) {
	s, t := &a.Stretches[i], a.Stretches[j]
	s.To = t.To
	if t.Last != "" {
		s.Safe, s.Next, s.Live = cmp.Or(t.Safe, s.Safe, s.Last), t.Next, t.Live
		s.Last, s.Time, s.Lost = t.Last, t.Time, t.Lost
	}
	for k := i + 1; k <= j && s.First == ""; k++ {
		s.First = a.Stretches[k].First
	}
	a.Stretches = append(a.Stretches[:i+1], a.Stretches[j+1:]...)
}

// Online tells that an archive's messages come live from now on: the account's own
// after binding, a room's after entering. resumed: the stream was resumed, nothing was
// missed; then nothing changes.
func (b *Book) Online(name string, resumed bool) (Change, error) {
	s := b.begin(time.Time{})
	a := b.archive(name)
	if !resumed || len(a.Stretches) == 0 {
		a.open(b.depth)
		a.epoch++
		s.archives[name] = true
	}
	a.live = true
	return s.finish()
}

// Offline tells that they do not any more.
func (b *Book) Offline(name string) { b.archive(name).live = false }

// Query is one page to be asked of an archive. It must come back to TakePage or Lost
// as it was given out, and is dropped with the stream on which it was asked.
// XEP-0313#query, XEP-0059#forwards
type Query struct {
	Archive  string    // whom to ask: own bare address, or a room
	With     string    // only this chat's
	After    string    // results after this id
	Before   string    // with Backward: results before this id, "" the last page
	Start    time.Time // results from then on; zero: no bound
	Max      int
	Backward bool // <before/> is sent

	chat  string // whose history was asked for; "" for catching up
	from  uint64 // the stretch that is continued, by its From; of history: the place before which it goes
	epoch uint64
}

// Fin is how an archive ends a page.
type Fin struct {
	First, Last string
	Complete    bool
}

// NextQuery is what to ask of an archive to catch up; false when nothing is missing
// or nothing comes live. Oldest first, as ratchets like it; a new profile begins at
// the end and goes back by Config.Depth pages.
func (b *Book) NextQuery(name string) (Query, bool) {
	a := b.known[name]
	if a == nil || !a.live {
		return Query{}, false
	}
	q := Query{Archive: name, Max: pageSize, epoch: a.epoch}
	first := &a.Stretches[0]
	switch {
	case len(a.Stretches) > 1 && a.bare():
		q.from = first.From // from the beginning, which this device has seen
	case len(a.Stretches) > 1 && first.Last == "":
		a.join(0, 1) // nothing was ever in it
		return b.NextQuery(name)
	case len(a.Stretches) > 1 && first.Lost:
		q.Start, q.from = time.UnixMilli(first.Time).UTC(), first.From
	case len(a.Stretches) > 1:
		q.After, q.from = cmp.Or(first.Safe, first.Last), first.From
	case a.Back > 0 && !a.Whole:
		q.Backward, q.Before, q.from = true, first.First, first.From
	default:
		return Query{}, false
	}
	return q, true
}

// Lost tells that an archive does not have the id any more from which was asked
// (item-not-found): catching up goes on from its time, and gives up what is not
// to be had that way either; history ends there.
func (b *Book) Lost(q Query) (Change, error) {
	s := b.begin(time.Time{})
	a := b.archive(q.Archive)
	s.archives[q.Archive] = true
	switch {
	case q.epoch != a.epoch || len(a.Stretches) == 0:
	case q.chat != "":
		c := s.chat(q.chat, q.chat == q.Archive)
		c.filled(fill{Low: 0, High: q.from})
	case q.Backward:
		a.Whole = true
	case q.After != "" && len(a.Stretches) > 1:
		a.Stretches[0].Lost = true
	case len(a.Stretches) > 1:
		a.join(0, 1)
	}
	return s.finish()
}
