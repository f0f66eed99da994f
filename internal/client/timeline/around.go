package timeline

import (
	"cmp"
	"math"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// This file is reading a chat from a message in its midst, for jumps: what lies between it
// and the end is not loaded.

// line is a chat and the row of one of its messages. A *port.Failure says that there is no
// such chat or message.
func (b *Book) line(name, id string) (*chat, *record, error) {
	c := b.list[name]
	if c == nil {
		return nil, nil, port.Failf(port.NoSuchChat, "there is no such chat")
	}
	r, err := b.row(id)
	if err == nil && (r == nil || r.chat != name) {
		err = port.Failf(port.NoSuchMessage, "there is no such message in this chat")
	}
	return c, r, err
}

// Around is a message with those on both sides of it, at most limit (1 to 200), oldest first, as they
// are here: not beyond a part of the history that is not known. more and newer tell that
// there are others before and behind, or may be. Nothing is fetched. Errors are as Page's.
func (b *Book) Around(name, id string, limit int) (messages []port.Message, more, newer bool, err error) {
	c, r, err := b.line(name, id)
	if err != nil {
		return nil, false, false, err
	}
	limit = max(1, min(limit, 200))
	rows, more, err := b.linesBefore(name, order{r.at.Pos, r.at.Sub + 1}, limit/2+1)
	if err != nil {
		return nil, false, false, err
	}
	if len(rows) == 0 || rows[len(rows)-1].ID != id {
		return nil, false, false, port.Failf(port.NoSuchMessage, "this message is not shown")
	}
	behind, newer, err := b.linesAfter(name, r.at, limit-limit/2-1)
	if err != nil {
		return nil, false, false, err
	}
	if high, _, ok := b.hole(c, r.at.Pos); ok {
		more = true // what is before may be fetched
		rows, behind, newer = cutAt(high, r.at.Pos, rows, behind, newer)
	}
	messages, err = b.views(append(rows, behind...))
	return messages, more, newer, err
}

// cutAt leaves out what lies on the other side of a part that is not known, below high.
func cutAt(high, at uint64, rows, behind []*record, newer bool) ([]*record, []*record, bool) {
	if at >= high {
		for rows[0].at.Pos < high {
			rows = rows[1:]
		}
		return rows, behind, newer
	}
	for n := len(behind); n > 0 && behind[n-1].at.Pos >= high; n-- {
		behind, newer = behind[:n-1], true
	}
	return rows, behind, newer
}

// PageAfter is the messages of a chat behind one, at most limit (1 to 200), oldest first. newer tells that
// there are others behind them. fetch and errors are as Page's.
func (b *Book) PageAfter(name, after string, limit int) (messages []port.Message, newer bool, fetch *Query, err error) {
	c, r, err := b.line(name, after)
	if err != nil {
		return nil, false, nil, err
	}
	limit = max(1, min(limit, 200))
	rows, newer, err := b.linesAfter(name, r.at, limit)
	if err != nil {
		return nil, false, nil, err
	}
	a := b.known[b.archiveOf(c.Address, c.Room)]
	end := uint64(math.MaxUint64)
	if len(rows) == limit {
		end = rows[limit-1].at.Pos
	}
	if high, _, ok := b.hole(c, r.at.Pos); ok && a.live && r.at.Pos < high && end >= high {
		fetch = b.filling(c, a, r.at, limit)
	}
	messages, err = b.views(rows)
	return messages, newer, fetch, err
}

// linesAfter are lines that are shown, oldest first, and whether there are more.
func (b *Book) linesAfter(name string, at order, limit int) (rows []*record, more bool, err error) {
	var decoding error
	q := keep.Range{Prefix: name + "\x00", After: rowKey(name, at)}
	err = b.kept.scan(tableRows, q, func(key string, v []byte) bool {
		if len(v) > 0 && v[0]&isHidden != 0 {
			return true
		}
		if len(rows) == limit {
			more = true
			return false
		}
		var r *record
		if r, decoding = decode(key, v); decoding != nil {
			return false
		}
		rows = append(rows, r)
		return true
	})
	return rows, more, cmp.Or(err, decoding)
}
