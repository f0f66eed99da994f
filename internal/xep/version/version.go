// Package version tells which software this is, XEP-0092 version 1.1. It does
// not tell the operating system.
package version

import (
	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const ns = "jabber:iq:version"

// Register attaches the feature.
func Register(h *core.Host, name, version string) {
	answer := []byte("<query xmlns='" + ns + "'><name>")
	answer = append(xtok.Escape(answer, name), "</name><version>"...)
	answer = append(xtok.Escape(answer, version), "</version></query>"...)
	h.IQ(core.Server, ns, "query", func(q *core.Query) ([]byte, error) {
		if q.Set() {
			return nil, stanza.Errorf(stanza.NotAllowed, "")
		}
		return answer, nil
	})
	h.Disco(core.Server, ns)
}
