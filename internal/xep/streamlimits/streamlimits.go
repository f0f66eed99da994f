// Package streamlimits tells clients how large an element they may send: Stream
// Limits Advertisement, XEP-0478 version 0.2.0.
//
// It enforces nothing: the stream's scanner does, with the same numbers. No
// idle time is told, because a session is not ended for being silent.
package streamlimits

import (
	"strconv"

	"mirsal/internal/core"
)

const ns = "urn:xmpp:stream-limits:0"

// Register attaches the feature. before and after are the sizes in bytes that
// hold before and after authentication.
func Register(h *core.Host, before, after int) {
	early, late := element(before), element(after)
	h.Stream(core.StreamFeature{Offer: func(st core.Stream) []byte {
		if st.Account().IsZero() {
			return early
		}
		return late
	}})
}

// XEP-0478 §3.1
func element(size int) []byte {
	return []byte("<limits xmlns='" + ns + "'><max-bytes>" + strconv.Itoa(size) + "</max-bytes></limits>")
}
