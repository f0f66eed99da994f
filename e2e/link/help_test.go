package link

import (
	"context"
	"slices"
	"testing"
	"time"

	here "mirsal/e2e/device"
	"mirsal/internal/client/port"
)

const patience = 30 * time.Second // for anything, until the test gives up

// device is one profile with its engine at work.
type device struct {
	*here.Local
	t     *testing.T
	label string
}

// empty is a device without an account.
func empty(t *testing.T, s *here.Server, label string) *device {
	t.Helper()
	return &device{here.NewLocal(t, s, label, "", t.TempDir()), t, label}
}

// signIn is a device that knows the password.
func signIn(t *testing.T, s *here.Server, name, label string) *device {
	t.Helper()
	d := empty(t, s, label)
	d.Address = name + "@" + here.Domain
	d.SignIn(s.C2S)
	return d
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

func (d *device) says(to, text string) {
	d.t.Helper()
	id := d.Must(&port.Send{Chat: to, Text: text}).(*port.Done).Message
	until(d, func(m *port.MessageChanged) bool { return m.Message.ID == id && m.Message.Delivery != port.Pending })
}

func (d *device) hears(text string) {
	d.t.Helper()
	until(d, func(m *port.MessageChanged) bool { return m.Message.Text == text })
}

// lines are the texts of a chat, oldest first.
func (d *device) lines(chat string) (out []string) {
	d.t.Helper()
	for _, m := range d.Must(&port.History{Chat: chat, Limit: 200}).(*port.Page).Messages {
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
	return d.Must(&port.ListDevices{Address: of}).(*port.DeviceList).Devices
}

// shows has an old device show a code.
func (d *device) shows() string {
	d.t.Helper()
	return d.Must(&port.LinkShow{}).(*port.Code).Text
}

func (d *device) asked() *port.LinkAsked {
	d.t.Helper()
	return until(d, func(*port.LinkAsked) bool { return true })
}

func (d *device) linkState(state string) *port.LinkState {
	d.t.Helper()
	return until(d, func(s *port.LinkState) bool { return s.State == state })
}
