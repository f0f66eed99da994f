package conn

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/sasl"
	"mirsal/internal/xmpp/stanza"
)

// Run connects and stays connected until ctx ends (nil: the session is left to be
// resumed), Leave was called (nil), or a refusal is final: a *Refusal, which is
// the last event too. Events is closed before it returns. Once only.
func (c *Conn) Run(ctx context.Context) error {
	err := c.run(ctx)
	c.mu.Lock()
	c.leaving, c.stream = context.Background(), nil // nothing is taken any more
	c.mu.Unlock()
	c.fail(ErrLost)
	c.telling.Wait()
	close(c.events)
	return err
}

func (c *Conn) run(ctx context.Context) error {
	at := ""
	c.there, c.fresh = time.Now(), freshTime
	for {
		err := c.once(ctx, at)
		switch {
		case c.left():
			c.giveUp()
			return nil
		case ctx.Err() != nil:
			return nil
		}
		r := refusal(err)
		if c.final(r) {
			c.giveUp()
			c.emit(&Refused{r})
			return r
		}
		if at = c.elsewhere(r, at); at != "" {
			continue
		}
		wait := c.pause.next(c.backoff(), r.Reason)
		c.emit(&Down{Err: r, Retry: wait})
		c.rest(ctx, wait)
	}
}

// recently is how long a server is looked for as one that is only being restarted.
const recently = time.Hour

// backoff bounds the next pause.
func (c *Conn) backoff() Backoff {
	b := c.cfg.Backoff
	if time.Since(c.there) < recently {
		b.Most = min(b.Most, b.Soon)
	}
	return b
}

// giveUp ends the session: what was not acknowledged is lost.
func (c *Conn) giveUp() {
	c.mu.Lock()
	lost := c.s.forget()
	c.mu.Unlock()
	c.emitLost(lost)
}

func (c *Conn) left() bool {
	select {
	case <-c.parted:
		return true
	default:
		return false
	}
}

// rest waits for the next attempt.
func (c *Conn) rest(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.kicked:
		c.pause = pause{}
	case <-c.parted:
	case <-ctx.Done():
	}
}

// final tells whether to try again is useless. What may be somebody else's doing
// (a strange network, a server being set up) is not for an account that has worked.
func (c *Conn) final(r *Refusal) bool {
	switch r.Reason {
	case Rejected, AccountGone, Replaced:
		return true
	case Revoked: // a stream may end so for other reasons: to sign in shows what it is
		return errors.As(r.Err, new(*sasl.Failure))
	case HostUnknown, BadCertificate, Insecure, NoMechanism:
		return !c.wasUp
	}
	return false
}

// elsewhere is where to connect at once because the server says so: within its own
// domain only, and not twice. RFC 6120 §4.9.3.19
func (c *Conn) elsewhere(r *Refusal, before string) string {
	host, _, _ := strings.Cut(r.at, ":") // an address in numbers is in no domain
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	domain := strings.ToLower(c.cfg.Address.Domain())
	_, can := c.cfg.Dial.(Redirecter)
	if before != "" || !can || host != domain && !strings.HasSuffix(host, "."+domain) {
		return ""
	}
	return r.at
}

// once connects and serves the stream until it ends.
func (c *Conn) once(ctx context.Context, at string) error {
	t, out, err := c.connect(ctx, at)
	if err != nil {
		return err
	}
	defer t.Close()
	l := newLive(t, out.csi)
	if err := c.begin(l, out); err != nil {
		return err
	}
	began := time.Now()
	err = c.serve(ctx, l)
	c.there = time.Now()
	if time.Since(began) >= steady {
		c.pause = pause{}
	}
	c.mu.Lock()
	c.stream = nil
	resumable := c.s.id != "" && !errors.Is(err, errRepeat)
	c.mu.Unlock()
	if !resumable {
		c.fail(ErrLost)
		c.giveUp()
	}
	return err
}

// connect makes one attempt. Leave breaks it off, and so does a Kick when it hangs: then the
// next one is made at once.
func (c *Conn) connect(ctx context.Context, at string) (t Transport, out outcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Handshake)
	kicked := make(chan bool, 1)
	go func() { kicked <- c.attend(ctx, cancel) }()
	defer func() {
		cancel()
		if <-kicked && err != nil {
			c.fresh = min(2*c.fresh, c.cfg.Handshake)
			c.Kick()
		}
	}()
	d := c.cfg.Dial
	if at != "" {
		d = d.(Redirecter).Redirect(at)
	}
	if t, err = d.Dial(ctx); err == nil {
		if out, err = c.shake(ctx, t); err != nil {
			t.Close()
		}
	}
	if err != nil && ctx.Err() != nil && asRefusal(err) == nil {
		err = context.DeadlineExceeded
	}
	return t, out, err
}

