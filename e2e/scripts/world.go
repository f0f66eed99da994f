package scripts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"mirsal/e2e/xmppclient"
)

// Domain is the domain of every script's server.
const Domain = "example.org"

// machine is the server that a script talks to.
type machine interface {
	// addr is where a listener listens: "c2s" or "c2s-tls".
	addr(name string) string
	// addAccount makes an account.
	addAccount(ctx context.Context, name, password string) error
	// invite makes an invitation and returns its token.
	invite(ctx context.Context) (string, error)
	// inviteTo makes an invitation to a circle, for a number of people.
	inviteTo(ctx context.Context, circle string, people int) (string, error)
	// bring imports an account with keys for SCRAM-SHA-1 alone.
	bring(ctx context.Context, name, password string) error
	// promote makes an account an administrator's.
	promote(ctx context.Context, name string) error
	// restart stops the server as an operator would and starts it on the same data.
	restart(ctx context.Context) error
}

// world is one running script.
type world struct {
	script  *Script
	server  machine
	names   names
	devices map[string]*device
}

func newWorld(s *Script, m machine) *world {
	w := &world{script: s, server: m, names: names{"domain": Domain, ours: "{" + ours + "}"}, devices: map[string]*device{}}
	for _, name := range s.Accounts {
		w.names[name] = name + "@" + Domain
	}
	for _, step := range s.Steps {
		for _, name := range anyDevice.FindAllString(step.Text, -1) {
			_, _ = w.device(name) // it has the form of a name
		}
	}
	return w
}

// run plays the script from its first step to its last; the first failure ends it.
func (w *world) run(ctx context.Context) error {
	defer w.hangUp()
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("%s: before the first step: %w", w.script.File, err)
	}
	for _, step := range w.script.Steps {
		if err := w.step(ctx, step); err != nil {
			return fmt.Errorf("%s:%d: %s\n%w", w.script.File, step.Line, step.Text, err)
		}
	}
	if err := w.nothingLeft(ctx); err != nil {
		return fmt.Errorf("%s: after the last step: %w", w.script.File, err)
	}
	return nil
}

func (w *world) hangUp() {
	for _, d := range w.devices {
		d.drop()
	}
}

func (w *world) prepare(ctx context.Context) error {
	for _, name := range w.script.Accounts {
		if err := w.server.addAccount(ctx, name, password(name)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	for _, c := range w.script.Contacts {
		if err := w.befriend(ctx, c[0], c[1]); err != nil {
			return fmt.Errorf("making %s and %s contacts: %w", c[0], c[1], err)
		}
	}
	return nil
}

// password is what an account of the scripts has.
func password(name string) string { return "the password of " + name }

var (
	anyDevice  = regexp.MustCompile(`^\w+'s [\w-]+`)
	deviceName = regexp.MustCompile(`^(\w+)'s ([\w-]+)$`)
)

// device finds a device by its name, or makes it.
func (w *world) device(name string) (*device, error) {
	if d := w.devices[name]; d != nil {
		return d, nil
	}
	m := deviceName.FindStringSubmatch(name)
	if m == nil {
		return nil, fmt.Errorf("a device is written \"alice's phone\", not %q", name)
	}
	d := &device{name: name, user: m[1], resource: m[2]}
	w.devices[name] = d
	w.names[name] = d.user + "@" + Domain + "/" + d.resource
	return d, nil
}

// sorted are the devices in the order of their names.
func (w *world) sorted() []*device {
	var all []*device
	for _, name := range slices.Sorted(maps.Keys(w.devices)) {
		all = append(all, w.devices[name])
	}
	return all
}

// befriend subscribes two accounts to each other's presence, by two devices that
// are gone before the script begins.
func (w *world) befriend(ctx context.Context, a, b string) error {
	one := &device{name: "setup", user: a, resource: "setup"}
	two := &device{name: "setup", user: b, resource: "setup"}
	defer one.drop()
	defer two.drop()
	for _, d := range []*device{one, two} {
		if err := w.connect(ctx, d); err != nil {
			return err
		}
		if err := d.conn.Send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>"); err != nil {
			return err
		}
		if err := awaitPresence(ctx, d, d.conn.JID, ""); err != nil {
			return err
		}
	}
	if err := subscribe(ctx, one, two); err != nil {
		return err
	}
	if err := subscribe(ctx, two, one); err != nil {
		return err
	}
	return errors.Join(leave(ctx, one), leave(ctx, two))
}

// leave logs out, and waits until nobody will hear of the device any more.
func leave(ctx context.Context, d *device) error {
	if err := d.conn.Send("<presence type='unavailable'/>"); err != nil {
		return err
	}
	if err := awaitPresence(ctx, d, d.conn.JID, "unavailable"); err != nil {
		return err
	}
	return d.conn.Close(ctx)
}

// subscribe makes from a subscriber of to.
func subscribe(ctx context.Context, from, to *device) error {
	bare := func(d *device) string { return d.user + "@" + Domain }
	if err := from.conn.Send("<presence type='subscribe' to='" + bare(to) + "'/>"); err != nil {
		return err
	}
	if err := awaitPresence(ctx, to, bare(from), "subscribe"); err != nil {
		return err
	}
	if err := to.conn.Send("<presence type='subscribed' to='" + bare(from) + "'/>"); err != nil {
		return err
	}
	return awaitPresence(ctx, from, bare(to), "subscribed")
}

// awaitPresence reads up to one presence and forgets what came before it.
func awaitPresence(ctx context.Context, d *device, from, kind string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		n, err := d.next(ctx)
		if err != nil {
			return fmt.Errorf("waiting for presence %s from %s: %s", kind, from, reason(err))
		}
		if n.Name.Local == "presence" && n.Attr("from") == from && n.Attr("type") == kind {
			return nil
		}
	}
}

