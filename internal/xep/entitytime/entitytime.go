// Package entitytime tells the server's time, XEP-0202 version 2.0.
package entitytime

import (
	"time"

	"mirsal/internal/core"
	"mirsal/internal/xmpp/stanza"
)

const ns = "urn:xmpp:time"

// Register attaches the feature. The server says its time in UTC and keeps its
// zone to itself.
func Register(h *core.Host) {
	h.IQ(core.Server, ns, "time", func(q *core.Query) ([]byte, error) {
		if q.Set() {
			return nil, stanza.Errorf(stanza.NotAllowed, "")
		}
		// XEP-0082 §3.2
		utc := time.Now().UTC().Format("2006-01-02T15:04:05Z")
		return []byte("<time xmlns='" + ns + "'><tzo>+00:00</tzo><utc>" + utc + "</utc></time>"), nil
	})
	h.Disco(core.Server, ns)
}
