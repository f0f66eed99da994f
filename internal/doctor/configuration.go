package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"

	"mirsal/internal/config"
)

// configuration tells which one holds, and what in it an operator may not have meant.
func (e *exam) configuration(context.Context) []Finding {
	where := "No configuration file was named; the defaults hold, but for what the command line says."
	if e.o.File != "" {
		where = "The configuration in " + e.o.File + " is in order."
	}
	list := []Finding{{"config.load", "", OK, where, ""}}
	c := &e.cfg
	if f, found := e.whose(); found {
		list = append(list, f)
	} else if e.isLocal() {
		list = append(list, Finding{"config.domain", "", Notice,
			fmt.Sprintf("The domain is %s: accounts are called like alice@%s, and only this machine or network can use them.", c.Domain, c.Domain),
			"To serve others, choose a domain of yours before the first account is made: domain = \"example.org\"."})
	}
	for _, odd := range []struct {
		is           bool
		check        string
		level        Level
		text, remedy string
	}{
		{c.Store.Synchronous == "off", "config.synchronous", Problem, "store.synchronous is off: a power cut loses messages that were acknowledged.", "Set store.synchronous = \"full\"; off is for tests."},
		{!c.Limits.Enabled, "config.limits", Warning, "limits.enabled is false: nothing slows down who hammers at the server.", "Set limits.enabled = true; false is for load tests."},
		{c.Register.Open, "config.register", Notice, "register.open is true: everybody who can connect can make an account.", "Unless that is meant, set register.open = false and invite people with `mirsal invite`."},
		{c.Auth.Plain, "config.plain", Notice, "auth.plain is true: programs may send passwords as they are, inside TLS.", "Set auth.plain = false when the last old program is gone."},
		{c.Push.Web && c.Push.AllowPrivate, "config.push", Warning, "push.allow_private is true: everybody with an account can have the server connect into private networks and to this machine.", "Set push.allow_private = false; true is for tests."},
		{!c.Listen.Component.Off() && len(c.Components) == 0, "config.components", Notice, "listen.component is set, but there is no component that could connect.", "Name them below [components], or set listen.component = \"off\"."},
		{c.Log.Level == "debug", "config.log", Notice, "log.level is debug: the log grows fast and tells who connects from where.", "Set log.level = \"info\" when the search is over."},
	} {
		if odd.is {
			list = append(list, Finding{odd.check, "", odd.level, odd.text, odd.remedy})
		}
	}
	return list
}

// isLocal tells whether DNS has nothing to say about the domain.
func (e *exam) isLocal() bool {
	d := e.domain.Domain()
	_, err := netip.ParseAddr(strings.Trim(d, "[]"))
	return err == nil || d == "localhost" || strings.HasSuffix(d, ".localhost")
}

// listener is one configured listener.
type listener struct {
	name, key string // "c2s-tls", "listen.c2s_tls"
	addr      config.Address
	port      int    // 0 when the system chooses, or there is none
	chosen    string // where the running server really listens when the system chose
}

func (e *exam) listeners() []listener {
	l := &e.cfg.Listen
	list := []listener{
		{"c2s", "listen.c2s", l.C2S, 0, ""}, {"c2s-tls", "listen.c2s_tls", l.C2STLS, 0, ""}, {"http", "listen.http", l.HTTP, 0, ""},
		{"http-plain", "listen.http_plain", l.HTTPPlain, 0, ""}, {"ops", "listen.ops", l.Ops, 0, ""},
		{"component", "listen.component", l.Component, 0, ""},
	}
	for i := range list {
		list[i].port = portOf(list[i].addr)
		if !list[i].addr.Off() && list[i].port == 0 {
			list[i].chosen = e.server.status.Ports[list[i].name]
		}
	}
	return list
}

func portOf(a config.Address) int {
	if a.Off() {
		return 0
	}
	_, port, _ := net.SplitHostPort(string(a))
	n, _ := net.LookupPort("tcp", port)
	return n
}

// running tells whether a server uses the data folder.
func (e *exam) running(context.Context) []Finding {
	r := e.server
	f := Finding{"server.running", "", Notice, "No server runs on this data.", "Start it: `mirsal serve`, with the same flags as this command."}
	who := ""
	if r.pid > 0 {
		who = fmt.Sprintf(" (process %d)", r.pid)
	}
	switch {
	case r.answers:
		f.Level, f.Text, f.Remedy = OK, "A server runs on this data and answers"+who+".", ""
	case errors.Is(r.err, fs.ErrPermission):
		f.Text, f.Remedy = "Whether a server runs on this data cannot be told: you may not look into it.", "Run this command as the user who runs the server."
	case r.locked:
		f.Level, f.Text = Problem, "A server holds this data but does not answer on its socket"+who+"."
		f.Remedy = "If it is starting or stopping, wait. If you are not the user who runs it, run this command as that user. Else look into its log, and stop it."
	}
	return []Finding{f}
}
