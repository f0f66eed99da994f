package hostile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// TestAdminAttacks is what people and programs may try who are no administrators.
// alice is one.
func TestAdminAttacks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mirsal.toml")
	if err := os.WriteFile(file, []byte("[components]\n\""+componentName+"\" = \""+componentSecret+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--config", file, "--set", "c2s.require_tls=false", "--set", "listen.component=127.0.0.1:0",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "sloth")
	v := &victim{Server: s, ctx: t.Context()}
	if _, err := v.Command(v.ctx, "", "account", "promote", "alice"); err != nil {
		t.Fatal(err)
	}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"48 commands by one who is no administrator", testCommandsByOthers},
		{"48 commands by the administrator's name at another host", testCommandsByNamesake},
		{"48 going on with an administrator's command", testCommandsOfAnother},
		{"48 executions without end", testCommandsWithoutEnd},
		{"48 reports without end", testReportsWithoutEnd},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
	if got := v.names(t); len(got) != 5 {
		t.Errorf("the accounts are now %v", got)
	}
	if got, err := v.Command(v.ctx, "", "account", "show", "mallory", "--json"); err != nil || !strings.Contains(got, `"admin": false`) {
		t.Error(got, err)
	}
}

// nodes are those of all commands of administrators.
func (v *victim) nodes(t *testing.T) (nodes []string) {
	t.Helper()
	out, err := v.Command(v.ctx, "", "command", "list", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Node string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) < 30 {
		t.Fatal(len(list), err)
	}
	for _, c := range list {
		nodes = append(nodes, c.Node)
	}
	return nodes
}

const nsCommands = "http://jabber.org/protocol/commands"

// harm is a form that does harm, whatever it is given to.
const harm = "<x xmlns='jabber:x:data' type='submit'><field var='accountjids'><value>bob@" + mirsal.Domain + "</value></field>" +
	"<field var='accountjid'><value>bob@" + mirsal.Domain + "</value></field><field var='password'><value>known to mallory</value></field>" +
	"<field var='adminjids'><value>mallory@" + mirsal.Domain + "</value></field><field var='delay'><value>1</value></field>" +
	"<field var='announcement'><value>forged</value></field><field var='motd'><value>forged</value></field><field var='welcome'><value>forged</value></field></x>"

// conditionOf asks for something and returns the condition of the error, "" for none.
func conditionOf(t *testing.T, c *xmppclient.Conn, kind, id, payload string) string {
	t.Helper()
	if err := c.Send(fmt.Sprintf("<iq type='%s' id='%s' to='%s'>%s</iq>", kind, id, mirsal.Domain, payload)); err != nil {
		t.Fatal(err)
	}
	for {
		n := next(t, c)
		if n.Attr("id") != id {
			continue
		}
		e := n.Child(xmppclient.NSClient, "error")
		if e == nil {
			return ""
		}
		return e.Children[0].Name.Local
	}
}

func testCommandsByOthers(t *testing.T, v *victim) {
	c := v.connect(t, "mallory")
	for i, node := range v.nodes(t) {
		for _, action := range []string{"execute", "complete", "next", "cancel"} {
			got := conditionOf(t, c, "set", fmt.Sprint(action, i), "<command xmlns='"+nsCommands+"' node='"+node+"' action='"+action+"'>"+harm+"</command>")
			if got != "forbidden" {
				t.Errorf("%s %s: %q", action, node, got)
			}
		}
		if got := conditionOf(t, c, "get", fmt.Sprint("info", i), "<query xmlns='http://jabber.org/protocol/disco#info' node='"+node+"'/>"); got != "forbidden" {
			t.Errorf("disco#info of %s: %q", node, got)
		}
	}
	if err := c.Send("<iq type='get' id='items' to='" + mirsal.Domain + "'><query xmlns='http://jabber.org/protocol/disco#items' node='" + nsCommands + "'/></iq>"); err != nil {
		t.Fatal(err)
	}
	for n := next(t, c); ; n = next(t, c) {
		if n.Attr("id") == "items" {
			if got := fmt.Sprint(n); strings.Contains(got, "protocol/admin") || strings.Contains(got, "urn:mirsal:") {
				t.Error(got)
			}
			return
		}
	}
}

