package conn

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// ask is a request that waits for its answer.
type ask struct {
	to    jid.JID
	done  func(*Stanza, error) // called once, without the lock
	timer *time.Timer
}

// mostAsks bounds the requests that wait for an answer.
const mostAsks = 1024

// Ask sends a request and waits for its answer; one that comes from somebody else
// is none. It is not for the goroutine that reads Events. What came before the
// answer has been given to Events then, though perhaps not been read. Errors: a
// *stanza.StanzaError, ErrDown, ErrBusy, ErrTimeout, ErrLost, ctx's.
func (c *Conn) Ask(ctx context.Context, q Request) (*Stanza, error) {
	type result struct {
		s   *Stanza
		err error
	}
	got := make(chan result, 1)
	id, err := c.request(q, func(s *Stanza, err error) { got <- result{s, err} })
	if err != nil {
		return nil, err
	}
	select {
	case r := <-got:
		return r.s, r.err
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if a := c.asks[id]; a != nil {
			a.timer.Stop()
			delete(c.asks, id)
		}
		return nil, ctx.Err()
	}
}

// Inquire is Ask for the goroutine that reads Events: what comes of it is an *Answer
// with this tag, in its order among the stanzas. It does not wait.
func (c *Conn) Inquire(q Request, tag uint64) error {
	_, err := c.request(q, func(s *Stanza, err error) { c.emit(&Answer{tag, s, err}) })
	return err
}

func (c *Conn) request(q Request, done func(*Stanza, error)) (id string, err error) {
	id = rand.Text()
	iq := stanza.New(stanza.Head{Kind: stanza.IQ, Type: q.Type, ID: id, To: q.To}, q.Payload)
	patience := q.Patience
	if patience <= 0 {
		patience = c.cfg.Patience
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asks) >= mostAsks {
		return "", ErrBusy
	}
	if err := c.send(iq.Raw, 0); err != nil {
		return "", err
	}
	c.asks[id] = &ask{to: q.To, done: done, timer: time.AfterFunc(patience, func() { c.answered(id, nil, ErrTimeout) })}
	return id, nil
}

// answered ends a request, unless something else has.
func (c *Conn) answered(id string, s *Stanza, err error) {
	c.mu.Lock()
	a := c.asks[id]
	delete(c.asks, id)
	if a != nil {
		c.telling.Add(1)
		defer c.telling.Done()
	}
	c.mu.Unlock()
	if a != nil {
		a.timer.Stop()
		a.done(s, err)
	}
}

// answer takes an IQ of type result or error.
// RFC 6120 §8.2.3
func (c *Conn) answer(s *Stanza) {
	c.mu.Lock()
	a := c.asks[s.ID]
	mine := a != nil && c.from(a.to, s.From)
	c.mu.Unlock()
	switch {
	case !mine: // of a request that we have given up, or forged
	case s.Type == stanza.Error:
		c.answered(s.ID, s, stanza.ReadError(s.Elem))
	default:
		c.answered(s.ID, s, nil)
	}
}

// from tells whether an answer comes from who was asked. The server answers for
// the account, under its name or none.
// RFC 6120 §8.1.2.1
func (c *Conn) from(asked, from jid.JID) bool {
	account := c.cfg.Address
	if asked.IsZero() || asked == account {
		return from.IsZero() || from == account || from.String() == c.s.jid
	}
	return from == asked
}

// fail ends all requests: their stream is lost, or the time is up.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	var ids []string
	for id := range c.asks {
		ids = append(ids, id)
	}
	c.mu.Unlock()
	for _, id := range ids {
		c.answered(id, nil, err)
	}
}

// pinged answers the server's own ping; those of others are the engine's to answer.
// XEP-0199 §4.1
func (c *Conn) pinged(s *Stanza) bool {
	if s.Type != stanza.Get || !s.Elem.First().Is("urn:xmpp:ping", "ping") {
		return false
	}
	if !s.From.IsZero() && s.From != c.cfg.Address && s.From != c.cfg.Address.DomainOnly() {
		return false
	}
	c.Send(stanza.ResultReply(s.Head, nil).Raw, 0) // when it is not taken, the stream is over
	return true
}

// ownPing is the id of what is asked of a server without stream management.
const ownPing = "conn-ping-"

func isOwnPing(id string) bool { return strings.HasPrefix(id, ownPing) }
