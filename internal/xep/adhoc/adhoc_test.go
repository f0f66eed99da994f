package adhoc

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
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
		a.Register(w.Host)
	}, f)
}

func ask(c *coretest.Client, attrs, content string) string {
	c.Send("<iq type='set' id='1' to='example.org'><command xmlns='" + ns + "' " + attrs + ">" + content + "</command></iq>")
	return c.Got()
}

func TestACommandAsksAndIsDone(t *testing.T) {
	run(t, func(w *coretest.World) {
		c := w.Login("alice@example.org/phone")
		if got := ask(c, "node='greet' action='execute'", ""); !strings.Contains(got, "executing") || !strings.Contains(got, "whom") {
			t.Error(got)
		}
		got := ask(c, "node='greet' sessionid='s&lt;1'", "<x xmlns='jabber:x:data' type='submit'><field var='whom'><value>B&lt;b</value></field></x>")
		if !strings.Contains(got, "completed") || !strings.Contains(got, "Hello B&lt;b") || !strings.Contains(got, "sessionid='s&lt;1'") {
			t.Error(got)
		}
		if got := ask(c, "node='greet' sessionid='s' action='cancel'", ""); !strings.Contains(got, "canceled") {
			t.Error(got)
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
		for who, want := range map[string]int{"alice@example.org/p": 1, "bob@example.org/p": 0} {
			q := &core.Query{}
			q.Head.From = jid.MustParse(who)
			if items, err := d.Items[0](q, ns); err != nil || len(items) != want {
				t.Error(who, items, err)
			}
			if _, ok, err := d.Nodes[0](q, "greet"); ok != (want == 1) || (err == nil) != (want == 1) {
				t.Error(who, ok, err)
			}
		}
	})
}
