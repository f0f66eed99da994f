package conn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// site is a dialer of a server that may be away.
type site struct {
	*plug
	state atomic.Value // how it is away: gone, hangs, or mute; "" is there
	dials atomic.Int64
}

func (d *site) Dial(ctx context.Context) (Transport, error) {
	d.dials.Add(1)
	switch d.state.Load() {
	case "gone":
		return nil, &Refusal{Reason: Unreachable, Words: "the server cannot be reached"}
	case "hangs": // the connection, or TLS in it
		<-ctx.Done()
		return nil, ctx.Err()
	case "mute": // somebody takes the connection, and says nothing
		near, far := net.Pipe()
		go func() {
			buf := make([]byte, 1024)
			for {
				if _, err := far.Read(buf); err != nil {
					return
				}
			}
		}()
		return &wire{xmlStream: newXMLStream(near), security: d.security}, nil
	case "starttls": // it begins TLS, and no more
		security := Security{StartTLS: true, Direct: true}
		near, far := net.Pipe()
		d.lines <- far
		return &stuckTLS{wire{xmlStream: newXMLStream(near), security: security}}, nil
	}
	return d.plug.Dial(ctx)
}

// stuckTLS is a transport whose handshake comes to no end.
type stuckTLS struct{ wire }

func (s *stuckTLS) StartTLS(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// away signs a client in and takes its server away, for so long.
func (w *world) away(d *site, how string, outage time.Duration) {
	w.t.Helper()
	s := w.signIn()
	d.state.Store(how)
	s.nc.Close()
	for end := time.After(outage); ; {
		select {
		case e := <-w.c.Events():
			down, ok := e.(*Down)
			if !ok || down.Err.Reason != Unreachable || down.Err.Words == "" || down.Retry <= 0 {
				w.t.Fatalf("%T %+v", e, e)
			}
		case <-end:
			d.state.Store("")
			return
		}
	}
}

// back is how long the client takes to connect.
func (w *world) back() time.Duration {
	w.t.Helper()
	began := time.Now()
	for {
		select {
		case <-w.plug.lines:
			return time.Since(began)
		case <-w.c.Events():
		case <-time.After(time.Hour):
			w.t.Fatal("the client does not come back")
		}
	}
}

func withSite(t *testing.T, f func(w *world, d *site)) {
	t.Helper()
	d := &site{}
	d.state.Store("")
	inBubble(t, func(c *Config) { d.plug = c.Dial.(*plug); c.Dial = d }, nil, func(w *world) { f(w, d) })
}

func TestAServerThatComesBackIsFoundSoon(t *testing.T) {
	for how, hangs := range map[string]time.Duration{"gone": 0, "hangs": 30 * time.Second, "mute": 30 * time.Second} {
		for _, outage := range []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute, 50 * time.Minute} {
			t.Run(fmt.Sprint(how, outage), func(t *testing.T) {
				for range 2 {
					withSite(t, func(w *world, d *site) {
						w.away(d, how, outage)
						if took := w.back(); took > 20*time.Second+hangs {
							t.Errorf("it takes %v", took)
						}
					})
				}
			})
		}
	}
}

func TestAServerThatIsAwayForLongIsAskedSeldom(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		w.away(d, "gone", time.Hour)
		before := d.dials.Load()
		if before < 180 || before > 1200 {
			t.Errorf("%d attempts in an hour", before)
		}
		d.state.Store("gone")
		var longest time.Duration
		for range 100 {
			longest = max(longest, event[*Down](w).Retry)
		}
		if longest < time.Minute || longest > 2*time.Minute {
			t.Errorf("the longest pause is %v", longest)
		}
		d.state.Store("")
	})
}

func TestClientsOfOneServerDoNotComeBackTogether(t *testing.T) {
	const clients, slots = 2000, 20
	var at [slots + 1]int
	for range clients {
		var p pause
		var d time.Duration
		for range 8 {
			d = p.next(Backoff{Least: time.Second, Most: slots * time.Second}, Unreachable)
		}
		at[d/time.Second]++
	}
	for second, n := range at {
		if n > clients/slots*3 {
			t.Errorf("%d of %d wait for %d s", n, clients, second)
		}
	}
	if at[slots] > clients/slots {
		t.Errorf("%d wait for the longest time there is", at[slots])
	}
}

func TestAnAttemptThatHangsGivesWayToAKick(t *testing.T) {
	for _, how := range []string{"hangs", "mute"} {
		withSite(t, func(w *world, d *site) {
			s := w.signIn()
			d.state.Store(how)
			s.nc.Close()
			event[*Down](w)
			time.Sleep(10 * time.Second) // it hangs by now
			w.quiet()
			d.state.Store("")
			w.c.Kick()
			if took := w.back(); took != 0 {
				t.Errorf("%s: a new attempt is made after %v", how, took)
			}
		})
	}
}

