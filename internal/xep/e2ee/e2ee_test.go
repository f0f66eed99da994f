package e2ee

import (
	"strings"
	"testing"

	"mirsal/internal/core/coretest"
)

const (
	body  = "<body>hi</body>"
	toBob = "to='bob@example.org'"
)

var cases = []struct {
	name, attrs, content string
	refused              bool
}{
	{"chat with a text", toBob + " type='chat'", body, true},
	{"normal with a text", toBob, body, true},
	{"to a full address", "to='bob@example.org/b' type='chat'", body, true},
	{"to one who does not exist", "to='nobody@example.org' type='chat'", body, true},
	{"a quotation before a reply", toBob + " type='chat'", body + "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='1'/></fallback>", true},
	{"fallback of a subject", toBob + " type='chat'", body + "<fallback xmlns='urn:xmpp:fallback:0'><subject/></fallback>", true},
	{"said to be encrypted", toBob + " type='chat'", body + "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>", true},
	{"encrypted deeper down", toBob + " type='chat'", body + "<x xmlns='urn:x'><encrypted xmlns='urn:xmpp:omemo:2'/></x>", true},

	{"OMEMO, deployed", toBob + " type='chat'", body + "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", false},
	{"OMEMO 2", toBob + " type='chat'", body + "<encrypted xmlns='urn:xmpp:omemo:2'/>", false},
	{"OpenPGP", toBob + " type='chat'", body + "<openpgp xmlns='urn:xmpp:openpgp:0'/>", false},
	{"old OpenPGP", toBob + " type='chat'", body + "<x xmlns='jabber:x:encrypted'/>", false},
	{"no text", toBob + " type='chat'", "<active xmlns='http://jabber.org/protocol/chatstates'/>", false},
	{"an empty text", toBob + " type='chat'", "<body/>", false},
	{"a fallback", toBob + " type='chat'", body + "<fallback xmlns='urn:xmpp:fallback:0'/>", false},
	{"a fallback of the body", toBob + " type='chat'", body + "<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'><body/></fallback>", false},
	{"a direct invitation", toBob, body + "<x xmlns='jabber:x:conference' jid='room@example.org'/>", false},
	{"an error", toBob + " type='error'", body, false},
	{"a headline", toBob + " type='headline'", body, false},
	{"to oneself", "to='alice@example.org' type='chat'", body, false},
	{"to nobody in particular", "type='chat'", body, false},
	{"to the server", "to='example.org' type='chat'", body, false},
}

func TestReadableTextsBetweenAccountsAreSentBackWithTheRemedy(t *testing.T) {
	for _, c := range cases {
		if got := send(t, Required, c.attrs, c.content); got.refused != c.refused {
			t.Errorf("%s: refused %v", c.name, got.refused)
		} else if c.refused && (!strings.Contains(got.alice, "type='modify'") || !strings.Contains(got.alice, "OMEMO") || got.bob != "") {
			t.Errorf("%s: alice was told %s, bob got %s", c.name, got.alice, got.bob)
		}
	}
}

func TestOptionalRefusesNothing(t *testing.T) {
	for _, c := range cases {
		if got := send(t, Optional, c.attrs, c.content); got.refused {
			t.Errorf("%s was refused", c.name)
		}
	}
}

type outcome struct {
	refused    bool
	alice, bob string
}

func send(t *testing.T, m Mode, attrs, content string) (o outcome) {
	t.Helper()
	coretest.Run(t, func(w *coretest.World) {
		w.Absent = []string{"nobody"}
		Register(w.Host, w.Router, m)
	}, func(w *coretest.World) {
		alice, bob := w.Login("alice@example.org/a"), w.Login("bob@example.org/b")
		alice.Send("<message id='1' " + attrs + ">" + content + "</message>")
		o.alice, o.bob = alice.Got(), bob.Got()
		o.refused = strings.Contains(o.alice, "<policy-violation")
	})
	return o
}
