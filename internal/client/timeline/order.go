package timeline

import (
	"encoding/binary"
	"math"
	"strings"
)

// order is a line's place. Pos is its place in the archive of its chat, which
// we give: archives have ids without an order. What an archive has not shown
// stands behind the Pos that was the last when it came, with a Sub of its own.
//
// Numbers are never given twice and never run out: what follows goes up by one,
// each new stream leaves a stride free for what was missed, and history before
// all that is known goes down.
type order struct {
	Pos uint64 `json:"p,omitempty"`
	Sub uint32 `json:"s,omitempty"`
}

const (
	middle  = 1 << 62
	stride  = 1 << 32        // what can be missed between two streams
	waiting = math.MaxUint64 // the Pos of what is in the outbox
)

func (o order) less(p order) bool { return o.Pos < p.Pos || o.Pos == p.Pos && o.Sub < p.Sub }

// rowKey is where a line of a chat is kept. No address has a zero byte.
func rowKey(chat string, o order) string {
	b := make([]byte, 0, len(chat)+13)
	b = append(append(b, chat...), 0)
	b = binary.BigEndian.AppendUint64(b, o.Pos)
	return string(binary.BigEndian.AppendUint32(b, o.Sub))
}

// splitKey takes a key of rowKey apart.
func splitKey(key string) (chat string, o order) {
	i := len(key) - 13
	if i < 0 || strings.IndexByte(key, 0) != i {
		return "", order{}
	}
	tail := []byte(key[i+1:])
	return key[:i], order{binary.BigEndian.Uint64(tail), binary.BigEndian.Uint32(tail[8:])}
}
