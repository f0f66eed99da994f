package screen

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A line is a way to the server that can be cut, as when a train enters a tunnel: what
// the browser calls offline leaves WebSockets that are open as they are.
type line struct {
	at, to string

	mu   sync.Mutex // all below
	cut  bool
	held chan struct{} // while long answers wait; closed when they go on
	ends []net.Conn
}

// long is how much of an answer passes while long ones are held, in bytes.
const long = 2 << 20

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := &line{at: l.Addr().String(), to: to}
	t.Cleanup(func() {
		_ = l.Close()
		_ = line.set(true)
	})
	go line.accept(l)
	return line
}

func (l *line) accept(from net.Listener) {
	for {
		c, err := from.Accept()
		if err != nil {
			return
		}
		go l.carry(c)
	}
}

func (l *line) carry(c net.Conn) {
	defer c.Close()
	on, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer on.Close()
	if !l.keep(c, on) {
		return
	}
	go func() {
		defer c.Close()
		l.answer(c, on)
	}()
	_, _ = io.Copy(on, c)
}

// answer carries what the server says.
func (l *line) answer(to, from net.Conn) {
	buf, passed := make([]byte, 32<<10), 0
	for {
		n, err := from.Read(buf)
		held := l.holds()
		if held == nil {
			passed = 0
		} else if passed += n; passed > long {
			<-held
		}
		if _, wrong := to.Write(buf[:n]); wrong != nil || err != nil {
			return
		}
	}
}

func (l *line) holds() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// hold has long answers stop in the middle.
func (l *line) hold() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = make(chan struct{})
	return nil
}

// keep remembers what is to be cut, unless it is cut.
func (l *line) keep(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, ends...)
	return !l.cut
}

// set cuts the line or mends it; nothing is held then.
func (l *line) set(cut bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		_ = c.Close()
	}
	if l.held != nil {
		close(l.held)
	}
	l.cut, l.ends, l.held = cut, nil, nil
	return nil
}
