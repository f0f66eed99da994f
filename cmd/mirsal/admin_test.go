package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// served runs a server in a folder until the test ends, or the server does. What it
// prints when it starts again comes from again.
func served(t *testing.T, dir string) (cmd *exec.Cmd, again chan string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], "serve", "--domain", "example.org", "--set", "log.level=error",
		"--c2s", "127.0.0.1:0", "--c2s-tls", "off", "--http", "127.0.0.1:0")
	cmd.Env, cmd.Dir = append(os.Environ(), "RUN_AS_MIRSAL=1"), dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readUntil(t, out, "ready ")
	again = make(chan string, 1)
	go func() {
		b := make([]byte, 4096)
		n, _ := out.Read(b)
		again <- string(b[:n])
		_, _ = out.Read(b)
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, again
}

func TestTheOperatorRunsTheServerFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	refused(t, dir, "", "no server runs", 1, "announce", "hello")
	server, again := served(t, dir)
	fine(t, dir, "alice\tone good secret\nbob\ttwo good secret\n", "account", "import", "-")
	for _, c := range []struct{ args, want string }{
		{"account promote alice", ""},
		{"account disable bob", ""},
		{"account show bob", "Disabled        yes"},
		{"command run get-disabled-users-list", "bob@example.org"},
		{"account enable bob", ""},
		{"account kick bob", "Sessions ended: 0"},
		{"announce hello", "online: 0"},
		{"announce --all hello", "all 2 accounts"},
		{"motd set hello", "when they come"},
		{"motd show", "hello"},
		{"motd clear", "deleted"},
		{"welcome set hello", "Newcomers"},
		{"welcome clear", "deleted"},
		{"outage plan --start +1h --end +2h --message Disks --lang de=Platten", "de: Platten"},
		{"outage show", "Disks"},
		{"outage plan --unplanned", "It takes the place of: from "},
		{"outage clear", "over"},
		{"report list", ""},
		{"uploads", "0 accounts"},
		{"push list bob", "no device that asked"},
		{"uploads bob", "bob@example.org"},
		{"account show bob", "Bytes at most"},
		{"command list", "get-online-users-num"},
		{"command show announce", "text-multi"},
		{"command run get-registered-users-num", "2"},
	} {
		if got := fine(t, dir, "", strings.Fields(c.args)...); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("mirsal %s: %q, want %q", c.args, got, c.want)
		}
	}
	for _, args := range []string{"account sessions --json", "report list --json", "command list --json"} {
		var list []map[string]string
		if err := json.Unmarshal([]byte(fine(t, dir, "", strings.Fields(args)...)), &list); err != nil {
			t.Error(args, err)
		}
	}
	for args, want := range map[string]string{
		"get-registered-users-list max_items=1": `[{"jid":"alice@example.org"}]`, "get-registered-users-list after=alice": `[{"jid":"bob@example.org"}]`,
		"get-registered-users-list after=bob": `[]`, "get-registered-users-num": `{"registeredusersnum":"2"}`, "get-online-users-list": `[]`,
	} {
		r := mirsal(t, dir, "", append(append([]string{"command", "run"}, strings.Fields(args)...), "--json")...)
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(r.out)); err != nil || got.String() != want || r.status != 0 {
			t.Errorf("%s: %s %s, want %s (%v)", args, r.out, r.err, want, err)
		}
	}
	var last []map[string]string
	if err := json.Unmarshal([]byte(fine(t, dir, "", strings.Fields("command run get-user-lastlogin accountjids=alice accountjids=bob --json")...)), &last); err != nil || len(last) != 2 || last[1]["jid"] != "bob@example.org" {
		t.Error(last, err)
	}
	var plan struct{ Planned *bool }
	if err := json.Unmarshal([]byte(fine(t, dir, "", "outage", "show", "--json")), &plan); err != nil || plan.Planned != nil {
		t.Error(plan, err)
	}
	for _, c := range []struct {
		want   string
		status int
		args   string
	}{
		{"no such account", 1, "account disable nobody"},
		{"no such account: nobdy", 1, "account kick nobdy"},
		{"no session bob@example.org/phone", 1, "account kick bob@example.org/phone"},
		{"no such account: nobdy", 1, "account sessions nobdy"},
		{"max_items is", 1, "command run get-registered-users-list max_items=abc"},
		{"all is", 1, "command run announce announcement=x all=perhaps"},
		{"no such account: nobdy", 1, "uploads nobdy"},
		{"no such account: nobdy", 1, "push list nobdy"},
		{"no device that asked", 1, "push test bob"},
		{"no command", 1, "command run nothing"},
		{"no field", 1, "command run get-registered-users-list x=y"},
		{"not FIELD=VALUE", 2, "command run announce hello"},
		{"no time", 2, "outage plan --unplanned --start soon"},
		{"say until when (--end)", 2, "outage plan"},
		{"say until when (--end)", 2, "outage plan --start +1h"},
		{"the text is empty", 2, "announce -"},
		{"the text is empty", 2, "motd set -"},
		{"no report", 1, "report show 3f2a9c01d4e7"},
		{"ID is missing", 2, "report close"},
	} {
		refused(t, dir, "", c.want, c.status, strings.Fields(c.args)...)
	}
	refused(t, dir, "", "the text is empty", 2, "announce", " ")
	fine(t, dir, "", "command", "run", "restart", "delay=1")
	if got := <-again; !strings.Contains(got, "serves example.org") {
		t.Errorf("it is not started again: %q", got)
	}
	if got := fine(t, dir, "", "account", "list"); got != "alice\nbob\n" {
		t.Error(got)
	}
	fine(t, dir, "", "command", "run", "shutdown", "delay=1")
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
}

func TestEveryCommandForAdministratorsShowsAnExample(t *testing.T) {
	for _, args := range []string{
		"account disable", "account enable", "account promote", "account demote", "account show", "account sessions", "account kick", "announce", "motd", "motd set", "motd show", "motd clear",
		"welcome", "welcome set", "outage", "outage plan", "outage show", "outage clear", "report", "report list", "report show", "report close", "uploads", "push", "push list", "push test", "command", "command list", "command show", "command run",
		"call-rules",
	} {
		if out := fine(t, t.TempDir(), "", append(strings.Fields(args), "--help")...); !strings.Contains(out, "Examples:\n  mirsal "+args) {
			t.Errorf("%s:\n%s", args, out)
		}
	}
}

func TestWhatOthersWroteCommandsNoTerminal(t *testing.T) {
	if got := oneLine("a\x1b[2Jb\nc\u009bd"); got != "a [2Jb c d" {
		t.Errorf("%q", got)
	}
}
