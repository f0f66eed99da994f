package client

import (
	"errors"

	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

// keyAlert tells people of what happened to keys: as an event, and where it is about
// a contact as a line in the conversation, which stays.
func (e *Engine) keyAlert(a port.KeyAlert) {
	e.tell(&a)
	if a.Address == e.own.String() || a.Address == "" {
		return
	}
	if _, listed := e.lines.Chat(a.Address); listed {
		e.change(e.lines.Notice(a.Address, false, a.Kind, []string{a.Address}, e.Now()))
	}
}

// askKeysOf asks for the keys of a chat that is being looked at, so that its lock
// tells what a message would be before one is written.
func (e *Engine) askKeysOf(chat string) {
	if e.link == nil || !e.link.up || !e.encrypts(chat) {
		return
	}
	if to, _, err := e.recipients(chat); err == nil {
		ask, _ := e.keys.Needs(to)
		e.follow(e2ee.Step{Ask: ask})
	}
}

func (e *Engine) listDevices(c *port.ListDevices) {
	list := []port.Device{}
	for _, who := range e.whose(c.Address) {
		list = append(list, e.keys.Devices(who)...)
	}
	e.tell(&port.DeviceList{Ref: c.Ref, Address: c.Address, Devices: list})
}

// whose is the people an address stands for: "" oneself, a room its members.
func (e *Engine) whose(address string) []jid.JID {
	if address == "" {
		return []jid.JID{e.own}
	}
	to, _, err := e.recipients(address)
	if err != nil {
		return nil
	}
	return to
}

func (e *Engine) setTrust(c *port.SetTrust) {
	who, err := jid.Parse(c.Address)
	if err != nil {
		e.fail(c, port.Failf(port.BadCommand, "%q is not an address", c.Address))
		return
	}
	t := e2ee.Trust(c.Trust)
	if t != e2ee.Verified && t != e2ee.FirstUse && t != e2ee.Refused {
		e.fail(c, port.Failf(port.BadCommand, "a key is verified, first-use or refused, not %q", c.Trust))
		return
	}
	step, err := e.keys.SetTrust(who.Bare(), c.Fingerprint, t)
	e.decided(c, who, step, err)
}

func (e *Engine) verify(c *port.Verify) {
	who, step, err := e.keys.Verify(c.Code)
	e.decided(c, who, step, err)
}

// decided carries out a decision about keys, answers, and sends what has waited for it.
func (e *Engine) decided(c port.Command, who jid.JID, step e2ee.Step, err error) {
	switch {
	case errors.Is(err, e2ee.ErrNoKey):
		e.fail(c, port.Failf(port.Missing, "there is no such key"))
		return
	case errors.Is(err, e2ee.ErrCode):
		e.fail(c, port.Failf(port.BadCommand, "that is not a safety code"))
		return
	case errors.Is(err, e2ee.ErrMismatch):
		e.fail(c, port.Failf(port.Tampered, "the code does not match the keys of %s: do not trust this conversation before you know why", who))
		return
	case err != nil:
		e.breakDown(err)
		return
	}
	if e.take(step) {
		e.touchKeys(who)
		e.done(c, port.Done{Chat: who.Bare().String()})
		e.pump()
	}
}

func (e *Engine) safetyCode(c *port.SafetyCode) {
	e.tell(&port.Code{Ref: c.Ref, Text: e.keys.SafetyCode()})
}

func (e *Engine) removeDevice(c *port.RemoveDevice) {
	step, err := e.keys.RemoveDevice(c.ID)
	e.decided(c, e.own, step, err)
}
