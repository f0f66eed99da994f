package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/certs"
	"mirsal/internal/config"
	"mirsal/internal/control"
	"mirsal/internal/store/s3"
	"mirsal/internal/xmpp/jid"
)

// healthy is a world in which everything is in order for example.org, and a
// configuration for it with a data folder; no server runs.
func healthy(t *testing.T) (*World, *config.Config) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.Own(filepath.Join(dir, "tls"), certs.Options{Domain: jid.MustParse("example.org")}); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Domain, cfg.Data = "example.org", dir
	none := &net.DNSError{Err: "no such host", IsNotFound: true}
	w := &World{
		Now: time.Now, UID: os.Geteuid(),
		LookupHost: func(_ context.Context, host string) ([]string, error) { return []string{"192.0.2.1"}, nil },
		LookupSRV: func(context.Context, string, string, string) (string, []*net.SRV, error) {
			return "", nil, none
		},
		Addresses: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.1")} },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		},
		Space: func(string) (space, error) { return space{free: 50 << 30, total: 100 << 30, files: 1e6}, nil },
		Sync: func(string) ([]time.Duration, error) {
			return []time.Duration{time.Millisecond, 300 * time.Microsecond}, nil
		},
		Clock:     func() (clock, error) { return clock{synchronised: true}, nil },
		OpenFiles: func(int) (uint64, error) { return 1 << 20, nil },
		Memory:    func() (uint64, uint64, error) { return 4 << 30, 8 << 30, nil },
		Listens:   func(int) string { return "" },
		LowPorts:  func() int { return 1024 },
		SQLite:    func() (string, error) { return "3.54.1", nil },
		Running:   func(context.Context, string) running { return running{} },
		Writable:  func(string) error { return nil },
		Bucket:    func(context.Context, s3.Config) error { return nil },
	}
	return w, &cfg
}

func examine(t *testing.T, w *World, cfg *config.Config) Report {
	t.Helper()
	return Examine(t.Context(), Options{World: w, Load: func() (config.Config, error) { return *cfg, nil }})
}

// find is the finding of a check; the first when there are several.
func find(r Report, check string) Finding {
	for _, f := range r.Findings {
		if f.Check == check {
			return f
		}
	}
	return Finding{}
}

