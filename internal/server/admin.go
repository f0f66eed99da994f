package server

import (
	"cmp"
	"context"
	"strings"

	"mirsal/internal/auth"
	"mirsal/internal/control"
	"mirsal/internal/core"
	"mirsal/internal/people"
	"mirsal/internal/xep/adhoc"
	"mirsal/internal/xep/admin"
	"mirsal/internal/xep/blocking"
	"mirsal/internal/xep/outage"
	"mirsal/internal/xep/reports"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/stream"
)

// running is what administrators run the server with.
type running struct {
	adhoc   *adhoc.Adhoc
	admin   *admin.Admin
	reports *reports.Reports
	outage  *outage.Outage
}

// addAdministration attaches what administrators do, from their clients and from the
// command line, by one table of commands.
func (s *Server) addAdministration(h *core.Host, ppl *people.People, blk *blocking.Blocking) {
	r := &s.features.running
	r.adhoc = adhoc.New(s.Router)
	r.admin = admin.New(s.Router, s.store, admin.Config{
		Accounts: s.Auth, Log: s.Log, Stop: s.endOrStartAgain,
		Contacts: func(owner jid.JID) int { return len(ppl.Contacts(owner)) }, Files: s.filesOf,
	})
	r.admin.Register(h)
	ppl.OnAvailable = append(ppl.OnAvailable, r.admin.Available)
	r.reports = reports.New(s.Router, s.store, reports.Config{Admins: s.admins, Log: s.Log})
	r.reports.Register(h)
	blk.OnReport = r.reports.Take
	r.outage = outage.New(s.store, s.Config.Outage.URL, s.publicURL())
	r.outage.Register(h)
	s.serveAdministrators(r.admin.Commands())
	s.serveAdministrators(r.reports.Commands())
	s.serveAdministrators(r.outage.Commands())
	r.adhoc.Register(h)
	s.Auth.OnDisable(s.endDisabled)
}

// serveAdministrators adds commands to the table: for administrators and the operator,
// and in the log when they were done.
func (s *Server) serveAdministrators(all []command.Command) {
	r := &s.features.running
	r.adhoc.Serve(r.admin.Allow, r.admin.Journal(all)...)
}

// loadAdministration reads what waits: before removals are ended, which take things out.
func (s *Server) loadAdministration(ctx context.Context) error {
	return cmp.Or(s.features.running.reports.Load(ctx), s.features.running.outage.Load(ctx))
}

// startAdministration goes on with what waits.
func (s *Server) startAdministration() error {
	if err := s.features.running.admin.Start(); err != nil {
		return err
	}
	s.onClose(s.features.running.admin.Close)
	return nil
}

// admins are the addresses of the administrators. It reads every account.
func (s *Server) admins(ctx context.Context) (all []jid.JID, err error) {
	list, err := s.Auth.Standings(ctx, func(st auth.Standing) bool { return st.Admin && !st.Disabled })
	for _, st := range list {
		j, bad := jid.New(st.Name, s.Domain.Domain(), "")
		all, err = append(all, j), cmp.Or(err, bad)
	}
	return all, err
}

// endDisabled ends the sessions of an account that was disabled.
// XEP-0133#disable-user
func (s *Server) endDisabled(bare jid.JID) {
	for _, sess := range s.Router.Directory().Sessions(bare) {
		sess.Close(&stream.Error{Condition: "not-authorized", Text: "this account was disabled"})
	}
}

// endOrStartAgain has run end the server.
func (s *Server) endOrStartAgain(again bool) {
	select {
	case s.asked <- again:
	default: // somebody has asked before
	}
}

// commandControl is the table of commands for the command line.
type commandControl struct{ *adhoc.Adhoc }

// Commands satisfies control.Commands.
func (c commandControl) Commands(context.Context) (all []control.Command, err error) {
	for _, cmd := range c.Adhoc.Commands() {
		all = append(all, control.Command{Node: cmd.Node, Name: cmd.Name})
	}
	return all, nil
}

// find takes a node, or the end of one behind #.
func (c commandControl) find(node string) (*command.Command, error) {
	for _, cmd := range c.Adhoc.Commands() {
		if _, short, _ := strings.Cut(cmd.Node, "#"); cmd.Node == node || short == node {
			return &cmd, nil
		}
	}
	return nil, stanza.Errorf(stanza.ItemNotFound, "there is no command %q; mirsal command list shows all", node)
}

// CommandForm satisfies control.Commands.
func (c commandControl) CommandForm(ctx context.Context, node string) (r command.Result, err error) {
	cmd, err := c.find(node)
	if err == nil && len(cmd.Steps) > 0 {
		r.Form, err = cmd.Steps[0](&command.Call{Ctx: ctx})
	}
	return r, err
}

// RunCommand satisfies control.Commands.
func (c commandControl) RunCommand(ctx context.Context, node string, fields map[string][]string) (command.Result, error) {
	cmd, err := c.find(node)
	if err != nil {
		return command.Result{}, err
	}
	return c.Run(ctx, cmd.Node, fields)
}
