//go:build !js

package seat

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// frames reads a file from its beginning to io.EOF.
type frames interface {
	next() ([]byte, time.Duration, error)
}

// looped is a file that is read over and over.
type looped struct {
	file *os.File
	open func(io.Reader) (frames, error)
	now  frames
	any  bool // something was there since it began
}

func openFile(name string, open func(io.Reader) (frames, error)) (source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	l := &looped{file: f, open: open}
	err = l.rewind()
	if err == nil {
		_, _, err = l.now.next() // that there is something is known before anybody is called
		if err == io.EOF {
			err = errEmpty
		}
		err = errors.Join(err, l.rewind())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

func (l *looped) rewind() (err error) {
	if _, err = l.file.Seek(0, io.SeekStart); err == nil {
		l.now, err = l.open(bufio.NewReader(l.file))
	}
	l.any = false
	return err
}

func (l *looped) next() ([]byte, time.Duration, error) {
	for {
		data, lasts, err := l.now.next()
		switch {
		case err == nil:
			l.any = true
			return data, lasts, nil
		case err != io.EOF:
			return nil, 0, err
		case !l.any:
			return nil, 0, errEmpty
		}
		if err := l.rewind(); err != nil {
			return nil, 0, err
		}
	}
}

func (l *looped) Close() error { return l.file.Close() }

// ogg reads the packets of the first stream of Opus in a file of Ogg.
// RFC 3533 §6
// RFC 7845 §3
type ogg struct {
	from   io.Reader
	serial uint32
	lacing []byte // of the page, not yet read
	packet []byte
}

// mostPacket bounds a packet, in bytes: RFC 6716 §3.2.1 lets a frame have 1275.
const mostPacket = 48 * 1275

var errOgg = errors.New("it is no file of Opus in Ogg")

func newOgg(from io.Reader) (frames, error) {
	o := &ogg{from: from}
	head, err := o.read()
	if err != nil || !bytes.HasPrefix(head, []byte("OpusHead")) {
		return nil, errOgg
	}
	if _, err := o.read(); err != nil { // the tags
		return nil, errOgg
	}
	return o, nil
}

func (o *ogg) next() ([]byte, time.Duration, error) {
	for {
		p, err := o.read()
		if err != nil {
			return nil, 0, err
		}
		if d := opusTime(p); d > 0 {
			return p, d, nil
		}
	}
}

// read reads a packet.
func (o *ogg) read() ([]byte, error) {
	o.packet = o.packet[:0]
	for {
		for len(o.lacing) > 0 {
			n := int(o.lacing[0])
			o.lacing = o.lacing[1:]
			at := len(o.packet)
			if at+n > mostPacket {
				return nil, errOgg
			}
			o.packet = append(o.packet, make([]byte, n)...)
			if _, err := io.ReadFull(o.from, o.packet[at:]); err != nil {
				return nil, errOgg
			}
			if n < 255 {
				return o.packet, nil
			}
		}
		if err := o.page(); err != nil {
			return nil, err
		}
	}
}

// page reads the head of the next page of the stream; io.EOF where there is none.
func (o *ogg) page() error {
	for {
		var head [27]byte
		if _, err := io.ReadFull(o.from, head[:]); err != nil {
			return io.EOF // also behind a page that was cut off
		}
		if string(head[:4]) != "OggS" {
			return errOgg
		}
		lacing := make([]byte, head[26])
		if _, err := io.ReadFull(o.from, lacing); err != nil {
			return io.EOF
		}
		serial := binary.LittleEndian.Uint32(head[14:])
		if o.serial == 0 {
			o.serial = serial
		}
		if serial == o.serial {
			o.lacing = lacing
			return nil
		}
		skip := 0
		for _, n := range lacing {
			skip += int(n)
		}
		if _, err := io.CopyN(io.Discard, o.from, int64(skip)); err != nil {
			return io.EOF
		}
	}
}

// opusTime is how long a packet lasts, 0 for what is none.
// RFC 6716 §3.1, §3.2.5
func opusTime(p []byte) time.Duration {
	if len(p) == 0 {
		return 0
	}
	config, frames := p[0]>>3, 1
	switch p[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(p) < 2 {
			return 0
		}
		frames = int(p[1] & 0x3f)
	}
	ms := time.Millisecond
	var one time.Duration
	switch {
	case config < 12:
		one = []time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config&3]
	case config < 16:
		one = []time.Duration{10 * ms, 20 * ms}[config&1]
	default:
		one = []time.Duration{5 * ms / 2, 5 * ms, 10 * ms, 20 * ms}[config&3]
	}
	if d := one * time.Duration(frames); d <= 120*ms {
		return d
	}
	return 0
}

// ivf reads the pictures of a file of IVF. A picture lasts until the next one's time; the
// last as long as the one before it.
type ivf struct {
	from  io.Reader
	unit  time.Duration // of times
	ahead []byte        // the next picture
	at    uint64        // its time
	lasts time.Duration
	ended bool
}

var errIVF = errors.New("it is no file of VP8 in IVF")

// mostPicture bounds a picture, in bytes.
const mostPicture = 4 << 20

func newIVF(from io.Reader) (frames, error) {
	var head [32]byte
	_, err := io.ReadFull(from, head[:])
	length := binary.LittleEndian.Uint16(head[6:])
	rate, scale := binary.LittleEndian.Uint32(head[16:]), binary.LittleEndian.Uint32(head[20:])
	if err != nil || string(head[:4]) != "DKIF" || string(head[8:12]) != "VP80" || length < 32 || rate == 0 || scale == 0 {
		return nil, errIVF
	}
	if _, err := io.CopyN(io.Discard, from, int64(length)-32); err != nil {
		return nil, errIVF
	}
	v := &ivf{from: from, unit: time.Duration(scale) * time.Second / time.Duration(rate)}
	v.lasts = min(max(v.unit, time.Second/60), time.Second)
	return v, v.look()
}

// look reads the picture that is ahead.
func (v *ivf) look() error {
	var head [12]byte
	if _, err := io.ReadFull(v.from, head[:]); err != nil {
		v.ended = true
		return nil
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size > mostPicture {
		return errIVF
	}
	v.at, v.ahead = binary.LittleEndian.Uint64(head[4:]), make([]byte, size)
	if _, err := io.ReadFull(v.from, v.ahead); err != nil {
		v.ended = true
	}
	return nil
}

func (v *ivf) next() ([]byte, time.Duration, error) {
	if v.ended {
		return nil, 0, io.EOF
	}
	data, at := v.ahead, v.at
	if err := v.look(); err != nil {
		return nil, 0, err
	}
	if d := v.unit * time.Duration(v.at-at); !v.ended && v.at > at && d < 10*time.Second {
		v.lasts = d
	}
	return data, v.lasts, nil
}
