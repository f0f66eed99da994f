package upload

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/jid"
)

// list is what the command answers.
func (h *house) list(accounts ...string) string {
	h.T.Helper()
	c := h.u.Commands()[0]
	r, err := c.Run(&command.Call{Ctx: h.T.Context()}, map[string][]string{"accountjids": accounts})
	if err != nil {
		return err.Error()
	}
	return string(r.Append(nil))
}

// row is a row of the list as it is sent.
func row(values ...string) string {
	var b strings.Builder
	for i, name := range []string{"jid", "files", "bytes", "percent"} {
		b.WriteString("<field var='" + name + "'><value>" + values[i] + "</value></field>")
	}
	return "<item>" + b.String() + "</item>"
}

func TestAdministratorsSeeWhoseFilesTakeHowMuch(t *testing.T) {
	run(t, config(), func(h *house) {
		has(t, h.list(), "0 accounts: 0 files with 0 bytes")
		alice, bob := h.Login("alice@example.org/phone"), h.Login("bob@example.org/phone")
		h.send(alice, "small")
		h.send(bob, strings.Repeat("x", 600))
		h.send(bob, strings.Repeat("x", 300))
		h.u.accounts = map[jid.JID]*account{} // as after a restart
		has(t, h.list(), row("bob@example.org", "2", "900", "30")+row("alice@example.org", "1", "5", "10"), "2 accounts: 3 files with 905 bytes", "10 files with 3000 bytes")
		if len(h.u.accounts) > 0 {
			t.Error("who is looked at is remembered")
		}
		if got := h.list("Alice"); !strings.Contains(got, row("alice@example.org", "1", "5", "10")) || strings.Contains(got, "bob") {
			t.Error(got)
		}
		h.slot(bob, "a.txt", 100, "")
		if use, err := h.u.UseOf(t.Context(), jid.MustParse("bob@example.org")); err != nil || use != (Use{Files: 3, FilesMost: 10, Bytes: 1000, BytesMost: 3000}) {
			t.Error(use, err)
		}
		h.Absent = append(h.Absent, "nobdy")
		has(t, h.list("nobdy"), "no such account: nobdy")
		has(t, h.list("alice@elsewhere.example"), "no such account")
	})
}

func TestAnAccountIsToldItsQuotaByServiceDiscovery(t *testing.T) {
	run(t, config(), func(h *house) {
		h.Absent = append(h.Absent, "nobdy")
		h.send(h.Login("alice@example.org/phone"), "small")
		told := func(who string) string {
			q := &core.Query{Ctx: t.Context()}
			q.Head.From = jid.MustParse(who)
			return string(h.u.quotaForm(q))
		}
		value := func(name, v string) string {
			return "<field var='" + name + "' type='text-single'><value>" + v + "</value></field>"
		}
		has(t, told("alice@example.org/phone"), "<value>"+nsQuota+"</value>", value("bytes-used", "5"), value("bytes-limit", "3000"),
			value("files-used", "1"), value("files-limit", "10"), value("kept-seconds", "86400"))
		for _, stranger := range []string{"nobdy@example.org/x", "alice@elsewhere.example/x", "elsewhere.example"} {
			if got := told(stranger); got != "" {
				t.Error(stranger, got)
			}
		}
	})
}