// freshTime is how old an attempt must be to give way to a new one; it grows where attempts
// gave way, so that one over a slow network comes to its end.
const freshTime = 3 * time.Second

// attend breaks an attempt off where it must not be waited for, and tells whether there
// was a Kick.
func (c *Conn) attend(ctx context.Context, cancel func()) (kicked bool) {
	fresh := time.NewTimer(c.fresh)
	defer fresh.Stop()
	kicks := c.kicked
	for old := false; !old || !kicked; {
		select {
		case <-fresh.C:
			old = true
		case <-kicks:
			kicked, kicks = true, nil
		case <-c.parted:
			cancel()
			return kicked
		case <-ctx.Done():
			return kicked
		}
	}
	cancel()
	return true
}

func (c *Conn) shake(ctx context.Context, t Transport) (outcome, error) {
	n := &handshake{cfg: &c.cfg, t: t, spoilt: func() {
		c.mu.Lock()
		c.token, c.issued = nil, nil
		c.mu.Unlock()
		c.emit(&TokenRefused{})
	}}
	c.mu.Lock()
	n.token = c.token
	n.resume, n.h, n.looks = c.s.id, c.s.settled, !c.away
	c.mu.Unlock()
	return n.run(ctx)
}

// begin makes a stream out of what the handshake came to, and tells of it.
func (c *Conn) begin(l *live, out outcome) error {
	c.wasUp, c.fresh = true, freshTime
	up := &Up{JID: out.jid, Features: out.features, Bound: out.bound, Token: out.token}
	c.mu.Lock()
	if out.token != nil {
		c.issued = out.token
	}
	handled, lost, ok := c.take(out)
	if up.Resumed = out.resumed; up.Resumed {
		up.JID, _ = jid.Parse(c.s.jid)
	}
	c.mu.Unlock()
	c.emitHandled(handled)
	if !out.resumed || !ok {
		c.fail(ErrLost)
		c.emitLost(lost)
	}
	if !ok {
		return nonsense("the server has received what was not sent")
	}
	c.mu.Lock()
	c.greet(l, out)
	c.stream = l
	c.mu.Unlock()
	c.emit(up)
	l.wake()
	return nil
}

// take goes on with the session, or ends it and begins another. It needs the lock.
func (c *Conn) take(out outcome) (handled, lost []uint64, ok bool) {
	if out.resumed {
		if handled, ok = c.s.resume(out.h); !ok {
			lost = c.s.forget()
		}
		return handled, lost, ok
	}
	if out.counted { // XEP-0198 §5: a session that is gone, and how far it had got
		if handled, ok = c.s.resume(out.h); !ok {
			handled = nil
		}
	}
	return handled, c.s.begin(out.jid.String(), out.sm, out.id), true
}

// greet queues what a stream begins with and the negotiation did not do. It needs
// the lock.
func (c *Conn) greet(l *live, out outcome) {
	if out.csi && c.away && !out.inactive {
		l.nonza(clientState(false))
	}
	if !out.resumed && !out.carbons {
		iq := stanza.New(stanza.Head{Kind: stanza.IQ, Type: stanza.Set, ID: "conn-carbons"}, []byte("<enable xmlns='"+nsCarbons+"'/>"))
		c.s.push(iq.Raw, 0)
	}
}

// steady is how long a stream must have held for the pauses to begin anew.
const steady = 10 * time.Second

// pause is the time between attempts: random, and longer each time, so that all the
// clients of a server that was away do not come back at once.
type pause struct{ last time.Duration }

// next is decorrelated jitter: anything between the least and three times the last one. At
// the most too it is drawn, or all would meet there.
func (p *pause) next(b Backoff, r Reason) time.Duration {
	least := min(b.Least, b.Most)
	if r == Policy || r == Busy || r == Misbehaved {
		least = min(10*b.Least, b.Most/2)
	}
	p.last = max(p.last, least)
	p.last = least + rand.N(min(b.Most, 3*p.last)-least+1)
	return p.last
}
