package adhoc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

func run(t *testing.T, f func(w *coretest.World)) {
	coretest.Run(t, func(w *coretest.World) {
		a := New(w.Router)
		a.Add(Command{Node: "greet", Name: "Greet", Allow: func(j jid.JID) bool { return j.Local() == "alice" },
			Run: func(_ *core.Query, answer *form.Form) (form.Form, error) {
				if answer == nil {
					return form.Form{Kind: form.Ask, Fields: []form.Field{{Var: "whom", Kind: form.TextSingle}}}, nil
				}
				return form.Form{Kind: form.Result, Fields: []form.Field{{Var: "text", Values: []string{"Hello " + answer.Value("whom")}}}}, nil
			}})
		a.Serve(func(j jid.JID) bool { return j.Local() == "alice" }, journey())
		a.Register(w.Host)
	}, f)
}

func ask(c *coretest.Client, attrs, content string) string {
	c.Send("<iq type='set' id='1' to='example.org'><command xmlns='" + ns + "' " + attrs + ">" + content + "</command></iq>")
	return c.Got()
}

// journey asks for two places, the second of which depends on the first, and a secret.
func journey() command.Command {
	return command.Command{Node: "travel", Name: "Travel", Steps: []command.Step{
		func(*command.Call) (form.Form, error) {
			return form.Form{Kind: form.Ask, Fields: []form.Field{
				{Var: "from", Kind: form.TextSingle, Required: true}, {Var: "secret", Kind: form.TextPrivate},
			}}, nil
		},
		func(c *command.Call) (form.Form, error) {
			return form.Form{Kind: form.Ask, Fields: []form.Field{{Var: "to", Kind: form.TextSingle, Label: "From " + c.Text("from") + " to"}}}, nil
		},
	}, Do: func(c *command.Call) (command.Result, error) {
		if c.Text("to") == c.Text("from") {
			return command.Result{}, stanza.Errorf(stanza.NotAcceptable, "you are there")
		}
		return command.Said(c.Text("from") + " " + c.Text("to")), nil
	}}
}

// begin begins a command and returns the id of the execution.
func begin(t *testing.T, c *coretest.Client, node string) string {
	t.Helper()
	got := ask(c, "node='"+node+"'", "")
	_, rest, _ := strings.Cut(got, "sessionid='")
	id, _, ok := strings.Cut(rest, "'")
	if !ok || !strings.Contains(got, "executing") {
		t.Fatal(got)
	}
	return id
}

// submit is a form with one field.
func submit(field, value string) string {
	return "<x xmlns='jabber:x:data' type='submit'><field var='" + field + "'><value>" + value + "</value></field></x>"
}

func TestACommandAsksAndIsDone(t *testing.T) {
	run(t, func(w *coretest.World) {
		c := w.Login("alice@example.org/phone")
		id := begin(t, c, "greet")
		got := ask(c, "node='greet' sessionid='"+id+"'", submit("whom", "B&lt;b"))
		if !strings.Contains(got, "completed") || !strings.Contains(got, "Hello B&lt;b") || !strings.Contains(got, "sessionid='"+id+"'") {
			t.Error(got)
		}
		if got := ask(c, "node='greet' sessionid='"+id+"'", submit("whom", "Bob")); !strings.Contains(got, "session-expired") {
			t.Error("it is done twice:", got)
		}
		if got := ask(c, "node='greet'", submit("whom", "Bob")); !strings.Contains(got, "Hello Bob") {
			t.Error("a program that knows the form:", got)
		}
		id = begin(t, c, "greet")
		if got := ask(c, "node='greet' sessionid='"+id+"' action='cancel'", ""); !strings.Contains(got, "canceled") {
			t.Error(got)
		}
	})
}

func TestStepsGoForwardAndBack(t *testing.T) {
	run(t, func(w *coretest.World) {
		c := w.Login("alice@example.org/phone")
		at := "node='travel' sessionid='" + begin(t, c, "travel") + "'"
		for _, x := range []struct{ action, content, want string }{
			{"prev", "", "bad-action"},
			{"complete", submit("from", "Oslo"), "bad-action"},
			{"next", submit("from", " "), "bad-payload"},
			{"next", "<x xmlns='jabber:x:data' type='submit'><field var='from'><value>Oslo</value></field><field var='secret'><value>hush</value></field></x>",
				"<actions execute='complete'><prev/><complete/></actions>"},
			{"prev", "", "<value>Oslo</value>"},
			{"next", submit("from", "Rome"), "From Rome to"},
			{"complete", submit("to", "Rome"), "you are there"},
			{"next", "", "bad-action"},
			{"execute", submit("to", "Bern"), "<note type='info'>Rome Bern</note>"},
		} {
			if got := ask(c, at+" action='"+x.action+"'", x.content); !strings.Contains(got, x.want) || strings.Contains(got, "hush") {
				t.Errorf("%s: %s, want %s", x.action, got, x.want)
			}
		}
	})
}

