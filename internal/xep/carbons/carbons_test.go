package carbons

import (
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// world has alice with a phone and a tablet, bob with a phone, a tablet and an
// old client; all but the old one have turned copies on.
type world struct {
	*coretest.World
	phone, tablet            *coretest.Client
	bobPhone, bobTablet, old *coretest.Client
}

func run(t *testing.T, f func(w *world)) {
	t.Helper()
	coretest.Run(t, func(w *coretest.World) {
		Register(w.Host, w.Router)
		w.Host.Keep = append(w.Host.Keep, func(t *core.Transit) {
			t.Keep(core.Owner{JID: t.Head.From.Bare(), Peer: t.Head.To.Bare()})
			t.Keep(core.Owner{JID: t.Head.To.Bare(), Peer: t.Head.From.Bare()})
		})
	}, func(cw *coretest.World) {
		w := &world{World: cw}
		w.phone, w.tablet = w.on("alice@example.org/phone"), w.on("alice@example.org/tablet")
		w.bobPhone, w.bobTablet = w.on("bob@example.org/phone"), w.on("bob@example.org/tablet")
		w.old = w.Login("bob@example.org/old")
		f(w)
	})
}

func (w *world) on(full string) *coretest.Client {
	c := w.Login(full)
	c.Send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
	if got := c.Got(); !strings.Contains(got, "type='result'") {
		w.T.Fatalf("enabling answered %s", got)
	}
	return c
}

// has names what a client got: "" nothing, "itself", "sent" or "received".
func has(c *coretest.Client) string {
	got := c.Got()
	switch {
	case got == "":
		return ""
	case strings.Count(got, "<body>") > 1:
		return "more than once: " + got
	case strings.Contains(got, "<sent "):
		return "sent"
	case strings.Contains(got, "<received "):
		return "received"
	}
	return "itself"
}

func (w *world) want(name string, tablet, bobPhone, bobTablet, old string) {
	w.T.Helper()
	for c, want := range map[*coretest.Client]string{w.tablet: tablet, w.bobPhone: bobPhone, w.bobTablet: bobTablet, w.old: old} {
		if got := has(c); got != want {
			w.T.Errorf("%s: %s got %q, want %q", name, c.Session.JID, got, want)
		}
	}
	if got := has(w.phone); got != "" {
		w.T.Errorf("%s: the sender got %q", name, got)
	}
}

func TestEverybodySeesAMessageOnce(t *testing.T) {
	run(t, func(w *world) {
		w.phone.Send("<message to='bob@example.org' type='chat'><body>1</body></message>")
		w.want("to the account", "sent", "itself", "itself", "itself")
		w.phone.Send("<message to='bob@example.org/phone' type='chat'><body>1</body></message>")
		w.want("to one device", "sent", "itself", "received", "")
		w.phone.Send("<message to='bob@example.org/old' type='chat'><body>1</body></message>")
		w.want("to a device without copies", "sent", "received", "received", "itself")
		w.phone.Send("<message to='bob@example.org/gone' type='chat'><body>1</body></message>")
		w.want("to a device that is gone", "sent", "itself", "itself", "itself")
	})
}

func TestMessagesToOneselfComeOnce(t *testing.T) {
	run(t, func(w *world) {
		w.phone.Send("<message to='alice@example.org/tablet' type='chat'><body>1</body></message>")
		w.want("to one's other device", "itself", "", "", "")
		third := w.on("alice@example.org/third")
		w.phone.Send("<message to='alice@example.org/tablet' type='chat'><body>1</body></message>")
		if got := has(third); got != "sent" {
			t.Errorf("the third device got %q", got)
		}
	})
}

func TestOnlyWhatIsForPeopleIsCopied(t *testing.T) {
	for _, c := range []struct {
		kind, content string
		copied        bool
	}{
		{"chat", "<body>1</body>", true},
		{"chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", true},
		{"chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", true},
		{"normal", "<body>1</body>", true},
		{"normal", "<received xmlns='urn:xmpp:receipts' id='1'/>", true},
		{"normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true},
		{"normal", "<x xmlns='jabber:x:conference' jid='room@example.org'/>", true},
		{"normal", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", false},
		{"headline", "<body>1</body>", false},
		{"error", "<body>1</body>", false},
		{"groupchat", "<body>1</body>", false},
		{"chat", "<body>1</body><private xmlns='urn:xmpp:carbons:2'/>", false},
		{"chat", "<body>1</body><no-copy xmlns='urn:xmpp:hints'/>", false},
	} {
		run(t, func(w *world) {
			w.phone.Send("<message to='bob@example.org/phone' type='" + c.kind + "'>" + c.content + "</message>")
			if got := w.bobPhone.Got(); !strings.Contains(got, c.content) {
				t.Errorf("%s %s: bob's phone got %s", c.kind, c.content, got)
			}
			for _, o := range []*coretest.Client{w.tablet, w.bobTablet} {
				if got := o.Got(); (got != "") != c.copied {
					t.Errorf("%s %s: %s got %q", c.kind, c.content, o.Session.JID, got)
				}
			}
		})
	}
}

func TestWhatIsWhisperedInARoomIsCopiedByTheRoomAlone(t *testing.T) {
	const mark = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
	for content, copied := range map[string]bool{"<body>1</body>": true, "<body>1</body>" + mark: false, "<body>1</body><subject>letter</subject>" + mark: false} {
		run(t, func(w *world) {
			kind := stanza.Chat
			if strings.Contains(content, "letter") {
				kind = stanza.Normal
			}
			h := stanza.Head{Type: kind, From: jid.MustParse("tea@conference.example.org/carol"), To: w.bobPhone.Session.JID}
			if err := w.Router.Post(h, []byte(content)); err != nil {
				t.Fatal(err)
			}
			if itself, other := has(w.bobPhone), has(w.bobTablet); itself != "itself" || (other == "received") != copied {
				t.Errorf("%s: bob's phone got %q, his tablet %q", content, itself, other)
			}
		})
	}
}

func TestWhatOneSendsByWayOfASiteIsShownToThoseOfOnesDevicesThatItNames(t *testing.T) {
	run(t, func(w *world) {
		other := w.on("alice@example.org/other")
		w.Host.Site(jid.MustParse("conference.example.org")).Message = func(t *core.Transit) error {
			w.Router.EnterSent(t, []*core.Session{w.tablet.Session})
			return nil
		}
		w.phone.Send("<message to='tea@conference.example.org/carol' type='chat'><body>1</body></message>")
		if named, not := has(w.tablet), has(other); named != "sent" || not != "" {
			t.Errorf("the one that is named got %q, the other %q", named, not)
		}
	})
}

func TestACopyIsWrappedByTheOwnAccountWithItsArchiveID(t *testing.T) {
	run(t, func(w *world) {
		w.phone.Send("<message to='bob@example.org/phone' type='chat' id='i'><body>1</body></message>")
		inner := func(by string) string {
			return "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='alice@example.org/phone' to='bob@example.org/phone' id='i' type='chat'>" +
				"<body>1</body><stanza-id xmlns='urn:xmpp:sid:0' id='id1' by='" + by + "'/></message></forwarded>"
		}
		want := "<message xmlns='jabber:client' from='alice@example.org' to='alice@example.org/tablet' type='chat'>" +
			"<sent xmlns='urn:xmpp:carbons:2'>" + inner("alice@example.org") + "</sent></message>"
		if got := w.tablet.Got(); got != want {
			t.Errorf("the tablet got\n%s, want\n%s", got, want)
		}
		want = "<message xmlns='jabber:client' from='bob@example.org' to='bob@example.org/tablet' type='chat'>" +
			"<received xmlns='urn:xmpp:carbons:2'>" + inner("bob@example.org") + "</received></message>"
		if got := w.bobTablet.Got(); got != want {
			t.Errorf("bob's tablet got\n%s, want\n%s", got, want)
		}
	})
}

func TestCopiesAreTurnedOffAgain(t *testing.T) {
	run(t, func(w *world) {
		for _, name := range []string{"enable", "enable", "disable", "disable"} {
			w.bobTablet.Send("<iq type='set' id='c'><" + name + " xmlns='urn:xmpp:carbons:2'/></iq>")
			if got := w.bobTablet.Got(); !strings.Contains(got, "type='result'") {
				t.Errorf("%s answered %s", name, got)
			}
		}
		w.phone.Send("<message to='bob@example.org/phone' type='chat'><body>1</body></message>")
		w.want("turned off", "sent", "itself", "", "")
	})
}

func TestCopiesOfOthersAreNotToBeHad(t *testing.T) {
	run(t, func(w *world) {
		w.old.Send("<iq type='set' id='c' to='alice@example.org'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		if got := w.old.Got(); !strings.Contains(got, "<service-unavailable ") {
			t.Errorf("answered %s", got)
		}
		w.old.Send("<iq type='get' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		if got := w.old.Got(); !strings.Contains(got, "<bad-request") {
			t.Errorf("answered %s", got)
		}
	})
}
