package crash

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// call is one system call of a trace. Begin and end are the lines where strace
// saw it begin and return: a call that begins only because another returned
// stands behind it.
type call struct {
	name       string
	file       string
	data       []byte // of a write
	offset     int64  // of a pwrite64
	begin, end int
	ok         bool
}

// traced is what strace must be told to record for readTrace. Strings are in
// hexadecimal, whole; descriptors have their files' names.
func traced(strace, file string) []string {
	return []string{
		strace, "-f", "--seccomp-bpf", "-xx", "-y", "-s", "1000000", "-o", file,
		"-e", "trace=write,writev,pwrite64,pwritev,fdatasync,fsync,sendto,sendmsg",
	}
}

var (
	callLine    = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>.* = (-?\d+)`)
	resultTail  = regexp.MustCompile(` = (-?\d+)[^=]*$`)
	text        = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	lastNumber  = regexp.MustCompile(`, (\d+)\)? *(?:=.*|<unfinished.*)?$`)
)

// readTrace reads a trace in the order in which its calls began. A call that
// never returned is not ok.
func readTrace(name string) ([]*call, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []*call
	running := map[string]*call{} // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if m := resumedLine.FindStringSubmatch(line); m != nil {
			if c := running[m[1]]; c != nil {
				c.end, c.ok = n, m[2] != "-1"
				delete(running, m[1])
			}
			continue
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		c := &call{name: m[2], file: string(unhex(m[3])), begin: n}
		c.arguments(m[4])
		all = append(all, c)
		if strings.HasSuffix(line, "<unfinished ...>") {
			running[m[1]] = c
			continue
		}
		ret := resultTail.FindStringSubmatch(line)
		c.end, c.ok = n, ret != nil && ret[1] != "-1"
	}
	return all, lines.Err()
}

func (c *call) arguments(s string) {
	for _, m := range text.FindAllStringSubmatch(s, -1) {
		c.data = append(c.data, unhex(m[1])...)
	}
	if c.name == "pwrite64" {
		if i := strings.LastIndexByte(s, '"'); i >= 0 {
			if m := lastNumber.FindStringSubmatch(s[i+1:]); m != nil {
				c.offset, _ = strconv.ParseInt(m[1], 10, 64)
			}
		}
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return []byte(s)
	}
	return b
}

// Sizes of SQLite's write-ahead log: its header, a frame's header, a page.
const (
	walHeader   = 32
	frameHeader = 24
	walPage     = 4096
)

// A ledger follows a trace and knows which messages are durable: a message is
// when a sync of the log has returned that began after the commit which holds it
// was written.
type ledger struct {
	mark       func(n int) []byte // what message n has in it
	written    map[int]int        // message to the line at which its write returned
	commits    []int              // lines at which the last write of a commit returned
	committing bool               // a commit frame's header is written, its page not yet
	syncs      []*call
	acks, bad  int
	faults     []string
}

// follow checks every call of a trace: an <a h='N'/> may be written only when
// messages 1 to N are durable.
func (l *ledger) follow(all []*call, most int) {
	l.written = map[int]int{}
	for _, c := range all {
		switch {
		case strings.HasSuffix(c.file, "-wal") && c.name == "pwrite64":
			l.logWrite(c, most)
		case strings.HasSuffix(c.file, "-wal") && (c.name == "fdatasync" || c.name == "fsync"):
			l.syncs = append(l.syncs, c)
		case strings.HasPrefix(c.file, "socket:"):
			for _, h := range acksIn(c.data) {
				l.ack(c, h)
			}
		}
	}
}

func (l *ledger) logWrite(c *call, most int) {
	data, at := c.data, c.offset-walHeader
	header := at >= 0 && at%(frameHeader+walPage) == 0 && len(data) >= frameHeader
	if header {
		// SQLite file format §4.1: the size after a commit is 0 in other frames
		l.committing = binary.BigEndian.Uint32(data[4:8]) != 0
	}
	for n := 1; n <= most; n++ {
		if l.written[n] == 0 && bytes.Contains(data, l.mark(n)) {
			l.written[n] = c.end
		}
	}
	if l.committing && len(data) > frameHeader {
		l.commits = append(l.commits, c.end)
		l.committing = false
	}
}

var ackText = regexp.MustCompile(`<a xmlns='urn:xmpp:sm:3' h='(\d+)'/>`)

func acksIn(data []byte) []int {
	var all []int
	for _, m := range ackText.FindAllSubmatch(data, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		all = append(all, n)
	}
	return all
}

func (l *ledger) ack(c *call, h int) {
	l.acks++
	for n := 1; n <= h; n++ {
		if why := l.missing(n, c.begin); why != "" {
			l.bad++
			if len(l.faults) < 5 {
				l.faults = append(l.faults, fmt.Sprintf("line %d: h='%d' is written, and message %d %s", c.begin, h, n, why))
			}
			return
		}
	}
}

// missing says what message n lacks to be durable before a line, "" for nothing.
func (l *ledger) missing(n, before int) string {
	at := l.written[n]
	if at == 0 || at >= before {
		return "is not in the log"
	}
	for _, commit := range l.commits {
		if commit < at {
			continue
		}
		for _, s := range l.syncs {
			if s.ok && s.begin > commit && s.end < before {
				return ""
			}
		}
		return "is written and not synced"
	}
	return "is written and not committed"
}

func TestTheLedgerTellsASyncFromNone(t *testing.T) {
	mark := func(n int) []byte { return fmt.Appendf(nil, "<%d>", n) }
	frame := func(commit byte, body string) []*call {
		return []*call{
			{name: "pwrite64", file: "/x-wal", data: append([]byte{0, 0, 0, 1, 0, 0, 0, commit}, make([]byte, 16)...), offset: walHeader},
			{name: "pwrite64", file: "/x-wal", data: append([]byte(body), make([]byte, 100)...), offset: walHeader + frameHeader},
		}
	}
	sync := []*call{{name: "fdatasync", file: "/x-wal"}}
	ack := []*call{{name: "write", file: "socket:[1]", data: []byte("<a xmlns='urn:xmpp:sm:3' h='2'/>")}}
	one, two, last := frame(0, "<1>"), frame(0, "<2>"), frame(9, "")
	for name, c := range map[string]struct {
		calls [][]*call
		bad   int
	}{
		"synced":                           {[][]*call{one, two, last, sync, ack}, 0},
		"not synced":                       {[][]*call{one, two, last, ack}, 1},
		"synced too late":                  {[][]*call{one, two, last, ack, sync}, 1},
		"synced before the commit":         {[][]*call{one, two, sync, last, ack}, 1},
		"synced before the second message": {[][]*call{one, last, sync, two, last, ack}, 1},
		"not written":                      {[][]*call{one, last, sync, ack}, 1},
	} {
		var all []*call
		for _, group := range c.calls {
			for _, k := range group {
				copied := *k
				copied.begin, copied.end, copied.ok = 2*len(all)+1, 2*len(all)+2, true
				all = append(all, &copied)
			}
		}
		l := ledger{mark: mark}
		if l.follow(all, 2); l.acks != 1 || l.bad != c.bad {
			t.Errorf("%s: %d acks, %d bad: %v", name, l.acks, l.bad, l.faults)
		}
	}
}
