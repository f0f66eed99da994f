package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// said runs a command that succeeds with one line on standard error.
func said(t *testing.T, dir, stdin, want string, args ...string) {
	t.Helper()
	r := mirsal(t, dir, stdin, args...)
	if r.status != 0 || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, want) {
		t.Errorf("mirsal %s: status %d, %q; want %q", strings.Join(args, " "), r.status, r.err, want)
	}
}

func TestTheOperatorSetsAnyPasswordAndIsToldOfShortOnes(t *testing.T) {
	dir := t.TempDir()
	said(t, dir, "x\n", "at least 8 characters", "account", "add", "alice@example.org", "--password-stdin")
	said(t, dir, "password1\n", "guessed soon", "account", "passwd", "alice@example.org", "--password-stdin")
	said(t, dir, "bob\tx\ncarol@example.org\tcarol123\r\ndave\tone good secret\nerin\t1234567", "3 of the passwords", "account", "import", "-")
	refused(t, dir, "x\n", "the name is taken", 1, "account", "add", "bob@example.org", "--password-stdin")
}

func TestABareNameIsOneOfTheDatasOwnDomain(t *testing.T) {
	dir, good := t.TempDir(), "one good secret\n"
	refused(t, dir, good, "there is no data", 1, "account", "add", "alice", "--password-stdin")
	fine(t, dir, "zoe\tone good secret\n", "account", "import", "-")
	for _, command := range []string{"add alice --password-stdin", "passwd zoe --password-stdin", "remove zoe"} {
		refused(t, dir, good, "write name@domain", 2, append([]string{"account"}, strings.Fields(command)...)...)
	}
	fine(t, dir, good, "account", "add", "alice@example.org", "--password-stdin")
	fine(t, dir, good, "account", "add", "Bob", "--password-stdin")
	fine(t, dir, good, "account", "passwd", "bob", "--password-stdin")
	fine(t, dir, "", "account", "remove", "alice")
	if got := fine(t, dir, "", "account", "list"); got != "bob\nzoe\n" {
		t.Error(got)
	}
}

func TestAnInvitationIsAsAskedForOrNotMade(t *testing.T) {
	dir := t.TempDir()
	fine(t, dir, "one good secret\n", "account", "add", "alice@example.org", "--password-stdin")
	for flags, want := range map[string]string{
		"--uses 0": "1 to 1000 people", "--uses -3": "1 to 1000 people", "--uses 1001": "1 to 1000 people",
		"--expires 0s": "1s to 30d", "--expires 60d": "1s to 30d", "--expires 1ms": "1s to 30d",
	} {
		args := append([]string{"invite"}, strings.Fields(flags)...)
		if r := mirsal(t, dir, "", args...); r.status == 0 || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, want) {
			t.Errorf("%s: status %d, %q, %q", flags, r.status, r.out, r.err)
		}
	}
	if got := fine(t, dir, "", "invite", "list", "--json"); got != "[]\n" {
		t.Error(got)
	}
	refused(t, dir, "", "there is no circle nope", 1, "circle", "members", "nope")
}

func TestProgramsReadAnInvitation(t *testing.T) {
	dir := t.TempDir()
	fine(t, dir, "one good secret\n", "account", "add", "alice@example.org", "--password-stdin")
	type fields struct {
		ID, Token, URI, Circle, From string
		Life, Uses                   int
		Contact                      bool
		Expires                      time.Time
	}
	var made fields
	var list []fields
	if err := json.Unmarshal([]byte(fine(t, dir, "", "invite", "--json", "--for", "alice", "--expires", "2d", "--uses", "3", "--circle", "Class")), &made); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(fine(t, dir, "", "invite", "list", "--json")), &list); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if made.Life != 2*24*60*60 || made.Uses != 3 || made.From != "alice" || !made.Contact || made.Circle != "Class" || made.Token == "" || !strings.Contains(made.URI, made.Token) {
		t.Errorf("%+v", made)
	}
	if now := list[0]; now.ID != made.ID || now.Life != made.Life || !now.Expires.Equal(made.Expires) || now.Token+now.URI != "" {
		t.Errorf("%+v", now)
	}
}
