package link

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/internal/client"
	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
	"mirsal/internal/client/profile"
)

const (
	domain   = "localhost"
	patience = 30 * time.Second // for anything, until the test gives up
)

type server struct {
	*mirsal.Server
	addr string
}

func newServer(t *testing.T, names ...string) *server {
	t.Helper()
	return newServerWith(t, nil, names...)
}

// newServerWith is one with more arguments of serve.
func newServerWith(t *testing.T, args []string, names ...string) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String()}
	l.Close()
	bin := mirsal.Build(t)
	s.Server = mirsal.Start(t, mirsal.Options{Bin: bin, Args: append([]string{"--domain", domain, "--c2s", s.addr}, args...)})
	for _, n := range names {
		add := exec.Command(bin, "account", "add", n+"@"+domain, "--password-stdin", "--data", s.Data)
		add.Stdin = strings.NewReader(password(n) + "\n")
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return s
}

func password(name string) string { return "correct horse " + name + " battery" }

// device is one profile with its engine at work.
type device struct {
	*caller.Caller
	t       *testing.T
	server  *server
	folder  string
	label   string
	profile *profile.Profile
	end     context.CancelFunc
	ended   chan error
}

// empty is a device without an account.
func (s *server) empty(t *testing.T, label string) *device {
	t.Helper()
	d := &device{t: t, server: s, folder: t.TempDir(), label: label, ended: make(chan error, 1)}
	if err := profile.Trust(d.folder, filepath.Join(s.Data, "tls", "ca.pem")); err != nil {
		t.Fatal(err)
	}
	d.start()
	t.Cleanup(d.close)
	return d
}

// signIn is a device that knows the password.
func (s *server) signIn(t *testing.T, name, label string) *device {
	t.Helper()
	d := s.empty(t, label)
	d.must(&port.SignIn{Address: name + "@" + domain, Password: password(name), Server: s.addr})
	d.synced()
	return d
}

func (d *device) start() {
	d.t.Helper()
	var err error
	if d.profile, err = profile.Open(d.folder); err != nil {
		d.t.Fatal(err)
	}
	d.Caller = caller.New()
	var e *client.Engine
	if e, err = d.profile.Engine(d.label, d.Heard, nil); err != nil {
		d.t.Fatal(err)
	}
	d.Use(e)
	ctx, end := context.WithCancel(context.Background())
	d.end = end
	go func() { d.ended <- e.Run(ctx) }()
}

func (d *device) close() {
	if d.end == nil {
		return
	}
	d.end()
	d.end = nil
	if err := <-d.ended; err != nil {
		d.t.Error(err)
	}
	if err := d.profile.Close(); err != nil {
		d.t.Error(err)
	}
}

func (d *device) must(c port.Command) port.Event {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := d.Call(ctx, c)
	if err != nil {
		d.t.Fatalf("%s: %T: %v", d.label, c, err)
	}
	return ev
}

// fails is the code of a refusal, that there must be.
func (d *device) fails(c port.Command) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := d.Call(ctx, c)
	f := port.FailureOf(ev)
	if f == nil {
		d.t.Fatalf("%s: %T is not refused: %v", d.label, c, err)
	}
	return f.Code
}

// begin asks without waiting: what comes of it is received later.
func (d *device) begin(c port.Command) <-chan *port.Failure {
	out := make(chan *port.Failure, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		ev, err := d.Call(ctx, c)
		if err != nil && ev == nil {
			out <- port.Failf("no-answer", "%s", err)
			return
		}
		out <- port.FailureOf(ev)
	}()
	return out
}

func until[E port.Event](d *device, right func(E) bool) E {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ev, err := d.Wait(ctx, func(ev port.Event) bool { x, ok := ev.(E); return ok && right(x) })
	if err != nil {
		var e E
		d.t.Fatalf("%s waited in vain for %T", d.label, e)
	}
	return ev.(E)
}

func (d *device) synced() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !d.Status().Synced {
		if _, err := d.Next(ctx); err != nil {
			d.t.Fatalf("%s is not synced: %+v", d.label, d.Status())
		}
	}
}

func (d *device) says(to, text string) {
	d.t.Helper()
	id := d.must(&port.Send{Chat: to, Text: text}).(*port.Done).Message
	until(d, func(m *port.MessageChanged) bool { return m.Message.ID == id && m.Message.Delivery != port.Pending })
}

func (d *device) hears(text string) {
	d.t.Helper()
	until(d, func(m *port.MessageChanged) bool { return m.Message.Text == text })
}

// lines are the texts of a chat, oldest first.
func (d *device) lines(chat string) (out []string) {
	d.t.Helper()
	for _, m := range d.must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
		out = append(out, m.Text+m.Unreadable+m.Notice)
	}
	return out
}

func (d *device) want(chat string, want ...string) {
	d.t.Helper()
	if got := d.lines(chat); !slices.Equal(got, want) {
		d.t.Errorf("%s has %q, want %q", d.label, got, want)
	}
}

func (d *device) keys(of string) []port.Device {
	d.t.Helper()
	return d.must(&port.ListDevices{Address: of}).(*port.DeviceList).Devices
}

// shows has an old device show a code.
func (d *device) shows() string {
	d.t.Helper()
	return d.must(&port.LinkShow{}).(*port.Code).Text
}

func (d *device) asked() *port.LinkAsked {
	d.t.Helper()
	return until(d, func(*port.LinkAsked) bool { return true })
}

func (d *device) linkState(state string) *port.LinkState {
	d.t.Helper()
	return until(d, func(s *port.LinkState) bool { return s.State == state })
}