func TestAHealthyServerHasNoProblem(t *testing.T) {
	w, cfg := healthy(t)
	r := examine(t, w, cfg)
	if r.Problems+r.Warnings > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// TestEachAilmentIsFound makes one thing wrong at a time.
func TestEachAilmentIsFound(t *testing.T) {
	none := &net.DNSError{Err: "no such host", IsNotFound: true}
	srv := func(target string, port uint16) func(context.Context, string, string, string) (string, []*net.SRV, error) {
		return func(context.Context, string, string, string) (string, []*net.SRV, error) {
			return "", []*net.SRV{{Target: target, Port: port}}, nil
		}
	}
	for name, c := range map[string]struct {
		harm  func(*World, *config.Config)
		check string
		level Level
		words string
	}{
		"synchronous off":   {func(_ *World, c *config.Config) { c.Store.Synchronous = "off" }, "config.synchronous", Problem, "power cut"},
		"limits lifted":     {func(_ *World, c *config.Config) { c.Limits.Enabled = false }, "config.limits", Warning, "hammers"},
		"local domain":      {func(_ *World, c *config.Config) { c.Domain = "localhost"; os.RemoveAll(c.Data + "/tls") }, "dns.needed", OK, "No records"},
		"address as domain": {func(_ *World, c *config.Config) { c.Domain = "192.0.2.7" }, "dns.needed", OK, "No records"},
		"only this machine": {func(_ *World, c *config.Config) { c.Listen.C2S = "127.0.0.1:5222" }, "port.reach", Notice, "only this machine"},
		"another user's": {func(w *World, _ *config.Config) {
			w.Running = func(context.Context, string) running { return running{err: fs.ErrPermission} }
		}, "server.running", Notice, "cannot be told"},
		"hanging server": {func(w *World, _ *config.Config) {
			w.Running = func(context.Context, string) running { return running{locked: true, pid: 7} }
		}, "server.running", Problem, "process 7"},
		"no folder":        {func(_ *World, c *config.Config) { c.Data += "/none" }, "data.folder", Notice, "not there yet"},
		"another's folder": {func(w *World, _ *config.Config) { w.UID += 1 }, "data.owner", Problem, "belongs to user"},
		"open folder":      {func(_ *World, c *config.Config) { os.Chmod(c.Data, 0o777) }, "data.permissions", Problem, "Other users"},
		"network disk": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 1 << 40, kind: 0x6969}, nil }
		}, "data.filesystem", Problem, "NFS"},
		"memory disk": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 1 << 40, kind: 0x01021994}, nil }
		}, "data.filesystem", Problem, "tmpfs"},
		"little space": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 1 << 30}, nil }
		}, "data.space", Warning, "1.0 GiB"},
		"no space": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 1 << 20}, nil }
		}, "data.space", Problem, "1 MiB"},
		"disk that lies": {func(w *World, _ *config.Config) {
			w.Sync = func(string) ([]time.Duration, error) { return []time.Duration{3 * time.Microsecond}, nil }
		}, "data.sync", Warning, "faster than disks"},
		"slow disk": {func(w *World, _ *config.Config) {
			w.Sync = func(string) ([]time.Duration, error) { return []time.Duration{80 * time.Millisecond}, nil }
		}, "data.sync", Warning, "80ms"},
		"unwritable": {func(w *World, _ *config.Config) {
			w.Sync = func(string) ([]time.Duration, error) { return nil, errors.New("denied") }
		}, "data.sync", Notice, "denied"},
		"certificate ends": {func(w *World, _ *config.Config) {
			w.Now = func() time.Time { return time.Now().Add(355 * 24 * time.Hour) }
		}, "certificate.expiry", Warning, "ends on"},
		"certificate ended": {func(w *World, _ *config.Config) {
			w.Now = func() time.Time { return time.Now().Add(366 * 24 * time.Hour) }
		}, "certificate.expiry", Problem, "ended on"},
		"clock behind": {func(w *World, _ *config.Config) { w.Now = func() time.Time { return time.Now().Add(-48 * time.Hour) } }, "certificate.expiry", Problem, "clock"},
		"wrong name":   {func(_ *World, c *config.Config) { c.Domain = "example.com" }, "certificate.names", Problem, "does not name example.com"},
		"wrong key": {func(_ *World, c *config.Config) {
			c.TLS.Cert, c.TLS.Key = c.Data+"/tls/cert.pem", c.Data+"/tls/ca-key.pem"
		}, "certificate.key", Problem, "does not go with it"},
		"no certificate": {func(_ *World, c *config.Config) { c.TLS.Cert, c.TLS.Key = "/none", "/none" }, "certificate.file", Problem, "cannot be read"},
		"private CA": {func(_ *World, c *config.Config) {
			c.TLS.Cert, c.TLS.Key = c.Data+"/tls/cert.pem", c.Data+"/tls/key.pem"
		}, "certificate.chain", Warning, "no certificate but the server's own"},
		"wrong order":       {wrongOrder, "certificate.chain", Warning, "did not issue"},
		"own CA":            {func(*World, *config.Config) {}, "certificate.ca", Notice, "no client knows"},
		"acme, nothing yet": {func(_ *World, c *config.Config) { c.TLS.ACME = true }, "certificate.file", Problem, "by ACME"},
		"no network":        {func(w *World, _ *config.Config) { deafDNS(w) }, "dns.resolver", Warning, "cannot be asked"},
		"no address": {func(w *World, _ *config.Config) {
			w.LookupHost = func(context.Context, string) ([]string, error) { return nil, none }
		}, "dns.domain", Problem, "no address of example.org"},
		"behind a router":      {func(w *World, _ *config.Config) { w.Addresses = func() []netip.Addr { return nil } }, "dns.domain", Notice, "no address of this machine"},
		"odd port, no record":  {func(_ *World, c *config.Config) { c.Listen.C2S = ":6222" }, "dns.xmpp-client", Problem, "but c2s listens on 6222"},
		"record, other port":   {func(w *World, _ *config.Config) { w.LookupSRV = srv("example.org.", 6222) }, "dns.xmpp-client", Warning, "example.org:6222, but c2s listens on 5222"},
		"record, right port":   {func(w *World, _ *config.Config) { w.LookupSRV = srv("example.org.", 5222) }, "dns.xmpp-client", OK, "leads to example.org:5222"},
		"record, not offered":  {func(w *World, _ *config.Config) { w.LookupSRV = srv(".", 0) }, "dns.xmpp-client", Warning, "not offered"},
		"record, listener off": {func(w *World, c *config.Config) { w.LookupSRV, c.Listen.C2STLS = srv("x.example.", 5223), "off" }, "dns.xmpps-client", Warning, "c2s-tls is off"},
		"not started":          {func(*World, *config.Config) {}, "port.c2s", OK, "free for the server"},
		"low port":             {func(_ *World, c *config.Config) { c.Listen.HTTP = ":443" }, "port.http", lowLevel(), "nothing listens"},
		"other addresses": {func(w *World, _ *config.Config) {
			w.Running = func(context.Context, string) running { return running{answers: true} }
		}, "port.c2s", Problem, "though the server runs"},
		"ssh":                       {says("SSH-2.0-OpenSSH_9\r\n"), "port.c2s", Problem, "an SSH server; the program is sshd"},
		"silence":                   {says(""), "port.c2s", Problem, "says nothing"},
		"web server":                {says("HTTP/1.1 400 Bad Request\r\n\r\n"), "port.c2s", Problem, "a web server"},
		"other domain":              {says("<stream:stream from='example.com' id='1'><stream:features/>"), "port.c2s", Problem, `for "example.com" answers`},
		"not this data":             {says("<stream:stream from='example.org' id='1'><stream:features><x/></stream:features>"), "port.c2s", Warning, "no server runs on this data"},
		"other web server":          {says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "port.http-plain", Problem, "another web server"},
		"not ready":                 {says("HTTP/1.1 503 X\r\nContent-Length: 13\r\n\r\narchive: full"), "port.ops", Problem, "archive: full"},
		"component, public":         {func(_ *World, c *config.Config) { c.Listen.Component = "0.0.0.0:5347" }, "port.component-reach", Problem, "everybody"},
		"component, public address": {func(_ *World, c *config.Config) { c.Listen.Component = "192.0.2.1:5347" }, "port.component-reach", Problem, "everybody"},
		"component, private":        {func(_ *World, c *config.Config) { c.Listen.Component = "10.0.0.3:5347" }, "port.component-reach", "", ""},
		"component, this machine":   {func(_ *World, c *config.Config) { c.Listen.Component = "localhost:5347" }, "port.component-reach", "", ""},
		"component, free":           {componentPort, "port.component", OK, "free for the server"},
		"component, other program": {func(w *World, c *config.Config) {
			componentPort(w, c)
			says("SSH-2.0-OpenSSH_9\r\n")(w, c)
		}, "port.component", Problem, "an SSH server"},
		"component, other name": {func(w *World, c *config.Config) {
			componentPort(w, c)
			says("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' id='1'><stream:error>")(w, c)
		}, "port.component", Problem, "does not know irc.example.org"},
		"component, ours": {func(w *World, c *config.Config) {
			componentPort(w, c)
			says("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' id='1' from='irc.example.org'>")(w, c)
			w.Running = func(context.Context, string) running { return running{answers: true} }
		}, "port.component", OK, "for irc.example.org"},
		"component, no names": {func(_ *World, c *config.Config) { c.Listen.Component = "127.0.0.1:5347" }, "config.components", Notice, "no component"},
		"private pushes":      {func(_ *World, c *config.Config) { c.Push.AllowPrivate = true }, "config.push", Warning, "private networks"},
		"pushes":              {func(*World, *config.Config) {}, "push.web", OK, "was not tried"},
		"no pushes":           {func(_ *World, c *config.Config) { c.Push.Web = false }, "push.web", OK, "is off"},
		"no uploads":          {func(_ *World, c *config.Config) { c.Upload.Enabled = false }, "upload.store", OK, "off"},
		"uploads to come":     {func(*World, *config.Config) {}, "upload.store", OK, "makes the folder"},
		"uploads gone": {func(w *World, c *config.Config) {
			c.Upload.Folder = "/none"
			w.Running = func(context.Context, string) running { return running{answers: true} }
		}, "upload.store", Problem, "not there"},
		"uploads into a file": {func(_ *World, c *config.Config) {
			c.Upload.Folder = filepath.Join(c.Data, "tls", "cert.pem")
		}, "upload.store", Problem, "no folder"},
		"uploads closed": {func(w *World, c *config.Config) {
			c.Upload.Folder = c.Data
			w.Writable = func(string) error { return fs.ErrPermission }
		}, "upload.store", Problem, "cannot be written"},
		"uploads open": {func(_ *World, c *config.Config) {
			c.Upload.Folder = filepath.Join(c.Data, "files")
			os.Mkdir(c.Upload.Folder, 0o700)
			os.Chmod(c.Upload.Folder, 0o755)
		}, "upload.store", Warning, "Other users"},
		"uploads full": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 900 << 20, total: 9 << 30}, nil }
		}, "upload.space", Problem, "no file is taken"},
		"uploads soon full": {func(w *World, _ *config.Config) {
			w.Space = func(string) (space, error) { return space{free: 1100 << 20, total: 9 << 30}, nil }
		}, "upload.space", Warning, "upload.min_free"},
		"bucket": {func(w *World, c *config.Config) { bucket(c) }, "upload.store", OK, "bucket b at https://s3.example.net answers"},
		"bucket away": {func(w *World, c *config.Config) {
			bucket(c)
			w.Bucket = func(context.Context, s3.Config) error { return errors.New("NoSuchBucket") }
		}, "upload.store", Problem, "NoSuchBucket"},
		"no links":        {func(_ *World, c *config.Config) { c.Listen.HTTP = "off" }, "upload.links", Warning, "Nobody can send files"},
		"links in clear":  {func(_ *World, c *config.Config) { c.PublicURL = "http://chat.example.org" }, "upload.links", Warning, "most clients"},
		"links elsewhere": {func(_ *World, c *config.Config) { c.Upload.PublicURL = "https://files.example.net" }, "certificate.files", Notice, "files.example.net"},
		"another's data":  {runsFor("example.com"), "config.domain", Problem, "is that of example.com"},
		"no domain named": {func(w *World, c *config.Config) { c.Domain = "localhost"; runsFor("example.org")(w, c) }, "config.domain", Notice, "is that of example.org"},
		"nor does it run": {func(_ *World, c *config.Config) { c.Domain = "localhost" }, "config.domain", Notice, "is that of example.org"},
		"clock adrift":    {func(w *World, _ *config.Config) { w.Clock = func() (clock, error) { return clock{}, nil } }, "machine.clock", Warning, "Nothing seems"},
		"archive from future": {func(_ *World, c *config.Config) {
			path, then := filepath.Join(c.Data, "mirsal.db"), time.Now().Add(time.Hour)
			os.WriteFile(path, nil, 0o600)
			os.Chtimes(path, then, then)
		}, "machine.clock-archive", Problem, "still to come"},
		"few files": {func(w *World, _ *config.Config) { w.OpenFiles = func(int) (uint64, error) { return 1024, nil } }, "machine.files", Warning, "1024 files"},
		"little memory": {func(w *World, _ *config.Config) {
			w.Memory = func() (uint64, uint64, error) { return 50 << 20, 1 << 30, nil }
		}, "machine.memory", Warning, "50 MiB"},
		"old SQLite": {func(w *World, _ *config.Config) {
			w.SQLite = func() (string, error) { return "3.1", errors.New("SQLite 3.1 can lose") }
		}, "machine.sqlite", Problem, "can lose"},
	} {
		t.Run(name, func(t *testing.T) {
			w, cfg := healthy(t)
			c.harm(w, cfg)
			f := find(examine(t, w, cfg), c.check)
			if f.Level != c.level || !strings.Contains(f.Text, c.words) || (f.Level == Problem || f.Level == Warning) && f.Remedy == "" {
				t.Errorf("%+v, want %s %q", f, c.level, c.words)
			}
		})
	}
}

