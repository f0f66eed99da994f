package client

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	"mirsal/internal/client/conn"
	pairing "mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is the new device's side of linking, until it has its token.

// joining is a profile on its way into an account.
type joining struct {
	cmd    *port.LinkJoin // nil when the program was started anew meanwhile
	cancel context.CancelFunc
	block  []byte // pieces of a block that is not whole
	asking bool   // a question to the old device is under way
	tries  int    // that it has not answered, in a row
}

// Times of a joining device.
const (
	joinTime  = 11 * time.Minute // from the code to the token: two lives of a link
	joinPause = time.Second      // between connections
)

// linkJoin begins to join. Nothing is kept before the old device has let us in.
func (e *Engine) linkJoin(c *port.LinkJoin) {
	code, err := pairing.ParseCode(c.Code)
	switch {
	case err != nil:
		e.fail(c, port.Failf(port.BadCommand, "%s", err))
		return
	case !e.own.IsZero():
		e.fail(c, port.Failf(port.BadCommand, "this profile is %s's already: a new device joins with an empty one", e.own))
		return
	case e.joining != nil:
		e.fail(c, port.Failf(port.BadCommand, "this device is joining already"))
		return
	}
	device, err := newUUID(e.Rand)
	var secret [16]byte
	if err == nil {
		_, err = io.ReadFull(e.Rand, secret[:])
	}
	if err != nil {
		e.fail(c, port.Failf(port.Internal, "%s", err))
		return
	}
	if c.Label != "" {
		e.Label = c.Label
	}
	ctx, give := context.WithCancelCause(e.ctx)
	cancel := func() { give(nil) }
	j := &joining{cmd: c, cancel: cancel}
	e.joining, e.jobs[c.Ref.Ref] = j, cancel
	v := &visitor{engine: e, code: code, device: device, secret: hex.EncodeToString(secret[:]),
		limit: time.AfterFunc(joinTime, func() { give(context.DeadlineExceeded) })}
	v.hello = pairing.Hello{Label: e.Label, Software: e.Software, Device: device}
	e.tell(&port.LinkState{State: "waiting"})
	go func() {
		defer cancel()
		defer v.limit.Stop()
		err := v.run(ctx)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		e.post(func() { e.letIn(j, v, err) })
	}()
}

// visitor gets a token for a device that nobody knows yet. It runs beside the engine.
type visitor struct {
	engine  *Engine // for its configuration, and post
	code    pairing.Code
	device  string // UUID
	secret  string // by which the server knows us again
	hello   pairing.Hello
	visit   *conn.Visit // nil without a connection
	limit   *time.Timer // ends the attempt
	held    time.Time   // until when the server holds us back
	token   conn.Token
	welcome pairing.Welcome
	channel *pairing.Channel
}

// run goes from the code to the token; what it returns is for people.
func (v *visitor) run(ctx context.Context) error {
	defer v.hangUp()
	j, box, err := pairing.NewJoin(v.engine.Rand, v.code, v.hello)
	if err != nil {
		return err
	}
	if _, err := v.ask(ctx, func(visit *conn.Visit) []byte { return v.joinPayload(visit, box) }); err != nil {
		return err
	}
	hello, err := v.wait(ctx, "join", "hello")
	if err != nil {
		return err
	}
	box, err = unbox(hello)
	if err != nil {
		return err
	}
	check, err := j.Hello(box)
	if err != nil {
		return err
	}
	v.engine.post(func() { v.engine.tell(&port.LinkState{State: "joined", Check: check}) })
	welcome, err := v.wait(ctx, "hello", "welcome")
	if err != nil {
		return err
	}
	if box, err = unbox(welcome); err != nil {
		return err
	}
	if v.welcome, v.channel, err = j.Welcome(box); err != nil {
		return err
	}
	return v.readToken(welcome)
}

func unbox(e xtok.Elem) ([]byte, error) {
	box, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Text()))
	if err != nil {
		return nil, pairing.ErrTampered
	}
	return box, nil
}

// mostSecret bounds a token, in bytes.
const mostSecret = 4096

func (v *visitor) readToken(e xtok.Elem) error {
	v.token = conn.Token{Mechanism: e.Attr("mechanism"), Secret: e.Attr("token")}
	v.token.Expiry, _ = stanza.ParseTime(e.Attr("expiry"))
	if v.token.Secret == "" || len(v.token.Secret) > mostSecret {
		return port.Failf(port.Refused, "the server has given no token")
	}
	return nil
}

// joinPayload is the first question; nil where the server takes no tokens.
func (v *visitor) joinPayload(visit *conn.Visit, box []byte) []byte {
	mech := visit.TokenMechanism()
	if mech == "" {
		return nil
	}
	b := []byte("<join xmlns='" + nsLink + "'")
	for _, a := range [][2]string{{"token", v.code.Token}, {"visit", v.secret}, {"device", v.device}, {"mechanism", mech}} {
		b = xtok.AppendAttr(b, a[0], a[1])
	}
	b = append(b, '>')
	return append(base64.StdEncoding.AppendEncode(b, box), "</join>"...)
}

