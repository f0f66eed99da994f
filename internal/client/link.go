package client

import (
	"context"
	"errors"
	"time"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/e2ee"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
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

// events and ended work on no link too: they never come.
func (l *link) events() <-chan conn.Event {
	if l == nil {
		return nil
	}
	return l.conn.Events()
}

func (l *link) ended() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.over
}

// connect begins to connect, and to stay connected.
func (e *Engine) connect() {
	p := &e.profile
	dial, err := e.Dialer(e.own, p.Server)
	if err != nil {
		e.refused(&conn.Refusal{Reason: conn.Unreachable, Words: err.Error(), Err: err})
		return
	}
	saved := p.Saved
	if saved != nil { // it resumes once: what follows is another state
		p.Saved = nil
		if !e.keepProfile() {
			return
		}
	}
	c := e.Connect(conn.Config{Address: e.own, Password: p.Password, Token: p.Token, Device: p.Device,
		DeviceName: e.Label, Software: e.Software, Tag: "mirsal", Dial: dial}, saved)
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

// stop ends the connection in good order and waits for it.
func (e *Engine) stop() {
	for _, cancel := range e.jobs {
		cancel()
	}
	l := e.link
	if l == nil {
		return
	}
	e.link = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), leaveTime)
	defer cancel()
	go l.conn.Leave(ctx) // Run returns when all that was sent is written
	for {
		select {
		case ev := <-l.conn.Events():
			if h, ok := ev.(*conn.Handled); ok && e.broken == nil {
				e.handled(h.Tickets)
			}
			continue
		case <-l.over:
		case <-ctx.Done():
		}
		break
	}
	l.cancel()
	for {
		select {
		case <-l.conn.Events():
			continue
		case <-l.over:
		}
		return
	}
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

// up begins a stream: everything is asked for anew, unless the former goes on.
func (e *Engine) up(ev *conn.Up) {
	e.link.up = true
	if ev.Token != nil {
		e.profile.Token, e.profile.Password = ev.Token, ""
		if !e.keepProfile() {
			return
		}
	}
	e.signedIn()
	change, err := e.lines.Online(e.own.String(), ev.Resumed)
	if !e.change(change, err) {
		return
	}
	if ev.Resumed {
		e.state("online", nil, time.Time{})
		e.pump()
		return
	}
	e.synced, e.awaited = false, nil
	e.state("online", nil, time.Time{})
	e.arrive(ev)
}

// arrive asks for all that a new session must know, and says that we are here.
// RFC 6121 §2.2: the roster before the presence, so that no push is missed.
func (e *Engine) arrive(ev *conn.Up) {
	e.askRoster()
	e.askBlocked()
	if !ev.Bound.Child("urn:xmpp:carbons:2", "enabled").OK() {
		e.ask(conn.Request{Type: "set", Payload: []byte("<enable xmlns='urn:xmpp:carbons:2'/>")}, nil)
	}
	e.send(e.presence(), 0)
	e.take(e.keys.Online())
	e.take(e.keys.CatchUp(true))
	e.await(e.own.String())
	e.await(nsBookmarks)
	e.askBookmarks()
	e.catchUp(e.own.String())
	e.resumeFiles()
}

func (e *Engine) down(ev *conn.Down) {
	e.link.up = false
	e.leaveRooms()
	e.lines.Offline(e.own.String())
	e.state("offline", failureOf(ev.Err), e.Now().Add(ev.Retry))
	if s, ok := e.signIn.(*port.SignIn); ok && s.Password != "" && ev.Err != nil && ev.Err.Reason == conn.Unreachable {
		e.refuseSignIn(failureOf(ev.Err))
	}
}

// refused ends the connection for good: only a person can mend it.
func (e *Engine) refused(r *conn.Refusal) {
	if e.link != nil {
		e.link.up = false
		e.leaveRooms()
		e.lines.Offline(e.own.String())
		if e.link.leaving {
			e.state("offline", nil, time.Time{})
			return
		}
	}
	e.state("refused", failureOf(r), time.Time{})
	e.refuseSignIn(failureOf(r))
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

// state tells where the connection stands, if that is news.
func (e *Engine) state(state string, f *port.Failure, retry time.Time) {
	s := port.Status{State: state, Synced: e.synced, Address: e.own.String(), Failure: f, Retry: retry}
	if e.own.IsZero() {
		s.Address = ""
	}
	e.status = s
	e.tell(&s)
}

// send hands a stanza to the connection. What cannot be sent now is not lost:
// messages are in the outbox, all else is said again on the next stream.
func (e *Engine) send(raw []byte, ticket uint64) bool {
	return e.link != nil && e.link.up && e.link.conn.Send(raw, ticket) == nil
}

// ask sends a request; then is called with its answer, in the order of the
// stream. It may be nil. Without a connection then is called with an error at once.
func (e *Engine) ask(q conn.Request, then func(*conn.Stanza, error)) {
	if then == nil {
		then = func(*conn.Stanza, error) {}
	}
	if e.link == nil || !e.link.up {
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

// follow sends and asks what a step of the keys says; its batch is already kept.
func (e *Engine) follow(s e2ee.Step) {
	for _, alert := range s.Alerts {
		e.keyAlert(alert)
	}
	for _, note := range s.Send {
		e.send(append(append([]byte("<message xmlns='jabber:client' type='chat' to='"+esc(note.To.String())+"'>"), note.Content...), "</message>"...), 0)
	}
	for _, r := range s.Ask {
		e.askKeys(r)
	}
}

// askKeys asks what the keys want to know; what waits for them goes on afterwards.
func (e *Engine) askKeys(r e2ee.Request) {
	e.ask(conn.Request{To: r.To, Type: r.Type, Payload: r.Payload}, func(s *conn.Stanza, err error) {
		var iq xtok.Elem
		if s != nil {
			iq = s.Elem
		}
		if e.take(e.keys.Answer(r, iq)) {
			e.touchKeys(r.To)
			e.pump()
		}
	})
}

// touchKeys tells again of the chats whose lock may be another one now.
func (e *Engine) touchKeys(who jid.JID) {
	if who.IsZero() || who.Bare() == e.own {
		return
	}
	e.tell(e.lines.Touch(who.Bare().String())...)
	for _, r := range e.rooms {
		if r.Encrypted && r.has(who.Bare()) {
			e.tell(e.lines.Touch(r.Address)...)
		}
	}
}

// esc is a text for an attribute or an element.
func esc(s string) string { return string(xtok.Escape(nil, s)) }

// words is what a refusal of a request says to people.
func words(err error) string {
	switch {
	case errors.Is(err, conn.ErrDown), errors.Is(err, conn.ErrLost):
		return "there is no connection to the server"
	case errors.Is(err, conn.ErrTimeout):
		return "the server did not answer in time"
	}
	return err.Error()
}
