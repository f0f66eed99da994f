package hostile

import (
	"fmt"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks by one account on another, by what stanzas say and where they go.
func TestRoutingAttacks(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.write=10s", "--set", "limits.sessions=30", "--set", "limits.enabled=true",
	}})
	names := []string{"alice", "bob", "mallory", "witness", "friend", "carol"}
	s.Accounts(password, append(names, crowd(300)...)...)
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	v.befriend(t, "witness", "friend")
	v.all(t, attacks{
		{"22 roster pushes", testForgedRosterPush},
		{"23 copies that nobody made", testForgedCopies},
		{"24 results of an archive, and ids in its name", testForgedResults},
		{"25 events in another's name", testForgedEvents},
		{"26 changes to somebody else's message", testOthersMessages},
		{"27 delays, many addresses, messages in messages", testForgedDelays},
		{"28 answers that nobody asked for", testForgedAnswers},
		{"28 what is for subscribers only", testClosedData},
		{"29 who is there", testWhoIsThere},
		{"29 who has blocked one", testBlockedSeesNothing},
		{"30 capabilities", testPoisonedCapabilities},
		{"31 errors, loops, headlines", testErrorsGoNowhere},
		{"31 nobody to deliver to", testNobodyThere},
		{"42 questions to the archive", testArchiveQueries},
		{"42 a thousand questions at once", testManyQueries},
		{"43 what is not to be kept", testNotKept},
		{"43 a name that was taken again", testTakenName},
		{"47 links in messages", testLinks},
		{"55 a crowd of strangers", testCrowd},
	})
}

// crowd are names of accounts.
func crowd(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("crowd%d", i))
	}
	return names
}

func bare(name string) string { return name + "@" + mirsal.Domain }

// say sends, and fails the test when that cannot be.
func say(t *testing.T, c *xmppclient.Conn, text string) {
	t.Helper()
	if err := c.Send(text); err != nil {
		t.Fatal(err)
	}
}

// upTo reads up to an iq of an id, which it returns with what came before it.
func upTo(t *testing.T, c *xmppclient.Conn, id string) (before []*xmppclient.Node, iq *xmppclient.Node) {
	t.Helper()
	for {
		n := next(t, c)
		if n.Name.Local == "iq" && n.Attr("id") == id {
			return before, n
		}
		before = append(before, n)
	}
}

// ask sends a request and returns its answer; what comes before it is dropped.
func ask(t *testing.T, c *xmppclient.Conn, kind, to, payload string) *xmppclient.Node {
	t.Helper()
	if to != "" {
		to = " to='" + to + "'"
	}
	say(t, c, "<iq type='"+kind+"' id='ask'"+to+">"+payload+"</iq>")
	_, n := upTo(t, c, "ask")
	return n
}

// passed has everything that the sender sent so far handled, and returns what it
// made arrive at the receiver: nothing may overtake it.
func passed(t *testing.T, sender, receiver *xmppclient.Conn) []*xmppclient.Node {
	t.Helper()
	say(t, sender, "<iq type='get' id='handled' to='"+mirsal.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	own, _ := upTo(t, sender, "handled")
	say(t, sender, "<iq type='get' id='passed' to='"+receiver.JID+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	came, _ := upTo(t, receiver, "passed")
	if sender == receiver {
		return append(own, came...)
	}
	return came
}

// refusal is the condition of an error, "" where n is none.
func refusal(n *xmppclient.Node) string {
	e := n.Child(xmppclient.NSClient, "error")
	if e == nil {
		return ""
	}
	for _, c := range e.Children {
		if c.Name.Space == "urn:ietf:params:xml:ns:xmpp-stanzas" && c.Name.Local != "text" {
			return c.Name.Local
		}
	}
	return "no condition"
}

// befriend subscribes two to each other's presence.
func (v *victim) befriend(t *testing.T, a, b string) {
	t.Helper()
	one, two := v.connect(t, a), v.connect(t, b)
	defer one.Kill()
	defer two.Kill()
	for _, p := range []struct {
		from *xmppclient.Conn
		text string
	}{
		{one, "<presence type='subscribe' to='" + bare(b) + "'/>"}, {two, "<presence type='subscribed' to='" + bare(a) + "'/>"},
		{two, "<presence type='subscribe' to='" + bare(a) + "'/>"}, {one, "<presence type='subscribed' to='" + bare(b) + "'/>"},
	} {
		say(t, p.from, p.text)
		ask(t, p.from, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	}
	if got := ask(t, one, "get", "", "<query xmlns='jabber:iq:roster'/>").String(); !strings.Contains(got, "subscription='both'") {
		t.Fatalf("not subscribed to each other: %s", got)
	}
}
