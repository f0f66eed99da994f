package outage

import (
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
)

// ns begins the nodes of the commands.
const ns = "urn:mirsal:outage:0"

// Commands are what administrators can do about outages.
func (o *Outage) Commands() []command.Command {
	return []command.Command{
		{Node: ns + "#plan-outage", Name: "Tell of an outage", Steps: []command.Step{o.when, o.words}, Do: o.doPlan},
		{Node: ns + "#clear-outage", Name: "Tell that an outage is over", Do: o.doClear},
		{Node: ns + "#show-outage", Name: "Show what is told of an outage", Do: o.doShow},
	}
}

// when asks for the times.
func (o *Outage) when(*command.Call) (form.Form, error) {
	help := "Times are written like 2026-01-12T01:00:00Z."
	if was := o.now(); was != nil {
		help += " It takes the place of the outage that is told of now: " + was.brief() + "."
	}
	return form.Form{Kind: form.Ask, Of: ns, Title: "An outage", Instructions: help, Fields: []form.Field{
		{Var: "beginning", Kind: form.TextSingle, Label: "It begins; empty for now"},
		{Var: "end", Kind: form.TextSingle, Label: "It is expected to end; empty where that is not known"},
		{Var: "planned", Kind: form.Boolean, Label: "It is planned", Values: []string{"1"}},
	}}, nil
}

// words asks for the message, once the times are right.
func (o *Outage) words(c *command.Call) (form.Form, error) {
	if _, err := planOf(c); err != nil {
		return form.Form{}, err
	}
	return form.Form{Kind: form.Ask, Of: ns, Title: "What people are told", Fields: []form.Field{
		{Var: "message", Kind: form.TextMulti, Label: "Message, in the language that most people here read"},
		{Var: "translations", Kind: form.TextMulti, Label: "The same in other languages: a line for each, such as de: Wir sind bald zurück"},
	}}, nil
}

// planOf reads the answers that there are.
func planOf(c *command.Call) (*Plan, error) {
	p := &Plan{Beginning: time.Now().Truncate(time.Second)}
	p.Planned, _ = c.Answers.Bool("planned")
	var err error
	if s := c.Text("beginning"); s != "" {
		if p.Beginning, err = moment(s); err != nil {
			return nil, err
		}
	}
	if s := c.Text("end"); s != "" {
		if p.ExpectedEnd, err = moment(s); err != nil {
			return nil, err
		}
	}
	if p.Message, err = texts(c); err != nil {
		return nil, err
	}
	return p, p.check(time.Now())
}

// moment reads a time.
// XEP-0082 §3.2
func moment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, stanza.Errorf(stanza.NotAcceptable, "%q is no time like 2026-01-12T01:00:00Z", s)
	}
	return t.UTC().Truncate(time.Second), nil
}

func texts(c *command.Call) (map[string]string, error) {
	m := map[string]string{}
	if s := c.Text("message"); s != "" {
		m["default"] = s
	}
	for _, line := range c.Values("translations") {
		tag, text, ok := strings.Cut(line, ":")
		if tag, text = strings.TrimSpace(tag), strings.TrimSpace(text); !ok || tag == "" || text == "" || tag == "default" {
			return nil, stanza.Errorf(stanza.NotAcceptable, "%q is no line such as de: Wir sind bald zurück", line)
		}
		m[tag] = text
	}
	return m, nil
}

func (o *Outage) doPlan(c *command.Call) (command.Result, error) {
	p, err := planOf(c)
	switch {
	case err != nil:
		return command.Result{}, err
	case p.Planned && p.ExpectedEnd.IsZero() && len(p.Message) == 0:
		return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "say when it is expected to end, or what people are told, or that it was not planned")
	}
	was := o.now()
	if err := o.set(c.Ctx, p); err != nil {
		return command.Result{}, err
	}
	r := o.show()
	if was != nil {
		r.Notes = append(r.Notes, command.Note{Kind: command.Info, Text: "It takes the place of: " + was.brief() + "."})
	}
	r.Notes = append(r.Notes, o.where())
	return r, nil
}

// brief is an outage in a few words, for administrators.
func (p *Plan) brief() string {
	s := "from " + p.Beginning.Format(time.RFC3339)
	if !p.ExpectedEnd.IsZero() {
		s += " to " + p.ExpectedEnd.Format(time.RFC3339)
	}
	if m := p.Message["default"]; m != "" {
		s += ", " + strconv.Quote(m)
	}
	return s
}

// where says who learns of it, and how those do who cannot connect.
func (o *Outage) where() command.Note {
	switch {
	case o.url == "":
		return command.Note{Kind: command.Warn, Text: "Nobody is told: this server has no web address; set public_url or outage.url."}
	case o.own:
		return command.Note{Kind: command.Info, Text: "It stands at " + o.url + ", which cannot be read while this server is down."}
	}
	return command.Note{Kind: command.Info, Text: "Clients look at " + o.url + ": put there what mirsal outage show --json prints."}
}

func (o *Outage) doClear(c *command.Call) (command.Result, error) {
	was := o.now()
	if err := o.clear(c.Ctx); err != nil {
		return command.Result{}, err
	}
	if was == nil {
		return command.Said("There was none."), nil
	}
	r := command.Said("It is over.")
	if !o.own && o.url != "" {
		r.Notes = append(r.Notes, command.Note{Kind: command.Info, Text: "Put {} at " + o.url + "."})
	}
	return r, nil
}

func (o *Outage) doShow(*command.Call) (command.Result, error) { return o.show(), nil }

func (o *Outage) show() command.Result {
	p := o.now()
	if p == nil {
		return command.Result{
			Notes: []command.Note{{Kind: command.Info, Text: "No outage is told of."}},
			Form:  form.Form{Kind: form.Result, Of: ns, Fields: []form.Field{{Var: "json", Kind: form.Hidden, Values: []string{string(o.json())}}}},
		}
	}
	fields := []form.Field{
		{Var: "beginning", Kind: form.TextSingle, Label: "Begins", Values: []string{p.Beginning.Format(time.RFC3339)}},
		{Var: "planned", Kind: form.Boolean, Label: "Planned", Values: []string{map[bool]string{true: "1", false: "0"}[p.Planned]}},
	}
	if !p.ExpectedEnd.IsZero() {
		fields = append(fields, form.Field{Var: "end", Kind: form.TextSingle, Label: "Expected to end", Values: []string{p.ExpectedEnd.Format(time.RFC3339)}})
	}
	words := form.Field{Var: "message", Kind: form.TextMulti, Label: "Message"}
	for _, tag := range languages(p.Message) {
		words.Values = append(words.Values, tag+": "+p.Message[tag])
	}
	fields = append(fields, words, form.Field{Var: "json", Kind: form.Hidden, Values: []string{string(o.json())}})
	return command.Result{Form: form.Form{Kind: form.Result, Of: ns, Fields: fields}}
}
