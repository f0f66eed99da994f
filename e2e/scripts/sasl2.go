package scripts

import (
	"context"
	"strings"

	"mirsal/e2e/xmppclient"
)

// saySASL2 are the steps of a login by XEP-0388. They go as far as the client's
// proof; what the server says to it is received like anything else.
func saySASL2(say deviceSayer) {
	say(`signs in by (SCRAM-[A-Z0-9-]+), asking for`, func(w *world, ctx context.Context, d *device, args []string, xml string) error {
		children, err := w.names.fill(xml, true)
		if err != nil {
			return err
		}
		return d.conn.Authenticate(ctx, args[0], d.user, password(d.user), strings.TrimSpace(children))
	})
	say(`cannot sign in by (SCRAM-[A-Z0-9-]+), asking for ([\w-]+)`, func(w *world, ctx context.Context, d *device, args []string, xml string) error {
		children, err := w.names.fill(xml, true)
		if err != nil {
			return err
		}
		return refused(d.conn.Authenticate(ctx, args[0], d.user, password(d.user), strings.TrimSpace(children)), args[1])
	})
	say(`signs in by (HT-[A-Z0-9-]+) with the token {([\w ]+)}, asking for`, func(w *world, _ context.Context, d *device, args []string, xml string) error {
		children, err := w.names.fill(xml, true)
		if err != nil {
			return err
		}
		return d.conn.AuthenticateToken(args[0], d.user, w.names[args[1]], strings.TrimSpace(children))
	})
	say(`opens a stream with direct TLS, for (\w+)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		conn, err := xmppclient.Connect(ctx, xmppclient.Options{Domain: Domain, Addr: w.server.addr("c2s-tls"), Direct: true})
		if err != nil {
			return err
		}
		d.begin(conn)
		return conn.OpenFrom(ctx, args[0]+"@"+Domain)
	})
	say(`makes keys for (SCRAM-[A-Z0-9-]+)`, func(w *world, ctx context.Context, d *device, args []string, _ string) error {
		return d.conn.Upgrade(ctx, args[0], password(d.user))
	})
	say(`is now {([\w' ]+)}(?:, to be resumed by {([\w ]+)})?`, func(w *world, _ context.Context, d *device, args []string, _ string) error {
		d.conn.JID = w.names[args[0]]
		w.names[d.name] = d.conn.JID
		if args[1] != "" {
			d.session = w.names[args[1]]
			d.conn.Count(0, 0)
		}
		return nil
	})
}
