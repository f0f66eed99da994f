package core

import (
	"context"
	"errors"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// ErrLater is returned by an IQFunc that will reply by q.Reply itself.
var ErrLater = errors.New("core: the handler replies later")

// Query is one IQ request to a handler.
type Query struct {
	Ctx context.Context
	// Head is the request's. From is the asker's full JID (zero before
	// authentication); To is the address that was asked, the asker's bare JID
	// where the request named none.
	Head    stanza.Head
	Payload xtok.Elem // the one child; valid until the handler returns
	Session *Session  // the asker's, nil before authentication
	Stream  Stream    // set before authentication only
	reply   func(*stanza.Stanza)
}

// Set tells a set from a get.
func (q *Query) Set() bool { return q.Head.Type == stanza.Set }

// Own tells whether the asker asks at his own account.
func (q *Query) Own() bool { return q.Head.From.Bare() == q.Head.To }

// Asker is the bare JID of the asker.
func (q *Query) Asker() jid.JID { return q.Head.From.Bare() }

// Reply answers after the handler returned ErrLater: with a payload, or with an
// error when err is not nil.
func (q *Query) Reply(payload []byte, err error) { q.reply(q.answer(payload, err)) }

// Answer is the reply as a stanza, for handlers that put it behind others
// in the asker's queue.
func (q *Query) answer(payload []byte, err error) *stanza.Stanza {
	if err != nil {
		return stanza.ErrorReply(q.Head, err)
	}
	return stanza.ResultReply(q.Head, payload)
}

// Result is the result stanza with a payload, for a handler that returned
// ErrLater and feeds it to the session behind other packets.
func (q *Query) Result(payload []byte) *stanza.Stanza { return q.answer(payload, nil) }
