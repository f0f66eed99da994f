package core_test

import (
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
)

// RFC 6121 §8.5.2.2.1: a text that nobody gets, now or later, is not passed
// over in silence.
func TestATextThatReachesNobodyComesBack(t *testing.T) {
	for content, back := range map[string]bool{
		"<body>x</body>": true,
		"<encrypted xmlns='eu.siacs.conversations.axolotl'><payload/></encrypted>": true,
		"<active xmlns='http://jabber.org/protocol/chatstates'/>":                  false,
		"<received xmlns='urn:xmpp:receipts' id='1'/>":                             false,
	} {
		coretest.Run(t, nil, func(w *coretest.World) { // nothing is kept
			alice := w.Login("alice@example.org/a")
			alice.Send("<message to='bob@example.org' type='chat' id='1'>" + content + "</message>")
			if got := strings.Contains(alice.Got(), "<service-unavailable"); got != back {
				t.Errorf("%s: error %v", content, got)
			}
		})
		coretest.Run(t, keepBoth, func(w *coretest.World) {
			alice := w.Login("alice@example.org/a")
			alice.Send("<message to='bob@example.org' type='chat' id='1'>" + content + "</message>")
			if got := alice.Got(); got != "" {
				t.Errorf("%s is kept, and came back: %s", content, got)
			}
		})
	}
}
