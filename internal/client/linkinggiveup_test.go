package client

import (
	"context"
	"crypto/rand"
	"testing"
	"testing/synctest"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/keep"
	pairing "mirsal/internal/client/link"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/jid"
)

func TestAJoiningThatWaitsIsGivenUpByWhoDoesNotKnowItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, keep.NewMemory())
		d.engine.Dialer = func(jid.JID, string) (conn.Dialer, error) { return waits{}, nil }
		o, err := pairing.NewOffer(rand.Reader, pairing.Code{Address: jid.MustParse(me), Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		d.engine.Do(&port.LinkJoin{Code: o.Code.String()})
		d.wait()
		d.must(&port.Cancel{})
		d.wait()
		if d.engine.joining != nil || !d.engine.own.IsZero() {
			t.Error("it joins still")
		}
		if f := port.FailureOf(d.do(&port.Cancel{})[0]); f == nil || f.Code != port.Missing {
			t.Errorf("nothing was given up: %v", f)
		}
		d.stop()
	})
}

// waits is a way to a server that does not answer.
type waits struct{}

func (waits) Dial(ctx context.Context) (conn.Transport, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
