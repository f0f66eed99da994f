package client

import (
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/xtok"
)

// up begins a stream: everything is asked for anew, unless the former session goes on.
func (e *Engine) up(ev *conn.Up) {
	e.link.up = true
	if ev.Token != nil {
		e.profile.Token, e.profile.Password = ev.Token, ""
		if !e.keepProfile() {
			return
		}
		e.link.conn.Kept(ev.Token)
	} else if !e.codeNotTaken() {
		return
	}
	if e.signedIn(); e.broken != nil {
		return
	}
	if !ev.Resumed {
		e.sessionOver()
		e.linkSession()
		e.callsAgain(ev.JID)
	}
	switch {
	case e.settingUp():
		e.receive()
	case ev.Resumed && e.begun:
		e.resumed()
	default:
		e.begin()
	}
	e.callsUp()
}

// begin asks for everything that a new session must know.
func (e *Engine) begin() {
	change, err := e.lines.Online(e.own.String(), false)
	if !e.change(change, err) {
		return
	}
	e.synced, e.begun = false, true
	e.state("online", nil, time.Time{})
	e.arrive()
}

// resumed goes on with a session: what came in between follows on the stream. That we are
// still in our rooms only they know.
// XEP-0198 §5, XEP-0410 §3
func (e *Engine) resumed() {
	if !e.change(e.lines.Online(e.own.String(), true)) {
		return
	}
	for _, r := range e.rooms {
		if r.live && !e.change(e.lines.Online(r.Address, true)) {
			return
		}
		if r.joined {
			e.selfPing(r)
		}
	}
	e.state("online", nil, time.Time{})
	e.resumeFiles()
	e.pump()
}

// arrive asks for all that a new session must know, and says that we are here.
// RFC 6121 §2.2: the roster before the presence, so that no push is missed.
func (e *Engine) arrive() {
	e.askRoster()
	e.askBlocked()
	e.askLinks(func(xtok.Elem, error) {})
	e.send(e.presence(), 0)
	e.await(e.own.String())
	e.await(nsBookmarks)
	e.await(nsDisplayed)
	if !e.keys.Offered() {
		e.await(ownKeys)
	}
	e.take(e.keys.Online())
	e.take(e.keys.CatchUp(true))
	e.askBookmarks()
	e.nameKeys()
	e.catchUp(e.own.String())
	e.resumeFiles()
	e.introduce()
}

// down notes that the stream is lost. Its session may go on: rooms and who is online
// stay as they are until that is known.
func (e *Engine) down(ev *conn.Down) {
	e.link.up = false
	e.notLive()
	if e.link.leaving {
		return // connectionOver says the rest: what it ends for is not a connection that was lost
	}
	e.state("offline", failureOf(ev.Err), e.Now().Add(ev.Retry))
	if s, ok := e.signIn.(*port.SignIn); ok && s.Password != "" && ev.Err != nil && ev.Err.Reason == conn.Unreachable {
		e.refuseSignIn(failureOf(ev.Err))
	}
}

// refused ends the connection for good: only a person can mend it.
func (e *Engine) refused(r *conn.Refusal) {
	if e.link != nil {
		e.link.up = false
		e.notLive()
		if e.link.leaving {
			return // connectionOver says the rest
		}
	}
	if !e.signedOut(r) {
		return
	}
	if r.Reason == conn.Rejected && e.neverMade() {
		return
	}
	if r.Reason == conn.Rejected && !e.mistyped() {
		return
	}
	e.state("refused", failureOf(r), time.Time{})
	e.refuseSignIn(failureOf(r))
	e.joinFailed(failureOf(r))
}

// mistyped keeps nothing of an account that was never signed in to here: neither what was no
// password, nor the address, or this device would be taken for one that was signed out.
func (e *Engine) mistyped() bool {
	if e.profile.Signed || e.profile.Password == "" {
		return true
	}
	e.profile.Password = ""
	var b keep.Batch
	b.Delete(profileTable, "account")
	return e.keepBatch(&b)
}

// mayMend tells whether a connection that was refused may be had now: not with a password that
// is none, and not where this device was taken off.
func (e *Engine) mayMend() bool {
	f := e.status.Failure
	return e.status.State == "refused" && e.profile.Signed && f != nil && f.Code != port.WrongPassword && f.Code != port.Revoked && f.Code != port.Internal
}

// notLive notes that nothing comes live for now.
func (e *Engine) notLive() {
	if e.lines == nil {
		return
	}
	e.lines.Offline(e.own.String())
	for _, r := range e.rooms {
		e.lines.Offline(r.Address)
	}
}

// sessionOver forgets all that was true of a session only.
func (e *Engine) sessionOver() {
	if e.lines == nil {
		return
	}
	e.notLive()
	e.begun = false
	clear(e.sending)
	clear(e.tickets)
	clear(e.fetching)
	e.gathering = nil
	e.keyQueue, e.awaited, e.held, e.syncBy = nil, nil, nil, time.Time{}
	e.leaveRooms()
	e.allGone()
}
