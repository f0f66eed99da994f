package conn

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stream"
	"mirsal/internal/xmpp/xtok"
)

// plug is a dialer whose servers the test plays: each Dial is a pipe, and the far end
// of it waits in lines.
type plug struct {
	security Security
	lines    chan net.Conn
	at       string // where a redirection led
}

func (p *plug) Redirect(at string) Dialer {
	return &plug{security: p.security, lines: p.lines, at: at}
}

func (p *plug) Dial(ctx context.Context) (Transport, error) {
	near, far := net.Pipe()
	select {
	case p.lines <- far:
		return &wire{xmlStream: newXMLStream(near), security: p.security}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wire is a stream on a pipe that claims to be as safe as the test says.
type wire struct {
	*xmlStream
	security Security
}

func (w *wire) StartTLS(context.Context) error {
	w.security.Private, w.security.StartTLS = true, false
	return w.swap(w.rw)
}

func (w *wire) Security() Security { return w.security }

func bound() Security {
	return Security{Private: true, Direct: true, TLS: tls13, Binding: sasl.Binding{Type: sasl.TLSExporter, Data: []byte("0123456789abcdef0123456789abcdef")}}
}

// world is a client and the servers that the test plays for it.
type world struct {
	t    *testing.T
	plug *plug
	c    *Conn
	end  context.CancelFunc
	err  chan error
}

// inBubble runs a client against what the test plays. change alters its
// configuration.
func inBubble(t *testing.T, change func(*Config), saved *Saved, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, plug: &plug{security: bound(), lines: make(chan net.Conn)}, err: make(chan error, 1)}
		cfg := Config{Address: jid.MustParse("alice@example.org"), Password: "secret", Device: "d3v1ce", Software: "test", Dial: w.plug}
		if change != nil {
			change(&cfg)
		}
		w.c = New(cfg, saved)
		ctx, cancel := context.WithCancel(t.Context())
		w.end = cancel
		go func() { w.err <- w.c.Run(ctx) }()
		f(w)
		cancel()
		for range w.c.Events() {
		}
	})
}

// accept is the server's end of the next attempt.
func (w *world) accept() *server {
	w.t.Helper()
	select {
	case nc := <-w.plug.lines:
		s := &server{t: w.t, nc: nc, in: make(chan string, 10_000), gone: make(chan struct{})}
		go s.pump()
		return s
	case <-time.After(time.Hour):
		w.t.Fatal("the client does not connect")
		return nil
	}
}

// event is the next event, as its type.
func event[E Event](w *world) E {
	w.t.Helper()
	select {
	case e, ok := <-w.c.Events():
		if got, is := e.(E); is {
			return got
		}
		if d, is := e.(*Down); is {
			w.t.Fatalf("the event is Down: %v", d.Err)
		}
		w.t.Fatalf("the event is %T %+v (open: %v), not %T", e, e, ok, *new(E))
	case <-time.After(time.Hour):
		w.t.Fatalf("no event, not %T", *new(E))
	}
	return *new(E)
}

// quiet fails if there is an event by now.
func (w *world) quiet() {
	w.t.Helper()
	synctest.Wait()
	select {
	case e := <-w.c.Events():
		w.t.Fatalf("there is an event: %T %+v", e, e)
	default:
	}
}

// server is the far end of a stream. What the client says comes as elements in
// text; headers as "open", the end as "close".
type server struct {
	t    *testing.T
	nc   net.Conn
	in   chan string
	gone chan struct{}
}

func (s *server) pump() {
	defer close(s.gone)
	x := newXMLStream(s.nc)
	x.widen()
	for {
		ev, e, err := x.Read()
		switch {
		case err != nil:
			return
		case ev == xtok.Open:
			s.in <- "open " + string(e.Raw())
			x.scan.Release()
		case ev == xtok.Close:
			s.in <- "close"
		default:
			s.in <- string(e.AppendUnspoken(nil))
		}
		if ev == xtok.Element && e.Is(stream.NSTLS, "starttls") || ev == xtok.Element && e.Is(stream.NSSASL, "response") {
			x.opened = true
			x.scan.Restart()
		}
	}
}

func (s *server) say(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	if _, err := io.WriteString(s.nc, format); err != nil {
		s.t.Errorf("the client does not hear %.200q: %v", format, err)
	}
}

// hear is what the client says next, which must have all of the words in it. What it
// says beside the point it may say at any time.
func (s *server) hear(words ...string) string {
	s.t.Helper()
	wanted := strings.Join(words, "")
	beside := func(got string) bool {
		return strings.Contains(got, "conn-carbons") && !strings.Contains(wanted, "conn-carbons") ||
			strings.HasPrefix(got, "<r ") && len(words) > 0 && !strings.Contains(wanted, "<r")
	}
	for {
		select {
		case got := <-s.in:
			if beside(got) {
				continue
			}
			for _, w := range words {
				if !strings.Contains(got, w) {
					s.t.Fatalf("the client says %s\nwithout %q", got, w)
				}
			}
			return got
		case <-time.After(time.Hour):
			s.t.Fatalf("the client does not say %q", words)
		}
	}
}

