// Package device runs `mirsal chat port` for end-to-end tests: one account on one
// device as a process of its own, which takes commands and tells events as JSON,
// and can be killed at any instant and started again on the same profile. It knows
// the command line and internal/client/port, and nothing of the engine's inside.
//
// Invariants: every process that Start made has ended when its test has; what a
// life of the process tells is heard by the Caller of that life alone.
package device

import (
	"bufio"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/client/caller"
	"mirsal/internal/client/port"
)

// patience is how long anything may take before the test gives up: the machine may
// be busy.
const patience = 60 * time.Second

// Device is one account on one device.
type Device struct {
	Name    string // for messages of the test: "bob-2"
	Address string // bare
	Folder  string // the profile's

	t   testing.TB
	bin string

	mu   sync.Mutex
	life *life
}

// life is one process.
type life struct {
	*caller.Caller
	cmd    *exec.Cmd
	in     io.WriteCloser
	words  bytes.Buffer // what it said on standard error
	ended  context.Context
	heard  chan struct{} // closed when all it said was heard
	events func(port.Event)
}

// New makes a device with an empty profile, which does not run yet. The
// authorities are files of certificates to trust.
func New(t testing.TB, bin, name, address string, authorities ...string) *Device {
	t.Helper()
	d := &Device{Name: name, Address: address, Folder: filepath.Join(t.TempDir(), name), t: t, bin: bin}
	var all []byte
	for _, file := range authorities {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	if block, _ := pem.Decode(all); block == nil {
		t.Fatal("no certificates to trust")
	}
	if err := os.MkdirAll(d.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Folder, "ca.pem"), all, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	return d
}

// SignIn signs a device in for the first time, and waits until it has everything and
// others can write to it.
func (d *Device) SignIn(password, server string) {
	d.t.Helper()
	d.Must(&port.SignIn{Address: d.Address, Password: password, Server: server})
	d.Synced()
	for end := time.Now().Add(patience); !d.listed(); time.Sleep(glance) {
		if time.Now().After(end) {
			d.t.Fatalf("%s is not on its account's list of devices", d.Name)
		}
	}
}

// glance is between two looks.
const glance = 20 * time.Millisecond

// listed tells whether the device is on its account's list.
func (d *Device) listed() bool {
	d.t.Helper()
	for _, one := range d.Must(&port.ListDevices{}).(*port.DeviceList).Devices {
		if one.Here {
			return one.Active
		}
	}
	return false
}

// Start starts the process. Events, if not nil, hears of everything as it comes, on
// a goroutine of the process's, besides the Caller.
func (d *Device) Start(events func(port.Event)) {
	d.t.Helper()
	cmd := exec.Command(d.bin, "chat", "port", "--profile", d.Folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	ended, end := context.WithCancel(context.Background())
	l := &life{Caller: caller.New(), cmd: cmd, ended: ended, heard: make(chan struct{}), events: events}
	cmd.Stderr = &l.words
	out, err := cmd.StdoutPipe()
	if err == nil {
		l.in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		end()
		d.t.Fatal(err)
	}
	l.Use(l)
	d.mu.Lock()
	d.life = l
	d.mu.Unlock()
	go l.listen(out)
	go func() {
		<-l.heard
		_ = cmd.Wait() // how it ended is seen by what it said
		end()
	}()
}

// listen hears what the process says until it says no more.
func (l *life) listen(out io.Reader) {
	defer close(l.heard)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		ev, err := port.DecodeEvent(lines.Bytes())
		if err != nil {
			continue // a process that was killed may have said half a line
		}
		if l.events != nil {
			l.events(ev) // first, so that it knows what a caller was answered
		}
		l.Heard(ev)
	}
}

// Do is of caller.Engine. A process that has ended hears nothing.
func (l *life) Do(c port.Command) {
	if raw, err := port.EncodeCommand(c); err == nil {
		_, _ = l.in.Write(append(raw, '\n'))
	}
}

func (d *Device) now() *life {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.life
}

// Running tells whether there is a process.
func (d *Device) Running() bool { l := d.now(); return l != nil && l.ended.Err() == nil }

// Kill ends the process without warning (SIGKILL) and waits for its end.
func (d *Device) Kill() {
	if l := d.now(); l != nil {
		_ = l.cmd.Process.Kill()
		<-l.ended.Done()
	}
}

// Close ends the process in good order.
func (d *Device) Close() {
	d.t.Helper()
	l := d.now()
	l.in.Close()
	select {
	case <-l.ended.Done():
	case <-time.After(patience):
		d.t.Errorf("%s does not end", d.Name)
		d.Kill()
	}
	if words := l.words.String(); words != "" {
		d.t.Errorf("%s said %s", d.Name, words)
	}
}

// Call asks the process something. The error is the answer's failure, or that the
// process ended before it answered.
func (d *Device) Call(c port.Command) (port.Event, error) { return d.CallWithin(patience, c) }

// CallWithin is Call for what takes longer, as handing a large history over does.
func (d *Device) CallWithin(limit time.Duration, c port.Command) (port.Event, error) {
	l := d.now()
	ctx, cancel := context.WithTimeout(l.ended, limit)
	defer cancel()
	return l.Call(ctx, c)
}

// Must is Call where nothing else than success will do.
func (d *Device) Must(c port.Command) port.Event {
	d.t.Helper()
	ev, err := d.Call(c)
	if err != nil {
		d.t.Fatalf("%s: %T: %v\n%s", d.Name, c, err, d.Words())
	}
	return ev
}

// Words is what the process said on standard error; only of one that has ended.
func (d *Device) Words() string {
	l := d.now()
	if l.ended.Err() == nil {
		return ""
	}
	return strings.TrimSpace(l.words.String())
}

// Status is where the connection stands, as far as heard.
func (d *Device) Status() port.Status { return d.now().Status() }

// Wait waits for an event; an error is that the process ended, or did not say it in time.
func (d *Device) Wait(right func(port.Event) bool) (port.Event, error) {
	l := d.now()
	ctx, cancel := context.WithTimeout(l.ended, patience)
	defer cancel()
	return l.Wait(ctx, right)
}

// Until waits for an event that must come.
func (d *Device) Until(what string, right func(port.Event) bool) port.Event {
	d.t.Helper()
	ev, err := d.Wait(right)
	if err != nil {
		d.t.Fatalf("%s waited in vain for %s: %v\nstatus %+v\n%s", d.Name, what, err, d.Status(), d.Words())
	}
	return ev
}

// Synced waits until the device knows all that the server does.
func (d *Device) Synced() {
	d.t.Helper()
	for !d.Status().Synced {
		d.Until("being synced", func(ev port.Event) bool { _, ok := ev.(*port.Status); return ok })
	}
}

// Message waits for a message that is as wanted and returns it.
func (d *Device) Message(what string, right func(port.Message) bool) port.Message {
	d.t.Helper()
	ev := d.Until(what, func(ev port.Event) bool {
		m, ok := ev.(*port.MessageChanged)
		return ok && right(m.Message)
	})
	return ev.(*port.MessageChanged).Message
}

// Hears waits for a message with this text in a chat.
func (d *Device) Hears(chat, text string) port.Message {
	d.t.Helper()
	return d.Message(fmt.Sprintf("%q in %s", text, chat), func(m port.Message) bool { return m.Chat == chat && m.Text == text })
}

// far is how far a message has come: what is read at once may never be told to be sent.
func far(m port.Message) int {
	return slices.Index([]port.Delivery{port.Pending, port.Sent, port.Delivered, port.Read}, m.Delivery)
}

// Says sends a message and waits until it has come as far as wanted.
func (d *Device) Says(chat, text string, want port.Delivery) port.Message {
	d.t.Helper()
	id := d.Must(&port.Send{Chat: chat, Text: text}).(*port.Done).Message
	var m port.Message
	_, err := d.Wait(func(ev port.Event) bool {
		c, ok := ev.(*port.MessageChanged)
		if ok && c.Message.ID == id {
			m = c.Message
		}
		return far(m) >= far(port.Message{Delivery: want}) || m.Delivery == port.Failed
	})
	if err != nil || m.Delivery == port.Failed {
		keys := d.Must(&port.ListDevices{Address: chat}).(*port.DeviceList)
		d.t.Fatalf("%s: %q is not %s: %+v, %v\nthe devices are %+v", d.Name, text, want, m, err, keys.Devices)
	}
	return m
}

// History is the whole of a chat without the engine's own notices, oldest first.
func (d *Device) History(chat string) (all []port.Message) {
	d.t.Helper()
	const page = 200
	for before := ""; ; {
		p := d.Must(&port.History{Chat: chat, Before: before, Limit: page}).(*port.Page)
		var lines []port.Message
		for _, m := range p.Messages {
			if m.Notice == "" {
				lines = append(lines, m)
			}
		}
		all = append(lines, all...)
		if !p.More || len(p.Messages) == 0 {
			return all
		}
		before = p.Messages[0].ID
	}
}

// Meet makes two people contacts.
func Meet(a, b *Device) {
	a.t.Helper()
	a.Must(&port.AddContact{Address: b.Address})
	b.Contact(a.Address, "asks")
	b.Must(&port.AddContact{Address: a.Address})
	a.Contact(b.Address, "contact")
}

// Contact waits until a contact stands as wanted.
func (d *Device) Contact(address, state string) {
	d.t.Helper()
	d.Until(address+" being "+state, func(ev port.Event) bool {
		c, ok := ev.(*port.ContactChanged)
		return ok && c.Contact.Address == address && c.Contact.State == state
	})
}
