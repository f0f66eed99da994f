package push

import (
	"strings"
	"testing"
	"time"

	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/jid"
)

// do runs one of the administrators' commands, with fields name=value.
func (w *world) do(node string, fields ...string) (command.Result, error) {
	w.T.Helper()
	given := map[string][]string{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		given[name] = append(given[name], value)
	}
	for _, c := range w.push.Commands() {
		if strings.HasSuffix(c.Node, "#"+node) {
			return c.Run(&command.Call{Ctx: w.T.Context()}, given)
		}
	}
	w.T.Fatal("no command", node)
	return command.Result{}, nil
}

// says is do, as text.
func (w *world) says(node string, fields ...string) string {
	r, err := w.do(node, fields...)
	if err != nil {
		return err.Error()
	}
	return string(r.Append(nil))
}

func TestAdministratorsSeeDevicesByTheirNames(t *testing.T) {
	run(t, func(w *world) {
		if got := w.says("list-push", "accountjid=bob"); !strings.Contains(got, "no device that asked") {
			t.Error(got)
		}
		w.phone()
		w.enable(w.device("bob@example.org/old", "forgotten"), "app.example.org", "n2", "")
		got := w.says("list-push", "accountjid=bob@example.org")
		for _, want := range []string{"s phone (Talk)</value>", "<value>phone</value>", "<value>unknown</value>", "<value>forgotten</value>", "<value>never-used</value>", "app.example.org"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is not in %s", want, got)
			}
		}
		for _, node := range []string{"list-push", "test-push"} {
			if got := w.says(node, "accountjid=nobdy"); !strings.Contains(got, "no such account: nobdy") {
				t.Error(got)
			}
		}
	})
}

func TestAdministratorsTestDevicesAndReadWhatBecameOfIt(t *testing.T) {
	run(t, func(w *world) {
		w.phone()
		w.enable(w.device("bob@example.org/tablet", "tablet"), "app.example.org", "n2", "")
		r, err := w.do("test-push", "accountjid=bob")
		if err != nil || len(r.Table.Rows) != 2 || r.Table.Rows[0][3] != "sent" || r.Table.Rows[1][3] != "sent" || len(r.Notes) > 0 {
			t.Errorf("%+v %v", r, err)
		}
		w.want("a test of each", 2)
		time.Sleep(1500 * time.Millisecond)
		id := w.push.States(jid.MustParse("bob@example.org"))[0].ID
		got := w.says("test-push", "accountjid=bob", "id="+id)
		if !strings.Contains(got, "a notification went out to this device just now: try again in 4 seconds") || !strings.Contains(got, "<note type='error'>1 of 1 were not sent") || strings.Contains(got, "resource") {
			t.Error(got)
		}
		time.Sleep(gap)
		w.app.answers("nothing")
		if got := w.says("test-push", "accountjid=bob", "id="+id); !strings.Contains(got, "nothing is known of it yet") {
			t.Error(got)
		}
		if got := w.says("test-push", "accountjid=bob", "id=nope"); !strings.Contains(got, "no registration nope") {
			t.Error(got)
		}
	})
}

func TestWhoSpentHisBudgetIsToldWhenThereIsMore(t *testing.T) {
	run(t, func(w *world) {
		w.phone()
		w.push.mu.Lock()
		w.push.account(bob).budget = 0
		w.push.mu.Unlock()
		if got := w.says("test-push", "accountjid=bob"); !strings.Contains(got, "many notifications just now: try again in 3 seconds") {
			t.Error(got)
		}
		time.Sleep(2500 * time.Millisecond)
		if got := w.says("test-push", "accountjid=bob"); !strings.Contains(got, "try again in 1 second<") {
			t.Error(got)
		}
	})
}

func TestAListOfPushHasARowForEachRegistration(t *testing.T) {
	run(t, func(w *world) {
		w.phone()
		r, err := w.do("list-push", "accountjid=bob")
		if err != nil || r.Form.Kind != form.Result || len(r.Table.Rows) != 1 || len(r.Table.Rows[0]) != len(r.Table.Columns) {
			t.Errorf("%+v %v", r, err)
		}
	})
}
