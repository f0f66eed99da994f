package push

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/form"
)

// registerSite adds push.DOMAIN, where clients ask for Web Push: it takes no
// publishing from anybody, it is the address that they enable.
func (f *Push) registerSite(h *core.Host) {
	if f.site.IsZero() {
		return
	}
	s := h.Site(f.site)
	what := h.DiscoAt(s.Host)
	// XEP-0357#disco
	what.Identities = append(what.Identities, core.Identity{Category: "pubsub", Type: "push", Name: "Web Push"})
	h.Disco(s.Host, ns, nsWeb)
	what.Forms = append(what.Forms, func(*core.Query) []byte {
		key := form.Form{Kind: form.Result, Of: nsWeb, Fields: []form.Field{{Var: "vapid", Kind: form.TextSingle, Values: []string{f.public}}}}
		return key.Append(nil)
	})
}
