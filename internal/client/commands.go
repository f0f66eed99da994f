package client

import (
	"errors"
	"strings"

	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
)

// command carries out what was asked for. Without an account there is only
// signing in and joining by a link.
func (e *Engine) command(c port.Command) {
	switch c := c.(type) {
	case *port.SignIn:
		e.startSignIn(c)
		return
	case *port.SignUp:
		e.signUp(c)
		return
	case *port.LinkJoin:
		e.linkJoin(c)
		return
	case *port.Cancel:
		e.cancel(c)
		return
	}
	if e.own.IsZero() {
		e.fail(c, port.Failf(port.NotSignedIn, "no account is signed in here"))
		return
	}
	if _, leaving := c.(*port.SignOut); e.settingUp() && !leaving {
		e.fail(c, port.Failf(port.Missing, "this device is still receiving its history"))
		return
	}
	if !e.chatCommand(c) && !e.arrangeCommand(c) && !e.roomCommand(c) && !e.privacyCommand(c) && !e.peopleCommand(c) && !e.keyCommand(c) && !e.linkCommand(c) && !e.callCommand(c) {
		e.fail(c, port.Failf(port.BadCommand, "this engine cannot do that"))
	}
}

// chatCommand carries out what is about messages.
func (e *Engine) chatCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.ListChats:
		e.listChats(c)
	case *port.History:
		e.history(c)
	case *port.Send:
		e.compose(c, timeline.Draft{Chat: c.Chat, Text: c.Text, ReplyTo: c.ReplyTo, Corrects: c.Corrects})
	case *port.Retract:
		e.retract(c)
	case *port.Retry:
		e.retry(c)
	case *port.React:
		e.react(c)
	case *port.SendFile:
		e.sendFile(c)
	case *port.Fetch:
		e.fetchFile(c)
	case *port.MarkRead:
		e.markRead(c)
	case *port.Typing:
		e.typing(c)
	case *port.SetEncryption:
		e.setEncryption(c)
	case *port.Search:
		e.search(c)
	default:
		return false
	}
	return true
}

// peopleCommand carries out what is about contacts, rooms and the connection.
func (e *Engine) peopleCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.SignOut:
		e.signOut(c)
	case *port.GetProfile:
		e.tell(&port.Profile{Ref: c.Ref, Name: e.face(e.own.String()).Nick, Avatar: e.face(e.own.String()).Avatar})
	case *port.SetProfile:
		e.setProfile(c)
	case *port.Avatar:
		e.avatar(c)
	case *port.RecoveryCode:
		e.recoveryCode(c)
	case *port.PasskeyTicket:
		e.passkeyTicket(c)
	case *port.ListPasskeys:
		e.listPasskeys(c)
	case *port.RemovePasskey:
		e.removePasskey(c)
	case *port.Attend:
		e.attend(c)
	case *port.ListContacts:
		e.listContacts(c)
	case *port.AddContact:
		e.addContact(c)
	case *port.InviteLink:
		e.inviteLink(c)
	case *port.RemoveContact:
		e.removeContact(c)
	case *port.Block:
		e.block(c)
	case *port.CreateRoom:
		e.createRoom(c)
	case *port.JoinRoom:
		e.joinRoom(c)
	case *port.LeaveRoom:
		e.leaveRoom(c)
	case *port.Invite:
		e.invite(c)
	case *port.Kick:
		e.kick(c)
	case *port.ListMembers:
		e.listMembers(c)
	default:
		return false
	}
	return true
}

// keyCommand carries out what is about keys and devices.
func (e *Engine) keyCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.ListDevices:
		e.listDevices(c)
	case *port.SetTrust:
		e.setTrust(c)
	case *port.Verify:
		e.verify(c)
	case *port.SafetyCode:
		e.safetyCode(c)
	case *port.RemoveDevice:
		e.removeDevice(c)
	default:
		return false
	}
	return true
}

// startSignIn makes the profile that of an account, and connects. Once signed in a
// profile is one account's for good: another one takes another profile.
func (e *Engine) startSignIn(c *port.SignIn) {
	own, err := jid.Parse(strings.TrimSpace(c.Address))
	if err != nil || own.Local() == "" {
		e.fail(c, port.Failf(port.BadCommand, "%q is not an address like alice@example.org", c.Address))
		return
	}
	own = own.Bare()
	if _, err := e.Dialer(own, c.Server); c.Server != "" && err != nil {
		e.fail(c, port.Failf(port.BadCommand, "%s", err))
		return
	}
	if e.profile.Signed && e.own != own {
		e.fail(c, port.Failf(port.BadCommand, "this profile is %s's; sign in to %s with another one", e.own, own))
		return
	}
	if err := e.adopt(own, c); err != nil {
		e.breakDown(err)
		return
	}
	e.refuseSignIn(port.Failf(port.Canceled, "another attempt was begun"))
	e.signIn = c
	if e.online() && !e.link.leaving {
		e.signedIn()
		return
	}
	e.dropLink()
	e.connect()
}

