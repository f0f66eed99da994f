package adhoc

import (
	"slices"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Actions.
// XEP-0050#desc-command
const (
	execute  = "execute"
	next     = "next"
	prev     = "prev"
	complete = "complete"
	cancel   = "cancel"
)

func badAction() error {
	return stanza.Errorf(stanza.BadRequest, "there is no such step").WithApp(ns, "bad-action")
}

// execution is one request about one command.
type execution struct {
	*Adhoc
	*entry
	q      *core.Query
	action string
	answer *form.Form // nil where none was given
	at     *session   // nil before the first answer
}

// command takes a step.
// XEP-0050#execute
func (a *Adhoc) command(q *core.Query) ([]byte, error) {
	if !q.Set() {
		return nil, stanza.Errorf(stanza.BadRequest, "a command is set, not asked for")
	}
	e, err := a.find(q, q.Payload.Attr("node"))
	if err != nil {
		return nil, err
	}
	x := &execution{Adhoc: a, entry: e, q: q, action: q.Payload.Attr("action")}
	if x.action == "" {
		x.action = execute
	}
	if !slices.Contains([]string{execute, next, prev, complete, cancel}, x.action) {
		return nil, stanza.Errorf(stanza.BadRequest, "no action of a command").WithApp(ns, "malformed-action")
	}
	if x.answer, err = readAnswer(q.Payload); err != nil {
		return nil, err
	}
	id := q.Payload.Attr("sessionid")
	if id == "" {
		return x.begin()
	}
	if x.at, err = a.sessions.find(q.Head.From, id, e.Node); err != nil {
		return nil, err
	}
	return x.goOn()
}

// readAnswer is nil when there is no form.
// XEP-0050#impl-forms
func readAnswer(request xtok.Elem) (*form.Form, error) {
	x := request.Child(form.NS, "x")
	if !x.OK() {
		return nil, nil
	}
	f, err := form.Read(x)
	if err == nil && f.Kind != form.Submit && f.Kind != form.Cancel {
		err = stanza.Errorf(stanza.BadRequest, "a form is submitted").WithApp(ns, "bad-payload")
	}
	return &f, err
}

func (x *execution) who() jid.JID { return x.q.Head.From }

func (x *execution) call() *command.Call {
	c := &command.Call{Ctx: x.q.Ctx, By: x.who()}
	if x.at != nil {
		c.Answers = x.at.answers
	}
	return c
}

// begin is the first request. One that brings an answer has its first step done at
// once: programs know the form.
// XEP-0050#execute-simple
func (x *execution) begin() ([]byte, error) {
	if x.action == prev || x.action == cancel || x.action == next && x.answer == nil {
		return nil, badAction()
	}
	if x.run == nil && len(x.Steps) == 0 {
		return x.finish(x.call())
	}
	if x.run != nil && x.answer == nil {
		return x.beginOld()
	}
	asked, err := x.ask(0)
	if err != nil {
		return nil, err
	}
	if x.at, err = x.sessions.begin(x.who(), x.Node); err != nil {
		return nil, err
	}
	if x.answer != nil {
		return x.goOn()
	}
	return x.reply("executing", asked), nil
}

// beginOld asks a command with at most one form what it needs.
func (x *execution) beginOld() ([]byte, error) {
	out, err := x.run(x.q, nil)
	if err != nil {
		return nil, err
	}
	if out.Kind != form.Ask {
		return x.reply("completed", command.Result{Form: out}), nil
	}
	if x.at, err = x.sessions.begin(x.who(), x.Node); err != nil {
		return nil, err
	}
	return x.reply("executing", command.Result{Form: out}), nil
}

// ask makes the form of a step, filled in with what was answered before, but for
// passwords.
func (x *execution) ask(step int) (command.Result, error) {
	if x.run != nil {
		return command.Result{}, nil // not before it is run
	}
	c := x.call()
	f, err := x.Steps[step](c)
	if err != nil {
		return command.Result{}, err
	}
	for i := range f.Fields {
		if was := c.Answers.Field(f.Fields[i].Var); was != nil && f.Fields[i].Kind != form.TextPrivate {
			f.Fields[i].Values = was.Values
		}
	}
	return command.Result{Form: f}, nil
}

func (x *execution) last() int { return max(0, len(x.Steps)-1) }

// goOn is a request about an execution under way.
// XEP-0050#execute-multiple, XEP-0050#cancel
func (x *execution) goOn() ([]byte, error) {
	if x.action == execute {
		x.action = next
		if x.at.step == x.last() {
			x.action = complete
		}
	}
	switch {
	case x.action == cancel:
		x.sessions.drop(x.who(), x.at)
		return x.reply("canceled", command.Result{}), nil
	case x.action == prev && x.at.step > 0:
		return x.turn(-1)
	case x.action == next && x.at.step < x.last():
		answers, err := x.taken()
		if err != nil {
			return nil, err
		}
		x.at.answers = answers
		return x.turn(1)
	case x.action == complete && x.at.step == x.last():
		return x.complete()
	}
	return nil, badAction()
}

// turn shows another step.
func (x *execution) turn(by int) ([]byte, error) {
	asked, err := x.ask(x.at.step + by)
	if err != nil {
		return nil, err
	}
	x.at.step += by
	return x.reply("executing", asked), nil
}

// taken are the answers with those to the step that was shown last.
func (x *execution) taken() (form.Form, error) {
	c := x.call()
	asked, err := x.Steps[x.at.step](c)
	if err != nil {
		return form.Form{}, err
	}
	if x.answer == nil {
		x.answer = &form.Form{}
	}
	all, err := c.Take(asked, *x.answer)
	if err == nil && size(all) > answersMost {
		err = stanza.Errorf(stanza.NotAcceptable, "the answers are too long").WithApp(ns, "bad-payload")
	}
	return all, err
}

func size(f form.Form) (n int) {
	for _, field := range f.Fields {
		for _, v := range field.Values {
			n += len(v)
		}
	}
	return n
}

// complete does it. What was wrong with the answers can be mended: the execution
// stays where it was.
func (x *execution) complete() ([]byte, error) {
	if x.run != nil {
		return x.completeOld()
	}
	c := x.call()
	var err error
	if c.Answers, err = x.taken(); err != nil {
		return nil, err
	}
	return x.finish(c)
}

func (x *execution) finish(c *command.Call) ([]byte, error) {
	out, err := x.Do(c)
	if err != nil {
		return nil, err
	}
	if x.at != nil {
		x.sessions.drop(x.who(), x.at)
	}
	return x.reply("completed", out), nil
}

func (x *execution) completeOld() ([]byte, error) {
	if x.answer == nil {
		return nil, stanza.Errorf(stanza.BadRequest, "the form is missing").WithApp(ns, "bad-payload")
	}
	out, err := x.run(x.q, x.answer)
	if err != nil {
		return nil, err
	}
	if out.Kind == form.Ask {
		return x.reply("executing", command.Result{Form: out}), nil
	}
	x.sessions.drop(x.who(), x.at)
	return x.reply("completed", command.Result{Form: out}), nil
}

// reply writes the answer. Where nothing was to be asked there was no execution,
// and any id will do.
func (x *execution) reply(status string, r command.Result) []byte {
	id := "done"
	if x.at != nil {
		id = x.at.id
	}
	b := append([]byte("<command xmlns='"+ns+"' xml:lang='en' node='"), xtok.Escape(nil, x.Node)...)
	b = append(b, "' sessionid='"+id+"' status='"+status+"'>"...)
	if status == "executing" {
		b = x.actions(b)
	}
	b = r.Append(b)
	return append(b, "</command>"...)
}

// actions tells which way it can go on.
// XEP-0050#impl-actions
func (x *execution) actions(b []byte) []byte {
	forward := next
	if x.at.step == x.last() {
		forward = complete
	}
	b = append(b, "<actions execute='"+forward+"'>"...)
	if x.at.step > 0 {
		b = append(b, "<prev/>"...)
	}
	return append(b, "<"+forward+"/></actions>"...)
}
