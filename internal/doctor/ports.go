package doctor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"mirsal/internal/certs"
	"mirsal/internal/config"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stream"
)

// ports connects to each listener and sees what answers there; with ACME, also to
// the ports by which an ACME server would.
func (e *exam) ports(ctx context.Context) []Finding {
	all := e.listeners()
	found := make([][]Finding, len(all)+1)
	var run sync.WaitGroup
	for i, l := range all {
		run.Go(func() { found[i] = e.port(ctx, l) })
	}
	run.Go(func() { found[len(all)] = e.forACME(ctx) })
	run.Wait()
	var list []Finding
	for _, f := range found {
		list = append(list, f...)
	}
	return list
}

// answer is what was seen on a port.
type answer struct {
	what  string // "an XMPP server for example.org"
	level Level  // OK when it is what should be there
	why   string // remedy, or the end of the sentence when the level is OK
	leaf  *x509.Certificate
}

func (e *exam) port(ctx context.Context, l listener) []Finding {
	if n := portOf(config.Address(l.chosen)); n > 0 {
		l.addr, l.port = config.Address(l.chosen), n
	}
	check := "port." + l.name
	list := e.reach(ctx, l)
	if l.addr.Off() {
		return []Finding{{check, "", OK, l.name + " is off.", ""}}
	}
	if l.port == 0 {
		return []Finding{{check, "", Notice, "The system chooses the port of " + l.name + " at each start, so it was not looked at.", "Give " + l.key + " a port that clients and monitoring can know."}}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := e.Dial(ctx, "tcp", reachable(string(l.addr)))
	if err != nil {
		return append(list, e.closed(l, check, err))
	}
	defer conn.Close()
	if t, ok := ctx.Deadline(); ok {
		conn.SetDeadline(t)
	}
	a := e.probe(conn, l.name)
	place := fmt.Sprintf("%s (%s)", l.name, l.addr)
	if a.level == OK {
		list = append(list, Finding{check, "", OK, place + ": " + a.what + ".", ""})
		return append(list, e.shown(l, a.leaf)...)
	}
	if who := e.Listens(l.port); who != "" {
		a.what += "; the program is " + who
		if e.server.pid > 0 && strings.HasSuffix(who, fmt.Sprintf("(process %d)", e.server.pid)) && a.why == stopIt(l.name) {
			a.why = "That is the server of this data, started otherwise than this command: give both the same --config, flags and --set."
		}
	}
	return append(list, Finding{check, "", a.level, place + ": " + a.what + ".", a.why})
}

// reachable is where a listener on every interface can be met.
func reachable(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (e *exam) closed(l listener, check string, err error) Finding {
	place := fmt.Sprintf("%s (%s)", l.name, l.addr)
	low := e.LowPorts()
	switch {
	case !errors.Is(err, syscall.ECONNREFUSED):
		return Finding{check, "", Problem, place + " cannot be reached: " + err.Error() + ".", "Look whether the address is one of this machine, and at its firewall."}
	case e.server.answers:
		return Finding{check, "", Problem, place + ": nothing listens, though the server runs.", "The server was started with other addresses than this command: give it the same --config, flags and --set."}
	case l.port < low && e.UID != 0:
		return Finding{check, "", Notice, place + ": nothing listens. It is a port that only some may listen on.", "Where systemd starts the server: AmbientCapabilities=CAP_NET_BIND_SERVICE. Else lead the port to a higher one."}
	}
	return Finding{check, "", OK, place + ": nothing listens; the port is free for the server.", ""}
}

// probe sees what answers on a connection to a listener.
func (e *exam) probe(conn net.Conn, name string) answer {
	switch name {
	case "c2s", "c2s-tls":
		return e.taken(e.probeXMPP(conn, name == "c2s-tls"), name)
	case "ops":
		return e.taken(e.probeOps(conn), name)
	case "component":
		return e.taken(e.probeComponents(conn), name)
	}
	return e.taken(e.probeWeb(conn, name == "http"), name)
}

// taken turns what is wrong on a port into what to do about it.
func (e *exam) taken(a answer, name string) answer {
	if a.level == "" {
		a.level, a.why = Problem, stopIt(name)
	}
	if a.level == OK && !e.server.answers {
		a.what += " (though no server runs on this data)"
		a.level, a.why = Warning, "Is it the server of another data folder? Name that with --data; two servers cannot share a port."
		if e.server.locked || errors.Is(e.server.err, syscall.EACCES) {
			a.why = "Run this command as the user who runs the server."
		}
	}
	return a
}

func stopIt(name string) string {
	return "Stop that program, or give listen." + strings.ReplaceAll(name, "-", "_") + " another address."
}

// most is what is read of an answer.
const most = 16 << 10

// probeXMPP opens a stream, and within it TLS.
func (e *exam) probeXMPP(conn net.Conn, direct bool) answer {
	if direct {
		t, a := e.handshake(conn, "xmpp-client")
		if t == nil {
			return a
		}
		got, _ := e.openStream(t)
		b := e.xmppAnswer(got)
		b.leaf = a.leaf
		return b
	}
	got, r := e.openStream(conn)
	a := e.xmppAnswer(got)
	if a.level != OK || !bytes.Contains(got, []byte(stream.NSTLS)) {
		return a
	}
	io.WriteString(conn, "<starttls xmlns='"+stream.NSTLS+"'/>")
	if got = readUntil(r, "<proceed", "<failure", "</stream:stream>"); !bytes.Contains(got, []byte("<proceed")) {
		a.level, a.what, a.why = Problem, a.what+", but STARTTLS fails", "The server's log may tell why."
		return a
	}
	t, b := e.handshake(conn, "")
	if t == nil {
		return b
	}
	a.leaf = b.leaf
	return a
}

// openStream greets as a client does, and reads up to the features.
func (e *exam) openStream(conn net.Conn) ([]byte, *bufio.Reader) {
	io.WriteString(conn, "<?xml version='1.0'?><stream:stream to='"+e.domain.String()+"' version='1.0' xmlns='jabber:client' xmlns:stream='"+stream.NS+"'>")
	r := bufio.NewReader(io.LimitReader(conn, most))
	return readUntil(r, "</stream:features>", "<stream:features/>", "</stream:error>"), r
}

// readUntil reads up to the end of the tag that one of the words begins or ends.
func readUntil(r *bufio.Reader, words ...string) []byte {
	var got []byte
	for len(got) < most {
		part, err := r.ReadBytes('>')
		got = append(got, part...)
		for _, w := range words {
			if bytes.Contains(got, []byte(w)) {
				return got
			}
		}
		if err != nil {
			break
		}
		if !bytes.HasPrefix(got, []byte("<")) && len(got) > 0 {
			break // no XML at all
		}
	}
	return got
}

// xmppAnswer judges the beginning of a stream.
func (e *exam) xmppAnswer(got []byte) answer {
	if !bytes.Contains(got, []byte("<stream:stream")) {
		return answer{what: "something else answers: " + nameOf(got)}
	}
	if bytes.Contains(got, []byte("host-unknown")) {
		return answer{what: "an XMPP server answers that does not serve " + e.domain.String()}
	}
	from := attribute(got, "from")
	if j, err := jid.Parse(from); err != nil || j != e.domain {
		return answer{what: fmt.Sprintf("an XMPP server for %q answers, not for %s", from, e.domain)}
	}
	if !bytes.Contains(got, []byte("<stream:features")) {
		return answer{what: "an XMPP server for " + e.domain.String() + " answers, but offers nothing", level: Problem, why: "The server's log may tell why."}
	}
	return answer{what: "an XMPP server for " + e.domain.String() + " answers", level: OK}
}

// attribute is an attribute's value in the stream header, as it stands there.
func attribute(b []byte, name string) string {
	_, rest, _ := strings.Cut(string(b), "<stream:stream")
	head, _, _ := strings.Cut(rest, ">")
	_, rest, ok := strings.Cut(head, " "+name+"=")
	if !ok || len(rest) < 2 {
		return ""
	}
	value, _, _ := strings.Cut(rest[1:], rest[:1])
	return value
}

// nameOf guesses a program by the first it says.
func nameOf(got []byte) string {
	s := string(got)
	switch {
	case s == "":
		return "it accepts connections and says nothing"
	case strings.HasPrefix(s, "HTTP/"):
		return "a web server"
	case strings.HasPrefix(s, "SSH-"):
		return "an SSH server"
	case strings.HasPrefix(s, "220"):
		return "a mail or FTP server"
	case strings.HasPrefix(s, "\x15\x03"):
		return "a port that wants TLS from the first byte"
	}
	line, _, _ := strings.Cut(s, "\n")
	return strconv.QuoteToASCII(line[:min(len(line), 40)])
}

// handshake looks at the certificate; whether to trust it is asked of the files.
func (e *exam) handshake(conn net.Conn, protocol string) (*tls.Conn, answer) {
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: certs.ASCII(e.domain)} // nothing secret is sent
	if protocol != "" {
		cfg.NextProtos = []string{protocol}
	}
	t := tls.Client(conn, cfg)
	err := t.Handshake()
	var plain tls.RecordHeaderError
	switch {
	case err == nil:
		return t, answer{leaf: t.ConnectionState().PeerCertificates[0]}
	case errors.As(err, &plain):
		return nil, answer{what: "something else answers: " + nameOf(plain.RecordHeader[:]) + ", without TLS"}
	case refused(err) && e.waits():
		return nil, answer{what: "TLS is refused until there is the first certificate", level: Problem, why: e.howItGoes()}
	}
	return nil, answer{what: "TLS fails: " + err.Error()}
}

// refused tells whether the other side ended a handshake, in the words of TLS.
func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// waits tells whether the server of this data has no certificate yet.
func (e *exam) waits() bool {
	running := e.server.answers || e.server.locked
	return running && (e.server.status.NoCertificate != "" || e.cfg.TLS.ACME && !e.hasCertificate())
}

// howItGoes is the remedy while a certificate is being obtained.
func (e *exam) howItGoes() string {
	const needs = " The findings on DNS and ports are what it needs."
	if _, why, ok := strings.Cut(e.server.status.NoCertificate, ": "); ok {
		return "The server tries again by itself. Why it has none: " + sentence(why) + needs
	}
	return "The server is obtaining it; its log tells how that goes." + needs
}

// shown compares the certificate in use with the one in the files.
func (e *exam) shown(l listener, leaf *x509.Certificate) []Finding {
	if leaf == nil {
		return nil
	}
	file := e.certFile()
	chain, err := readChain(file)
	if err != nil || chain[0].Equal(leaf) {
		return nil
	}
	return []Finding{{"certificate.shown", "", Warning, fmt.Sprintf("%s shows another certificate (good until %s) than the one in %s.", l.name, leaf.NotAfter.Local().Format(time.DateOnly), absolute(file)),
		"The server reads a new one within half a minute, unless something is wrong with it: its log says what."}}
}

func (e *exam) certFile() string {
	dir := e.cfg.Data + "/tls"
	switch {
	case e.cfg.TLS.Cert != "":
		return e.cfg.TLS.Cert
	case e.cfg.TLS.ACME:
		return e.acme().File(dir, certs.ASCII(e.domain))
	}
	return dir + "/cert.pem"
}

// get asks for a path over a connection.
func get(conn net.Conn, host, path string) (code int, body string, err error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true
	if err := req.Write(conn); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 4*most)), req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, most))
	return resp.StatusCode, string(b), nil
}

