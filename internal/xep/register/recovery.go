package register

import (
	"crypto/rand"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is for passwords that are a way back and shut nobody out (docs/protocol/recovery.md).

func newID() string { return rand.Text()[:12] }

// alert tells all other devices of a recovery code: at once those that are connected, and by
// a message that is kept those that are away. Whoever has the code can sign in.
func (f *Feature) alert(by *core.Session) {
	bare := by.JID.Bare()
	b := append(xtok.AppendAttr([]byte("<made xmlns='"+nsRecovery+"' id='"+newID()+"'"), "by", by.JID.Resource()), "/>"...)
	for _, s := range f.cfg.Router.Directory().Sessions(bare) {
		if s != by {
			s.PushStanza(stanza.New(stanza.Head{Kind: stanza.Message, Type: stanza.Headline, ID: newID(), From: bare, To: s.JID}, b))
		}
	}
	text := "A recovery code for your account was made on the device “" + by.JID.Resource() +
		"”, and takes the place of any former code or password. If that was not you, remove that device, and make a new code."
	m := append(xtok.Escape([]byte("<body>"), text), "</body>"...)
	m = append(append(append(m, b...), "<origin-id xmlns='urn:xmpp:sid:0' id='"...), newID()+"'/>"...)
	if err := f.cfg.Router.Post(stanza.Head{Type: stanza.Normal, ID: newID(), From: f.cfg.Router.Domain, To: bare}, m); err != nil {
		f.cfg.Log.Warn("the message about a recovery code goes nowhere", "jid", bare.String(), "err", err)
	}
}
