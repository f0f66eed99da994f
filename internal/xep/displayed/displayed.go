// Package displayed spares clients a request when they have shown a message: one
// message tells the sender, by a marker, and the account's own devices, by the
// node that keeps how far each chat was read. It is the server's part of XEP-0490,
// version 1.0.1, Message Displayed Synchronization; the node itself is
// internal/xep/pubsub's, like any other of personal eventing, and what is read
// where is the clients' to make sense of.
//
// Invariants: what a message says to the account's own devices reaches nobody
// else, and no archive; it is durable before the message is acknowledged.
package displayed

import (
	"context"
	"log/slog"
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	// Node is where an account keeps how far each chat was read: an item a chat.
	Node     = "urn:xmpp:mds:displayed:0"
	nsAssist = "urn:xmpp:mds:server-assist:0"
)

// Publish puts an item on the account's Node, which is made, for the account
// alone, when it is not there. It is durable on return.
type Publish func(ctx context.Context, owner jid.JID, id string, payload []byte) error

// Displayed is the feature.
type Displayed struct {
	publish Publish
	log     *slog.Logger
}

// New returns the feature.
func New(p Publish, log *slog.Logger) *Displayed { return &Displayed{p, log} }

// Register attaches the feature.
func (d *Displayed) Register(h *core.Host) {
	h.Stamp = append(h.Stamp, d.stamp)
	h.Disco(core.Account, nsAssist)
}

// stamp takes out what a message says to the account's own devices and
// publishes it.
// XEP-0490#interaction, XEP-0490#rules-server
func (d *Displayed) stamp(t *core.Transit) {
	for c := t.Elem.First(); c.OK(); c = c.Next() {
		if !c.Is(Node, "displayed") {
			continue
		}
		if len(t.Edit.Cut) == 0 || before(t.Edit.Cut[len(t.Edit.Cut)-1], c) < 0 {
			t.Edit.Cut = append(t.Edit.Cut, c)
		} else {
			i, _ := slices.BinarySearchFunc(t.Edit.Cut, c, before)
			t.Edit.Cut = slices.Insert(t.Edit.Cut, i, c)
		}
		d.note(t, c)
	}
}

func before(a, b xtok.Elem) int { return a.Start() - b.Start() }

// note publishes how far a chat was read. One who may not keep more is not told:
// the message was not about that.
func (d *Displayed) note(t *core.Transit, e xtok.Elem) {
	chat := t.Elem.Attr("to")
	if chat == "" || !t.FromLocal() || t.Head.Type == stanza.Error {
		return
	}
	err := d.publish(context.Background(), t.Head.From.Bare(), chat, e.AppendUnspoken(nil))
	if err != nil && stanza.AsError(err).Condition == stanza.InternalServerError {
		d.log.Error("how far a chat was read cannot be kept", "jid", t.Head.From.String(), "err", err)
	}
}
