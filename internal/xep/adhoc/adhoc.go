// Package adhoc carries out Ad-Hoc Commands, XEP-0050 version 1.3.0, at the server's
// address.
//
// It knows no command: those who have one describe it, and internal/server adds it.
// Invariants: nobody but an account of this server uses a command, whatever its name
// elsewhere; who may not use one is not shown it, and that is asked anew at each
// step; an execution belongs to the session that began it, is one of a few, and is
// forgotten when nobody goes on with it.
package adhoc

import (
	"context"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = command.NS

// Command is one thing that can be asked for, with at most one form. Serve takes
// those of several steps.
type Command struct {
	Node, Name string
	// Allow tells whether somebody, a bare JID of this server, may use it. It may
	// block on storage.
	Allow func(asker jid.JID) bool
	// Run is called with a nil answer first, and with the asker's form when it
	// returned a form of the kind form.Ask. A form of the kind form.Result is the end.
	// What it did is durable when it returns.
	Run func(q *core.Query, answer *form.Form) (form.Form, error)
}

// entry is a command of either kind: run is nil for those of steps.
type entry struct {
	command.Command
	allow func(asker jid.JID) bool
	run   func(q *core.Query, answer *form.Form) (form.Form, error)
}

// Adhoc is the feature.
type Adhoc struct {
	router   *core.Router
	commands []entry
	sessions sessions
}

// New returns the feature without commands.
func New(r *core.Router) *Adhoc { return &Adhoc{router: r, sessions: newSessions()} }

// Add adds a command. Before start only.
func (a *Adhoc) Add(c Command) {
	a.commands = append(a.commands, entry{command.Command{Node: c.Node, Name: c.Name}, c.Allow, c.Run})
}

// Serve adds commands of steps, for those whom allow lets: bare JIDs of this server.
// Before start only.
func (a *Adhoc) Serve(allow func(asker jid.JID) bool, all ...command.Command) {
	for _, c := range all {
		a.commands = append(a.commands, entry{c, allow, nil})
	}
}

// Register attaches the feature.
func (a *Adhoc) Register(h *core.Host) {
	h.IQ(core.Server, ns, "command", a.command)
	h.Disco(core.Server, ns)
	h.Gone = append(h.Gone, func(s *core.Session) { a.sessions.end(s.JID) })
	d := h.DiscoAt(core.Server)
	d.Items = append(d.Items, a.items)
	d.Nodes = append(d.Nodes, a.node)
}

// Commands are those of steps, for the operator.
func (a *Adhoc) Commands() (all []command.Command) {
	for _, e := range a.commands {
		if e.run == nil {
			all = append(all, e.Command)
		}
	}
	return all
}

// Run does a command for the operator at the machine, with the values of all its forms.
func (a *Adhoc) Run(ctx context.Context, node string, given map[string][]string) (command.Result, error) {
	for i := range a.commands {
		if e := &a.commands[i]; e.Node == node && e.run == nil {
			return e.Command.Run(&command.Call{Ctx: ctx}, given)
		}
	}
	return command.Result{}, stanza.Errorf(stanza.ItemNotFound, "there is no command %s", node)
}

// may tells whether somebody may use a command: an account of ours, and not one of
// that name at a component's address.
func (a *Adhoc) may(q *core.Query, e *entry) bool {
	return a.router.Exists(q.Asker()) && e.allow(q.Asker())
}

// find is the command of a node that the asker may use.
// XEP-0133#errors
func (a *Adhoc) find(q *core.Query, node string) (*entry, error) {
	for i := range a.commands {
		if e := &a.commands[i]; e.Node == node {
			if !a.may(q, e) {
				return nil, stanza.Errorf(stanza.Forbidden, "this is not for you")
			}
			return e, nil
		}
	}
	return nil, stanza.Errorf(stanza.ItemNotFound, "there is no such command")
}

// items lists what the asker may use.
// XEP-0050#retrieve
func (a *Adhoc) items(q *core.Query, node string) (items []core.Item, err error) {
	if node != ns {
		return nil, nil
	}
	for i := range a.commands {
		if e := &a.commands[i]; a.may(q, e) {
			items = append(items, core.Item{JID: a.router.Domain, Node: e.Node, Name: e.Name})
		}
	}
	return items, nil
}

// node tells what a command is.
// XEP-0050#retrieve
func (a *Adhoc) node(q *core.Query, node string) (info []byte, ok bool, err error) {
	if node == ns {
		return []byte("<identity category='automation' type='command-list'/>"), true, nil
	}
	e, err := a.find(q, node)
	if err != nil {
		if stanza.AsError(err).Condition == stanza.ItemNotFound {
			return nil, false, nil
		}
		return nil, false, err
	}
	info = append(info, "<identity category='automation' type='command-node' name='"...)
	info = append(xtok.Escape(info, e.Name), "'/>"...)
	return append(info, "<feature var='"+ns+"'/><feature var='"+form.NS+"'/>"...), true, nil
}
