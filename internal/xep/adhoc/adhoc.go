// Package adhoc carries out Ad-Hoc Commands, XEP-0050 version 1.3.0, at the server's address.
//
// It knows no command: those who have one describe it, and internal/server adds it.
// A command is done at once or asks with one form; longer conversations are not
// carried on. Invariants: who may not use a command is not shown it; between the form
// and its answer nothing is kept.
package adhoc

import (
	"crypto/rand"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "http://jabber.org/protocol/commands"

// Command is one thing that can be asked for.
type Command struct {
	Node, Name string
	// Allow tells whether somebody, a bare JID, may use it. It may block on storage.
	Allow func(asker jid.JID) bool
	// Run is called with a nil answer first, and with the asker's form when it
	// returned a form of the kind form.Ask. A form of the kind form.Result is the end.
	// What it did is durable when it returns.
	Run func(q *core.Query, answer *form.Form) (form.Form, error)
}

// Adhoc is the feature.
type Adhoc struct {
	domain   jid.JID
	commands []Command
}

// New returns the feature without commands.
func New(r *core.Router) *Adhoc { return &Adhoc{domain: r.Domain} }

// Add adds a command. Before start only.
func (a *Adhoc) Add(c Command) { a.commands = append(a.commands, c) }

// Register attaches the feature.
func (a *Adhoc) Register(h *core.Host) {
	h.IQ(core.Server, ns, "command", a.command)
	h.Disco(core.Server, ns)
	d := h.DiscoAt(core.Server)
	d.Items = append(d.Items, a.items)
	d.Nodes = append(d.Nodes, a.node)
}

// find is the command of a node that the asker may use.
func (a *Adhoc) find(q *core.Query, node string) (*Command, error) {
	for i := range a.commands {
		if c := &a.commands[i]; c.Node == node {
			if !c.Allow(q.Asker()) {
				return nil, stanza.Errorf(stanza.Forbidden, "this is not for you")
			}
			return c, nil
		}
	}
	return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such command")
}

// items lists what the asker may use.
// XEP-0050 §2.2
func (a *Adhoc) items(q *core.Query, node string) (items []core.Item, err error) {
	if node != ns {
		return nil, nil
	}
	for _, c := range a.commands {
		if c.Allow(q.Asker()) {
			items = append(items, core.Item{JID: a.domain, Node: c.Node, Name: c.Name})
		}
	}
	return items, nil
}

// node tells what a command is.
// XEP-0050 §2.3
func (a *Adhoc) node(q *core.Query, node string) (info []byte, ok bool, err error) {
	if node == ns {
		return []byte("<identity category='automation' type='command-list'/>"), true, nil
	}
	c, err := a.find(q, node)
	if err != nil {
		if stanza.AsError(err).Condition == stanza.ItemNotFound {
			return nil, false, nil
		}
		return nil, false, err
	}
	info = append(info, "<identity category='automation' type='command-node' name='"...)
	info = append(xtok.Escape(info, c.Name), "'/>"...)
	return append(info, "<feature var='"+ns+"'/><feature var='"+form.NS+"'/>"...), true, nil
}

// command takes a step.
// XEP-0050 §2.4
func (a *Adhoc) command(q *core.Query) ([]byte, error) {
	if !q.Set() {
		return nil, stanza.Errorf(stanza.BadRequest, "a command is set, not asked for")
	}
	c, err := a.find(q, q.Payload.Attr("node"))
	if err != nil {
		return nil, err
	}
	answer, err := readAnswer(q.Payload)
	if err != nil {
		return nil, err
	}
	session := q.Payload.Attr("sessionid")
	switch q.Payload.Attr("action") {
	case "", "execute", "complete":
	case "cancel":
		return c.reply(session, "canceled", nil), nil
	case "next", "prev":
		return nil, stanza.Errorf(stanza.BadRequest, "there is no such step").WithApp(ns, "bad-action")
	default:
		return nil, stanza.Errorf(stanza.BadRequest, "no action of a command").WithApp(ns, "malformed-action")
	}
	if session == "" {
		session = rand.Text()
	}
	out, err := c.Run(q, answer)
	if err != nil {
		return nil, err
	}
	if out.Kind == form.Ask {
		return c.reply(session, "executing", &out), nil
	}
	return c.reply(session, "completed", &out), nil
}

// readAnswer is nil when there is no form.
func readAnswer(command xtok.Elem) (*form.Form, error) {
	x := command.Child(form.NS, "x")
	if !x.OK() {
		return nil, nil
	}
	f, err := form.Read(x)
	if err == nil && f.Kind != form.Submit {
		err = stanza.Errorf(stanza.BadRequest, "a form is submitted")
	}
	return &f, err
}

func (c *Command) reply(session, status string, f *form.Form) []byte {
	b := append([]byte("<command xmlns='"+ns+"' node='"), xtok.Escape(nil, c.Node)...)
	b = append(b, "' sessionid='"...)
	b = xtok.Escape(b, session)
	b = append(b, "' status='"+status+"'>"...)
	if status == "executing" {
		b = append(b, "<actions execute='complete'><complete/></actions>"...)
	}
	if f != nil {
		b = f.Append(b)
	}
	return append(b, "</command>"...)
}