func (e *exam) probeWeb(conn net.Conn, secure bool) answer {
	var leaf *x509.Certificate
	if secure {
		t, a := e.handshake(conn, "http/1.1")
		if t == nil {
			return a
		}
		conn, leaf = t, a.leaf
	}
	code, body, err := get(conn, certs.ASCII(e.domain), "/")
	switch {
	case err != nil:
		return answer{what: "something answers that is no web server"}
	case strings.Contains(body, "Mirsal"):
		return answer{what: "Mirsal's web server answers", level: OK, leaf: leaf}
	}
	return answer{what: fmt.Sprintf("another web server answers (status %d)", code)}
}

// probeOps asks a server how it is.
func (e *exam) probeOps(conn net.Conn) answer {
	code, body, err := get(conn, "localhost", "/readyz")
	lines := strings.Join(strings.FieldsFunc(body, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	switch {
	case err == nil && code == http.StatusOK && strings.TrimSpace(body) == "ok":
		return answer{what: "the server says that it is ready", level: OK}
	case err == nil && code == http.StatusServiceUnavailable:
		return answer{what: "the server says that it is not ready: " + lines, level: Problem, why: "See the findings about that part, and the server's log."}
	}
	return answer{what: "something answers that is not a Mirsal's health page"}
}

// forACME calls the domain's ports 443 and 80 as an ACME server does.
func (e *exam) forACME(ctx context.Context) []Finding {
	if !e.cfg.TLS.ACME {
		return nil
	}
	const check = "acme.reach"
	domain := certs.ASCII(e.domain)
	if !e.server.answers {
		return []Finding{{check, "", Notice, "Whether an ACME server reaches this one was not looked at, because it does not run.", "Start it and run this command again."}}
	}
	var reached []string
	for _, p := range []string{"443", "80"} {
		if e.ours(ctx, domain, p) {
			reached = append(reached, p)
		}
	}
	if len(reached) > 0 {
		return []Finding{{check, "", OK, "Port " + strings.Join(reached, " and port ") + " of " + domain + " leads to this server, so ACME can look.", ""}}
	}
	return []Finding{{check, "", Problem, "Neither port 443 nor port 80 of " + domain + " leads to this server, as seen from here.",
		fmt.Sprintf("Lead port 443 to listen.http (%s), TLS untouched, or have the web server on port 80 pass %s to listen.http_plain (%s).", e.cfg.Listen.HTTP, "/.well-known/acme-challenge/", e.cfg.Listen.HTTPPlain)}}
}

// ours tells whether a Mirsal answers on a public port of the domain.
func (e *exam) ours(ctx context.Context, domain, port string) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := e.Dial(ctx, "tcp", net.JoinHostPort(domain, port))
	if err != nil {
		return false
	}
	defer conn.Close()
	if t, ok := ctx.Deadline(); ok {
		conn.SetDeadline(t)
	}
	if port == "80" {
		// only our own answers so to a challenge that nobody has set
		code, body, err := get(conn, domain, certs.ChallengePath+"mirsal-doctor")
		return err == nil && code == http.StatusNotFound && strings.Contains(body, "acme/autocert")
	}
	t := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: domain, NextProtos: []string{"http/1.1", "acme-tls/1"}})
	err = t.Handshake()
	if refused(err) {
		return !e.hasCertificate() // how ours refuses while it has none
	}
	if err != nil {
		return false
	}
	_, body, err := get(t, domain, "/")
	return err == nil && strings.Contains(body, "Mirsal")
}

func (e *exam) hasCertificate() bool {
	_, err := readChain(e.certFile())
	return err == nil
}
