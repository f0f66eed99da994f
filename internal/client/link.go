package client

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Connection is what the engine needs of a *conn.Conn, which says what each
// method promises; tests have one of their own.
type Connection interface {
	Run(ctx context.Context) error
	Events() <-chan conn.Event
	Send(raw []byte, ticket uint64) error
	Inquire(q conn.Request, tag uint64) error
	Settle(m conn.Mark)
	Attend(looking bool)
	Kick()
	Leave(ctx context.Context)
	Kept(t *conn.Token)
}

// link is the account's connection while it is wanted: up, or trying.
type link struct {
	conn    Connection
	over    chan struct{} // closed when Run has returned
	cancel  context.CancelFunc
	up      bool
	asked   map[uint64]func(*conn.Stanza, error) // questions by tag
	tag     uint64
	leaving bool
}

// events work on no link too: they never come.
func (l *link) events() <-chan conn.Event {
	if l == nil {
		return nil
	}
	return l.conn.Events()
}

// connect begins to connect, and to stay connected.
func (e *Engine) connect() {
	p := &e.profile
	if p.Removed && p.Password == "" && p.Token == nil {
		e.refused(&conn.Refusal{Reason: conn.Revoked, Words: removedWords})
		return
	}
	if p.Password == "" && p.Token == nil {
		e.refused(&conn.Refusal{Reason: conn.Rejected, Words: "this profile is not signed in"})
		return
	}
	dial, err := e.Dialer(e.own, p.Server)
	if err != nil {
		e.refused(&conn.Refusal{Reason: conn.Unreachable, Words: err.Error(), Err: err})
		return
	}
	c := e.Connect(conn.Config{Address: e.own, Password: p.Password, Token: p.Token, Device: p.Device,
		DeviceName: e.Label, Software: e.Software, Tag: "mirsal", Dial: dial, Known: p.Signed}, nil)
	if e.away {
		c.Attend(false)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	l := &link{conn: c, over: make(chan struct{}), cancel: cancel, asked: map[uint64]func(*conn.Stanza, error){}}
	e.link = l
	go func() {
		defer close(l.over)
		_ = c.Run(ctx) // its error was its last event
	}()
	e.state("connecting", nil, time.Time{})
}

// leaveTime is how long a good-bye may take.
const leaveTime = 3 * time.Second

// leave begins the good-bye, which takes leaveTime at most; the link ends by itself then.
func (e *Engine) leave(l *link) {
	if l.leaving {
		return
	}
	l.leaving = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), leaveTime)
	context.AfterFunc(ctx, l.cancel)
	l.conn.Leave(ctx)
	go func() {
		<-l.over
		cancel()
	}()
}

// stop ends the connection in good order and waits for it: what was sent is written,
// and what the server says that it has is kept.
func (e *Engine) stop() {
	for _, cancel := range e.jobs {
		cancel()
	}
	l := e.link
	if l == nil {
		return
	}
	e.hangUp()
	e.link = nil
	e.leave(l)
	for ev := range l.conn.Events() {
		if h, ok := ev.(*conn.Handled); ok && e.broken == nil {
			e.handled(h.Tickets)
		}
	}
	<-l.over
	l.cancel()
}

// dropLink gives the present connection up, without waiting for it.
func (e *Engine) dropLink() {
	l := e.link
	if l == nil {
		return
	}
	e.link = nil
	l.cancel()
	go func() {
		for range l.conn.Events() { // until it is closed
		}
	}()
	e.unlinked(l)
}

// connectionOver takes the end of a connection that does not come back by itself: its last
// event has said why, unless we have left.
func (e *Engine) connectionOver() {
	l := e.link
	e.link = nil
	l.cancel()
	e.unlinked(l)
	if e.status.State != "refused" {
		e.state("offline", nil, time.Time{})
	}
	e.refuseSignIn(port.Failf(port.Canceled, "the connection was ended"))
}

// unlinked answers everybody who still waits for something of a link that is gone, and
// ends its session.
func (e *Engine) unlinked(l *link) {
	for _, tag := range slices.Sorted(maps.Keys(l.asked)) {
		then := l.asked[tag]
		delete(l.asked, tag)
		then(nil, conn.ErrLost)
	}
	e.sessionOver()
}

