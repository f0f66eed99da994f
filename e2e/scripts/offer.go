package scripts

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"

	"mirsal/e2e/xmppclient"
)

const nsBindings = "urn:xmpp:sasl-cb:0"

// sayOffer are the steps of a client that compares the offer which reached it
// with what the server vouches for in its first message.
func sayOffer(say deviceSayer) {
	say(`is robbed of ([\w-]+) on its way`, func(_ *world, _ context.Context, d *device, args []string, _ string) error {
		return rob(d.conn.Features, args[0])
	})
	say(`begins to log in by (SCRAM-[A-Z0-9-]+), and finds the offer (as it was|changed)`, func(_ *world, ctx context.Context, d *device, args []string, _ string) error {
		told, err := serverFirst(ctx, d, args[0])
		if err != nil {
			return err
		}
		// XEP-0515 §4.1: the runner's TLS is 1.3
		if told["t"] != "0304" {
			return fmt.Errorf("the version of TLS is not vouched for: %q", told)
		}
		if seen := offerSeen(d.conn, args[0]); (told["h"] == seen) != (args[1] == "as it was") {
			return fmt.Errorf("what was offered has the hash %s, told was %q", seen, told["h"])
		}
		return nil
	})
}

// rob takes a mechanism, or a type of channel binding, out of stream features.
func rob(n *xmppclient.Node, name string) error {
	found := false
	var without func(n *xmppclient.Node)
	without = func(n *xmppclient.Node) {
		n.Children = slices.DeleteFunc(n.Children, func(c *xmppclient.Node) bool {
			gone := strings.TrimSpace(c.Text) == name || c.Attr("type") == name
			found = found || gone
			return gone
		})
		for _, c := range n.Children {
			without(c)
		}
	}
	without(n)
	if !found {
		return fmt.Errorf("%s is not offered", name)
	}
	return nil
}

// serverFirst sends a client's first message and reads the fields of the answer.
func serverFirst(ctx context.Context, d *device, mechanism string) (map[string]string, error) {
	b64 := base64.StdEncoding
	first := d.conn.Exchange(mechanism, d.user, password(d.user)).First()
	if err := d.conn.Send("<auth xmlns='" + xmppclient.NSSASL + "' mechanism='" + mechanism + "'>" + b64.EncodeToString([]byte(first)) + "</auth>"); err != nil {
		return nil, err
	}
	n, err := d.next(ctx)
	if err != nil {
		return nil, err
	}
	said, err := b64.DecodeString(strings.TrimSpace(n.Text))
	if err != nil || !n.Is(xmppclient.NSSASL, "challenge") {
		return nil, fmt.Errorf("instead of a challenge: %s", n)
	}
	told := map[string]string{}
	for part := range strings.SplitSeq(string(said), ",") {
		key, value, _ := strings.Cut(part, "=")
		told[key] = value
	}
	return told, nil
}

// offerSeen is the hash of the lists that reached the client.
// XEP-0474 §6.1
func offerSeen(c *xmppclient.Conn, mechanism string) string {
	sum := hash.Hash(sha256.New())
	if strings.HasPrefix(mechanism, "SCRAM-SHA-1") {
		sum = sha1.New()
	}
	mechanisms := c.Mechanisms()
	slices.Sort(mechanisms)
	text := strings.Join(mechanisms, "\x1e")
	var bindings []string
	if list := c.Features.Child(nsBindings, "sasl-channel-binding"); list != nil {
		for _, b := range list.Children {
			bindings = append(bindings, b.Attr("type"))
		}
	}
	if slices.Sort(bindings); len(bindings) > 0 {
		text += "\x1f" + strings.Join(bindings, "\x1e")
	}
	sum.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}
