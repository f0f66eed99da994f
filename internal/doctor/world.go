package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mirsal/internal/control"
	"mirsal/internal/store/s3"
	"mirsal/internal/store/sqlite"
)

// World is what is looked at, so that tests can make another.
type World struct {
	Now        func() time.Time
	UID        int
	LookupHost func(ctx context.Context, host string) ([]string, error)
	LookupSRV  func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	Addresses  func() []netip.Addr // of this machine
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	Roots      *x509.CertPool // nil for the system's

	Space     func(dir string) (space, error)
	Sync      func(dir string) ([]time.Duration, error) // small durable writes
	Clock     func() (clock, error)
	OpenFiles func(pid int) (uint64, error) // the most; pid 0 is this process
	Memory    func() (available, total uint64, err error)
	Listens   func(port int) string // which program; "" when that cannot be told
	LowPorts  func() int            // first port that everybody may listen on
	SQLite    func() (version string, err error)
	Running   func(ctx context.Context, dir string) running
	Writable  func(dir string) error // whether this user may make files there
	Bucket    func(ctx context.Context, c s3.Config) error
}

// running is what is known of a server that uses the data folder.
type running struct {
	answers bool           // its socket answers
	locked  bool           // it holds the lock
	pid     int            // 0 when unknown
	err     error          // why the socket does not answer
	status  control.Status // what it tells; empty for an older version
}

type space struct {
	free, total uint64 // bytes
	files       uint64 // that can still be made
	kind        int64  // as statfs tells it
}

type clock struct {
	synchronised bool
	off          time.Duration // the most that it may be wrong
}

// Real is this machine.
func Real() *World {
	return &World{
		Now: time.Now, UID: os.Geteuid(),
		LookupHost: net.DefaultResolver.LookupHost, LookupSRV: net.DefaultResolver.LookupSRV,
		Addresses: addresses, Dial: new(net.Dialer).DialContext,
		Space: spaceOf, Sync: syncTimes, Clock: readClock, OpenFiles: openFiles, Memory: memory,
		Listens: listens, LowPorts: lowPorts, SQLite: sqlite.BuiltWith, Running: lookForServer,
		Writable: writable, Bucket: askBucket,
	}
}

func addresses() (list []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}

func spaceOf(dir string) (space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return space{}, err
	}
	return space{free: s.Bavail * uint64(s.Bsize), total: s.Blocks * uint64(s.Bsize), files: s.Ffree, kind: int64(s.Type)}, nil
}

// syncTimes writes some pages to a file without a name, which is gone whatever
// happens.
func syncTimes(dir string) (times []time.Duration, err error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("no file without a name can be made: %w", err)
	}
	defer unix.Close(fd)
	page := make([]byte, 4096)
	for begin := time.Now(); len(times) < 9 && time.Since(begin) < 2*time.Second; {
		page[0]++
		start := time.Now()
		if _, err := unix.Pwrite(fd, page, int64(len(times)*len(page))); err != nil {
			return nil, err
		}
		if err := unix.Fdatasync(fd); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// readClock asks the kernel whether something keeps the clock right.
func readClock() (clock, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t) // no modes: nothing is set
	const timeError, unsynchronised = 5, 0x40
	return clock{
		synchronised: state != timeError && t.Status&unsynchronised == 0,
		off:          time.Duration(t.Maxerror) * time.Microsecond,
	}, err
}

func openFiles(pid int) (uint64, error) {
	var l unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &l)
	return l.Max, err // a Go program raises its limit to the highest itself
}

// memory is what is free for programs, within the limit of a container.
func memory() (available, total uint64, err error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseUint(f[1], 10, 64)
		switch f[0] {
		case "MemAvailable:":
			available = n << 10
		case "MemTotal:":
			total = n << 10
		}
	}
	most, used := number("/sys/fs/cgroup/memory.max"), number("/sys/fs/cgroup/memory.current")
	if most > 0 && most < total {
		total, available = most, min(available, most-min(used, most))
	}
	return available, total, nil
}

func number(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n
}

func lowPorts() int { return int(number("/proc/sys/net/ipv4/ip_unprivileged_port_start")) }

// listens finds the program that listens on a TCP port by what /proc shows, which for
// programs of other users is little.
func listens(port int) string {
	sockets := listeningSockets(port)
	if len(sockets) == 0 {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && slices.Contains(sockets, to) {
			pid := strings.Split(link, "/")[2]
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// listeningSockets are the links that descriptors of listeners on a port have.
func listeningSockets(port int) (list []string) {
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			const listening = "0A"
			if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				list = append(list, "socket:["+f[9]+"]")
			}
		}
	}
	return list
}

func lookForServer(ctx context.Context, dir string) running {
	var r running
	r.pid, r.locked = lockHolder(filepath.Join(dir, "lock"))
	c, err := control.Dial(ctx, dir)
	if err != nil {
		r.err = err
		return r
	}
	defer c.Close()
	r.answers = true
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if st, err := c.Status(ctx); err == nil { // else it is of an older version
		r.status = st
	}
	return r
}

// lockHolder reads who has a lock on a file from /proc; asking for it would be to
// take it.
func lockHolder(path string) (pid int, held bool) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0, false
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino)
	text, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 5 && f[1] == "FLOCK" && f[5] == file {
			pid, _ = strconv.Atoi(f[4])
			return max(pid, 0), true
		}
	}
	return 0, false
}

func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// askBucket makes one request, for what has a name that nothing in the bucket has.
func askBucket(ctx context.Context, c s3.Config) error {
	dir, err := os.MkdirTemp("", "mirsal-doctor-") // not the server's, which opening empties
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Spool = dir
	b, err := s3.Open(c)
	if err != nil {
		return err
	}
	return b.List(ctx, "mirsal-doctor", func(string) error { return nil })
}