// connection takes what the connection tells.
func (e *Engine) connection(ev conn.Event) {
	switch ev := ev.(type) {
	case *conn.Up:
		e.up(ev)
	case *conn.Down:
		e.down(ev)
	case *conn.Stanza:
		e.stanza(ev)
	case *conn.Answer:
		e.answered(ev)
	case *conn.Handled:
		e.handled(ev.Tickets)
	case *conn.Lost:
		e.lost(ev.Tickets)
	case *conn.TokenRefused:
		e.profile.Token = nil
		e.keepProfile()
	case *conn.Refused:
		e.refused(ev.Err)
	}
}

// failureOf says in the port's words why there is no connection.
func failureOf(r *conn.Refusal) *port.Failure {
	if r == nil {
		return nil
	}
	code := port.Refused
	switch r.Reason {
	case conn.Unreachable, conn.Busy, conn.HostUnknown:
		code = port.Unreachable
	case conn.Rejected:
		code = port.WrongPassword
	case conn.AccountGone, conn.Revoked:
		code = port.Revoked
	case conn.BadCertificate, conn.Insecure:
		code = port.Untrusted
	}
	words := r.Words
	if words == "" {
		words = string(r.Reason)
	}
	return &port.Failure{Code: code, Text: words}
}

// state tells where the connection stands.
func (e *Engine) state(state string, f *port.Failure, retry time.Time) {
	s := port.Status{State: state, Synced: e.synced, Gathering: e.gathering != nil, Address: e.own.String(), Failure: f, Retry: retry}
	if e.own.IsZero() {
		s.Address = ""
	}
	e.status = s
	e.network.Set(state == "online")
	e.tell(&s)
}

// send hands a stanza to the connection, unless the profile is broken. What cannot be
// sent now is not lost: messages are in the outbox, all else is said again on the next stream.
func (e *Engine) send(raw []byte, ticket uint64) bool {
	return e.broken == nil && e.online() && e.link.conn.Send(raw, ticket) == nil
}

func (e *Engine) online() bool { return e.link != nil && e.link.up }

// ask sends a request; then is called with its answer, in the order of the
// stream. It may be nil. Without a connection then is called with an error at once.
func (e *Engine) ask(q conn.Request, then func(*conn.Stanza, error)) {
	if then == nil {
		then = func(*conn.Stanza, error) {}
	}
	if e.broken != nil {
		return
	}
	if !e.online() {
		then(nil, conn.ErrDown)
		return
	}
	l := e.link
	l.tag++
	tag := l.tag
	l.asked[tag] = then
	if err := l.conn.Inquire(q, tag); err != nil {
		delete(l.asked, tag)
		then(nil, err)
	}
}

func (e *Engine) answered(a *conn.Answer) {
	then, ok := e.link.asked[a.Tag]
	delete(e.link.asked, a.Tag)
	if ok {
		then(a.Stanza, a.Err)
	}
	if a.Stanza != nil {
		e.settle(a.Stanza)
	}
}

// settle acknowledges a stanza, unless what it brought could not be kept.
func (e *Engine) settle(s *conn.Stanza) {
	if e.broken == nil && e.link != nil {
		e.link.conn.Settle(s.Mark)
	}
}

// esc is a text for an attribute or an element.
func esc(s string) string { return string(xtok.Escape(nil, s)) }

// words is what a refusal of a request says to people.
func words(err error) string {
	var refusal *stanza.StanzaError
	switch {
	case errors.Is(err, conn.ErrDown), errors.Is(err, conn.ErrLost):
		return "there is no connection to the server"
	case errors.Is(err, conn.ErrTimeout):
		return "the server did not answer in time"
	case errors.Is(err, conn.ErrBusy):
		return "too much waits for the server already"
	case errors.As(err, &refusal) && refusal.Text != "":
		return refusal.Text
	}
	return err.Error()
}

// refusalOf is the port's failure for a request that was not granted.
func refusalOf(err error) *port.Failure {
	for _, lost := range []error{conn.ErrDown, conn.ErrLost, conn.ErrTimeout, conn.ErrBusy} {
		if errors.Is(err, lost) {
			return port.Failf(port.Unreachable, "%s", words(err))
		}
	}
	return port.Failf(port.Refused, "%s", words(err))
}