func TestATLSHandshakeThatHangsGivesWayToAKick(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		s := w.signIn()
		d.state.Store("starttls")
		s.nc.Close()
		event[*Down](w)
		s = w.accept()
		s.open("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		s.hear("<starttls")
		s.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		time.Sleep(5 * time.Second)
		d.state.Store("")
		w.c.Kick()
		if took := w.back(); took != 0 {
			t.Errorf("a new attempt is made after %v", took)
		}
	})
}

func TestAnAttemptThatHasJustBegunIsNotBrokenOff(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		s := w.accept()
		for range 10 { // somebody is impatient
			w.c.Kick()
			time.Sleep(200 * time.Millisecond)
		}
		s.open(modern)
		_, proof := s.authenticate("SCRAM-SHA-256-PLUS")
		s.success(proof, "alice@example.org/r", enabled)
		event[*Up](w)
		if n := d.dials.Load(); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestImpatienceDoesNotKeepASlowNetworkFromConnecting(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		const slow = 12 * time.Second // for a handshake
		over := make(chan struct{})
		defer close(over)
		go func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(time.Second):
					w.c.Kick()
				}
			}
		}()
		go func() {
			for range w.c.Events() {
			}
		}()
		for range 10 {
			s := w.accept()
			select {
			case <-s.gone:
			case <-time.After(slow):
				return
			}
		}
		t.Error("no attempt comes to its end")
	})
}

func TestWhatIsFoundDeadByAKickIsConnectedAnewAtOnce(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		w.signIn() // and nothing more is heard of it
		w.c.Kick()
		event[*Down](w)
		if took := w.back(); took != 0 {
			t.Errorf("a new attempt is made after %v", took)
		}
	})
}

func TestAKickInAPauseConnectsAtOnce(t *testing.T) {
	withSite(t, func(w *world, d *site) {
		w.away(d, "gone", 10*time.Minute)
		w.quiet()
		w.c.Kick()
		if took := w.back(); took != 0 {
			t.Errorf("tried after %v", took)
		}
	})
}

func TestAServerThatCannotSignInNowIsAskedAgain(t *testing.T) {
	token := &Token{Mechanism: "HT-SHA-256-EXPR", Secret: "t0ken"}
	for _, with := range []*Token{nil, token} {
		inBubble(t, func(c *Config) {
			if c.Token = with; with != nil {
				c.Password = ""
			}
		}, nil, func(w *world) {
			for range 5 {
				s := w.accept()
				s.open(modern)
				s.hear("<authenticate")
				s.say("<failure xmlns='urn:xmpp:sasl:2'><temporary-auth-failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>")
				if d := event[*Down](w); d.Err.Reason != Busy || d.Retry > 20*time.Second {
					t.Errorf("%+v", d)
				}
			}
			if with != nil {
				s := w.accept()
				s.open(modern)
				s.hear("<authenticate", "mechanism='HT-SHA-256-EXPR'")
			}
		})
	}
}

func TestASessionThatIsRefusedOnceAfterAnotherIsNoLoop(t *testing.T) {
	inBubble(t, nil, nil, func(w *world) {
		s := w.signIn()
		for range 3 { // the server is restarted, and knows no session
			w.lose(s)
			s = w.accept()
			s.open(modern)
			request, proof := s.authenticate("SCRAM-SHA-256-PLUS")
			if !request.Child(nsSM, "resume").OK() {
				t.Error("the session is not asked for")
			}
			s.success(proof, "alice@example.org/r", "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"+enabled)
			if up := event[*Up](w); up.Resumed {
				t.Error("resumed")
			}
		}
	})
}

func TestAKnownAccountOutlastsAStrangeNetwork(t *testing.T) {
	for _, known := range []bool{false, true} {
		inBubble(t, func(c *Config) {
			c.Known = known
			c.Dial = strange{}
		}, nil, func(w *world) {
			switch e := (<-w.c.Events()).(type) {
			case *Down:
				if !known {
					t.Error("a first attempt goes on")
				}
			case *Refused:
				if known {
					t.Errorf("given up: %v", e.Err)
				}
			}
		})
	}
}

// strange is a network that puts a server of its own in the way.
type strange struct{}

func (strange) Dial(context.Context) (Transport, error) {
	return nil, &Refusal{Reason: BadCertificate, Words: "another name", Err: errors.New("x509")}
}
