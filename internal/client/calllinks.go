package client

import (
	"slices"
	"strconv"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is call links: who has one rings once, though a stranger (docs/protocol/calls.md).

// mostLinks bounds how many links are read, longestLink how long one lasts, in seconds.
const (
	mostLinks   = 64
	longestLink = 7 * 24 * 60 * 60
)

// linkToken tells whether a text is the token of a call link: 130 bits in base32.
func linkToken(s string) bool {
	return len(s) == 26 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// askLinks asks our server for the links that are open. One that answers has links, and writes itself what stands
// beside a propose; that it is asked before it hears that we are here lets nothing ring before it is known.
func (e *Engine) askLinks(then func(links xtok.Elem, err error)) {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<links xmlns='" + nsCalls + "'/>")}, func(s *conn.Stanza, err error) {
		if errorsLost(err) {
			then(xtok.Elem{}, err)
			return
		}
		var links xtok.Elem
		if err = stanzaError(s, err); err == nil {
			links = s.Elem.Child(nsCalls, "links")
		}
		e.calls.links = links.OK()
		then(links, err)
	})
}

// callLinks makes, ends and lists links of ours.
func (e *Engine) callLinks(c *port.CallLinks) {
	change := ""
	switch {
	case c.Lasts < 0 || c.Lasts > longestLink || c.Lasts != 0 && c.Revoke != "":
		e.tellLinks(c, nil, port.Failf(port.BadCommand, "a call link lasts for 1 to %d seconds", longestLink))
		return
	case c.Lasts != 0:
		change = "<link xmlns='" + nsCalls + "' lasts='" + strconv.Itoa(c.Lasts) + "'/>"
	case c.Revoke != "":
		change = "<revoke xmlns='" + nsCalls + "' id='" + esc(c.Revoke) + "'/>"
	default:
		e.listLinks(c, nil)
		return
	}
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte(change)}, func(s *conn.Stanza, err error) {
		if err = stanzaError(s, err); err != nil {
			e.tellLinks(c, nil, linkRefusal(err))
			return
		}
		e.listLinks(c, linksIn(s.Elem))
	})
}

// listLinks answers with the links that are open, and with the one that was just made as it is given away.
func (e *Engine) listLinks(c *port.CallLinks, made []port.CallLink) {
	e.askLinks(func(links xtok.Elem, err error) {
		if err != nil {
			e.tellLinks(c, nil, linkRefusal(err))
			return
		}
		list := linksIn(links)
		for i := range list {
			if len(made) > 0 && list[i].ID == made[0].ID {
				list[i].URI = made[0].URI
			}
		}
		e.tellLinks(c, list, nil)
	})
}

func (e *Engine) tellLinks(c *port.CallLinks, links []port.CallLink, f *port.Failure) {
	e.tell(&port.CallLinkList{Ref: c.Ref, Links: links, Failure: f})
}

// linksIn are the links in an answer of our server.
func linksIn(el xtok.Elem) (list []port.CallLink) {
	for l := range el.Children() {
		until, err := stanza.ParseTime(l.Attr("expires"))
		if !l.Is(nsCalls, "link") || err != nil || l.Attr("id") == "" || len(list) >= mostLinks {
			continue
		}
		list = append(list, port.CallLink{ID: l.Attr("id"), Until: until, URI: l.Attr("uri")})
	}
	slices.SortStableFunc(list, func(a, b port.CallLink) int { return a.Until.Compare(b.Until) })
	return list
}
