package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// longestLink is how long a call link may last.
const longestLink = 7 * 24 * time.Hour

// linkOptions are the flags of mirsal call that are about call links.
type linkOptions struct {
	link  string        // that is called by
	makes time.Duration // how long a new one lasts
	lists bool
	ends  string // the id of one
}

func (o *linkOptions) linkFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.link, "link", "", "call by a link that was given to us: xmpp:ADDRESS?call;link=TOKEN")
	f.DurationVar(&o.makes, "new-link", 0, "make a link by which a stranger may call us once, and print it: how long it lasts, at most 168h")
	f.BoolVar(&o.lists, "links", false, "print which links of ours are open")
	f.StringVar(&o.ends, "end-link", "", "end the link of ours that has this id")
}

// callLink reads xmpp:ADDRESS?call;link=TOKEN, and nothing that is written otherwise.
// docs/protocol/calls.md
func callLink(uri string) (address, token string, ok bool) {
	rest, scheme := strings.CutPrefix(uri, "xmpp:")
	rest, token, call := strings.Cut(rest, "?call;link=")
	local, domain, at := strings.Cut(rest, "@")
	local, err := url.PathUnescape(local)
	who, bad := jid.New(local, domain, "")
	ok = scheme && call && at && err == nil && bad == nil && who.Local() != "" && len(token) == 26 && strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
	return who.String(), token, ok
}

// tendLinks makes a link, or ends one, or lists those that are open.
func (o *callOptions) tendLinks(w io.Writer, c *chatting) error {
	answer, err := c.Call(c.limit, &port.CallLinks{Lasts: int(o.makes / time.Second), Revoke: o.ends})
	if err != nil {
		return waited(err)
	}
	list := answer.(*port.CallLinkList)
	if o.json {
		return printEvent(w, list)
	}
	for _, l := range list.Links {
		until := l.Until.Local().Format(time.DateTime)
		switch {
		case o.makes != 0 && l.URI != "":
			_, err = fmt.Fprintf(w, "%s\nfor one call, until %s; its id is %s\n", cell(l.URI), until, cell(l.ID))
		case o.lists:
			_, err = fmt.Fprintf(w, "%s  until %s\n", cell(l.ID), until)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// byLink tells of a stranger who has a link of ours.
func byLink(c port.Call) string {
	if c.Link {
		return ", a stranger, by your link"
	}
	return ""
}
