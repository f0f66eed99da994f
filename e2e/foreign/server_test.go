package foreign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/internal/foreign"
)

// domain is what every server serves here: a test of slixmpp has it written in.
const domain = "prosody"

// The ports are those that the suites have written in.
const (
	portClients   = 5222
	portTLS       = 5223
	portComponent = 5347
	portWeb       = 5281
)

const (
	password  = "a password of tests"
	component = "slixmpp.prosody" // written in
	secret    = "a secret of tests"
	accounts  = 160 // more than aioxmpp's tests have use for
)

func account(i int) string { return fmt.Sprintf("person%d", i) }

// A server is one that a suite is run against.
type server struct {
	name      string // "mirsal" or "prosody"
	ip        string
	dir       string
	rooms     string // where its rooms are
	log       string // file
	component bool   // a component may connect; a suite that asks all sites would wait for it
}

// A kind starts one kind of server.
type kind struct {
	name  string
	start func(t *testing.T, s *server)
	rooms string
}

var kinds = []kind{{"mirsal", startMirsal, "conference." + domain}, {"prosody", startProsody, "muc." + domain}}

func (k kind) run(t *testing.T, component bool) *server {
	t.Helper()
	s := &server{name: k.name, dir: t.TempDir(), rooms: k.rooms, component: component}
	s.ip = foreign.Loopback(t, portClients, portTLS, portComponent, portWeb)
	s.log = filepath.Join(s.dir, k.name+".log")
	s.certificate(t)
	k.start(t, s)
	return s
}

func (s *server) at(port int) string { return fmt.Sprintf("%s:%d", s.ip, port) }

func (s *server) cert() string { return filepath.Join(s.dir, "cert.pem") }
func (s *server) key() string  { return filepath.Join(s.dir, "key.pem") }

// certificate writes a certificate for the domain, which is its own CA, and key.
func (s *server) certificate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: domain},
		DNSNames:  []string{domain, "*." + domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.cert(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, s.key(), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func startMirsal(t *testing.T, s *server) {
	t.Helper()
	args := []string{
		"--domain", domain, "--cert", s.cert(), "--key", s.key(),
		"--c2s", s.at(portClients), "--c2s-tls", s.at(portTLS), "--http", s.at(portWeb),
		"--set", fmt.Sprintf("public_url=https://%s:%d", domain, portWeb),
	}
	if s.component {
		config := filepath.Join(s.dir, "mirsal.toml")
		write(t, config, fmt.Sprintf("[components]\n%q = %q\n", component, secret))
		args = append(args, "--config", config, "--set", "listen.component="+s.at(portComponent))
	}
	m := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: args})
	var names []string
	for i := range accounts {
		names = append(names, account(i))
	}
	m.Accounts(password, names...)
}

// what Debian's package has for what the suites try
const prosodyConfig = `
run_as_root = true
data_path = %[1]q
pidfile = %[2]q
log = { info = %[3]q }
interfaces = { %[4]q }
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5223 }
s2s_ports = { }
component_ports = { 5347 }
component_interfaces = { %[4]q }
http_ports = { }
https_ports = { 5281 }
https_interfaces = { %[4]q }
ssl = { key = %[5]q, certificate = %[6]q }
https_ssl = ssl
c2s_direct_tls_ssl = ssl
authentication = "internal_plain"
modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls"; "blocklist"; "bookmarks"; "carbons"; "pep"; "private"; "smacks";
	"vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "register"; "time"; "uptime"; "version"; "lastactivity";
	"mam"; "admin_adhoc"; "adhoc"; "http_files"; "server_contact_info"; "posix";
}
modules_disabled = { "s2s" }
VirtualHost "prosody"
Component "muc.prosody" "muc"
	modules_enabled = { "muc_mam" }
Component "upload.prosody" "http_file_share"
	http_host = "prosody"
Component "pubsub.prosody" "pubsub"
	default_unowned_affiliation = "owner"
	expose_publisher = true
	admins = { %[7]s } -- else nobody may make nodes
`

const prosodyComponent = `
Component "slixmpp.prosody"
	component_secret = "a secret of tests"
`

func startProsody(t *testing.T, s *server) {
	t.Helper()
	program := foreign.Program(t, "prosody")
	data := filepath.Join(s.dir, "data")
	var all []string
	for i := range accounts {
		write(t, filepath.Join(data, domain, "accounts", account(i)+".dat"), fmt.Sprintf("return { [\"password\"] = %q; };\n", password))
		all = append(all, fmt.Sprintf("%q", account(i)+"@"+domain))
	}
	config := filepath.Join(s.dir, "prosody.cfg.lua")
	text := fmt.Sprintf(prosodyConfig, data, filepath.Join(s.dir, "pid"), s.log, s.ip, s.key(), s.cert(), strings.Join(all, ", "))
	if s.component {
		text += prosodyComponent
	}
	write(t, config, text)
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program, "-F", "--config", config)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	s.awaitLog(t, ended, "Activated service 'c2s_direct_tls'", "Activated service 'https'")
}

// awaitLog waits until the server has said all of the words.
func (s *server) awaitLog(t *testing.T, ended chan struct{}, words ...string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		raw, _ := os.ReadFile(s.log)
		lacking := 0
		for _, w := range words {
			if !strings.Contains(string(raw), w) {
				lacking++
			}
		}
		if lacking == 0 {
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended:\n%s", s.name, raw)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not ready:\n%s", s.name, raw)
		}
	}
}