func componentPort(_ *World, c *config.Config) {
	c.Listen.Component, c.Components = "127.0.0.1:5347", map[string]string{"irc.example.org": "0123456789abcdef"}
}

func bucket(c *config.Config) {
	c.Upload.Store = config.InS3
	c.Upload.S3 = config.S3{Endpoint: "https://s3.example.net", Bucket: "b", Region: "r", AccessKey: "a", SecretKey: "k"}
}

// runsFor has a server run on the data of a domain.
func runsFor(domain string) func(*World, *config.Config) {
	return func(w *World, _ *config.Config) {
		w.Running = func(context.Context, string) running {
			return running{answers: true, status: control.Status{Domain: domain}}
		}
	}
}

func TestTheDomainOfTheDataIsLookedAtWhereNoneIsConfigured(t *testing.T) {
	w, cfg := healthy(t)
	cfg.Domain = config.Default().Domain
	runsFor("example.org")(w, cfg)
	r := examine(t, w, cfg)
	if r.Domain != "example.org" || find(r, "certificate.names").Level != OK || find(r, "dns.domain").Level != OK {
		t.Errorf("%+v", r)
	}
}

// lowLevel depends on who runs the tests: root may listen everywhere.
func lowLevel() Level {
	if os.Geteuid() == 0 {
		return OK
	}
	return Notice
}

