//go:build linux

// Package netns builds small internets for end-to-end tests: network namespaces that
// are joined by cables (veth), with routers between them that translate addresses
// (nftables), and packet captures. A namespace is that of one process, which ends when
// the test's does, whatever happens to that; with it go its cables, addresses and rules.
// Nothing has a name or a file outside, and no way leads out of the machine.
//
// It knows nothing of what runs in a namespace. It is for root on Linux.
package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"mirsal/internal/foreign"
)

// Need ends the test where there can be no namespaces. Programs that are lacking, and not
// being root, are a failure where everything is required; a machine that forbids namespaces,
// as some containers do, is not: nobody could help it.
func Need(t testing.TB) {
	t.Helper()
	for _, name := range []string{"ip", "nft", "nsenter", "mount"} {
		foreign.Program(t, name)
	}
	if os.Geteuid() != 0 {
		if r := os.Getenv("MIRSAL_REQUIRE"); r == "all" || r == "" && os.Getenv("CI") == "true" {
			t.Fatal("this test makes network namespaces, and is not root")
		}
		t.Skip("this test makes network namespaces, and is not root")
	}
	for _, one := range []struct {
		what   string
		script string
	}{
		{"network namespaces", ""},
		{"cables between them (veth)", "ip link add name netns-test type veth peer name netns-other"},
		{"bridges", "ip link add name netns-test type bridge"},
		{"address translation by nftables", "echo 'add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; add rule ip t c masquerade' | nft -f -"},
		{"forwarding", "echo 1 >/proc/sys/net/ipv4/ip_forward"},
		{"mounts of its own", "mount --make-rprivate / && mount --bind /etc/hosts /etc/hosts"},
	} {
		cmd := exec.Command("sh", "-c", one.script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("this machine forbids %s: %v %s", one.what, err, bytes.TrimSpace(out))
		}
	}
}

// A space's mounts are its own too, so that it can have an /etc/hosts.
const flags = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS

// Space is one namespace.
type Space struct {
	Name string // for messages of the test

	t   testing.TB
	pid int
}

// New makes a namespace, which is there until the test has ended.
func New(t testing.TB, name string) *Space {
	t.Helper()
	cmd := exec.Command("cat") // until its standard input ends, which it does with us
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Setpgid: true}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("the namespace of %s: %v", name, err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	s := &Space{Name: name, t: t, pid: cmd.Process.Pid}
	s.Shell("mount --make-rprivate / && ip link set dev lo up")
	return s
}

// enter is the command that runs another one inside.
func (s *Space) enter(argv ...string) []string {
	return append([]string{"nsenter", "-t", strconv.Itoa(s.pid), "-n", "-m", "--"}, argv...)
}

// Command is a program inside that is not started yet.
func (s *Space) Command(argv ...string) *exec.Cmd {
	argv = s.enter(argv...)
	return exec.Command(argv[0], argv[1:]...)
}

// Shell runs a script inside.
func (s *Space) Shell(script string) {
	s.t.Helper()
	s.input("", "sh", "-ec", script)
}

func (s *Space) input(text string, argv ...string) {
	s.t.Helper()
	cmd := s.Command(argv...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %q: %v\n%s%s", s.Name, argv, err, text, out)
	}
}

// Program is a program that runs another one inside, for those who take a path; vars,
// as NAME=VALUE, are added to its environment.
func (s *Space) Program(path string, vars ...string) string {
	s.t.Helper()
	var script strings.Builder
	script.WriteString("#!/bin/sh\nexec")
	for _, word := range append(s.enter(append([]string{"env"}, vars...)...), path) {
		fmt.Fprintf(&script, " '%s'", strings.ReplaceAll(word, "'", `'\''`))
	}
	script.WriteString(" \"$@\"\n")
	name := filepath.Join(s.t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(name, []byte(script.String()), 0o700); err != nil { //nolint:gosec // it is to be run
		s.t.Fatal(err)
	}
	return name
}

// Hosts gives names of the world addresses inside; all other names are unknown at once.
func (s *Space) Hosts(lines ...string) {
	s.t.Helper()
	for name, text := range map[string]string{"hosts": "127.0.0.1 localhost\n" + strings.Join(lines, "\n") + "\n", "resolv.conf": "", "nsswitch.conf": "hosts: files\n"} {
		if _, err := os.Stat("/etc/" + name); err != nil {
			continue
		}
		file := filepath.Join(s.t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		s.input("", "mount", "--bind", file, "/etc/"+name)
	}
}

// Switch makes a bridge inside, with an address of this side ("192.168.1.1/24"), to which
// cables can be led.
func (s *Space) Switch(name, address string) {
	s.t.Helper()
	s.Shell(fmt.Sprintf("ip link add name %s type bridge && ip addr add %s dev %[1]s && ip link set dev %[1]s up", name, address))
}

// Cable leads from a device of that name, and with that address, to a bridge in another space.
// The way to all others is via, unless that is "".
func (s *Space) Cable(name, address, via string, to *Space, bridge string) {
	s.t.Helper()
	far := fmt.Sprintf("%s-%d", name, s.pid)
	s.Shell(fmt.Sprintf("ip link add name %s type veth peer name %s && ip link set dev %[2]s netns %d && ip addr add %s dev %[1]s && ip link set dev %[1]s up",
		name, far, to.pid, address))
	to.Shell(fmt.Sprintf("ip link set dev %s master %s && ip link set dev %[1]s up", far, bridge))
	if via != "" {
		s.Shell("ip route replace default via " + via)
	}
}

// Unplug takes a cable away, at both ends.
func (s *Space) Unplug(name string) {
	s.t.Helper()
	s.Shell("ip link del dev " + name)
}

// Do runs f inside: sockets that it opens stay there. f begins no goroutine that does.
func (s *Space) Do(f func() error) error {
	runtime.LockOSThread()
	here, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer here.Close()
	there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", s.pid))
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// write writes to a file of /proc/sys.
func (s *Space) write(file, value string) {
	s.t.Helper()
	s.input(value, "sh", "-c", "cat >"+file)
}
