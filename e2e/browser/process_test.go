package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A process is known by its number and by when it started, as numbers come again.
type process struct {
	pid, parent   int
	name, started string
}

// lookUp reads /proc; ok is false for a process that has ended.
func lookUp(pid int) (p process, ok bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// proc(5): the name in brackets may hold anything
	head, rest, _ := strings.Cut(string(raw), "(")
	end := strings.LastIndex(rest, ")")
	f := strings.Fields(rest[end+1:])
	if strings.TrimSpace(head) == "" || len(f) < 20 || f[0] == "Z" {
		return process{}, false
	}
	parent, err := strconv.Atoi(f[1])
	return process{pid, parent, rest[:end], f[19]}, err == nil
}

// offspring are a process's children, their children and so on.
func offspring(pid int) []process {
	all := processes()
	family, parents := []process(nil), []int{pid}
	for len(parents) > 0 {
		var next []int
		for _, p := range all {
			if slices.Contains(parents, p.parent) {
				family, next = append(family, p), append(next, p.pid)
			}
		}
		parents = next
	}
	return family
}

func processes() []process {
	var all []process
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, f := range folders {
		pid, err := strconv.Atoi(filepath.Base(f))
		if p, ok := lookUp(pid); ok && err == nil {
			all = append(all, p)
		}
	}
	return all
}

// outlive returns those that do not end in good time.
func outlive(family []process) []process {
	deadline := time.Now().Add(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		family = slices.DeleteFunc(family, func(p process) bool {
			now, ok := lookUp(p.pid)
			return !ok || now.started != p.started
		})
		if len(family) == 0 || time.Now().After(deadline) {
			return family
		}
		<-look.C
	}
}
