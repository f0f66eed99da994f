package hostile

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/foreign"
)

// Attacks on TLS, on every port that speaks it.
func TestTLSAttacks(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--http", "127.0.0.1:0", "--set", "c2s.require_tls=false", "--set", "c2s.negotiation=5s", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "mallory")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"17 old versions and weak suites", testWeakTLS},
		{"17 renegotiation by the client", testRenegotiation},
		{"17 no name, other names", testServerNames},
		{"17 ALPN", testALPN},
		{"17 the wrong protocol on a port", testWrongProtocol},
		{"50 Host and SNI disagree", testHostAndSNI},
	} {
		t.Run(a.name, func(t *testing.T) {
			before := len(v.Log())
			a.run(t, v)
			v.undisturbed(t)
			// the log may tell of them, but is no way to fill a disk
			if n := len(v.Log()) - before; n > 16<<10 {
				t.Errorf("the attack wrote %d bytes of log", n)
			}
		})
	}
}

// handshake makes TLS on a port, by STARTTLS on the one for that.
func (v *victim) handshake(port string, cfg *tls.Config) (*tls.Conn, error) {
	c, err := net.DialTimeout("tcp", v.Addr(port), patience)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	if port == "c2s" {
		write(c, header+"<starttls xmlns='"+xmppclient.NSStartTL+"'/>")
		b, got := make([]byte, 4096), ""
		for !strings.Contains(got, "<proceed ") {
			n, err := c.Read(b)
			if err != nil {
				return nil, err
			}
			got += string(b[:n])
		}
	}
	cfg.InsecureSkipVerify = true
	secured := tls.Client(c, cfg)
	if err := secured.Handshake(); err != nil {
		c.Close()
		return nil, err
	}
	return secured, nil
}

var tlsPorts = []string{"c2s", "c2s-tls", "http"}

func testWeakTLS(t *testing.T, v *victim) {
	for _, port := range tlsPorts {
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
			if c, err := v.handshake(port, &tls.Config{MinVersion: version, MaxVersion: version}); err == nil {
				t.Errorf("%s: %s", port, tls.VersionName(c.ConnectionState().Version))
				c.Close()
			}
		}
		for _, suite := range tls.InsecureCipherSuites() {
			if c, err := v.handshake(port, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}}); err == nil {
				t.Errorf("%s: %s", port, suite.Name)
				c.Close()
			}
		}
		c, err := v.handshake(port, &tls.Config{MaxVersion: tls.VersionTLS12, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Errorf("%s: TLS 1.2: %v", port, err)
			continue
		}
		c.Close()
	}
	// what crypto/tls cannot even offer: anonymous, without encryption, export, SSL 3
	for _, suites := range []string{"\x00\x34\x00\x18\x00\x1b\xc0\x18", "\x00\x01\x00\x02\x00\x3b\xc0\x06", "\x00\x03\x00\x06\x00\x08\x00\x62", "\x00\x00"} {
		c, err := net.DialTimeout("tcp", v.Addr("c2s-tls"), patience)
		if err != nil {
			t.Fatal(err)
		}
		write(c, clientHello("\x03\x03", suites))
		answer := []byte(ending(t, c))
		if len(answer) < 7 || answer[0] != 21 || answer[5] != 2 {
			t.Errorf("suites %x: want a fatal alert, got %x", suites, answer)
		}
	}
}

// clientHello is a record with a hello for TLS 1.2 without extensions.
func clientHello(version, suites string) string {
	body := version + strings.Repeat("r", 32) + "\x00" + string([]byte{byte(len(suites) >> 8), byte(len(suites))}) + suites + "\x01\x00"
	hello := "\x01\x00" + string([]byte{byte(len(body) >> 8), byte(len(body))}) + body
	return "\x16\x03\x01" + string([]byte{byte(len(hello) >> 8), byte(len(hello))}) + hello
}

// testRenegotiation has another program ask for it: crypto/tls cannot.
func testRenegotiation(t *testing.T, v *victim) {
	openssl := foreign.Program(t, "openssl")
	for _, port := range []string{"c2s-tls", "http"} {
		ctx, cancel := context.WithTimeout(v.ctx, patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, openssl, "s_client", "-tls1_2", "-connect", v.Addr(port), "-legacy_renegotiation")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = cmd.Stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := ""
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said += lines.Text() + "\n"
			if strings.Contains(lines.Text(), "Extended master secret:") { // the last that is told of the handshake
				_, _ = io.WriteString(in, "R\n")
			}
		}
		_ = cmd.Wait()
		if !strings.Contains(said, "RENEGOTIATING") || !strings.Contains(said, "alert unexpected message") {
			t.Errorf("%s: renegotiated: %.2000s", port, said)
		}
		in.Close()
	}
}

func testServerNames(t *testing.T, v *victim) {
	for _, port := range tlsPorts {
		for _, name := range []string{"", "elsewhere.example", "conference." + mirsal.Domain, strings.Repeat("a", 63) + "." + strings.Repeat("b", 63), "EXAMPLE.org", "127.0.0.1", "x_y\x7f"} {
			c, err := v.handshake(port, &tls.Config{ServerName: name})
			if err != nil {
				continue // refused, in good order
			}
			if names := c.ConnectionState().PeerCertificates[0].DNSNames; len(names) == 0 || names[0] != mirsal.Domain {
				t.Errorf("%s shows %q for the name %q", port, names, name)
			}
			if port != "http" {
				// whatever TLS was asked for, streams are for the domain only
				write(c, strings.Replace(header, mirsal.Domain, "elsewhere.example", 1))
				refused(t, name, c, "host-unknown")
			}
			c.Close()
		}
		if c, err := v.handshake(port, &tls.Config{}); err != nil {
			t.Errorf("%s: without a name: %v", port, err)
		} else {
			c.Close()
		}
	}
}