// TestWhileTheFirstCertificateIsAwaitedTheRemedyIsToWait: nobody is told to stop the
// server, to start it, or that it was started otherwise.
func TestWhileTheFirstCertificateIsAwaitedTheRemedyIsToWait(t *testing.T) {
	for reason, want := range map[string]string{
		"there is no certificate yet: nobody answers on port 80": "Why it has none: nobody answers on port 80.",
		"there is no certificate yet":                            "its log tells",
		"":                                                       "its log tells", // an older server
	} {
		w, cfg := healthy(t)
		cfg.TLS.ACME, cfg.Listen.HTTP = true, "127.0.0.1:0"
		w.Running = func(context.Context, string) running {
			return running{answers: true, pid: 7, status: control.Status{NoCertificate: reason, Ports: map[string]string{"http": "127.0.0.1:4443"}}}
		}
		w.Listens = func(int) string { return "mirsal (process 7)" }
		w.Dial = func(context.Context, string, string) (net.Conn, error) {
			a, b := net.Pipe()
			go func() {
				tls.Server(b, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}).Handshake()
				b.Close()
			}()
			return a, nil
		}
		r := examine(t, w, cfg)
		for _, check := range []string{"certificate.file", "port.c2s-tls", "port.http"} {
			f := find(r, check)
			if f.Level != Problem || !strings.Contains(f.Text, "TLS") || !strings.Contains(f.Remedy, want) {
				t.Errorf("%q: %+v", reason, f)
			}
		}
		if f := find(r, "port.http"); !strings.Contains(f.Text, "127.0.0.1:4443") {
			t.Error("not where it really listens:", f)
		}
		if f := find(r, "acme.reach"); f.Level != OK {
			t.Error("the server's refusal is not known for its own:", f)
		}
	}
}

