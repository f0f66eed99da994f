package reports

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// nsOwn begins the nodes of the commands.
const nsOwn = "urn:mirsal:reports:0"

// mostListed is how many reports one answer lists, the latest first.
const mostListed = 500

// announce tells the administrators how many reports wait, and nothing of them; some
// tells that one of them was told.
func (f *Reports) announce(ctx context.Context, open int) (some bool, err error) {
	admins, err := f.Admins(ctx)
	if err != nil {
		return false, err
	}
	text := fmt.Sprintf("Reports of spam or abuse that wait for an administrator: %d. See the command \"List reports\" of this server, or at the machine: mirsal report list", open)
	for _, who := range admins {
		b := append(xtok.Escape([]byte("<body>"), text), "</body>"...)
		h := stanza.Head{Type: stanza.Normal, ID: rand.Text(), From: f.router.Domain, To: who}
		if err := f.router.Post(h, b); err != nil {
			f.Log.Warn("an administrator was not told of reports", "jid", who.String(), "err", err)
			continue
		}
		some = true
	}
	return some, nil
}

// Commands are what administrators can do about reports.
func (f *Reports) Commands() []command.Command {
	which := func(*command.Call) (form.Form, error) {
		return form.Form{Kind: form.Ask, Of: nsOwn, Fields: []form.Field{
			{Var: "id", Kind: form.TextMulti, Label: "Reports, by their ids", Required: true},
		}}, nil
	}
	whether := func(*command.Call) (form.Form, error) {
		return form.Form{Kind: form.Ask, Of: nsOwn, Fields: []form.Field{
			{Var: "all", Kind: form.Boolean, Label: "Also those that are closed", Values: []string{"0"}},
		}}, nil
	}
	return []command.Command{
		{Node: nsOwn + "#list-reports", Name: "List reports", Steps: []command.Step{whether}, Do: f.list},
		{Node: nsOwn + "#show-report", Name: "Show a report", Steps: []command.Step{which}, Do: f.show},
		{Node: nsOwn + "#close-reports", Name: "Close reports", Steps: []command.Step{which}, Do: f.close},
	}
}

func (f *Reports) list(c *command.Call) (command.Result, error) {
	all, _ := c.Answers.Bool("all")
	f.mu.Lock()
	var some []*Report
	for _, r := range f.all {
		if all || r.Closed == "" {
			some = append(some, r)
		}
	}
	f.mu.Unlock()
	slices.SortFunc(some, func(x, y *Report) int {
		if x.Last != y.Last {
			return int(y.Last - x.Last)
		}
		return strings.Compare(x.ID, y.ID)
	})
	t := &command.Table{Columns: []form.Field{
		{Var: "id", Label: "Report"}, {Var: "reported", Label: "About"}, {Var: "reason", Label: "Reason"},
		{Var: "reporter", Label: "By"}, {Var: "times", Label: "Times"}, {Var: "last", Label: "Last"}, {Var: "state", Label: "State"},
	}}
	for _, r := range some[:min(len(some), mostListed)] {
		t.Rows = append(t.Rows, []string{r.ID, r.Reported, short(r.Reason), r.Reporter, strconv.Itoa(r.Times), stamp(r.Last), r.state()})
	}
	out := command.Result{Form: form.Form{Kind: form.Result, Of: nsOwn, Title: "Reports"}, Table: t}
	if left := len(some) - mostListed; left > 0 {
		out.Notes = append(out.Notes, command.Note{Kind: command.Info, Text: fmt.Sprintf("%d older ones are not shown", left)})
	}
	return out, nil
}

func (r *Report) state() string {
	if r.Closed == "" {
		return "open"
	}
	return "closed"
}

// short is the last word of a reason's name.
func short(reason string) string { return strings.TrimPrefix(reason, "urn:xmpp:reporting:") }

func stamp(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }

// find reads a report, by its id or the beginning of it.
func (f *Reports) find(ctx context.Context, id string) (r Report, err error) {
	items, err := f.bucket.Scan(ctx, server, store.Range{Prefix: id, Limit: 2})
	switch {
	case err != nil:
		return r, err
	case len(id) < 4 || len(items) != 1:
		return r, stanza.Errorf(stanza.ItemNotFound, "there is no report %s", id)
	}
	return r, json.Unmarshal(items[0].Value, &r)
}

// show tells all of one report, the first that is named.
func (f *Reports) show(c *command.Call) (command.Result, error) {
	ids := c.Values("id")
	if len(ids) != 1 {
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "name one report")
	}
	r, err := f.find(c.Ctx, ids[0])
	if err != nil {
		return command.Result{}, err
	}
	one := func(name, label, value string) form.Field {
		return form.Field{Var: name, Kind: form.TextSingle, Label: label, Values: []string{value}}
	}
	fields := []form.Field{
		one("id", "Report", r.ID), one("reported", "About", r.Reported), one("reason", "Reason", r.Reason), one("reporter", "By", r.Reporter),
		one("first", "First", stamp(r.First)), one("last", "Last", stamp(r.Last)), one("times", "Times", strconv.Itoa(r.Times)), one("state", "State", r.state()),
	}
	if r.Closed != "" {
		fields = append(fields, one("closed", "Closed by", r.Closed))
	}
	words := form.Field{Var: "texts", Kind: form.TextMulti, Label: "Words"}
	for lang, text := range r.Texts {
		if lang != "" {
			text = lang + ": " + text
		}
		words.Values = append(words.Values, text)
	}
	slices.Sort(words.Values)
	messages := form.Field{Var: "messages", Kind: form.TextMulti, Label: "Messages (archive, id)"}
	for _, m := range r.Messages {
		messages.Values = append(messages.Values, m.By+" "+m.ID)
	}
	return command.Result{Form: form.Form{Kind: form.Result, Of: nsOwn, Title: "Report", Fields: append(fields, words, messages)}}, nil
}

// close takes reports out of the queue; they are kept until their time is over.
func (f *Reports) close(c *command.Call) (command.Result, error) {
	by := "operator"
	if !c.By.IsZero() {
		by = c.By.Bare().String()
	}
	var out command.Result
	count := 0
	for _, id := range c.Values("id") {
		err := f.closeOne(c.Ctx, id, by)
		var se *stanza.StanzaError
		switch {
		case errors.As(err, &se):
			out.Notes = append(out.Notes, command.Note{Kind: command.Error, Text: se.Text})
		case err != nil:
			return out, err
		default:
			count++
		}
	}
	if count > 0 {
		out.Notes = append(out.Notes, command.Note{Kind: command.Info, Text: fmt.Sprintf("Closed: %d", count)})
	}
	return out, nil
}

func (f *Reports) closeOne(ctx context.Context, id, by string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.find(ctx, id)
	if err != nil {
		return err
	}
	if r.Closed != "" {
		return stanza.Errorf(stanza.Conflict, "%s was closed already, by %s", r.ID, r.Closed)
	}
	r.Closed = by
	return f.write(ctx, &r)
}