func testCommandsByNamesake(t *testing.T, v *victim) {
	c := v.component(t)
	say := func(id, kind, payload string) string {
		write(c, fmt.Sprintf("<iq type='%s' id='%s' from='alice@%s' to='%s'>%s</iq>", kind, id, componentName, mirsal.Domain, payload))
		return heard(t, c, "</iq>")
	}
	for i, node := range append(v.nodes(t), "urn:xmpp:invite#invite", "urn:xmpp:invite#create-account") {
		got := say(fmt.Sprint("c", i), "set", "<command xmlns='"+nsCommands+"' node='"+node+"'>"+harm+"</command>")
		if !strings.Contains(got, "<forbidden ") {
			t.Errorf("%s: %s", node, got)
		}
	}
	if got := say("items", "get", "<query xmlns='http://jabber.org/protocol/disco#items' node='"+nsCommands+"'/>"); strings.Contains(got, "<item ") {
		t.Error(got)
	}
	c.Close()
}

func testCommandsOfAnother(t *testing.T, v *victim) {
	alice, mallory := v.connect(t, "alice"), v.connect(t, "mallory")
	command := "<command xmlns='" + nsCommands + "' node='http://jabber.org/protocol/admin#edit-admin'"
	if err := alice.Send("<iq type='set' id='b' to='" + mirsal.Domain + "'>" + command + "/></iq>"); err != nil {
		t.Fatal(err)
	}
	var session string
	for session == "" {
		if n := next(t, alice); n.Attr("id") == "b" {
			session = n.Child(nsCommands, "command").Attr("sessionid")
		}
	}
	if got := conditionOf(t, mallory, "set", "m", command+" sessionid='"+session+"'>"+harm+"</command>"); got != "forbidden" {
		t.Error(got)
	}
	again := v.connect(t, "alice")
	if got := conditionOf(t, again, "set", "a", command+" sessionid='"+session+"'>"+harm+"</command>"); got != "not-allowed" {
		t.Error("another session of the account goes on with it:", got)
	}
}

func testCommandsWithoutEnd(t *testing.T, v *victim) {
	c := v.connect(t, "alice")
	v.bounded(t, 32<<20, 0, func() {
		long := "<x xmlns='jabber:x:data' type='submit'><field var='beginning'><value>" + strings.Repeat("x", 200<<10) + "</value></field></x>"
		for i := range 500 {
			content := ""
			if i%5 == 0 {
				content = long
			}
			conditionOf(t, c, "set", fmt.Sprint("w", i), "<command xmlns='"+nsCommands+"' node='urn:mirsal:outage:0#plan-outage'>"+content+"</command>")
		}
	})
}

func testReportsWithoutEnd(t *testing.T, v *victim) {
	c := v.connect(t, "mallory")
	for i := range 40 {
		var items strings.Builder
		for j := range 20 {
			fmt.Fprintf(&items, "<item jid='u%d-%d@elsewhere.example'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'><text>%s</text></report></item>", i, j, strings.Repeat("x", 2000))
		}
		if err := c.Send(fmt.Sprintf("<iq type='set' id='r%d'><block xmlns='urn:xmpp:blocking'>%s</block></iq>", i, items.String())); err != nil {
			t.Fatal(err)
		}
		for next(t, c).Attr("id") != fmt.Sprint("r", i) {
		}
	}
	if got := conditionOf(t, c, "get", "after", "<ping xmlns='urn:xmpp:ping'/>"); got != "" {
		t.Error(got)
	}
	out, err := v.Command(v.ctx, "", "report", "list", "--json")
	if n := strings.Count(out, `"id"`); err != nil || n == 0 || n > 50 {
		t.Error(n, err)
	}
}