func TestAnExecutionIsItsSessionsOwnAndEndsWithIt(t *testing.T) {
	run(t, func(w *coretest.World) {
		phone, laptop := w.Login("alice@example.org/phone"), w.Login("alice@example.org/laptop")
		at := "node='travel' sessionid='" + begin(t, phone, "travel") + "'"
		if got := ask(laptop, at, submit("from", "Oslo")); !strings.Contains(got, "session-expired") {
			t.Error(got)
		}
		if got := ask(phone, "node='greet' sessionid='x'", ""); !strings.Contains(got, "bad-sessionid") {
			t.Error(got)
		}
		time.Sleep(sessionLife + time.Second)
		if got := ask(phone, at, submit("from", "Oslo")); !strings.Contains(got, "session-expired") {
			t.Error("it waits for ever:", got)
		}
		at = "node='travel' sessionid='" + begin(t, phone, "travel") + "'"
		phone.Session.Close(nil)
		phone = w.Login("alice@example.org/phone")
		if got := ask(phone, at, submit("from", "Oslo")); !strings.Contains(got, "session-expired") {
			t.Error("it outlives its session:", got)
		}
	})
}

func TestExecutionsAreBounded(t *testing.T) {
	run(t, func(w *coretest.World) {
		c := w.Login("alice@example.org/phone")
		first := begin(t, c, "travel")
		for range sessionsEach {
			begin(t, c, "travel")
		}
		if got := ask(c, "node='travel' sessionid='"+first+"'", submit("from", "Oslo")); !strings.Contains(got, "session-expired") {
			t.Error("the oldest stays:", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSessions()
		for i := range sessionsMost {
			if _, err := s.begin(jid.MustParse(fmt.Sprintf("u%d@example.org/r", i)), "n"); err != nil {
				t.Fatal(err)
			}
		}
		late := jid.MustParse("late@example.org/r")
		if _, err := s.begin(late, "n"); stanza.AsError(err).Condition != stanza.ResourceConstraint {
			t.Error(err)
		}
		time.Sleep(sessionLife + time.Second)
		if _, err := s.begin(late, "n"); err != nil || s.many != 1 {
			t.Error(err, s.many)
		}
	})
}

func TestTheOperatorGoesThroughAllStepsAtOnce(t *testing.T) {
	run(t, func(w *coretest.World) {
		a := New(w.Router)
		a.Serve(func(jid.JID) bool { return false }, journey())
		for given, want := range map[string]string{"from=Oslo to=Bern": "Oslo Bern", "from=Oslo to=Bern by=sea": "no field", "to=Bern": "from is missing"} {
			fields := map[string][]string{}
			for f := range strings.FieldsSeq(given) {
				name, value, _ := strings.Cut(f, "=")
				fields[name] = append(fields[name], value)
			}
			out, err := a.Run(t.Context(), "travel", fields)
			if got := fmt.Sprint(out, err); !strings.Contains(got, want) {
				t.Errorf("%s: %s", given, got)
			}
		}
	})
}

func TestACommandIsRefusedToOthersAndWhenItMakesNoSense(t *testing.T) {
	run(t, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/phone"), w.Login("bob@example.org/phone")
		for _, x := range []struct {
			who         *coretest.Client
			attrs, want string
		}{
			{bob, "node='greet'", "forbidden"},
			{alice, "node='other'", "item-not-found"},
			{alice, "node='greet' action='prev'", "bad-action"},
			{bob, "node='travel'", "forbidden"},
			{alice, "node='greet' action='dance'", "malformed-action"},
		} {
			if got := ask(x.who, x.attrs, ""); !strings.Contains(got, x.want) {
				t.Error(got)
			}
		}
		if got := ask(alice, "node='greet'", "<x xmlns='jabber:x:data' type='form'/>"); !strings.Contains(got, "bad-request") {
			t.Error(got)
		}
	})
}

func TestOnlyThoseWhoMayUseACommandSeeIt(t *testing.T) {
	run(t, func(w *coretest.World) {
		d := w.Host.DiscoAt(core.Server)
		for who, want := range map[string]int{"alice@example.org/p": 2, "bob@example.org/p": 0, "alice@component.example.org/p": 0} {
			q := &core.Query{}
			q.Head.From = jid.MustParse(who)
			if items, err := d.Items[0](q, ns); err != nil || len(items) != want {
				t.Error(who, items, err)
			}
			if _, ok, err := d.Nodes[0](q, "greet"); ok != (want > 0) || (err == nil) != (want > 0) {
				t.Error(who, ok, err)
			}
		}
	})
}
