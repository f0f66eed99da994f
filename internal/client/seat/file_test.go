//go:build !js

package seat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// page is a page of Ogg with whole packets, or parts of them, by their lacing.
func page(serial uint32, lacing []byte, body []byte) []byte {
	b := append([]byte("OggS"), make([]byte, 22)...)
	binary.LittleEndian.PutUint32(b[14:], serial)
	b = append(b, byte(len(lacing)))
	return append(append(b, lacing...), body...)
}

// opusFile has two packets in one page, and a third that goes on in the next, with a page of
// another stream between.
func opusFile() []byte {
	long := append([]byte{0xf8}, bytes.Repeat([]byte{7}, 299)...)
	out := page(5, []byte{19}, append([]byte("OpusHead"), make([]byte, 11)...))
	out = append(out, page(5, []byte{16}, append([]byte("OpusTags"), make([]byte, 8)...))...)
	out = append(out, page(5, []byte{2, 3, 255}, append([]byte{0xf8, 1, 0xf9, 2, 2}, long[:255]...))...)
	out = append(out, page(6, []byte{3}, []byte{9, 9, 9})...)
	return append(out, page(5, []byte{45}, long[255:])...)
}

func TestPacketsAreFoundInPages(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.ogg")
	if err := os.WriteFile(name, opusFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	got := read(t, name, newOgg)
	if len(got) != 3 || len(got[0]) != 2 || len(got[1]) != 3 || len(got[2]) != 300 || got[2][299] != 7 {
		t.Fatalf("%x", got)
	}
	l, err := openFile(name, newOgg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 7 {
		p, d, err := l.next()
		if err != nil || !bytes.Equal(p, got[i%3]) {
			t.Fatalf("%d: %x, %v", i, p, err)
		}
		if want := []time.Duration{20, 40, 20}[i%3] * time.Millisecond; d != want {
			t.Errorf("%d lasts %v", i, d)
		}
	}
}

func TestAPacketLastsWhatItsFirstByteSays(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		want   time.Duration
	}{
		{nil, 0}, {[]byte{0xf8, 0xff, 0xfe}, 20 * time.Millisecond}, {[]byte{0x00}, 10 * time.Millisecond}, {[]byte{0x18}, 60 * time.Millisecond},
		{[]byte{0x19}, 120 * time.Millisecond}, {[]byte{0x60}, 10 * time.Millisecond}, {[]byte{0x6a}, 40 * time.Millisecond}, {[]byte{0x80}, 2500 * time.Microsecond},
		{[]byte{0xfb}, 0}, {[]byte{0xfb, 6}, 120 * time.Millisecond}, {[]byte{0xfb, 7}, 0}, {[]byte{0xfb, 0}, 0},
	} {
		if got := opusTime(c.packet); got != c.want {
			t.Errorf("%x lasts %v, not %v", c.packet, got, c.want)
		}
	}
}

// A file that is none, is cut off or changed anywhere, is an error or the end, and nothing worse.
func TestABrokenFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	whole := map[string][]byte{"ogg": opusFile(), "ivf": ivfFile(t)}
	for kind, raw := range whole {
		open := map[string]func() error{
			"ogg": func() error { return tryFile(filepath.Join(dir, "x.ogg"), openAudio) },
			"ivf": func() error { return tryFile(filepath.Join(dir, "x.ivf"), openVideo) },
		}[kind]
		name := filepath.Join(dir, "x."+kind)
		for n := range len(raw) {
			cut, changed := raw[:n], bytes.Clone(raw)
			changed[n] ^= 0xff
			for _, b := range [][]byte{cut, changed} {
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := open(); err == nil && n < 20 && len(b) == n {
					t.Errorf("%s of %d bytes was opened", kind, n)
				}
			}
		}
	}
	s := New(Config{Audio: filepath.Join(dir, "none")}, nil)
	if err := s.Open(false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func tryFile(name string, open func(string) (source, error)) error {
	s, err := open(name)
	if err != nil {
		return err
	}
	defer s.Close()
	for range 10 {
		if _, _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// packets are pictures as they come: each in pieces.
func packets(pictures ...[]byte) (out []*rtp.Packet) {
	for i, p := range pictures {
		for at := 0; at < len(p); at += 100 {
			end := min(at+100, len(p))
			first := byte(0)
			if at == 0 {
				first = 0x10
			}
			out = append(out, &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(65530 + len(out)), Timestamp: uint32(1000 + 9000*i), Marker: end == len(p)},
				Payload: append([]byte{first}, p[at:end]...)})
		}
	}
	return out
}

func record(t *testing.T, name string, all []*rtp.Packet) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newIVFWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		_ = w.WriteRTP(p)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func ivfFile(t *testing.T) []byte {
	name := filepath.Join(t.TempDir(), "x.ivf")
	record(t, name, packets(grey(16, 16), append([]byte{1}, make([]byte, 30)...)))
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Pictures of which something is missing are left out, and so are those before the first whole one.
func TestOnlyWholePicturesAreRecorded(t *testing.T) {
	key, next := grey(64, 48), append([]byte{1}, bytes.Repeat([]byte{3}, 250)...)
	all := packets(next, key, next, next, next)
	lost := len(packets(next, key, next)) + 1 // the middle of the fourth
	got := append(all[:lost:lost], all[lost+1:]...)
	got = append(got, &rtp.Packet{Payload: []byte{0x10}, Header: rtp.Header{Marker: true}}, &rtp.Packet{Payload: nil}, &rtp.Packet{Payload: []byte{0x90, 0x80}})
	name := filepath.Join(t.TempDir(), "x.ivf")
	record(t, name, got)
	seen := read(t, name, newIVF)
	if len(seen) != 3 || !bytes.Equal(seen[0], key) || !bytes.Equal(seen[1], next) || !bytes.Equal(seen[2], next) {
		t.Fatalf("%d pictures", len(seen))
	}
	raw, _ := os.ReadFile(name)
	if w, h, n := raw[12], raw[14], raw[24]; w != 64 || h != 48 || n != 3 {
		t.Errorf("%d × %d, %d pictures", w, h, n)
	}
	l, err := openVideo(name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, d, _ := l.next(); d.Round(time.Millisecond) != 100*time.Millisecond {
		t.Errorf("the first lasts %v", d)
	}
}

// TestLossAndJitterAreCounted: RFC 3550 §A.3, §A.8.
func TestLossIsCounted(t *testing.T) {
	var s stream
	for i, n := range []uint16{65534, 65535, 1, 0, 5, 5} {
		s.take(&rtp.Packet{Header: rtp.Header{SequenceNumber: n, Timestamp: uint32(160 * i)}}, float64(160*i))
	}
	if s.jitter != 0 || s.last-s.first != 7 || s.lost() != 2 {
		t.Errorf("%+v, lost %d", s, s.lost())
	}
	if s.take(&rtp.Packet{Header: rtp.Header{SequenceNumber: 6, Timestamp: 960}}, 960+160); s.jitter != 10 {
		t.Errorf("jitter %v", s.jitter)
	}
}
