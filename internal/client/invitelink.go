package client

import (
	"strings"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/form"
	"mirsal/internal/xmpp/stanza"
)

const (
	nsCommands = "http://jabber.org/protocol/commands"
	// nodeInvite is the command that makes an invitation. XEP-0401 §3
	nodeInvite = "urn:xmpp:invite#invite"
)

// inviteLink has the server make an invitation. XEP-0401 §4
func (e *Engine) inviteLink(c *port.InviteLink) {
	payload := "<command xmlns='" + nsCommands + "' node='" + nodeInvite + "' action='execute'/>"
	e.ask(conn.Request{To: e.own.DomainOnly(), Type: stanza.Set, Payload: []byte(payload)}, func(s *conn.Stanza, err error) {
		answer := port.Code{Ref: c.Ref}
		if err != nil {
			answer.Failure = refusalOf(err)
		} else if answer = invitationOf(s, answer); answer.Text == "" {
			answer.Failure = port.Failf(port.Missing, "the server makes no invitations")
		}
		e.tell(&answer)
	})
}

// invitationOf reads the link of a browser's page, else that for apps.
func invitationOf(s *conn.Stanza, answer port.Code) port.Code {
	f, err := form.Read(s.Elem.Child(nsCommands, "command").Child(form.NS, "x"))
	if err != nil {
		return answer
	}
	uri := f.Value("uri")
	if link := f.Value("landing-url"); strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://") {
		answer.Text = link
	} else if strings.HasPrefix(uri, "xmpp:") {
		answer.Text = uri
	}
	_, query, _ := strings.Cut(uri, "?")
	answer.Account = strings.Contains(";"+query+";", ";ibr=y;") || strings.HasPrefix(query, "register;")
	if until, err := time.Parse(time.RFC3339, f.Value("expire")); err == nil {
		answer.Until = until
	}
	return answer
}
