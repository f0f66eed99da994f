package sid

import (
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
)

func TestNobodySpeaksInTheServersName(t *testing.T) {
	for child, kept := range map[string]bool{
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='bob@example.org'/>":                              false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='alice@example.org'/>":                            false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='BOB@EXAMPLE.org'/>":                              false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='example.org'/>":                                  false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='bob@example.org/x'/>":                            false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='bob&#64;example.org'/>":                          false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by=' bob@example.org'/>":                             false,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged'/>":                                                   false,
		"<s:stanza-id xmlns:s='urn:xmpp:sid:0' id='forged' by='bob@example.org'/>":                          false,
		"<delay xmlns='urn:xmpp:delay' from='example.org' stamp='1970-01-01T00:00:00Z'/>":                   false,
		"<delay xmlns='urn:xmpp:delay' from='bob@example.org' stamp='1970-01-01T00:00:00Z'/>":               false,
		"<x xmlns='jabber:x:delay' from='example.org' stamp='19700101T00:00:00'/>":                          false,
		"<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>":           false,
		"<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent>":                   false,
		"<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'/></result>":            false,
		"<private xmlns='urn:xmpp:carbons:2'/>":                                                             true,
		"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded>":                true,
		"<stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='room@elsewhere.example'/>":                       true,
		"<origin-id xmlns='urn:xmpp:sid:0' id='forged'/>":                                                   true,
		"<delay xmlns='urn:xmpp:delay' stamp='1970-01-01T00:00:00Z'/>":                                      true,
		"<delay xmlns='urn:xmpp:delay' from='elsewhere.example' stamp='1970-01-01T00:00:00Z'/>":             true,
		"<y xmlns='urn:y'><stanza-id xmlns='urn:xmpp:sid:0' id='in a quotation' by='bob@example.org'/></y>": true,
	} {
		coretest.Run(t, func(w *coretest.World) { Register(w.Host, w.Router) }, func(w *coretest.World) {
			alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
			alice.Send("<message to='bob@example.org' type='chat'><body>one</body>" + child + child + "<body>two</body></message>")
			got := bob.Got()
			if strings.Contains(got, child) != kept || !strings.Contains(got, "<body>one</body>") || !strings.Contains(got, "<body>two</body></message>") {
				t.Errorf("%s: bob got %s", child, got)
			}
		})
	}
}

func TestSeveralForgeriesAreCutFromBetweenWhatStays(t *testing.T) {
	coretest.Run(t, func(w *coretest.World) { Register(w.Host, w.Router) }, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send("<message to='bob@example.org' type='chat'><sent xmlns='urn:xmpp:carbons:2'/><a xmlns='u'/><stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='1'/>" +
			"<delay xmlns='urn:xmpp:delay' from='example.org'/><b xmlns='u'/><result xmlns='urn:xmpp:mam:2'/></message>")
		if got := bob.Got(); !strings.Contains(got, "type='chat'><a xmlns='u'/><b xmlns='u'/></message>") {
			t.Errorf("bob got %s", got)
		}
	})
}
