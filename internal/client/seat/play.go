//go:build !js

package seat

import (
	"errors"
	"io"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// source is a microphone or a camera: it never ends by itself.
type source interface {
	// next is the next packet or picture, valid until the next call, and how long it lasts.
	next() ([]byte, time.Duration, error)
	io.Closer
}

// play sends what a source has, at its pace, once there is a connection, until Close.
func (s *Seat) play(kind int, to *webrtc.TrackLocalStaticSample, from source) {
	select {
	case <-s.connected:
	case <-s.life.Done():
		return
	}
	clock := time.NewTimer(0)
	defer clock.Stop()
	for due := time.Now(); ; {
		select {
		case <-clock.C:
		case <-s.life.Done():
			return
		}
		data, lasts, err := from.next()
		if err != nil {
			s.to.Failed("what is played: " + err.Error())
			return
		}
		if !s.muted[kind].Load() && to.WriteSample(media.Sample{Data: data, Duration: lasts}) == nil {
			s.sent[kind].add(len(data))
		}
		due = due.Add(lasts)
		clock.Reset(time.Until(due))
	}
}

// openAudio is a file as a microphone, or silence.
func openAudio(file string) (source, error) {
	if file == "" {
		return silence{}, nil
	}
	return openFile(file, newOgg)
}

// openVideo is a file as a camera, or a grey picture.
func openVideo(file string) (source, error) {
	if file == "" {
		return grey(greyWidth, greyHeight), nil
	}
	return openFile(file, newIVF)
}

// silence is a microphone that nobody speaks into.
type silence struct{}

// next is a frame of 20 ms in which nothing is coded.
// RFC 6716 §3.1
func (silence) next() ([]byte, time.Duration, error) {
	return []byte{0xf8, 0xff, 0xfe}, 20 * time.Millisecond, nil
}

func (silence) Close() error { return nil }

// picture is a camera that always sees the same.
type picture []byte

// A small picture, often enough to tell whether it comes.
const (
	greyWidth, greyHeight = 320, 240
	greyLasts             = time.Second / 10
)

// grey makes a whole picture of VP8 in which every bit that can be chosen is 0: each block
// is predicted from its neighbours, and nothing differs from that. Zeros are read as zeros
// whatever their probability, so they need no coder.
// RFC 6386 §7.3, §9.1
func grey(width, height int) picture {
	blocks := ((width + 15) / 16) * ((height + 15) / 16)
	first, second := 64+2*blocks, 64+2*blocks // zeros, more than are read
	p := make([]byte, 10+first+second)
	tag := 1<<4 | first<<5 // a key frame of version 0 that is shown
	p[0], p[1], p[2] = byte(tag), byte(tag>>8), byte(tag>>16)
	copy(p[3:], "\x9d\x01\x2a")
	p[6], p[7], p[8], p[9] = byte(width), byte(width>>8), byte(height), byte(height>>8)
	return p
}

func (p picture) next() ([]byte, time.Duration, error) { return p, greyLasts, nil }

func (p picture) Close() error { return nil }

// errEmpty is a file in which nothing can be played.
var errEmpty = errors.New("there is nothing in it to play")
