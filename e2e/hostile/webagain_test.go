package hostile

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// overHTTP are the arguments of a server that serves streams over HTTP.
var overHTTP = []string{"--http", "127.0.0.1:0", "--http-plain", "127.0.0.1:0"}

// TestAgainOverHTTP makes the attacks on streams, sign-in and resumption over
// WebSocket and BOSH. What is about the first bytes of a connection stays with TCP.
func TestAgainOverHTTP(t *testing.T) {
	for _, via := range []transport{webSocket, bosh} {
		t.Run(string(via), func(t *testing.T) {
			t.Run("streams", func(t *testing.T) {
				v := attackWeb(t)
				v.Accounts(password, "sloth")
				v.via = via
				v.all(t, except(streamAttacks(), "03 a header", "04", "09", "13", "14"))
				slow := testSlowReaderWeb
				if via == webSocket {
					slow = testSlowReader
				}
				v.all(t, attacks{{"09 elements out of place", testOutOfPlaceWeb}, {"14 a reader that takes nothing", slow}})
			})
			t.Run("sign-in", func(t *testing.T) {
				v := attackSignIn(t, overHTTP...)
				v.via = via
				v.pair = v.chat(t)
				list := signInAttacks()
				if via == bosh { // which has no channel to bind to, and so nothing to take out
					list = except(list, "16 a list")
				}
				v.all(t, list)
			})
			t.Run("guesses", func(t *testing.T) {
				v := flooded(t, overHTTP...)
				v.pair = v.chat(t)
				v.via = via
				v.all(t, attacks{{"21 guesses at a password", testGuessingFlood}})
			})
			t.Run("resumption", func(t *testing.T) {
				v := attackSignIn(t, overHTTP...)
				v.Accounts(password, "witness")
				v.via = via
				v.pair = v.chat(t)
				v.all(t, except(resumptionAttacks(), "20 a thousand"))
			})
		})
	}
}

// except are attacks without those whose names begin so.
func except(list attacks, names ...string) (left attacks) {
	for _, a := range list {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(a.name, n) }) {
			left = append(left, a)
		}
	}
	return left
}

// throughHTTP sends something in a frame or a body of its own, as a stranger and as
// somebody who is logged in: the stream must end. What has no end in itself is no
// element, so that not-well-formed is right, too.
func (v *victim) throughHTTP(t *testing.T, text string, conditions []string) {
	t.Helper()
	text = strings.Replace(text, "<message", "<message xmlns='"+xmppclient.NSClient+"'", 1)
	in := v.connect(t, "mallory")
	defer in.Kill()
	if in.Raw(text) != nil {
		return // refused before all was sent
	}
	got := ending(t, in.Net())
	if c := streamError(got); c != "not-well-formed" && !slices.Contains(conditions, c) && !strings.HasPrefix(got, "<terminated condition=") && got != "" {
		t.Errorf("logged in, %.80q: want %s, got %.300q", text, conditions, got)
	}
	if v.via == webSocket {
		v.refusedFrame(t, text)
	} else {
		v.refusedBody(t, text)
	}
}

// leave ends a connection: a session of BOSH would stay for a while.
func (v *victim) leave(c *xmppclient.Conn) {
	if v.via == bosh {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}
	c.Kill()
}

// testOutOfPlaceWeb sends what is not its turn yet, or any more.
func testOutOfPlaceWeb(t *testing.T, v *victim) {
	witness := v.available(t, "witness")
	for _, early := range []string{
		"<message to='" + witness.JID + "'><body>early</body></message>", "<presence/>",
		"<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
		"<enable xmlns='urn:xmpp:sm:3'/>", "<r xmlns='urn:xmpp:sm:3'/>",
	} {
		c := v.secured(t)
		say(t, c, early)
		if got := ending(t, c.Net()); streamError(got) != notAllowed {
			t.Errorf("%s: %s", early, got)
		}
	}
	late := v.connect(t, "mallory")
	say(t, late, "</stream:stream>")
	_ = late.Send("<message to='" + witness.JID + "'><body>late</body></message>")
	ending(t, late.Net())
	v.witnessed(t, witness)
}

// testSlowReaderWeb lets an account's stream over BOSH lie, with nobody asking for
// what it is sent, while much arrives: memory is bounded, and the archive has all.
func testSlowReaderWeb(t *testing.T, v *victim) {
	sloth := v.available(t, "sloth")
	sloth.Kill() // nobody polls any more
	mallory := v.connect(t, "mallory")
	body := strings.Repeat("x", 60<<10)
	v.bounded(t, 96<<20, storeCache, func() {
		for range 200 {
			say(t, mallory, "<message to='"+bare("sloth")+"' type='chat'><body>"+body+"</body></message>")
		}
		say(t, mallory, "<message to='"+bare("sloth")+"' type='chat'><body>the last</body></message>")
		ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	})
	again := v.connect(t, "sloth")
	within(t, "the archive to have the last message", func() bool { return lastArchived(t, again) == "the last" })
}
