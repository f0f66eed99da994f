package client

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is one's own devices as the server knows them, by what they sign in:
// XEP-0494, and docs/protocol/devices.md for which of them has which keys.

const (
	nsAccess = "urn:xmpp:cam:0"
	nsDevice = "urn:mirsal:device:0"
)

// mostClients is how many clients with access are read.
const mostClients = 200

// client is one that has access to the account.
type client struct {
	port.Access
	keys uint32 // number of its OMEMO device, as it says; 0: it does not
}

// nameKeys tells the server which keys this device has, so that who removes them can end its
// sign-in too. A server that does not know of that refuses, and nothing follows.
func (e *Engine) nameKeys() {
	n := strconv.FormatUint(uint64(e.keys.ID()), 10)
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<keys xmlns='" + nsDevice + "' device='" + n + "'/>")}, nil)
}

// clients asks who has access.
// XEP-0494 §3.1
func (e *Engine) clients(then func([]client, error)) {
	e.ask(conn.Request{Type: stanza.Get, Payload: []byte("<list xmlns='" + nsAccess + "'/>")}, func(s *conn.Stanza, err error) {
		if err != nil {
			then(nil, err)
			return
		}
		then(readClients(s.Elem.Child(nsAccess, "clients")), nil)
	})
}

func readClients(list xtok.Elem) (out []client) {
	for c := range list.Children() {
		if c.Is(nsAccess, "client") && c.Attr("id") != "" && len(out) < mostClients {
			out = append(out, readClient(c))
		}
	}
	return out
}

func readClient(el xtok.Elem) (c client) {
	agent, auth := el.Child(nsAccess, "user-agent"), el.Child(nsAccess, "auth")
	c.Client, c.Online, c.Here = el.Attr("id"), el.AttrIs("connected", "true"), el.Child(nsDevice, "here").OK()
	c.Name, c.Software = agent.Child(nsAccess, "device").Text(), agent.Child(nsAccess, "software").Text()
	c.First, _ = stanza.ParseTime(el.Child(nsAccess, "first-seen").Text())
	c.Last, _ = stanza.ParseTime(el.Child(nsAccess, "last-seen").Text())
	if auth.Child(nsAccess, "password").OK() {
		c.By = append(c.By, "password")
	}
	if auth.Child(nsAccess, "fast").OK() {
		c.By = append(c.By, "token")
	}
	n, _ := strconv.ParseUint(el.Child(nsDevice, "keys").Attr("device"), 10, 31)
	c.keys = uint32(n)
	return c
}

// addAccess puts what the server knows beside the devices whose keys it is.
func addAccess(list *port.DeviceList, found []client) {
	for _, c := range found {
		i := slices.IndexFunc(list.Devices, func(d port.Device) bool { return d.Access == nil && d.ID == c.keys && c.keys != 0 })
		if i < 0 {
			list.Others = append(list.Others, c.Access)
			continue
		}
		list.Devices[i].Access = &c.Access
	}
}

// removeDevice takes a device's keys off the account, and ends what it signs in by.
func (e *Engine) removeDevice(c *port.RemoveDevice) {
	if c.Client != "" {
		e.revoke(c, []string{c.Client})
		return
	}
	step, gone := e.keys.RemoveDevice(c.ID)
	if c.ID == e.keys.ID() {
		e.decided(c, e.own, step, gone)
		return
	}
	if gone == nil && !e.take(step) {
		return
	}
	e.tellLocks()
	e.pump()
	e.clients(func(found []client, err error) {
		var refusal *stanza.StanzaError
		if err != nil && !(errors.As(err, &refusal) && (refusal.Condition == stanza.ServiceUnavailable || refusal.Condition == stanza.FeatureNotImplemented)) {
			e.fail(c, port.Failf(port.Unreachable, "nothing is encrypted to it any more; that it cannot sign in needs a connection: try again"))
			return
		}
		var ids []string
		for _, x := range found {
			if x.keys == c.ID && !x.Here {
				ids = append(ids, x.Client)
			}
		}
		if gone != nil && len(ids) == 0 { // its keys are off, and nothing is left of an earlier attempt
			e.decided(c, e.own, step, gone)
			return
		}
		e.revoke(c, ids)
	})
}

// revoke ends what clients sign in by, one after the other.
// XEP-0494 §3.2
func (e *Engine) revoke(c *port.RemoveDevice, ids []string) {
	if len(ids) == 0 {
		e.done(c, port.Done{Chat: e.own.String()})
		return
	}
	payload := xtok.AppendAttr([]byte("<revoke xmlns='"+nsAccess+"'"), "id", ids[0])
	e.ask(conn.Request{Type: stanza.Set, Payload: append(payload, "/>"...)}, func(_ *conn.Stanza, err error) {
		if err != nil {
			e.fail(c, refusalOf(err))
			return
		}
		e.revoke(c, ids[1:])
	})
}

// forgetSignIn ends what this device signs in by, here and at the server.
func (e *Engine) forgetSignIn() bool {
	e.ask(conn.Request{Type: stanza.Set, Payload: []byte("<sign-out xmlns='" + nsDevice + "'/>")}, nil)
	e.profile.Token, e.profile.Password = nil, ""
	return e.keepProfile()
}

// removedWords tell people why this device is out.
const removedWords = "this device was removed from the account, or signed out by another password"

// signedOut notes that the server does not let this device in any more, by its token.
func (e *Engine) signedOut(r *conn.Refusal) bool {
	if r.Reason != conn.Revoked || !e.profile.Signed || e.signIn != nil {
		return true
	}
	r.Words = removedWords
	e.profile.Removed, e.profile.Token, e.profile.Password = true, nil, ""
	return e.keepProfile()
}

// removedHere ends this device's life in the account: a person has removed it on another one.
// What is here stays until its owner removes the profile.
func (e *Engine) removedHere() {
	e.profile.Removed = true
	if !e.forgetSignIn() {
		return
	}
	e.state("refused", port.Failf(port.Revoked, "%s", removedWords), time.Time{})
	if e.link != nil {
		e.leave(e.link)
	}
}