// wait asks until the old device has said what comes after something.
func (v *visitor) wait(ctx context.Context, after, what string) (xtok.Elem, error) {
	b := []byte("<ask xmlns='" + nsLink + "'")
	for _, a := range [][2]string{{"token", v.code.Token}, {"visit", v.secret}, {"after", after}} {
		b = xtok.AppendAttr(b, a[0], a[1])
	}
	b = append(b, "/>"...)
	for {
		e, err := v.ask(ctx, func(*conn.Visit) []byte { return b })
		if err != nil || e.Is(nsLink, what) {
			return e, err
		}
		if !e.Is(nsLink, "wait") {
			return e, pairing.ErrTampered
		}
		v.hold(e)
	}
}

// longestHold is how long a server may hold a new device back.
const longestHold = 7*24*time.Hour + joinTime

// hold notes that we were let in, and that there is nothing to get before a time.
func (v *visitor) hold(wait xtok.Elem) {
	until, err := stanza.ParseTime(wait.Attr("until"))
	if err != nil || until.Equal(v.held) {
		return
	}
	v.held = until
	v.limit.Reset(min(until.Sub(v.engine.Now())+joinTime, longestHold))
	v.engine.post(func() { v.engine.tell(&port.LinkState{State: "held", Until: until}) })
}

// ask asks the server, on a new connection where the last one is gone. A refusal of
// the server's is final.
func (v *visitor) ask(ctx context.Context, payload func(*conn.Visit) []byte) (xtok.Elem, error) {
	for {
		e, err := v.askOnce(ctx, payload)
		var refusal *conn.Refusal
		switch {
		case err == nil:
			return e, nil
		case ctx.Err() != nil:
			return e, ctx.Err()
		case errors.Is(err, conn.ErrLost), errors.Is(err, conn.ErrTimeout), errors.As(err, &refusal) && refusal.Reason == conn.Busy:
		default:
			return e, err
		}
		v.hangUp()
		select {
		case <-time.After(joinPause):
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

func (v *visitor) askOnce(ctx context.Context, payload func(*conn.Visit) []byte) (xtok.Elem, error) {
	if v.visit == nil {
		dial, err := v.engine.Dialer(v.code.Address, v.code.Server)
		if err != nil {
			return xtok.Elem{}, err
		}
		if v.visit, err = conn.Knock(ctx, conn.Config{Address: v.code.Address, Dial: dial}); err != nil {
			v.visit = nil
			return xtok.Elem{}, err
		}
	}
	b := payload(v.visit)
	if b == nil {
		return xtok.Elem{}, port.Failf(port.Refused, "the server does not know how to link devices")
	}
	return v.visit.Ask(ctx, b)
}

func (v *visitor) hangUp() {
	if v.visit != nil {
		v.visit.Close()
		v.visit = nil
	}
}

// letIn makes the profile the account's, or says why not.
func (e *Engine) letIn(j *joining, v *visitor, err error) {
	delete(e.jobs, j.cmd.Ref.Ref)
	if e.joining != j || e.broken != nil {
		return
	}
	if err != nil {
		e.joinFailed(joinFailure(err))
		return
	}
	e.profile = profile{Address: v.code.Address.String(), Server: v.code.Server, Device: v.device, Signed: true, Token: &v.token, Label: v.hello.Label,
		Linking: &linking{Channel: *v.channel, Peer: v.welcome.Peer}}
	if err := e.openAccount(); err != nil {
		e.breakDown(err)
		return
	}
	if !e.keepProfile() || !e.take(e.keys.Vouch(v.welcome.Device, v.welcome.Fingerprint)) {
		return
	}
	e.tell(&port.LinkState{State: "receiving"})
	e.connect()
}

// joinFailed ends a joining that has come to nothing.
func (e *Engine) joinFailed(f *port.Failure) {
	j := e.joining
	if j == nil {
		return
	}
	e.joining = nil
	e.tell(&port.LinkState{State: "failed", Failure: f})
	if j.cmd != nil {
		e.fail(j.cmd, f)
	}
}

// joinFailure says in the port's words why a device did not get in.
func joinFailure(err error) *port.Failure {
	var f *port.Failure
	var se *stanza.StanzaError
	var r *conn.Refusal
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, pairing.ErrTampered):
		return port.Failf(port.Tampered, "what came is not from the device that showed the code: do not go on")
	case errors.Is(err, context.Canceled):
		return port.Failf(port.Canceled, "it was given up")
	case errors.Is(err, context.DeadlineExceeded):
		return port.Failf(port.Missing, "nobody has let this device in in time")
	case errors.As(err, &se) && se.Condition == stanza.ItemNotFound:
		return port.Failf(port.Missing, "the code is out of date, or was used already: show a new one")
	case errors.As(err, &se):
		return port.Failf(port.Refused, "%s", se.Text)
	case errors.As(err, &r):
		return failureOf(r)
	}
	return port.Failf(port.Internal, "%s", err)
}
