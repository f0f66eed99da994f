package upload

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// mostListed is how many accounts one answer lists, those with the most bytes first.
const mostListed = 1000

// Use is what an account has of files and what it may have: what its quota counts.
type Use struct {
	Files, FilesMost int
	Bytes, BytesMost int64
}

// UseOf sums up an account's files, slots that wait for theirs included.
func (u *Upload) UseOf(ctx context.Context, owner jid.JID) (Use, error) {
	use := Use{FilesMost: u.cfg.Files, BytesMost: u.cfg.Quota}
	u.mu.Lock()
	a := u.accounts[owner]
	u.mu.Unlock()
	if a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		err := u.load(ctx, a)
		use.Files, use.Bytes = a.files, a.bytes
		return use, err
	}
	records, err := u.records(ctx, owner)
	for _, r := range records {
		use.Files, use.Bytes = use.Files+1, use.Bytes+r.size
	}
	return use, err
}

// Commands are what administrators can see of files: how much there is, never what.
func (u *Upload) Commands() []command.Command {
	whose := func(*command.Call) (form.Form, error) {
		return form.Form{Kind: form.Ask, Of: nsQuota, Title: "Files", Fields: []form.Field{
			{Var: "accountjids", Kind: form.JIDMulti, Label: "Accounts; empty for all that have files"},
		}}, nil
	}
	return []command.Command{{
		Node: nsQuota + "#list-uploads", Name: "List accounts by what their files take", Steps: []command.Step{whose}, Do: u.listUse,
	}}
}

// usedBy is a row of the list.
type usedBy struct {
	owner string
	Use
}

func (u *Upload) listUse(c *command.Call) (command.Result, error) {
	all, err := u.whoUses(c.Ctx, c.Values("accountjids"))
	if err != nil {
		return command.Result{}, err
	}
	slices.SortFunc(all, func(x, y usedBy) int { return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.owner, y.owner)) })
	t := &command.Table{Columns: []form.Field{
		{Var: "jid", Label: "Account"}, {Var: "files", Label: "Files"}, {Var: "bytes", Label: "Bytes"}, {Var: "percent", Label: "% of its quota"},
	}}
	var files int
	var bytes int64
	for _, x := range all {
		files, bytes = files+x.Files, bytes+x.Bytes
		if len(t.Rows) < mostListed {
			t.Rows = append(t.Rows, []string{x.owner, strconv.Itoa(x.Files), strconv.FormatInt(x.Bytes, 10), strconv.Itoa(x.percent())})
		}
	}
	sum := fmt.Sprintf("%d accounts: %d files with %d bytes. An account may have %d files with %d bytes.", len(all), files, bytes, u.cfg.Files, u.cfg.Quota)
	return command.Result{
		Notes: []command.Note{{Kind: command.Info, Text: sum}}, Form: form.Form{Kind: form.Result, Of: nsQuota, Title: "Files"}, Table: t,
	}, nil
}

// percent is how much of its quota is used, in bytes or in files, whichever is more.
func (x Use) percent() int {
	return int(100 * max(float64(x.Bytes)/float64(max(x.BytesMost, 1)), float64(x.Files)/float64(max(x.FilesMost, 1))))
}

// whoUses are the accounts that are named, or all that have files.
func (u *Upload) whoUses(ctx context.Context, named []string) (all []usedBy, err error) {
	owners := named
	if len(named) == 0 {
		if owners, err = u.files.Owners(ctx); err != nil {
			return nil, err
		}
	}
	for _, s := range owners {
		owner, err := u.named(s)
		if err != nil && len(named) == 0 {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		use, err := u.UseOf(ctx, owner)
		if err != nil {
			return nil, err
		}
		all = append(all, usedBy{owner.String(), use})
	}
	return all, nil
}

// named is an account by its address or its name.
func (u *Upload) named(s string) (jid.JID, error) {
	if !strings.Contains(s, "@") {
		s += "@" + u.router.Domain.Domain()
	}
	j, err := jid.Parse(s)
	if err != nil || !j.IsBare() || !u.router.Exists(j) {
		return j, stanza.Errorf(stanza.ItemNotFound, "no such account: %s", s)
	}
	return j, nil
}
