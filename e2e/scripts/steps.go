package scripts

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"mirsal/e2e/xmppclient"
)

// phrase is one kind of step: how it is written and what it does. args are the
// pattern's groups.
type phrase struct {
	form *regexp.Regexp
	does func(w *world, ctx context.Context, args []string, xml string) error
}

// phrases are all that a script may say, in the order in which they are tried.
func phrases() []phrase {
	var all []phrase
	say := func(form string, does func(w *world, ctx context.Context, args []string, xml string) error) {
		all = append(all, phrase{regexp.MustCompile("^" + form + "$"), does})
	}
	device := func(form string, does func(w *world, ctx context.Context, d *device, args []string, xml string) error) {
		say(`(\w+'s [\w-]+) `+form, func(w *world, ctx context.Context, args []string, xml string) error {
			d, err := w.device(args[0])
			if err != nil {
				return err
			}
			return does(w, ctx, d, args[1:], xml)
		})
	}
	sayServer(say)
	sayConnecting(device)
	saySASL2(device)
	sayOffer(device)
	saySessions(device)
	sayStanzas(device)
	sayMany(device)
	return all
}

type (
	sayer       func(form string, does func(w *world, ctx context.Context, args []string, xml string) error)
	deviceSayer func(form string, does func(w *world, ctx context.Context, d *device, args []string, xml string) error)
)

var known = phrases()

func (w *world) step(ctx context.Context, s Step) error {
	for _, p := range known {
		if m := p.form.FindStringSubmatch(s.Text); m != nil {
			bounded, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			return p.does(w, bounded, m[1:], s.XML)
		}
	}
	return errors.New("no step is written like this; README.md lists them")
}

func sayServer(say sayer) {
	say(`the server restarts`, func(w *world, ctx context.Context, _ []string, _ string) error {
		if err := w.server.restart(ctx); err != nil {
			return err
		}
		for _, d := range w.devices {
			d.drop()
		}
		return nil
	})
	say(`the operator makes an invitation (\w+)`, func(w *world, ctx context.Context, args []string, _ string) error {
		token, err := w.server.invite(ctx)
		w.names[args[0]] = token
		return err
	})
	say(`the operator invites (\d+) people into the circle "([^"]+)" by an invitation (\w+)`, func(w *world, ctx context.Context, args []string, _ string) error {
		people, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		token, err := w.server.inviteTo(ctx, args[1], people)
		w.names[args[2]] = token
		return err
	})
	say(`the operator makes (\w+) an administrator`, func(w *world, ctx context.Context, args []string, _ string) error {
		return w.server.promote(ctx, args[0])
	})
	say(`the operator brings (\w+) from another server, with keys for SCRAM-SHA-1 alone`, func(w *world, ctx context.Context, args []string, _ string) error {
		return w.server.bring(ctx, args[0], password(args[0]))
	})
	say(`everything arrives`, func(w *world, ctx context.Context, _ []string, _ string) error {
		return w.settle(ctx)
	})
}

func sayConnecting(say deviceSayer) {
	options := map[string]xmppclient.Options{
		"": {}, " without TLS": {Plain: true}, " with direct TLS": {Direct: true}, " over WebSocket": {WebSocket: "/ws"}, " over BOSH": {BOSH: "/bosh"},
	}
	say(`opens a stream( without TLS| with direct TLS| over WebSocket| over BOSH|)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return w.open(ctx, d, options[args[0]])
	})
	say(`opens a connection`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		conn, err := xmppclient.Connect(ctx, xmppclient.Options{Domain: Domain, Addr: w.server.addr("c2s")})
		d.begin(conn)
		return err
	})
	say(`is greeted`, func(_ *world, ctx context.Context, d *device, _ []string, _ string) error {
		return d.conn.Greeting(ctx)
	})
	say(`is offered`, func(w *world, _ context.Context, d *device, _ []string, xml string) error {
		patterns, err := w.patterns(xml)
		if err != nil {
			return err
		}
		want := &xmppclient.Node{Name: d.conn.Features.Name, Children: patterns}
		if why := w.names.match(want, d.conn.Features); why != "" {
			return fmt.Errorf("%s\nthe features are\n%s", why, d.conn.Features)
		}
		return nil
	})
	say(`connects`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		return w.connect(ctx, d)
	})
	say(`logs in`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		return w.logIn(ctx, d)
	})
	say(`logs in by ([A-Z0-9-]+)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return d.conn.LoginBy(ctx, args[0], d.user, password(d.user))
	})
	say(`logs in with the password "(.*)"`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return d.conn.Login(ctx, d.user, args[0])
	})
	say(`cannot log in with the password "(.*)": ([\w-]+)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return refused(d.conn.Login(ctx, d.user, args[0]), args[1])
	})
	say(`cannot log in by ([A-Z0-9-]+): ([\w-]+)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return refused(d.conn.LoginBy(ctx, args[0], d.user, password(d.user)), args[1])
	})
	say(`binds`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		err := d.conn.Bind(ctx, d.resource)
		w.names[d.name] = d.conn.JID
		return err
	})
}

