// Package measure reads what processes have used and prints results, for the
// load programs beside it. Linux only; it measures nothing by itself and starts
// nothing.
package measure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of CPU times in /proc: USER_HZ is 100 on Linux.
const clockTick = 10 * time.Millisecond

// Usage is what a server, this process and the machine have used so far.
type Usage struct {
	At          time.Time
	CPU, System time.Duration // of the server: all, and in the kernel
	Self        time.Duration // of this process and its children that ended
	Machine     time.Duration // of all programs on all processors
	PSS         int64         // bytes of memory, shared pages by their share
}

// Of reads the usage of processes and everything that they started.
func Of(pids ...int) Usage {
	u := Usage{At: time.Now(), Self: self(), Machine: machine()}
	for _, pid := range tree(pids) {
		f := statFields(pid)
		u.CPU += ticks(f, 11) + ticks(f, 12) + ticks(f, 13) + ticks(f, 14)
		u.System += ticks(f, 12) + ticks(f, 14)
		u.PSS += PSS(pid)
	}
	return u
}

// Noise is the share of the machine that neither the server nor this process
// used between two readings, and that was used: other programs.
func Noise(a, b Usage, processors int) float64 {
	others := (b.Machine - a.Machine) - (b.CPU - a.CPU) - (b.Self - a.Self)
	return Round(max(others.Seconds(), 0)/(b.At.Sub(a.At).Seconds()*float64(processors)), 3)
}

// tree is the processes and all that descend from them.
func tree(pids []int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		if f := statFields(pid); len(f) > 1 {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], pid)
		}
	}
	var all []int
	for next := slices.Clone(pids); len(next) > 0; next = next[1:] {
		if !slices.Contains(all, next[0]) {
			all = append(all, next[0])
			next = append(next, children[next[0]]...)
		}
	}
	return all
}

// statFields are those of /proc/PID/stat behind the name; none when it is gone.
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

func ticks(f []string, i int) time.Duration {
	if i >= len(f) {
		return 0
	}
	n, _ := strconv.ParseInt(f[i], 10, 64)
	return time.Duration(n) * clockTick
}

// PSS is the memory of one process in bytes, pages that it shares by its share.
func PSS(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "Pss:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

func self() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

func machine() time.Duration {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := strings.Fields(string(line))
	var sum time.Duration
	for _, i := range []int{1, 2, 3, 6, 7} { // user nice system irq softirq
		sum += ticks(f, i)
	}
	return sum
}

// Quantile is the smallest of the values that q of them do not exceed; 0 of none.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// Median of numbers; of an even count the mean of the two in the middle.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// Ms is milliseconds to a thousandth.
func Ms(d time.Duration) float64 { return Round(float64(d)/1e6, 3) }

// Round keeps so many digits behind the point.
func Round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

// Print writes one result as a line of JSON to standard output: what was
// asked for, when, and the metrics, whose names end in their unit.
func Print(mode, label string, metrics map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"mode": mode, "label": label, "time": time.Now().UTC().Format(time.RFC3339), "args": os.Args[1:], "metrics": metrics,
	})
}

// RaiseFileLimit lifts the soft limit of open files to the hard one and returns it.
func RaiseFileLimit() (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	l.Cur = l.Max
	return l.Cur, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
