package admin

import (
	"fmt"
	"slices"
	"strconv"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
)

// Bounds of a list.
const (
	usualItems = 100
	mostItems  = 1000 // in one answer; the next begins after the last
)

// listing is one of the sets of accounts that XEP-0133 counts and lists.
type listing struct {
	what  string // as in nodes and fields
	label string
	list  string // end of the node of the list
	of    func(a *Admin, c *command.Call) ([]string, error)
}

// XEP-0133#get-registered-users-num, XEP-0133#get-registered-users-list
func kinds() []listing {
	return []listing{
		{"registered", "all accounts", "-list", (*Admin).registered},
		{"disabled", "disabled accounts", "-list", (*Admin).disabledOnes},
		{"online", "accounts that are online", "-list", func(a *Admin, _ *command.Call) ([]string, error) { return a.here("active", "idle", "asleep"), nil }},
		{"active", "accounts in use", "", func(a *Admin, _ *command.Call) ([]string, error) { return a.here("active"), nil }},
		{"idle", "accounts that are online and not in use", "", (*Admin).idle},
	}
}

// listings are the commands that count and list accounts.
func (a *Admin) listings() (all []command.Command) {
	for _, k := range kinds() {
		all = append(all,
			command.Command{Node: nsAdmin + "#get-" + k.what + "-users-num", Name: "Count " + k.label, Do: func(c *command.Call) (command.Result, error) {
				return a.count(c, k)
			}},
			command.Command{Node: nsAdmin + "#get-" + k.what + "-users" + k.list, Name: "List " + k.label, Steps: asks("List "+k.label, maxField(), afterField()), Do: func(c *command.Call) (command.Result, error) {
				return a.list(c, k)
			}})
	}
	return all
}

func maxField() form.Field {
	return form.Field{Var: "max_items", Kind: form.ListSingle, Label: "How many at most", Values: []string{strconv.Itoa(usualItems)},
		Options: []string{"25", "50", "75", "100", "150", "200", "none"}}
}

func afterField() form.Field {
	return form.Field{Var: "after", Kind: form.TextSingle, Label: "Behind this address, where a list before ended"}
}

func (a *Admin) registered(c *command.Call) ([]string, error) {
	return a.Accounts.List(c.Ctx)
}

func (a *Admin) disabledOnes(c *command.Call) (names []string, err error) {
	all, err := a.Accounts.Standings(c.Ctx, func(s auth.Standing) bool { return s.Disabled })
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names, err
}

// idle are those who are online with no session in use.
func (a *Admin) idle(*command.Call) ([]string, error) {
	active := a.here("active")
	return slices.DeleteFunc(a.here("idle", "asleep"), func(n string) bool {
		_, there := slices.BinarySearch(active, n)
		return there
	}), nil
}

// here are the names of accounts with a session in one of the states, in order.
func (a *Admin) here(states ...string) (names []string) {
	for _, s := range a.sessions() {
		if slices.Contains(states, state(s)) {
			names = append(names, s.JID.Local())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (a *Admin) count(c *command.Call, k listing) (command.Result, error) {
	n := a.Accounts.Count()
	if k.what != "registered" {
		names, err := k.of(a, c)
		if err != nil {
			return command.Result{}, err
		}
		n = len(names)
	}
	return command.Result{Form: form.Form{Kind: form.Result, Of: nsAdmin, Fields: []form.Field{
		{Var: k.what + "usersnum", Kind: form.TextSingle, Label: "Number of " + k.label, Values: []string{strconv.Itoa(n)}},
	}}}, nil
}

func (a *Admin) list(c *command.Call, k listing) (command.Result, error) {
	names, err := k.of(a, c)
	if err != nil {
		return command.Result{}, err
	}
	jids := make([]string, len(names))
	for i, n := range names {
		jids[i] = a.bare(n).String()
	}
	slices.Sort(jids)
	jids, notes, err := a.page(c, jids)
	if err != nil {
		return command.Result{}, err
	}
	rows := &command.Table{Columns: []form.Field{{Var: "jid", Label: "Account"}}}
	for _, j := range jids {
		rows.Rows = append(rows.Rows, []string{j})
	}
	f := form.Field{Var: k.what + "userjids", Kind: form.JIDMulti, Label: "Accounts", Values: jids}
	return command.Result{Notes: notes, Form: form.Form{Kind: form.Result, Of: nsAdmin, Fields: []form.Field{f}}, List: rows}, nil
}

// page is the part of a list of addresses, in order, that was asked for, and a note
// where more follow.
func (a *Admin) page(c *command.Call, all []string) ([]string, []command.Note, error) {
	most, err := most(c)
	if err != nil {
		return nil, nil, err
	}
	if after := c.Text("after"); after != "" {
		if j, err := a.address(after); err == nil {
			after = j.String()
		}
		i, there := slices.BinarySearch(all, after)
		if there {
			i++
		}
		all = all[i:]
	}
	if len(all) <= most {
		return all, nil, nil
	}
	return all[:most], []command.Note{{Kind: command.Info, Text: fmt.Sprintf("%d more follow, after %s", len(all)-most, all[most-1])}}, nil
}

// most is how many a list may have.
func most(c *command.Call) (int, error) {
	switch s := c.Text("max_items"); s {
	case "":
		return usualItems, nil
	case "none":
		return mostItems, nil
	default:
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return 0, stanza.Errorf(stanza.NotAcceptable, "max_items is %q: give a number from 1 to %d, or none", s, mostItems)
		}
		return min(n, mostItems), nil
	}
}