// refused checks that an authentication failed as it should.
func refused(err error, condition string) error {
	var e *xmppclient.SASLError
	switch {
	case err == nil:
		return errors.New("it was let in")
	case !errors.As(err, &e):
		return err
	case e.Condition != condition:
		return fmt.Errorf("refused with %s", e.Condition)
	}
	return nil
}

func saySessions(say deviceSayer) {
	say(`comes online(?: with priority (-?\d+))?`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return w.comeOnline(ctx, d, args[0])
	})
	say(`logs out`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		if err := w.nothingLeft(ctx); err != nil {
			return err
		}
		err := d.conn.Close(ctx)
		d.conn = nil
		return err
	})
	say(`loses its connection`, func(w *world, _ context.Context, d *device, _ []string, _ string) error {
		err := d.leftOver(w.script.Ignored)
		d.drop()
		return err
	})
	say(`is disconnected`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		return w.disconnected(ctx, d)
	})
	say(`enables stream management( with resumption|)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		id, err := d.conn.EnableSM(ctx, args[0] != "")
		d.session = id
		w.names["session of "+d.name] = id
		if err == nil && (id == "") != (args[0] == "") {
			err = fmt.Errorf("the id to resume by is %q", id)
		}
		return err
	})
	say(`resumes its session`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		sent, handled := d.sent, d.handled
		if err := w.logIn(ctx, d); err != nil {
			return err
		}
		_, err := d.conn.ResumeSM(ctx, d.session, sent, handled)
		d.conn.JID = w.names[d.name]
		return err
	})
	say(`acknowledges`, func(_ *world, _ context.Context, d *device, _ []string, _ string) error {
		return d.conn.Ack()
	})
	say(`has everything acknowledged`, func(_ *world, ctx context.Context, d *device, _ []string, _ string) error {
		return acknowledged(ctx, d)
	})
}

// comeOnline sends initial presence, and waits for its echo (RFC 6121 §4.2.2).
// What else arrives is kept for the steps that follow.
func (w *world) comeOnline(ctx context.Context, d *device, priority string) error {
	if !d.bound() {
		if err := w.connect(ctx, d); err != nil {
			return err
		}
	}
	presence := "<presence/>"
	if priority != "" {
		presence = "<presence><priority>" + priority + "</priority></presence>"
	}
	if err := d.conn.Send(presence); err != nil {
		return err
	}
	own := func(n *xmppclient.Node) bool {
		return n.Name.Local == "presence" && n.Attr("from") == d.conn.JID && n.Attr("type") == ""
	}
	if err := d.await(ctx, own); err != nil {
		return fmt.Errorf("waiting for its own presence: %s", reason(err))
	}
	return d.calm(ctx)
}

// calm waits until the server has given the device what waited for it: the
// answer to a ping comes behind that.
func (d *device) calm(ctx context.Context) error {
	if err := d.conn.Send("<iq type='get' id='calm'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		return err
	}
	if err := d.await(ctx, func(n *xmppclient.Node) bool { return n.Attr("id") == "calm" }); err != nil {
		return fmt.Errorf("waiting for an answer: %s", reason(err))
	}
	return nil
}

// await reads up to an element and keeps what came before it for later steps.
func (d *device) await(ctx context.Context, wanted func(*xmppclient.Node) bool) error {
	for {
		n, err := d.read(ctx)
		switch {
		case err != nil:
			return err
		case n == nil:
		case wanted(n):
			return nil
		default:
			d.pending = append(d.pending, n)
		}
	}
}

// disconnected waits for the end of the stream, before which nothing more may come.
func (w *world) disconnected(ctx context.Context, d *device) error {
	for !d.ended {
		n, err := d.read(ctx)
		if err != nil && !d.ended {
			return errors.New("the stream goes on")
		}
		if n != nil {
			d.pending = append(d.pending, n)
		}
	}
	err := d.leftOver(w.script.Ignored)
	d.drop()
	return err
}

// acknowledged asks until the server has everything that the device sent: it
// may be on its way to the disk still.
func acknowledged(ctx context.Context, d *device) error {
	want := strconv.FormatUint(uint64(d.conn.Sent()), 10)
	for {
		if err := d.conn.Send("<r xmlns='" + xmppclient.NSSM + "'/>"); err != nil {
			return err
		}
		h, err := awaitAck(ctx, d)
		if err != nil {
			return fmt.Errorf("waiting for the acknowledgement of %s stanzas: %s", want, reason(err))
		}
		if h == want {
			return nil
		}
	}
}

func awaitAck(ctx context.Context, d *device) (h string, err error) {
	err = d.await(ctx, func(n *xmppclient.Node) bool {
		h = n.Attr("h")
		return n.Is(xmppclient.NSSM, "a")
	})
	return h, err
}

func sayStanzas(say deviceSayer) {
	say(`sends`, func(w *world, ctx context.Context, d *device, _ []string, xml string) error {
		filled, err := w.names.fill(xml, true)
		if err != nil {
			return err
		}
		if d.conn == nil {
			return errors.New("not connected")
		}
		return d.conn.Send(strings.TrimSpace(filled))
	})
	say(`receives`, func(w *world, ctx context.Context, d *device, _ []string, xml string) error {
		patterns, err := w.patterns(xml)
		if err != nil {
			return err
		}
		for i := range patterns {
			if _, err := d.expect(ctx, w.names, patterns[i:i+1], w.script.Ignored); err != nil {
				return err
			}
		}
		return nil
	})
	say(`receives in any order`, func(w *world, ctx context.Context, d *device, _ []string, xml string) error {
		patterns, err := w.patterns(xml)
		if err != nil {
			return err
		}
		for len(patterns) > 0 {
			i, err := d.expect(ctx, w.names, patterns, w.script.Ignored)
			if err != nil {
				return err
			}
			patterns = append(patterns[:i:i], patterns[i+1:]...)
		}
		return nil
	})
	say(`receives nothing`, func(w *world, ctx context.Context, d *device, _ []string, _ string) error {
		if err := w.settle(ctx); err != nil {
			return err
		}
		return d.leftOver(w.script.Ignored)
	})
}

// stanzaTag is a stanza's start tag without its namespace, which people may leave
// out in what they expect, inside a forwarded one too.
var stanzaTag = regexp.MustCompile(`<(message|presence|iq)((?: [^<>]*)?/?>)`)

// patterns reads what a step expects.
func (w *world) patterns(xml string) ([]*xmppclient.Node, error) {
	filled, err := w.names.fill(xml, false)
	if err != nil {
		return nil, err
	}
	filled = stanzaTag.ReplaceAllString(filled, "<$1 xmlns='jabber:client'$2")
	around := "<all xmlns='jabber:client' xmlns:stream='" + xmppclient.NSStream + "'>" + filled + "</all>"
	all, err := xmppclient.Parse(around, "")
	if err != nil {
		return nil, err
	}
	if len(all[0].Children) == 0 {
		return nil, errors.New("what should arrive is missing: it stands below, indented")
	}
	return all[0].Children, nil
}
