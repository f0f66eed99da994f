package httpd

import (
	"encoding/binary"
	"time"

	"mirsal/internal/limits"
	"mirsal/internal/xmpp/xtok"
)

// meter counts what a client sends through a WebSocket, frame by frame: empty
// fragments and control frames never show in the stream, so c2s cannot.
type meter struct {
	pace    limits.Pace
	control time.Time // the budget of control frames is full again
	head    [14]byte  // of a frame, as far as it has come
	have    int
	left    uint64 // of its payload
}

// Control frames are pings and what answers ours: one in a second, as many at
// once as this.
const (
	controlGap  = time.Second
	controlMost = 30
)

// count takes bytes as they come and tells how many frames begin in them, and
// how many of those are control frames. RFC 6455 §5.2
func (m *meter) count(b []byte) (frames, control int) {
	for len(b) > 0 {
		if m.left > 0 {
			n := min(uint64(len(b)), m.left)
			b, m.left = b[n:], m.left-n
			continue
		}
		m.head[m.have] = b[0]
		b, m.have = b[1:], m.have+1
		if m.have < m.headSize() {
			continue
		}
		frames++
		if m.head[0]&0x08 != 0 {
			control++
		}
		m.left, m.have = m.payload(), 0
	}
	return frames, control
}

func (m *meter) headSize() int {
	if m.have < 2 {
		return 2
	}
	size := 2
	switch m.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if m.head[1]&0x80 != 0 {
		size += 4 // the mask
	}
	return size
}

func (m *meter) payload() uint64 {
	switch n := m.head[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(m.head[2:]))
	case 127:
		return binary.BigEndian.Uint64(m.head[2:])
	default:
		return uint64(n)
	}
}

// take charges bytes that have come: how long to pause, or why to go no further.
func (m *meter) take(b []byte) (time.Duration, error) {
	frames, control := m.count(b)
	now := time.Now()
	if m.control.Before(now) {
		m.control = now
	}
	if m.control = m.control.Add(time.Duration(control) * controlGap); m.control.Sub(now) > controlMost*controlGap {
		return 0, &xtok.Error{Condition: "policy-violation", Reason: "too many control frames"}
	}
	return m.pace.Take(frames, len(b)), nil
}
