package conn

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// Visit is a private stream on which nobody has signed in: for what a server answers
// before that. One goroutine uses it.
type Visit struct {
	n        *handshake
	patience time.Duration
}

// Knock connects for a visit; of c it needs Address and Dial, Handshake and Patience are
// as for New. Errors are *Refusal or ctx's.
func Knock(ctx context.Context, c Config) (*Visit, error) {
	d := New(c, nil).cfg // with its defaults
	attempt, cancel := context.WithTimeout(ctx, d.Handshake)
	defer cancel()
	t, err := d.Dial.Dial(attempt)
	if err != nil {
		return nil, refusalOf(err)
	}
	v := &Visit{n: &handshake{cfg: &d, t: t, spoilt: func() {}}, patience: d.Patience}
	stop := context.AfterFunc(attempt, func() { t.Close() })
	defer stop()
	if err := v.n.private(attempt); err != nil {
		t.Close()
		if attempt.Err() != nil {
			err = attempt.Err()
		}
		return nil, refusalOf(err)
	}
	return v, nil
}

func refusalOf(err error) error {
	if r := asRefusal(err); r != nil || errors.Is(err, context.Canceled) {
		return err
	}
	return refusal(err)
}

// TokenMechanism is the one for which a token of this server would be used here, "" for none.
func (v *Visit) TokenMechanism() string {
	o := readOffer(v.n.features)
	return o.tokenMechanism(v.n.t.Security())
}

// Ask sends a set request to the server and returns the child of its answer, the zero
// Elem for an empty one. Errors: a *stanza.StanzaError, ErrTimeout, ErrLost (then the visit is over), ctx's.
func (v *Visit) Ask(ctx context.Context, payload []byte) (xtok.Elem, error) {
	limit, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	stop := context.AfterFunc(limit, func() { v.n.t.Close() })
	defer stop()
	e, err := v.n.request(rand.Text(), string(payload))
	switch {
	case ctx.Err() != nil:
		return xtok.Elem{}, ctx.Err()
	case limit.Err() != nil:
		return xtok.Elem{}, ErrTimeout
	case err != nil:
		return xtok.Elem{}, ErrLost
	case e.AttrIs("type", stanza.Error):
		return xtok.Elem{}, stanza.ReadError(e)
	}
	return e.First(), nil
}

// Close ends the visit.
func (v *Visit) Close() { v.n.t.Close() }
