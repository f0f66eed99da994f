package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// testWait is how long the outcome of a test is waited for.
const testWait = 20 * time.Second

// Commands are what administrators can do for somebody whose phone is silent.
func (f *Push) Commands() []command.Command {
	account := form.Field{Var: "accountjid", Kind: form.JIDSingle, Label: "Account", Required: true}
	asks := func(title string, fields ...form.Field) []command.Step {
		return []command.Step{func(*command.Call) (form.Form, error) {
			return form.Form{Kind: form.Ask, Of: nsHealth, Title: title, Fields: fields}, nil
		}}
	}
	return []command.Command{
		{Node: nsHealth + "#list-push", Name: "List how devices are woken", Steps: asks("How devices are woken", account), Do: f.doList},
		{Node: nsHealth + "#test-push", Name: "Wake devices for a test", Steps: asks("Test", account,
			form.Field{Var: "id", Kind: form.TextMulti, Label: "Registrations, by their ids; empty for all"}), Do: f.doTest},
	}
}

// known is an account and its devices' names, by their ids.
type known struct {
	bare  jid.JID
	names map[string]string
}

// lookUp finds the account that is asked about.
func (f *Push) lookUp(c *command.Call) (k known, err error) {
	name, err := f.accounts.Name(c.Text("accountjid"))
	var devices []auth.Device
	if err == nil {
		devices, err = f.accounts.Devices(c.Ctx, name)
	}
	switch {
	case errors.Is(err, auth.ErrNotFound), errors.Is(err, auth.ErrName), errors.Is(err, auth.ErrDomain):
		return k, stanza.Errorf(stanza.ItemNotFound, "%s", err)
	case err != nil:
		return k, err
	}
	k.bare, err = jid.New(name, f.router.Domain.Domain(), "")
	k.names = map[string]string{}
	for _, d := range devices {
		k.names[d.ID] = nameOf(&d)
	}
	return k, err
}

// nameOf is a device as its person would call it.
func nameOf(d *auth.Device) string {
	switch {
	case d.Nameless:
		return "apps that say nothing of themselves"
	case d.Name != "" && d.Software != "" && d.Name != d.Software:
		return d.Name + " (" + d.Software + ")"
	}
	return cmp.Or(d.Name, d.Software, "without a name")
}

// device is the name of a registration's device.
func (k *known) device(s *State) string { return cmp.Or(k.names[s.Device], "unknown") }

func (f *Push) doList(c *command.Call) (command.Result, error) {
	k, err := f.lookUp(c)
	if err != nil {
		return command.Result{}, err
	}
	t := &command.Table{Columns: []form.Field{
		{Var: "id", Label: "Id"}, {Var: "state", Label: "State"}, {Var: "device", Label: "Device"}, {Var: "service", Label: "Push service"},
		{Var: "success", Label: "Last success"}, {Var: "failure", Label: "Last failure"}, {Var: "reason", Label: "Reason"}, {Var: "device-id", Label: "Device's id"},
	}}
	for _, s := range f.States(k.bare) {
		t.Rows = append(t.Rows, []string{s.ID, s.State, k.device(&s), s.Service, stamp(s.Success), stamp(s.Failure), cmp.Or(s.Reason, "-"), cmp.Or(s.Device, "-")})
	}
	r := command.Result{Form: form.Form{Kind: form.Result, Of: nsHealth, Title: "How devices are woken"}, Table: t}
	if len(t.Rows) == 0 {
		r.Notes = []command.Note{{Kind: command.Info, Text: k.bare.String() + " has no device that asked to be woken."}}
	}
	return r, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// doTest sends all tests at once and waits until it is known what became of each.
func (f *Push) doTest(c *command.Call) (command.Result, error) {
	k, err := f.lookUp(c)
	if err != nil {
		return command.Result{}, err
	}
	chosen, err := f.chosen(k.bare, c.Values("id"))
	if err != nil {
		return command.Result{}, err
	}
	ctx, cancel := context.WithTimeout(c.Ctx, testWait)
	defer cancel()
	outcomes := make([]chan string, len(chosen))
	for i, s := range chosen {
		outcomes[i] = make(chan string, 1)
		f.tell(k.bare, s.ID, outcomes[i])
	}
	t := &command.Table{Columns: []form.Field{{Var: "id", Label: "Id"}, {Var: "device", Label: "Device"}, {Var: "service", Label: "Push service"}, {Var: "outcome", Label: "Outcome"}}}
	failed := 0
	for i, s := range chosen {
		outcome := "nothing is known of it yet"
		select {
		case outcome = <-outcomes[i]:
		case <-ctx.Done():
		}
		if outcome != sentWord {
			failed++
		}
		t.Rows = append(t.Rows, []string{s.ID, k.device(&s), s.Service, outcome})
	}
	r := command.Result{Form: form.Form{Kind: form.Result, Of: nsHealth, Title: "Test"}, Table: t}
	if failed > 0 {
		r.Notes = []command.Note{{Kind: command.Error, Text: fmt.Sprintf("%d of %d were not sent", failed, len(chosen))}}
	}
	return r, nil
}

// sentWord is the outcome of a test that the push service has.
const sentWord = "sent"

// tell tests one registration and tells in words what became of it, once.
func (f *Push) tell(bare jid.JID, id string, outcome chan<- string) {
	err := f.Test(bare, id, func(ok bool, reason string) {
		if ok {
			reason = sentWord
		}
		outcome <- reason
	})
	if err != nil {
		se := stanza.AsError(err)
		outcome <- cmp.Or(se.Text, string(se.Condition))
	}
}

// chosen are the registrations with some ids, or all.
func (f *Push) chosen(bare jid.JID, ids []string) (chosen []State, err error) {
	all := f.States(bare)
	if len(all) == 0 {
		return nil, stanza.Errorf(stanza.ItemNotFound, "%s has no device that asked to be woken", bare)
	}
	if len(ids) == 0 {
		return all, nil
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		i := slices.IndexFunc(all, func(s State) bool { return s.ID == id })
		if i < 0 {
			return nil, stanza.Errorf(stanza.ItemNotFound, "%s has no registration %s", bare, id)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
