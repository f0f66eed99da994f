package jingle_test

import (
	"testing"

	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/jingletest"
	"mirsal/internal/xmpp/xtok"
)

func FuzzInvite(f *testing.F) {
	seeds(f, true)
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := xtok.Parse(in, xtok.Limits{Size: 1 << 16})
		if err != nil {
			return
		}
		if v, err := jingle.ParseInvite(e); err == nil {
			written(t, v)
		}
		if v, ok, err := jingle.InviteIn(e); ok && err == nil {
			written(t, v)
		}
	})
}

func FuzzSession(f *testing.F) {
	seeds(f, false)
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := xtok.Parse(in, xtok.Limits{Size: 1 << 16})
		if err != nil {
			return
		}
		if v, err := jingle.ParseSession(e); err == nil {
			written(t, v)
		}
	})
}

func seeds(f *testing.F, invites bool) {
	for _, s := range jingletest.Exchanges(f, folder) {
		e, err := xtok.Parse(s.XML, xtok.Limits{})
		if err != nil {
			f.Fatal(err)
		}
		if p := jingletest.Payload(e); (p.NS() == jingle.NSInvite) == invites {
			f.Add(jingletest.Plain(p))
		}
	}
}