func deafDNS(w *World) {
	err := &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	w.LookupHost = func(context.Context, string) ([]string, error) { return nil, err }
	w.LookupSRV = func(context.Context, string, string, string) (string, []*net.SRV, error) { return "", nil, err }
}

// wrongOrder puts the certificate of nobody involved behind the server's own.
func wrongOrder(_ *World, c *config.Config) {
	cert, _ := os.ReadFile(c.Data + "/tls/cert.pem")
	os.WriteFile(c.Data+"/chain.pem", append(cert, cert...), 0o600)
	c.TLS.Cert, c.TLS.Key = c.Data+"/chain.pem", c.Data+"/tls/key.pem"
}

// says has another program listen everywhere, which says this to whoever speaks.
func says(text string) func(*World, *config.Config) {
	return func(w *World, _ *config.Config) {
		w.Listens = func(int) string { return "sshd (process 12)" }
		w.Dial = func(context.Context, string, string) (net.Conn, error) {
			a, b := net.Pipe()
			go func() {
				b.Read(make([]byte, 4096))
				io.WriteString(b, text)
				b.Close()
			}()
			return a, nil
		}
	}
}

func TestABrokenConfigurationIsToldAndTheMachineLookedAt(t *testing.T) {
	w, _ := healthy(t)
	r := Examine(t.Context(), Options{World: w, Load: func() (config.Config, error) { return config.Load("", []string{"e2e=x"}) }})
	if f := find(r, "config.load"); r.Problems != 1 || !strings.Contains(f.Text, `did you mean "e2ee"`) || find(r, "machine.clock").Check == "" {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsChanged(t *testing.T) {
	_, cfg := healthy(t)
	before := tree(t, cfg.Data)
	cfg.Listen = config.Listen{C2S: "127.0.0.1:0", C2STLS: "off", HTTP: "off", HTTPPlain: "off", Ops: "off"}
	real := Real()
	deafDNS(real)
	examine(t, real, cfg)
	if after := tree(t, cfg.Data); !slices.Equal(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}
}

func tree(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		st, _ := d.Info()
		list = append(list, path+st.Mode().String()+st.ModTime().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheTextIsPlainAndWrappedAndCannotSteerTheTerminal(t *testing.T) {
	r := Report{Domain: "example.org", Problems: 1, Findings: []Finding{
		{"a.b", "Ports", Problem, "\x1b[2Jevil " + strings.Repeat("word ", 40), "do \x07something"},
	}}
	var b bytes.Buffer
	if err := r.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x07") || !strings.Contains(b.String(), "→ do something") || !strings.Contains(b.String(), "1 problem and No warnings") && !strings.Contains(b.String(), "1 problem and no warnings") {
		t.Error(b.String())
	}
	for line := range strings.Lines(b.String()) {
		if len([]rune(line)) > width+1 {
			t.Error("too long:", line)
		}
	}
}

func TestTheJSONHasAllFindingsAndNoNullList(t *testing.T) {
	w, cfg := healthy(t)
	r := examine(t, w, cfg)
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Version != 1 || !slices.Equal(back.Findings, r.Findings) {
		t.Error(err, b.String())
	}
}

// TestTheManualNamesEveryCheck holds docs/ops/doctor.md to the code.
func TestTheManualNamesEveryCheck(t *testing.T) {
	manual, err := os.ReadFile("../../docs/ops/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("*.go")
	name := regexp.MustCompile(`"((?:config|server|data|certificate|dns|port|acme|machine|upload|push)\.[a-z0-9-]+)"`)
	seen := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllSubmatch(text, -1) {
			if check := string(m[1]); !seen[check] && !bytes.Contains(manual, []byte("`"+check+"`")) {
				t.Errorf("docs/ops/doctor.md does not name %s", check)
			}
			seen[string(m[1])] = true
		}
	}
	if len(seen) < 20 {
		t.Error("found only", seen)
	}
}
