package conformance

import (
	"context"
	"strconv"
	"strings"
)

// tryRest asks for what else a person would want to know.
func (e *exam) tryRest(ctx context.Context) {
	e.trySoftware(ctx)
	e.tryDevices(ctx)
	e.tryContact()
	var forms []string
	for _, v := range []string{"0", "1"} {
		if e.server.has("urn:xmpp:reporting:"+v) || e.own.has("urn:xmpp:reporting:"+v) {
			forms = append(forms, v)
		}
	}
	if len(forms) == 0 {
		e.missing("beyond.reports", "not announced")
		return
	}
	e.works("beyond.reports", "announced")
}

// trySoftware asks for the server's name and version.
// XEP-0092 §2
func (e *exam) trySoftware(ctx context.Context) {
	answer, err := e.a.get(ctx, e.account.Domain(), "<query xmlns='jabber:iq:version'/>")
	if err != nil {
		return
	}
	q := answer.Child("jabber:iq:version", "query")
	name := q.Child("jabber:iq:version", "name").Text() + " " + q.Child("jabber:iq:version", "version").Text()
	e.report.Software = strings.TrimSpace(strings.Map(printable, name))
}

// printable takes what would move a terminal's cursor out of a server's words.
func printable(r rune) rune {
	if !strconv.IsPrint(r) {
		return -1
	}
	return r
}

// tryDevices asks for the devices that have access.
// XEP-0494 §3.1
func (e *exam) tryDevices(ctx context.Context) {
	const key, ns = "beyond.devices", "urn:xmpp:cam:0"
	answer, err := e.a.get(ctx, "", "<list xmlns='"+ns+"'/>")
	if err != nil {
		e.broken(key, e.server.has(ns) || e.own.has(ns), "asking for the list", err)
		return
	}
	n := 0
	for c := range answer.Child(ns, "clients").Children() {
		if c.Is(ns, "client") {
			n++
		}
	}
	if n == 0 {
		e.partly(key, "a list comes, and is empty")
		return
	}
	e.works(key, "a list of %d came", n)
}

// tryContact looks for addresses of the server's people.
// XEP-0157 §3
func (e *exam) tryContact() {
	f := e.server.form("http://jabber.org/network/serverinfo")
	var kinds []string
	if f != nil {
		for _, field := range f.Fields {
			if name, ok := strings.CutSuffix(field.Var, "-addresses"); ok && len(field.Values) > 0 && field.Values[0] != "" {
				kinds = append(kinds, name)
			}
		}
	}
	if len(kinds) == 0 {
		e.missing("beyond.contact", "no addresses told")
		return
	}
	e.works("beyond.contact", "%s", strings.Join(kinds, ", "))
}