// settle makes sure that whatever the devices caused so far has arrived: each
// sends each a ping that cannot overtake what went before it. Where a block keeps
// them apart the ping comes back; then the server has handled what went before
// it, and another question to the server comes behind all that it has sent.
func (w *world) settle(ctx context.Context) error {
	var all []*device
	for _, d := range w.sorted() {
		if d.bound() {
			d.pings, d.echoes, d.served, d.refused = 0, 0, 0, map[string]int{}
			all = append(all, d)
		}
	}
	for i, d := range all {
		for j, to := range all {
			ping := fmt.Sprintf("<iq type='get' id='%s-%d-%d' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", barrier, i, j, escapeXML(to.conn.JID))
			if err := d.conn.Send(ping); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	if err := w.askServer(ctx, all); err != nil {
		return err
	}
	came := func(d *device) bool {
		refused := 0
		for _, o := range all {
			refused += o.refused[d.conn.JID]
		}
		return d.pings+refused == len(all)
	}
	if err := w.gather(ctx, all, came); err != nil {
		return err
	}
	return w.gather(ctx, all, func(d *device) bool { return d.echoes == len(all) })
}

// askServer waits until the server has handled what each device sent, and then
// until each has what the server sent it for that.
func (w *world) askServer(ctx context.Context, all []*device) error {
	const ping = "<iq type='get' id='" + barrier + "' to='" + Domain + "'><ping xmlns='urn:xmpp:ping'/></iq>"
	for round := 1; round <= 2; round++ {
		for _, d := range all {
			if err := d.conn.Send(ping); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
		}
		if err := w.gather(ctx, all, func(d *device) bool { return d.served == round }); err != nil {
			return err
		}
	}
	return nil
}

// gather reads on every device until it is done.
func (w *world) gather(ctx context.Context, all []*device, done func(*device) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, d := range all {
		for !done(d) {
			n, err := d.read(ctx)
			if err != nil {
				return fmt.Errorf("%s: while making sure that nothing more comes: %s", d.name, reason(err))
			}
			if n != nil {
				d.pending = append(d.pending, n)
			}
		}
	}
	return nil
}

// nothingLeft fails when anything arrived on any device that no step expected.
func (w *world) nothingLeft(ctx context.Context) error {
	if err := w.settle(ctx); err != nil {
		return err
	}
	for _, d := range w.sorted() {
		if err := d.leftOver(w.script.Ignored); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) connect(ctx context.Context, d *device) error {
	if err := w.logIn(ctx, d); err != nil {
		return err
	}
	if err := d.conn.Bind(ctx, d.resource); err != nil {
		return err
	}
	w.names[d.name] = d.conn.JID
	return nil
}

// logIn authenticates, on a new connection when there is none.
func (w *world) logIn(ctx context.Context, d *device) error {
	if d.conn == nil {
		if err := w.open(ctx, d, xmppclient.Options{}); err != nil {
			return err
		}
	}
	return d.conn.Login(ctx, d.user, password(d.user))
}

func (w *world) open(ctx context.Context, d *device, o xmppclient.Options) error {
	o.Domain, o.Addr = Domain, w.server.addr("c2s")
	switch {
	case o.Direct:
		o.Addr = w.server.addr("c2s-tls")
	case o.WebSocket != "":
		o.WebSocket = "wss://" + w.server.addr("http") + o.WebSocket
	case o.BOSH != "":
		o.BOSH = "https://" + w.server.addr("http") + o.BOSH
	}
	conn, err := xmppclient.Dial(ctx, o)
	if err != nil {
		return err
	}
	d.begin(conn)
	return nil
}