// adopt writes the account into the profile.
func (e *Engine) adopt(own jid.JID, c *port.SignIn) error {
	if e.profile.Device == "" {
		device, err := newUUID(e.Rand)
		if err != nil {
			return err
		}
		e.profile.Device = device
	}
	e.profile.Address = own.String()
	if c.Label != "" {
		e.profile.Label, e.Label = c.Label, c.Label
	}
	if c.Server != "" || !e.profile.Signed {
		e.profile.Server = c.Server
	}
	if c.Password != "" {
		e.profile.Password, e.profile.Token = plainCode(c.Password), nil
	}
	e.takeSiteToken(c)
	if e.own != own { // new, or the address was mistyped: nothing was kept under it
		if err := e.openAccount(); err != nil {
			return err
		}
	}
	if c.Password != "" || c.Token != "" { // whoever signed out here for good is back
		e.profile.Removed = false
		e.take(e.keys.Return())
	}
	e.keepProfile()
	return e.broken
}

// signedIn answers the SignIn that has waited for this. From now on the profile is
// this account's.
func (e *Engine) signedIn() {
	if !e.profile.Signed {
		e.profile.Signed = true
		if !e.keepProfile() {
			return
		}
	}
	if c := e.signIn; c != nil {
		e.signIn = nil
		e.done(c, port.Done{})
	}
}

func (e *Engine) refuseSignIn(f *port.Failure) {
	if c := e.signIn; c != nil {
		e.signIn = nil
		e.fail(c, f)
	}
}

// signOut ends the connection. To forget is to take this device off the account;
// what is here stays until its owner removes the profile.
func (e *Engine) signOut(c *port.SignOut) {
	e.hangUp()
	if c.Forget {
		step, err := e.keys.RemoveDevice(e.keys.ID())
		if err != nil && !errors.Is(err, e2ee.ErrNoKey) {
			e.breakDown(err)
			return
		}
		if !e.take(step) || !e.forgetSignIn() {
			return
		}
	}
	if e.link != nil {
		e.leave(e.link)
	}
	e.refuseSignIn(port.Failf(port.Canceled, "signing out was asked for"))
	e.done(c, port.Done{})
}

// attend tells whether somebody is looking, who is not kept waiting: also where the connection was
// given up for a reason that may be over by now.
func (e *Engine) attend(c *port.Attend) {
	e.away = !c.Here
	switch {
	case e.link != nil:
		e.link.conn.Attend(c.Here)
		if c.Here {
			e.link.conn.Kick()
		}
	case c.Here && e.mayMend():
		e.connect()
	}
	e.done(c, port.Done{})
}

func (e *Engine) listContacts(c *port.ListContacts) {
	list := []port.Contact{}
	for address, p := range e.people {
		if shown := p.shown(address); shown.State != "none" || shown.Blocked {
			list = append(list, shown)
		}
	}
	sortBy(list, func(c port.Contact) string { return c.Address })
	e.tell(&port.ContactList{Ref: c.Ref, Contacts: list})
}

func (e *Engine) listMembers(c *port.ListMembers) {
	r := e.rooms[c.Room]
	if r == nil {
		e.tell(&port.MemberList{Ref: c.Ref, Room: c.Room, Failure: port.Failf(port.NoSuchChat, "%q is not one of your rooms", c.Room)})
		return
	}
	r.listed = true
	e.tell(&port.MemberList{Ref: c.Ref, Room: c.Room, Members: e.withFaces(r.members())})
}

func (e *Engine) cancel(c *port.Cancel) {
	cancel := e.jobs[c.Command]
	if c.Message != "" {
		if cancel = e.loading[c.Message]; cancel == nil {
			cancel = e.uploading[c.Message]
		}
	}
	if j := e.joining; j != nil && c.Command == 0 && c.Message == "" {
		cancel = j.cancel
	}
	if cancel == nil {
		e.fail(c, port.Failf(port.Missing, "there is nothing to cancel"))
		return
	}
	cancel()
	e.done(c, port.Done{})
}

// composeFailure is what a draft is refused for, nil where err is none or the
// store's.
func composeFailure(err error) *port.Failure {
	var f *port.Failure
	if errors.As(err, &f) {
		return f
	}
	return nil
}
