package client

import (
	"errors"
	"time"

	"mirsal/internal/xmpp/stanza"
)

// wait is something that must be there before we are as far as the server is: an
// archive, the bookmarks, or the keys by which others write to this device.
type wait struct {
	tries int
	pages int       // of the archive that were asked for
	again time.Time // when the archive is asked once more; zero: it is being asked
}

const (
	// ownKeys is what is awaited of a device that is new: who is told that it is there writes to it.
	ownKeys = "keys"
	// syncTime bounds how long nothing may come before a session calls itself synced
	// all the same: one room that does not answer holds up nobody.
	syncTime = 20 * time.Second
	// mostTries is how often an archive is asked that gives no answer.
	mostTries = 6
)

// await notes what must be there before we are as far as the server is.
func (e *Engine) await(what string) {
	if e.awaited == nil {
		e.awaited = map[string]*wait{}
	}
	e.awaited[what] = &wait{}
	e.moreTime()
}

// moreTime gives the rest more time.
func (e *Engine) moreTime() {
	if !e.synced {
		e.syncBy = e.Now().Add(syncTime)
	}
}

// arrived notes that one of these is there, or is not to be had. With the last one
// keys that were used by old messages may go; not before, however long it takes.
func (e *Engine) arrived(what string) {
	if e.awaited[what] == nil {
		return
	}
	delete(e.awaited, what)
	e.release(what)
	if len(e.awaited) > 0 || e.broken != nil {
		return
	}
	if e.take(e.discreet(e.keys.CatchUp(false))) {
		e.nowSynced()
		e.gather()
	}
}

func (e *Engine) nowSynced() {
	e.syncBy = time.Time{}
	if e.synced {
		return
	}
	e.synced = true
	e.state(e.status.State, e.status.Failure, e.status.Retry)
	e.pump()
	e.askAttempts()
}

// delayed notes that an archive could not be asked: it is once more, a while later.
func (e *Engine) delayed(archive string, err error) {
	w := e.awaited[archive]
	if w == nil {
		return
	}
	if w.tries++; final(err) || w.tries >= mostTries {
		e.arrived(archive)
		return
	}
	w.again = e.Now().Add(5 * time.Second << w.tries)
	e.release(archive)
}

// final tells whether asking again is useless: the other side said no, for good.
// RFC 6120 §8.3.2
func final(err error) bool {
	var refusal *stanza.StanzaError
	if !errors.As(err, &refusal) { // the connection's, or a page that broke off
		return false
	}
	return refusal.Kind != "wait" && refusal.Condition != stanza.InternalServerError
}

// syncDue is when askAgain has something to do, zero for never.
func (e *Engine) syncDue() (next time.Time) {
	if !e.online() {
		return next
	}
	next = e.syncBy
	for _, w := range e.awaited {
		if next.IsZero() || !w.again.IsZero() && w.again.Before(next) {
			next = w.again
		}
	}
	return next
}

// askAgain asks for what could not be had before, and ends the wait.
func (e *Engine) askAgain(now time.Time) {
	if !e.online() {
		return
	}
	for archive, w := range e.awaited {
		if !w.again.IsZero() && !now.Before(w.again) {
			w.again = time.Time{}
			e.catchUp(archive)
		}
	}
	if !e.syncBy.IsZero() && !now.Before(e.syncBy) {
		e.nowSynced()
	}
}
