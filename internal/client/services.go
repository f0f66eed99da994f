package client

import (
	"slices"

	"mirsal/internal/client/conn"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

const (
	nsItems = "http://jabber.org/protocol/disco#items"
	nsInfo  = "http://jabber.org/protocol/disco#info"
)

// mostServices bounds how many of a server's services are looked at.
const mostServices = 20

// service finds the first of the server's services whose disco#info is right.
// XEP-0030 §4
func (e *Engine) service(right func(info *conn.Stanza) bool, then func(jid.JID, error)) {
	e.ask(conn.Request{To: e.own.DomainOnly(), Type: stanza.Get, Payload: []byte("<query xmlns='" + nsItems + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			then(jid.JID{}, err)
			return
		}
		var all []jid.JID
		for item := range s.Elem.First().Children() {
			if j, err := jid.Parse(item.Attr("jid")); err == nil && j.IsDomain() && len(all) < mostServices {
				all = append(all, j)
			}
		}
		e.firstService(all, right, then)
	})
}

func (e *Engine) firstService(all []jid.JID, right func(*conn.Stanza) bool, then func(jid.JID, error)) {
	if len(all) == 0 {
		then(jid.JID{}, stanza.Errorf(stanza.ItemNotFound, "the server has no such service"))
		return
	}
	e.ask(conn.Request{To: all[0], Type: stanza.Get, Payload: []byte("<query xmlns='" + nsInfo + "'/>")}, func(s *conn.Stanza, err error) {
		if err == nil && right(s) {
			then(all[0], nil)
			return
		}
		e.firstService(all[1:], right, then)
	})
}

// sortBy sorts by a text.
func sortBy[T any](list []T, key func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return compare(key(a), key(b)) })
}
