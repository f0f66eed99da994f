package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// machine looks at what the server asks of the machine and its system.
func (e *exam) machine(context.Context) []Finding {
	list := append(e.time(), e.files(), e.room())
	version, err := e.SQLite()
	if err != nil {
		return append(list, Finding{"machine.sqlite", "", Problem, err.Error() + ".", "Use a build of Mirsal with a newer SQLite."})
	}
	return append(list, Finding{"machine.sqlite", "", OK, "SQLite is " + version + ", without the fault of versions before 3.51.3.", ""})
}

// ahead is how far in the future a file may be from.
const ahead = 5 * time.Minute

// time looks at the clock: whether something keeps it right, and whether it agrees
// with what was written before.
func (e *exam) time() []Finding {
	f := Finding{"machine.clock", "", OK, "The clock is kept right by the system.", ""}
	c, err := e.Clock()
	const how = "Let something set it, for instance systemd-timesyncd or chrony. In a container, that is the business of its host."
	switch {
	case err != nil:
		f = Finding{"machine.clock", "", Notice, "Whether something keeps the clock right cannot be told: " + err.Error() + ".", how}
	case !c.synchronised:
		f = Finding{"machine.clock", "", Warning, "Nothing seems to keep the clock right.", how + " Certificates and the order of messages depend on it."}
	case c.off > time.Second:
		f = Finding{"machine.clock", "", Warning, fmt.Sprintf("The clock may be wrong by %v.", c.off.Round(100*time.Millisecond)), how}
	}
	list := []Finding{f}
	now := e.Now()
	for _, name := range []string{"mirsal.db", "mirsal.db-wal"} {
		if st, err := os.Stat(filepath.Join(e.cfg.Data, name)); err == nil && st.ModTime().After(now.Add(ahead)) {
			list = append(list, Finding{"machine.clock-archive", "", Problem,
				fmt.Sprintf("The archive was last written at %s, which is still to come: the clock was or is wrong.", st.ModTime().Format(time.DateTime)),
				"Set the clock right before the server starts: messages would be filed under wrong times."})
			break
		}
	}
	return list
}

// spareFiles is what the server opens besides connections, roughly.
const spareFiles = 100

// files looks how many connections the system lets the server have.
func (e *exam) files() Finding {
	n, err := e.OpenFiles(e.server.pid)
	whose := "this user"
	if e.server.pid > 0 {
		if err != nil {
			n, err = e.OpenFiles(0)
		} else {
			whose = "the running server"
		}
	}
	want := uint64(e.cfg.C2S.Strangers + spareFiles)
	f := Finding{"machine.files", "", OK, fmt.Sprintf("The system lets %s have %d files open, so about %d connections.", whose, n, max(n, spareFiles)-spareFiles), ""}
	switch {
	case err != nil:
		return Finding{"machine.files", "", Notice, "How many files may be open cannot be told: " + err.Error() + ".", "Look with: ulimit -Hn"}
	case n < want:
		f.Level = Warning
		f.Remedy = fmt.Sprintf("Raise it to %d or more: LimitNOFILE= in the systemd unit, or ulimit -n before the start. c2s.strangers alone lets %d in.", want*4, e.cfg.C2S.Strangers)
	}
	return f
}

// What a session and a server without any take, roughly.
const (
	perSession = 32 << 10
	littleRoom = 128 << 20
)

func (e *exam) room() Finding {
	free, total, err := e.Memory()
	switch {
	case err != nil:
		return Finding{"machine.memory", "", Notice, "How much memory is free cannot be told: " + err.Error() + ".", "Look with: free -m"}
	case free < littleRoom:
		return Finding{"machine.memory", "", Warning, fmt.Sprintf("Only %s of %s memory are free.", size(free), size(total)), "Stop something else, or give the machine more memory; the server wants 128 MiB to begin with."}
	}
	return Finding{"machine.memory", "", OK, fmt.Sprintf("%s of %s memory are free, room for about %d idle sessions.", size(free), size(total), roughly((free-littleRoom/2)/perSession)), ""}
}

// roughly leaves one digit that says something.
func roughly(n uint64) uint64 {
	p := uint64(1)
	for n/p >= 10 {
		p *= 10
	}
	return n / p * p
}
