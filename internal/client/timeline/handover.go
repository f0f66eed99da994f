package timeline

import (
	"encoding/json"
	"fmt"

	"mirsal/internal/client/keep"
)

// handedOver are the tables that a new device of one's own gets, in the order in which
// they are handed over. What waits to be sent stays with the device that is to send it.
func handedOver() []keep.Table {
	return []keep.Table{tableMeta, tableRows, tableWhere, tableMarks, tableWaiting, tableReplies, tableChats, tableArchives, tableVanish}
}

// Entry is one row of what is handed over.
type Entry struct {
	Table keep.Table
	Key   string
	Value []byte
	Line  bool // it is a line of a conversation, for counting
}

// Lines is how many lines Export gives, those that are not shown among them.
func (b *Book) Lines() (n int, err error) {
	err = b.kept.scan(tableRows, keep.Range{}, func(key string, _ []byte) bool {
		if _, at := splitKey(key); at.Pos != waiting {
			n++
		}
		return true
	})
	return n, err
}

// Export gives all that makes the history, as it is now, to f: lines with their ids and
// places, what of archives is known, what waits for its message. Without what is in
// the outbox: changes there are left out of the lines that they have changed. An
// error of f's ends it.
func (b *Book) Export(f func(Entry) error) error {
	unsent := map[string]bool{} // lines by ID, and changes by origin-id, that stay here
	for _, x := range b.outbox {
		unsent[x.OriginID] = true
	}
	for _, t := range handedOver() {
		entries, err := b.kept.list(t, keep.Range{})
		if err != nil {
			return fmt.Errorf("timeline: %w", err)
		}
		for _, x := range entries {
			out, ok, err := exported(t, x, unsent)
			if err != nil {
				return fmt.Errorf("timeline: %s: %w", t, err)
			}
			if !ok {
				continue
			}
			if err := f(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// exported is a row as it is on another device; false: it is none there.
func exported(t keep.Table, x entry, unsent map[string]bool) (Entry, bool, error) {
	e := Entry{Table: t, Key: x.key, Value: x.value}
	switch t {
	case tableRows:
		r, err := decode(x.key, x.value)
		if err != nil {
			return e, false, err
		}
		if r.at.Pos == waiting {
			unsent[r.ID] = true
			return e, false, nil
		}
		e.Value, e.Line = r.elsewhere().encode(), true
	case tableWhere:
		return e, !unsent[x.key], nil
	case tableReplies:
		return e, !unsent[x.key[lastZero(x.key)+1:]], nil
	case tableMarks:
		var m mark
		if err := json.Unmarshal(x.value, &m); err != nil {
			return e, false, err
		}
		if unsent[x.key[lastZero(x.key)+1:]] {
			return e, false, nil
		}
		m.Ours = false // errors about it come to the device that has sent it
		e.Value = m.encode()
	}
	return e, true, nil
}

func lastZero(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == 0 {
			return i
		}
	}
	return -1
}

// elsewhere is a line as another device of one's own has it: without changes that are
// not sent, its file not here.
func (r *record) elsewhere() *record {
	if r.Before != nil {
		r.become(r.Before)
		r.Before = nil
	}
	var signs []reaction
	for _, x := range r.Reactions {
		if x.At.Pos != waiting {
			signs = append(signs, x)
		}
	}
	r.Reactions = signs
	if r.File != nil {
		r.File.State, r.File.Path = "", ""
	}
	return r
}

// Import puts rows that Export gave into a batch, on a device without a history. A
// row of no table that is handed over, or one that cannot be read, is an error. After
// the last one the Book is to be opened anew.
func Import(b *keep.Batch, rows []Entry) error {
	for _, e := range rows {
		if !importable(e) {
			return fmt.Errorf("%w: %s", errDamaged, e.Table)
		}
		b.Put(e.Table, e.Key, e.Value)
	}
	return nil
}

func importable(e Entry) bool {
	switch e.Table {
	case tableRows:
		if chat, at := splitKey(e.Key); chat == "" || at.Pos == waiting {
			return false
		}
		_, err := decode(e.Key, e.Value)
		return err == nil
	case tableWhere:
		chat, _ := splitKey(string(e.Value))
		return chat != ""
	case tableMarks:
		return json.Unmarshal(e.Value, new(mark)) == nil
	case tableWaiting:
		return json.Unmarshal(e.Value, new(early)) == nil
	case tableChats:
		return json.Unmarshal(e.Value, new(chat)) == nil
	case tableArchives:
		return json.Unmarshal(e.Value, new(archive)) == nil
	case tableMeta:
		return e.Key == "next"
	}
	return e.Table == tableReplies || e.Table == tableVanish && len(e.Key) > 8
}

// Wipe is a batch that takes all history out of a store: of an import that did not
// come to its end.
func Wipe(store keep.Store) (*keep.Batch, error) {
	var b keep.Batch
	for _, t := range append(handedOver(), tableOutbox) {
		if err := store.Scan(t, keep.Range{}, func(key string, _ []byte) bool {
			b.Delete(t, key)
			return true
		}); err != nil {
			return nil, fmt.Errorf("timeline: %w", err)
		}
	}
	return &b, nil
}
