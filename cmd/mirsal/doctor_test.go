package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/doctor"
)

// diagnosed is what the doctor says, with the exit status that goes with it.
func diagnosed(t *testing.T, dir string, args ...string) (doctor.Report, result) {
	t.Helper()
	res := mirsal(t, dir, "", append([]string{"doctor", "--json"}, args...)...)
	var r doctor.Report
	if err := json.Unmarshal([]byte(res.out), &r); err != nil {
		t.Fatal(err, res)
	}
	if (r.Problems > 0) != (res.status == 1) || (res.err != "") != (res.status == 1) {
		t.Errorf("%d problems, status %d, %s", r.Problems, res.status, res.err)
	}
	return r, res
}

func finding(r doctor.Report, check string) doctor.Finding {
	for _, f := range r.Findings {
		if f.Check == check {
			return f
		}
	}
	return doctor.Finding{}
}

func TestTheDoctorLooksAtAServerRunningAndStopped(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--c2s", "127.0.0.1:0", "--c2s-tls", "127.0.0.1:0", "--http", "127.0.0.1:0", "--http-plain", "127.0.0.1:0", "--ops", "127.0.0.1:0"}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"serve", "--set", "log.level=error"}, flags...)...)
	cmd.Env, cmd.Dir, cmd.Stderr = append(os.Environ(), "RUN_AS_MIRSAL=1"), dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for _, word := range strings.Fields(readUntil(t, out, "ready ")) {
		for i, f := range flags {
			if name, addr, ok := strings.Cut(word, "="); ok && f == "--"+name {
				flags[i+1] = addr
			}
		}
	}
	r, res := diagnosed(t, dir, flags...)
	for check, want := range map[string]string{
		"server.running": "answers", "port.c2s": "an XMPP server for localhost answers", "port.c2s-tls": "an XMPP server for localhost answers",
		"port.http": "Mirsal's web server", "port.http-plain": "Mirsal's web server", "port.ops": "ready", "dns.needed": "No records",
		"certificate.names": "localhost", "machine.sqlite": "3.",
	} {
		if f := finding(r, check); f.Level != doctor.OK || !strings.Contains(f.Text, want) {
			t.Errorf("%s: %+v", check, f)
		}
	}
	if f := finding(r, "certificate.shown"); f.Check != "" {
		t.Error(f)
	}
	// another's domain on these ports
	if r, _ := diagnosed(t, dir, append(flags, "--domain", "other.localhost")...); finding(r, "port.c2s").Level != doctor.Problem {
		t.Error(finding(r, "port.c2s"))
	}
	// other data than the server's
	if r, _ := diagnosed(t, dir, append(flags, "--data", "elsewhere")...); finding(r, "port.c2s").Level != doctor.Warning {
		t.Error(finding(r, "port.c2s"), res)
	}
	stop(t, cmd)
	r, _ = diagnosed(t, dir, flags...)
	for check, want := range map[string]string{"server.running": "No server runs", "port.c2s": "free for the server"} {
		if f := finding(r, check); !strings.Contains(f.Text, want) {
			t.Errorf("%s: %+v", check, f)
		}
	}
}

func TestSIGHUPDoesNotStopTheServer(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--c2s", "127.0.0.1:0", "--c2s-tls", "off", "--http", "off")
	cmd.Env, cmd.Dir = append(os.Environ(), "RUN_AS_MIRSAL=1"), dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	readUntil(t, out, "ready ")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	readUntil(t, log, "time=")
	stop(t, cmd)
}

// stop tells a server to stop, which it has to do by itself.
func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestTheDoctorLeavesNoDataFolder(t *testing.T) {
	dir := t.TempDir()
	mirsal(t, dir, "", "doctor")
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Error(files)
	}
}
