//go:build !js

package seat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

// tape records the first stream of each kind: audio-N.ogg and video-N.ivf in a folder, N
// being the first number that is free. nil records nothing.
type tape struct {
	folder string

	mu   sync.Mutex
	used [2]bool // guarded by mu
	err  error   // guarded by mu: the first trouble
}

func newTape(folder string) (*tape, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return &tape{folder: folder}, nil
}

// recording is one stream on its way to a file; nil is none.
type recording struct {
	tape *tape
	to   media.Writer
}

// track begins with a stream, if it is the first of its kind.
func (t *tape) track(kind int) *recording {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	was := t.used[kind]
	t.used[kind] = true
	t.mu.Unlock()
	if was {
		return nil
	}
	f, err := t.create(kind)
	if err != nil {
		t.trouble(err)
		return nil
	}
	r := &recording{tape: t}
	if kind == audioKind {
		r.to, err = oggwriter.NewWith(f, opus.ClockRate, opus.Channels)
	} else {
		r.to, err = newIVFWriter(f)
	}
	if err != nil {
		f.Close()
		t.trouble(err)
		return nil
	}
	return r
}

// create makes a file that was not there.
func (t *tape) create(kind int) (*os.File, error) {
	ending := [2]string{"ogg", "ivf"}[kind]
	for n := 1; ; n++ {
		name := filepath.Join(t.folder, fmt.Sprintf("%s-%d.%s", kinds[kind], n, ending))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// write keeps a packet. One that is no Opus or VP8, as the other side may send, is left out.
func (r *recording) write(p *rtp.Packet) {
	if r != nil {
		_ = r.to.WriteRTP(p)
	}
}

func (r *recording) done() {
	if r != nil {
		r.tape.trouble(r.to.Close())
	}
}

func (t *tape) trouble(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// close tells what went wrong; the streams have ended.
func (t *tape) close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// ivfWriter puts the pictures of VP8 together that came whole, from the first on that needs
// no other, and writes them to a file of IVF.
type ivfWriter struct {
	file    *os.File
	begun   bool
	first   uint32 // RTP's time of the first picture
	picture []byte // as far as it is here
	at      uint32 // its time
	next    uint16 // the number of the packet that goes on
	inside  bool   // a picture has begun and nothing of it is missing
	count   uint32
}

func newIVFWriter(f *os.File) (*ivfWriter, error) {
	var head [32]byte
	copy(head[:], "DKIF")
	binary.LittleEndian.PutUint16(head[6:], 32)
	copy(head[8:], "VP80")
	binary.LittleEndian.PutUint32(head[16:], vp8.ClockRate)
	binary.LittleEndian.PutUint32(head[20:], 1)
	_, err := f.Write(head[:])
	return &ivfWriter{file: f}, err
}

// WriteRTP takes a packet.
// RFC 7741 §4.2
func (w *ivfWriter) WriteRTP(p *rtp.Packet) error {
	var v codecs.VP8Packet
	if _, err := v.Unmarshal(p.Payload); err != nil || len(v.Payload) == 0 {
		return err
	}
	if v.S == 1 && v.PID == 0 {
		w.picture, w.at, w.inside = w.picture[:0], p.Timestamp, true
	} else if p.SequenceNumber != w.next || p.Timestamp != w.at || len(w.picture)+len(v.Payload) > mostPicture {
		w.inside = false
	}
	if !w.inside {
		return nil
	}
	w.next = p.SequenceNumber + 1
	w.picture = append(w.picture, v.Payload...)
	if !p.Marker {
		return nil
	}
	w.inside = false
	return w.write()
}

// write writes the picture.
// RFC 6386 §9.1
func (w *ivfWriter) write() error {
	if !w.begun {
		if len(w.picture) < 10 || w.picture[0]&1 != 0 {
			return nil
		}
		w.begun, w.first = true, w.at
		size := []byte{w.picture[6], w.picture[7] & 0x3f, w.picture[8], w.picture[9] & 0x3f}
		if _, err := w.file.WriteAt(size, 12); err != nil {
			return err
		}
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(w.picture)))
	head = binary.LittleEndian.AppendUint64(head, uint64(w.at-w.first))
	w.count++
	_, err := w.file.Write(append(head, w.picture...))
	return err
}

// Close writes how many there are.
func (w *ivfWriter) Close() error {
	_, err := w.file.WriteAt(binary.LittleEndian.AppendUint32(nil, w.count), 24)
	return errors.Join(err, w.file.Close())
}
