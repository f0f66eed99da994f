//go:build !js

package seat

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// Stats is how a call has gone so far.
type Stats struct {
	// Path is how the media goes: our end and theirs, each host, srflx, prflx or relay,
	// as "relay-host"; "" before there is a connection.
	Path string `json:"path,omitempty"`
	// RoundTrip is how long a packet takes there and back, in milliseconds, as last
	// measured; 0 is not known.
	RoundTrip float64 `json:"roundTrip,omitempty"`
	Audio     Media   `json:"audio"`
	Video     Media   `json:"video"`
}

// Media is what has come and gone of one kind.
type Media struct {
	SentFrames uint64 `json:"sentFrames"`
	SentBytes  uint64 `json:"sentBytes"`
	Packets    uint64 `json:"packets"`
	Bytes      uint64 `json:"bytes"`
	// Frames are pictures, by the marker of their last packet, of which Whole need no
	// other to be shown; of audio each packet is one.
	Frames uint64 `json:"frames"`
	Whole  uint64 `json:"whole,omitempty"`
	Lost   uint64 `json:"lost"`
	// Jitter is in milliseconds.
	// RFC 3550 §6.4.1
	Jitter float64 `json:"jitter"`
}

// flow counts what goes out.
type flow struct{ frames, bytes atomic.Uint64 }

func (f *flow) add(n int) {
	f.frames.Add(1)
	f.bytes.Add(uint64(n))
}

// count counts what comes in of one kind, all streams together.
type count struct {
	mu    sync.Mutex // held for moments
	media Media
}

// stream is one stream of theirs, as far as it was heard.
type stream struct {
	heard       uint64
	first, last uint64 // numbers, carried on beyond 16 bits
	transit     float64
	jitter      float64 // in units of its clock
}

// hear takes what comes of a stream until it ends.
func (s *Seat) hear(kind int, t *webrtc.TrackRemote) {
	var one stream
	clock := float64(t.Codec().ClockRate)
	begun := time.Now()
	var lostBefore uint64
	record := s.tape.track(kind)
	defer record.done()
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		one.take(p, time.Since(begun).Seconds()*clock)
		lost := one.lost()
		c := s.counts[kind]
		c.mu.Lock()
		first := c.media.Packets == 0
		c.media.take(kind, p)
		c.media.Lost += lost - lostBefore
		c.media.Jitter = math.Round(one.jitter/clock*1e6) / 1e3
		c.mu.Unlock()
		lostBefore = lost
		if first && s.cfg.Heard != nil {
			s.cfg.Heard(kinds[kind])
		}
		record.write(p)
	}
}

// take counts a packet that came at a time of the stream's clock.
// RFC 3550 §A.1, §A.8
func (s *stream) take(p *rtp.Packet, now float64) {
	n := uint64(p.SequenceNumber)
	if s.heard == 0 {
		s.first, s.last = n+1<<16, n+1<<16 // room for one that comes before the first
	} else {
		n = s.last + uint64(int64(int16(p.SequenceNumber-uint16(s.last))))
		s.last, s.first = max(s.last, n), min(s.first, n)
	}
	transit := now - float64(p.Timestamp)
	if s.heard > 0 {
		s.jitter += (math.Abs(transit-s.transit) - s.jitter) / 16
	}
	s.transit = transit
	s.heard++
}

// lost is how many have not come; what comes twice hides one that has not.
func (s *stream) lost() uint64 {
	want := s.last - s.first + 1
	return want - min(want, s.heard)
}

func (m *Media) take(kind int, p *rtp.Packet) {
	m.Packets++
	m.Bytes += uint64(len(p.Payload))
	if kind == audioKind {
		m.Frames++
		return
	}
	if p.Marker {
		m.Frames++
	}
	if whole(p.Payload) {
		m.Whole++
	}
}

// whole tells whether a picture of VP8 begins here that needs no other.
// RFC 7741 §4.2, §4.3
func whole(payload []byte) bool {
	var v codecs.VP8Packet
	_, err := v.Unmarshal(payload)
	return err == nil && v.S == 1 && v.PID == 0 && len(v.Payload) > 0 && v.Payload[0]&1 == 0
}

// Stats is how it has gone until now, or until Close.
func (s *Seat) Stats() Stats {
	s.mu.Lock()
	closed, last := s.closed, s.last
	s.mu.Unlock()
	if closed {
		return last
	}
	return s.stats()
}

func (s *Seat) stats() (out Stats) {
	for kind, m := range []*Media{&out.Audio, &out.Video} {
		c := s.counts[kind]
		c.mu.Lock()
		*m = c.media
		c.mu.Unlock()
		m.SentFrames, m.SentBytes = s.sent[kind].frames.Load(), s.sent[kind].bytes.Load()
	}
	if s.pc != nil {
		out.Path, out.RoundTrip = way(s.pc.GetStats())
	}
	return out
}

// way finds the pair of addresses that is in use.
func way(r webrtc.StatsReport) (path string, roundTrip float64) {
	for _, one := range r {
		p, ok := one.(webrtc.ICECandidatePairStats)
		if !ok || !p.Nominated || p.State != webrtc.StatsICECandidatePairStateSucceeded {
			continue
		}
		ours, _ := r[p.LocalCandidateID].(webrtc.ICECandidateStats)
		theirs, _ := r[p.RemoteCandidateID].(webrtc.ICECandidateStats)
		return ours.CandidateType.String() + "-" + theirs.CandidateType.String(), math.Round(p.CurrentRoundTripTime*1e6) / 1e3
	}
	return "", 0
}
