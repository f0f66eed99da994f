//go:build linux

package netns

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Watch counts the packets of a space by the addresses that they are from and to, on
// all its devices.
type Watch struct {
	f     *os.File
	ended chan struct{}

	mu    sync.Mutex // held for moments
	count map[netip.Addr]int
	all   int
}

// Watch begins to count; it ends with the test.
func (s *Space) Watch() *Watch {
	s.t.Helper()
	var fd int
	err := s.Do(func() (err error) {
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(swap(unix.ETH_P_ALL))); err != nil {
			return err
		}
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	})
	if err != nil {
		s.t.Fatalf("%s: a capture: %v", s.Name, err)
	}
	w := &Watch{f: os.NewFile(uintptr(fd), "capture"), ended: make(chan struct{}), count: map[netip.Addr]int{}}
	s.t.Cleanup(func() {
		w.f.Close()
		<-w.ended
	})
	go w.read()
	return w
}

// swap is a number of 16 bits in the network's order.
func swap(n uint16) uint16 { return n<<8 | n>>8 }

func (w *Watch) read() {
	defer close(w.ended)
	b := make([]byte, 64<<10)
	for {
		n, err := w.f.Read(b)
		if errors.Is(err, unix.ENETDOWN) {
			continue // a device was taken away
		}
		if err != nil {
			return
		}
		if from, to, ok := ends(b[:n]); ok {
			w.take(from, to)
		}
	}
}

func (w *Watch) take(from, to netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all++
	w.count[from]++
	if from != to {
		w.count[to]++
	}
}

// ends are the addresses of a packet of IP.
func ends(p []byte) (from, to netip.Addr, ok bool) {
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:])), true
	case len(p) >= 40 && p[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:])), true
	}
	return from, to, false
}

// Of is how many packets were from or to an address. An error is that some were not seen.
func (w *Watch) Of(a netip.Addr) (int, error) {
	if err := w.whole(); err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[a], nil
}

// All is how many packets were counted, and by which addresses.
func (w *Watch) All() (int, map[netip.Addr]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all, maps.Clone(w.count)
}

// whole tells whether the system had room for all packets.
func (w *Watch) whole() error {
	raw, err := w.f.SyscallConn()
	if err != nil {
		return err
	}
	var stats *unix.TpacketStats
	if ctl := raw.Control(func(fd uintptr) {
		stats, err = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	}); ctl != nil {
		return ctl
	}
	if err == nil && stats.Drops > 0 {
		err = fmt.Errorf("%d packets were not seen", stats.Drops)
	}
	return err
}
