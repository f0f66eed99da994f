// Package command describes what can be asked of a server in steps: the form of
// each, and what is done with the answers. One description serves clients, for whom
// internal/xep/adhoc carries it out (XEP-0050), and the operator's command line.
//
// It keeps nothing and asks nobody. Invariant: what a form does not ask for, no
// answer holds.
package command

import (
	"context"
	"slices"
	"strings"

	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// NS is the namespace of commands.
const NS = "http://jabber.org/protocol/commands"

// Call is one execution of a command.
type Call struct {
	Ctx context.Context
	// By is who wants it done, a full JID; zero for the operator at the machine.
	By jid.JID
	// Answers are those of all forms so far.
	Answers form.Form
}

// Step makes a form to be filled in, from the answers to those before it. It may
// block on storage and changes nothing. An error ends the command.
type Step func(c *Call) (form.Form, error)

// Command is one thing that can be asked for.
type Command struct {
	Node, Name string
	// Steps are gone through in order; none where nothing is to be asked.
	Steps []Step
	// Do does it. What it did is durable when it returns. A *stanza.StanzaError
	// says what is wrong with the answers, which can then be given anew.
	Do func(c *Call) (Result, error)
}

// Text is the lines of a field as one text, without blanks around it.
func (c *Call) Text(field string) string {
	f := c.Answers.Field(field)
	if f == nil {
		return ""
	}
	return strings.TrimSpace(strings.Join(f.Values, "\n"))
}

// Values are those of a field, without the empty ones.
func (c *Call) Values(field string) (values []string) {
	f := c.Answers.Field(field)
	if f == nil {
		return nil
	}
	for _, v := range f.Values {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// Take checks the answers to a form and returns them together with those before.
// Only what was asked for is taken.
// XEP-0050#desc-errors
func (c *Call) Take(asked, answered form.Form) (form.Form, error) {
	all := form.Form{Kind: form.Submit, Fields: slices.Clone(c.Answers.Fields)}
	for _, f := range asked.Fields {
		if f.Var == "" || f.Kind == form.Fixed {
			continue
		}
		values := f.Values // what the form proposed holds where nothing is said
		if given := answered.Field(f.Var); given != nil {
			values = given.Values
		}
		if f.Required && !slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) != "" }) {
			return all, stanza.Errorf(stanza.BadRequest, "%s is missing: %s", f.Var, f.Label).WithApp(NS, "bad-payload")
		}
		if err := check(f, values); err != nil {
			return all, err
		}
		all.Fields = slices.DeleteFunc(all.Fields, func(old form.Field) bool { return old.Var == f.Var })
		all.Fields = append(all.Fields, form.Field{Var: f.Var, Values: values})
	}
	return all, nil
}

// check refuses what is no answer to a question of yes or no. What a field's owner
// has to know of the others, he checks.
// XEP-0004#protocol-fieldtypes
func check(asked form.Field, values []string) error {
	if asked.Kind != form.Boolean || len(values) == 0 {
		return nil
	}
	if len(values) == 1 && slices.Contains([]string{"0", "1", "false", "true", ""}, values[0]) {
		return nil
	}
	return stanza.Errorf(stanza.BadRequest, "%s is %q: give 1 or 0", asked.Var, strings.Join(values, " ")).WithApp(NS, "bad-payload")
}

// Run goes through all steps at once with the values given by name, as the command
// line has them. Names that no form asks for are refused.
func (cmd *Command) Run(c *Call, given map[string][]string) (Result, error) {
	answered := form.Form{Kind: form.Submit}
	for name, values := range given {
		answered.Fields = append(answered.Fields, form.Field{Var: name, Values: values})
	}
	var names []string
	for _, step := range cmd.Steps {
		asked, err := step(c)
		if err != nil {
			return Result{}, err
		}
		if c.Answers, err = c.Take(asked, answered); err != nil {
			return Result{}, err
		}
		for _, f := range asked.Fields {
			if f.Kind != form.Fixed {
				names = append(names, f.Var)
			}
		}
	}
	for name := range given {
		if !slices.Contains(names, name) {
			return Result{}, stanza.Errorf(stanza.BadRequest, "there is no field %q; there are: %s", name, strings.Join(names, ", "))
		}
	}
	return cmd.Do(c)
}
