package admin

import (
	"slices"
	"strings"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
)

// sessions are all sessions of accounts.
func (a *Admin) sessions() (all []*core.Session) {
	a.router.Directory().Each(func(s *core.Session) {
		if a.router.Local(s.JID) {
			all = append(all, s)
		}
	})
	return all
}

// listSessions lists sessions: who, since when, and whether somebody uses it.
func (a *Admin) listSessions(c *command.Call) (command.Result, error) {
	all := a.sessions()
	if whose := c.Values("accountjids"); len(whose) > 0 {
		all = nil
		for _, s := range whose {
			j, err := a.existing(c.Ctx, s)
			if err != nil {
				return command.Result{}, err
			}
			all = append(all, a.sessionsOf(j)...)
		}
	}
	slices.SortFunc(all, func(x, y *core.Session) int { return strings.Compare(x.JID.String(), y.JID.String()) })
	byJID := map[string]*core.Session{}
	var jids []string
	for _, s := range all {
		byJID[s.JID.String()] = s
		jids = append(jids, s.JID.String())
	}
	jids, notes, err := a.page(c, slices.Compact(jids))
	if err != nil {
		return command.Result{}, err
	}
	t := &command.Table{Columns: []form.Field{
		{Var: "jid", Label: "Session"}, {Var: "state", Label: "State"}, {Var: "since", Label: "Since"},
	}}
	for _, j := range jids {
		s := byJID[j]
		t.Rows = append(t.Rows, []string{j, state(s), stamp(s.Born)})
	}
	return command.Result{Notes: notes, Form: form.Form{Kind: form.Result, Title: "Sessions"}, Table: t}, nil
}