func testALPN(t *testing.T, v *victim) {
	for _, c := range []struct {
		port string
		alpn []string
		want string // "-" for a refusal
	}{
		{"c2s-tls", nil, ""}, {"c2s-tls", []string{"xmpp-client"}, "xmpp-client"}, {"c2s-tls", []string{"h2", "xmpp-client"}, "xmpp-client"},
		{"c2s-tls", []string{"http/1.1"}, "-"}, {"c2s-tls", []string{"xmpp-server"}, "-"}, {"c2s-tls", []string{"XMPP-CLIENT"}, "-"}, {"c2s-tls", []string{"acme-tls/1"}, "-"},
		{"http", []string{"http/1.1"}, "http/1.1"}, {"http", []string{"xmpp-client"}, "-"}, {"http", []string{"imap"}, "-"},
	} {
		got := "-"
		if conn, err := v.handshake(c.port, &tls.Config{ServerName: mirsal.Domain, NextProtos: c.alpn}); err == nil {
			got = conn.ConnectionState().NegotiatedProtocol
			conn.Close()
		}
		if got != c.want {
			t.Errorf("%s with %q: %q, want %q", c.port, c.alpn, got, c.want)
		}
	}
}

// testWrongProtocol says to each port what another one should hear. Each
// connection ends in good order, within the time that a negotiation may take.
func testWrongProtocol(t *testing.T, v *victim) {
	const request = "GET / HTTP/1.1\r\nHost: " + mirsal.Domain + "\r\n\r\n"
	clear := func(port string) net.Conn {
		c, err := net.DialTimeout("tcp", v.Addr(port), patience)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	inTLS := func(port string) net.Conn {
		c, err := v.handshake(port, &tls.Config{ServerName: mirsal.Domain})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		name string
		conn net.Conn
		said string
		want string
	}{
		{"HTTP on the XMPP port", clear("c2s"), request, "<stream:error>"},
		{"HTTP/2 on the XMPP port", clear("c2s"), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<stream:error>"},
		{"TLS on the XMPP port", clear("c2s"), clientHello("\x03\x03", "\xc0\x2f"), "<stream:error>"},
		{"HTTP on the direct port, in TLS", inTLS("c2s-tls"), request, "<stream:error>"},
		{"HTTP on the direct port, in clear", clear("c2s-tls"), request, ""},
		{"XMPP on the direct port, in clear", clear("c2s-tls"), header, ""},
		{"XMPP on the HTTPS port", inTLS("http"), header, "400"},
		{"XMPP on the HTTPS port, in clear", clear("http"), header, ""},
		{"SSH on the XMPP port", clear("c2s"), "SSH-2.0-OpenSSH_9.9\r\n", "<stream:error>"},
		{"SMTP on the XMPP port", clear("c2s"), "EHLO x\r\nMAIL FROM:<a@b>\r\n", "<stream:error>"},
		{"nothing on the direct port", clear("c2s-tls"), "", ""},
		{"nothing on the XMPP port", clear("c2s"), "", "<connection-timeout "},
		{"half a record", clear("c2s-tls"), clientHello("\x03\x03", "\xc0\x2f")[:20], ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // those that say nothing wait for the deadline
			write(c.conn, c.said)
			if got := ending(t, c.conn); !strings.Contains(got, c.want) || strings.Contains(got, "<stream:features>") {
				t.Errorf("want %q, got %.300q", c.want, got)
			}
		})
	}
}

// testHostAndSNI asks over HTTPS for one host inside TLS for another: there is one
// host, and what the client says of it reaches no address in an answer.
func testHostAndSNI(t *testing.T, v *victim) {
	ask := func(sni, host, path string) (*http.Response, string) {
		c, err := v.handshake("http", &tls.Config{ServerName: sni, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		write(c, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(body)
	}
	for _, path := range []string{"/.well-known/host-meta", "/.well-known/host-meta.json"} {
		_, own := ask(mirsal.Domain, mirsal.Domain, path)
		if !strings.Contains(own, "//"+mirsal.Domain) {
			t.Fatalf("%s: %s", path, own)
		}
		for _, host := range []string{"elsewhere.example", "elsewhere.example:443", mirsal.Domain + "@elsewhere.example", mirsal.Domain + ".elsewhere.example", "[::1]:1", "x'/><y z='"} {
			for _, sni := range []string{mirsal.Domain, "elsewhere.example", ""} {
				r, got := ask(sni, host, path)
				if strings.Contains(got, "elsewhere") || strings.Contains(got, "<y ") || strings.Contains(fmt.Sprint(r.Header), "elsewhere") {
					t.Errorf("%s for %q inside TLS for %q: %d %v %s", path, host, sni, r.StatusCode, r.Header, got)
				}
			}
		}
	}
}

// The budget of handshakes holds on the ports of sockets, not on the web's alone.
func TestHandshakesOfOneAddressAreBounded(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "limits.enabled=true", "--set", "limits.exempt=", "--set", "limits.handshakes=1", "--set", "limits.connections=1000",
	}})
	s.Accounts(password, "alice", "bob")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	refusals := map[string]int{}
	for range 30 {
		for _, port := range []string{"c2s", "c2s-tls"} {
			c, err := v.handshake(port, &tls.Config{ServerName: mirsal.Domain})
			if err != nil {
				refusals[port]++
				continue
			}
			c.Close()
		}
	}
	if refusals["c2s"] == 0 || refusals["c2s-tls"] == 0 {
		t.Errorf("refused: %v", refusals)
	}
	v.undisturbed(t)
}
