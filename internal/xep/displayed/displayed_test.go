package displayed

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xep/sid"
	"mirsal/internal/xmpp/jid"
)

const (
	element = "<displayed xmlns='" + Node + "'><stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='7'/></displayed>"
	marker  = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>"
)

// run makes a world in which published items are collected as "OWNER CHAT PAYLOAD".
func run(t *testing.T, fails error, f func(alice, bob *coretest.Client, kept *[]string)) {
	t.Helper()
	var kept []string
	publish := func(_ context.Context, owner jid.JID, id string, payload []byte) error {
		kept = append(kept, owner.String()+" "+id+" "+string(payload))
		return fails
	}
	coretest.Run(t, func(w *coretest.World) {
		sid.Register(w.Host, w.Router)
		New(publish, slog.New(slog.DiscardHandler)).Register(w.Host)
		w.Host.Keep = append(w.Host.Keep, func(t *core.Transit) { t.Keep(core.Owner{JID: t.Head.From.Bare()}) })
	}, func(w *coretest.World) { f(w.Login("alice@example.org/a"), w.Login("bob@example.org/b"), &kept) })
}

func TestWhatIsForOwnDevicesIsPublishedAndReachesNobodyElse(t *testing.T) {
	run(t, nil, func(alice, bob *coretest.Client, kept *[]string) {
		alice.Send("<message to='bob@example.org' type='chat'>" + marker + element + "</message>")
		got := bob.Got()
		if !strings.Contains(got, marker) || strings.Contains(got, "mds:displayed") || strings.Contains(got, "id='7'") {
			t.Error(got)
		}
		if len(*kept) != 1 || (*kept)[0] != "alice@example.org bob@example.org "+element {
			t.Errorf("%q", *kept)
		}
	})
}

func TestWhateverElseIsTakenOutOfTheMessage(t *testing.T) {
	forged := "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.org' id='9'/>"
	for _, children := range []string{
		forged + element + marker, element + forged + marker, element + marker + forged, element + forged + element + marker + forged + element,
	} {
		run(t, nil, func(alice, bob *coretest.Client, _ *[]string) {
			alice.Send("<message to='bob@example.org' type='chat'>" + children + "</message>")
			if got := bob.Got(); !strings.Contains(got, marker) || strings.Contains(got, "mds:displayed") || strings.Contains(got, "id='9'") {
				t.Errorf("%s: %s", children, got)
			}
		})
	}
}

func TestOnlyAMessageToSomebodyIsNoted(t *testing.T) {
	run(t, nil, func(alice, bob *coretest.Client, kept *[]string) {
		alice.Send("<message type='chat'>" + element + "</message>")
		alice.Send("<message to='bob@example.org/b' type='error'>" + element + "</message>")
		alice.Send("<message to='bob@example.org' type='chat'>" + marker + "</message>")
		if len(*kept) != 0 {
			t.Errorf("%q", *kept)
		}
		if strings.Contains(bob.Got(), "mds:displayed") {
			t.Error("bob hears what alice has read")
		}
	})
}

func TestAMessageArrivesAlsoWhenItsNoteCannotBeKept(t *testing.T) {
	run(t, errors.New("the disk is full"), func(alice, bob *coretest.Client, _ *[]string) {
		alice.Send("<message to='bob@example.org' type='chat'>" + marker + element + "</message>")
		if got := bob.Got(); !strings.Contains(got, marker) || strings.Contains(got, "mds:displayed") {
			t.Error(got)
		}
	})
}