func (s *server) parse(text string) xtok.Elem {
	e, err := xtok.Parse([]byte(text), xtok.Limits{})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// open answers the client's header.
func (s *server) open(features string) {
	s.t.Helper()
	s.hear("open ", "to='example.org'")
	s.say("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='%s' version='1.0' id='x' from='example.org'><stream:features>%s</stream:features>", stream.NS, features)
}

const (
	bindingTypes = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"
	fastOffer    = "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>"
	allMechs     = "<mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>"
)

// modern is what our own server offers.
const modern = "<authentication xmlns='urn:xmpp:sasl:2'>" + allMechs +
	"<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:csi:0'/></inline></bind>" +
	"<sm xmlns='urn:xmpp:sm:3'/>" + fastOffer + "</inline></authentication>" + bindingTypes

// classic is what a server of RFC 6120 offers.
const classic = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + allMechs + "</mechanisms>"

func (s *server) credentials(string) (sasl.Credentials, error) {
	return sasl.Derive("secret", []byte("salt one"), []byte("salt two"), 4096)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func unb64(t *testing.T, s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// authenticate plays SASL2 up to its success and returns the client's request and what
// its success has to prove.
func (s *server) authenticate(mech string) (request xtok.Elem, proof string) {
	s.t.Helper()
	request = s.parse(s.hear("<authenticate", "mechanism='"+mech+"'"))
	x, err := sasl.Start(mech, jid.MustParse("example.org"), []sasl.Binding{bound().Binding}, s.credentials)
	if err != nil {
		s.t.Fatal(err)
	}
	x.Offered(strings.FieldsFunc(strings.NewReplacer("<mechanism>", " ", "</mechanism>", " ").Replace(allMechs), func(r rune) bool { return r == ' ' }), []string{"tls-exporter"})
	x.TLSVersion(tls13)
	out, _, err := x.Next(unb64(s.t, request.Child(stream.NSSASL2, "initial-response").Text()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.say("<challenge xmlns='urn:xmpp:sasl:2'>%s</challenge>", b64(out))
	out, done, err := x.Next(unb64(s.t, s.parse(s.hear("<response")).Text()))
	if err != nil || !done {
		s.t.Fatal("the client's proof: ", err)
	}
	return request, b64(out)
}

// success ends SASL2 with what the server has done, and the features behind it.
func (s *server) success(proof, who, inner string) {
	s.say("<success xmlns='urn:xmpp:sasl:2'><additional-data>%s</additional-data><authorization-identifier>%s</authorization-identifier>%s</success><stream:features><csi xmlns='urn:xmpp:csi:0'/></stream:features>", proof, who, inner)
}

const enabled = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm-id' resume='true' max='300'/></bound>"

// signIn plays a whole sign-in with a password at a modern server.
func (w *world) signIn() *server {
	w.t.Helper()
	s := w.accept()
	s.open(modern)
	_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
	s.success(proof, "alice@example.org/r", enabled)
	if up := event[*Up](w); up.Resumed || up.JID != jid.MustParse("alice@example.org/r") {
		w.t.Fatalf("up as %v, resumed: %v", up.JID, up.Resumed)
	}
	return s
}

// lose drops a connection as a network does, and waits until the client knows.
func (w *world) lose(s *server) {
	w.t.Helper()
	s.nc.Close()
	event[*Down](w)
}

// resumed plays a resumption with the server's count, and checks the client's.
func (w *world) resumed(h, clients int) *server {
	w.t.Helper()
	s := w.accept()
	s.open(modern)
	request, proof := s.authenticate("SCRAM-SHA-256-PLUS")
	r := request.Child(nsSM, "resume")
	if r.Attr("previd") != "sm-id" || r.Attr("h") != fmt.Sprint(clients) {
		w.t.Fatalf("the client resumes %s, not h=%d", r.Raw(), clients)
	}
	// XEP-0198#inline-resume: no features behind a resumption
	s.say("<success xmlns='urn:xmpp:sasl:2'><additional-data>%s</additional-data><authorization-identifier>alice@example.org/r</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' h='%d' previd='sm-id'/></success>", proof, h)
	return s
}

func message(id string) []byte {
	return []byte("<message xmlns='jabber:client' to='bob@example.org' id='" + id + "'><body>" + id + "</body></message>")
}

func reasonOf(err error) Reason {
	var r *Refusal
	errors.As(err, &r)
	if r == nil {
		return ""
	}
	return r.Reason
}
