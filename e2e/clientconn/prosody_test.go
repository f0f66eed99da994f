package clientconn

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/foreign"
)

// prosody starts Debian's Prosody with two accounts and returns its address.
func prosody(t *testing.T) string {
	program, control, openssl := foreign.Program(t, "prosody"), foreign.Program(t, "prosodyctl"), foreign.Program(t, "openssl")
	dir := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN="+domain,
		"-addext", "subjectAltName=DNS:"+domain, "-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"))
	addr := free(t)
	_, port, _ := net.SplitHostPort(addr)
	config := filepath.Join(dir, "prosody.cfg.lua")
	text := fmt.Sprintf(`
run_as_root = true
data_path = %[1]q
pidfile = %[1]q .. "/pid"
log = { warn = %[1]q .. "/log" }
interfaces = { "127.0.0.1" }
c2s_ports = { %[2]s }
s2s_ports = { }
http_ports = { }
https_ports = { }
ssl = { key = %[1]q .. "/key.pem", certificate = %[1]q .. "/cert.pem" }
authentication = "internal_hashed"
c2s_require_encryption = true
modules_enabled = { "disco"; "roster"; "saslauth"; "tls"; "carbons"; "smacks"; "csi_simple"; "ping"; "posix"; }
modules_disabled = { "s2s" }
VirtualHost %[3]q
`, dir, port, domain)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob"} {
		run(control, "--config", config, "register", name, domain, password)
	}
	cmd := exec.Command(program, "-F", "--config", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	answers(t, addr)
	return addr
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answers(t *testing.T, addr string) {
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if nc, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			nc.Close()
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatal("Prosody does not answer")
}

func TestProsodyIsSignedInToAndResumed(t *testing.T) {
	addr := prosody(t)
	wireA, wireB := lay(t, addr), lay(t, addr)
	const messages, cuts = 120, 3
	alice := sit(t, conn.Config{Address: account("alice"), Password: password, Device: "a", Tag: "phone", Dial: dialer(func() string { return wireA.addr })}, nil)
	bob := sit(t, conn.Config{Address: account("bob"), Password: password, Device: "b", Dial: dialer(func() string { return wireB.addr })}, nil)
	if up := alice.up(1); up.JID.Resource() != "phone" || up.Token != nil {
		t.Errorf("up as %v with token %v", up.JID, up.Token)
	}
	bob.up(1)
	for i := uint64(1); i <= messages; i++ {
		alice.write(i)
		if i%(messages/cuts) == 0 {
			wireA.cut()
			wireB.cut()
			alice.until("back", func() bool { return len(alice.ups) > int(i)/(messages/cuts) })
		}
	}
	alice.until("all is acknowledged", func() bool { return len(alice.handled) == messages })
	bob.until("all has come", func() bool { return len(bob.got) >= messages })
	eachOnce(t, bob.got, messages)
	if !alice.ups[len(alice.ups)-1].Resumed {
		t.Error("not resumed")
	}
	wrong := sit(t, conn.Config{Address: account("alice"), Password: "wrong", Dial: dialer(func() string { return addr })}, nil)
	if err := <-wrong.done; err == nil || err.(*conn.Refusal).Reason != conn.Rejected {
		t.Errorf("with a wrong password Run returns %v", err)
	}
}
