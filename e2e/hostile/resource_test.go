package hostile

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks by amounts: of stanzas, of what an account keeps, of sessions.
func TestAmounts(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.write=10s", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "carol", "sloth")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	v.all(t, attacks{
		{"58 messages as fast as can be", testMessageFlood},
		{"59 a roster of ten thousand", testLargeRoster},
		{"59 names and groups", testLargeItems},
		{"59 thousands of requests", testManyRequests},
		{"59 a thousand sessions", testManySessions},
		{"59 thousands of messages for one who is away", testManyMissed},
		{"62 coming and going", testChurn},
	})
}

// testMessageFlood writes to somebody as fast as the server takes it, while the
// innocent pair is looked after five times.
func testMessageFlood(t *testing.T, v *victim) {
	reader, mallory := v.available(t, "carol"), v.connect(t, "mallory")
	v.bounded(t, 160<<20, storeCache, func() {
		stop, ended := make(chan struct{}), make(chan int, 1)
		go func() {
			for n := 0; ; n += 100 {
				select {
				case <-stop:
					ended <- n
					return
				default:
				}
				if mallory.Send(strings.Repeat("<message type='chat' to='"+reader.JID+"'><body>flood</body></message>", 100)) != nil {
					ended <- n
					return
				}
			}
		}()
		go func() { // who is flooded reads; who does not is tested elsewhere
			for {
				if _, err := reader.Next(v.ctx); err != nil {
					return
				}
			}
		}()
		for range 5 {
			v.undisturbed(t)
		}
		close(stop)
		if n := <-ended; n < 100 {
			t.Errorf("the flood was of %d messages", n)
		}
	})
}

// pipelined sends many requests without waiting for answers, and counts these by
// their error, "" for none.
func pipelined(t *testing.T, c *xmppclient.Conn, many int, request func(i int) string) map[string]int {
	t.Helper()
	go func() {
		for i := range many {
			if c.Send("<iq type='set' id='p"+strconv.Itoa(i)+"'>"+request(i)+"</iq>") != nil {
				return
			}
		}
	}()
	answers := map[string]int{}
	for range many {
		n := next(t, c)
		for n.Name.Local != "iq" || !strings.HasPrefix(n.Attr("id"), "p") || n.Attr("type") == "set" {
			n = next(t, c)
		}
		answers[refusal(n)]++
	}
	return answers
}

func rosterItem(jid, inside string) string {
	return "<query xmlns='jabber:iq:roster'><item jid='" + jid + "'" + inside + "</item></query>"
}

func testLargeRoster(t *testing.T, v *victim) {
	const most = 10_000
	mallory := v.connect(t, "mallory")
	v.bounded(t, 160<<20, storeCache+24<<20, func() {
		got := pipelined(t, mallory, most+100, func(i int) string {
			return rosterItem(fmt.Sprintf("contact%d@elsewhere.example", i), "><group>x</group>")
		})
		if got[""] != most || got["resource-constraint"] != 100 {
			t.Errorf("the answers: %v", got)
		}
	})
	roster := ask(t, mallory, "get", "", "<query xmlns='jabber:iq:roster'/>")
	if n := len(roster.Child("jabber:iq:roster", "query").Children); n != most {
		t.Errorf("the roster has %d items", n)
	}
	// it goes out and comes in with presence all the same
	say(t, mallory, "<presence/>")
	passed(t, mallory, mallory)
}

func testLargeItems(t *testing.T, v *victim) {
	witness := v.connect(t, "witness")
	for inside, want := range map[string]string{
		" name='" + strings.Repeat("n", 1023) + "'>":                                  "",
		" name='" + strings.Repeat("n", 1024) + "'>":                                  "not-acceptable",
		"><group>" + strings.Repeat("g", 1024) + "</group>":                           "not-acceptable",
		">" + numbered(1000, "<group>%d</group>"):                                     "not-acceptable",
		">" + numbered(40, "<group>%d</group>"):                                       "",
		" name='" + strings.Repeat("é", 100) + "'><x xmlns='urn:x'/><group>x</group>": "",
	} {
		if got := refusal(ask(t, witness, "set", "", rosterItem("x@elsewhere.example", inside))); got != want {
			t.Errorf("%.60q…: want %q, got %q", inside, want, got)
		}
	}
	c := v.connect(t, "witness")
	write(c.Net(), "<iq type='set' id='r'>"+rosterItem("x@elsewhere.example", " name='"+strings.Repeat("n", 1<<20)+"'>")+"</iq>")
	refused(t, "a name of 1 MiB", c.Net(), policy)
}

// testManyRequests asks five thousand addresses, those of the server too, for their
// presence, with as much to say as may be.
func testManyRequests(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	v.bounded(t, 96<<20, storeCache, func() {
		for i := range 5000 {
			host := mirsal.Domain
			if i%2 == 0 {
				host = "elsewhere.example"
			}
			say(t, carol, fmt.Sprintf("<presence type='subscribe' to='nobody%d@%s'><status>%s</status></presence>", i, host, strings.Repeat("s", 4000)))
		}
		passed(t, carol, carol)
	})
	again := v.connect(t, "carol")
	say(t, again, "<presence/>")
	passed(t, again, again)
}

func testManySessions(t *testing.T, v *victim) {
	v.bounded(t, 96<<20, storeCache, func() {
		bound, refused := 0, 0
		for range 300 {
			c := v.loggedIn(t, "sloth")
			if err := c.Bind(t.Context(), ""); err == nil {
				bound++
			} else if strings.Contains(err.Error(), "resource-constraint") {
				refused++
				c.Kill()
			} else {
				t.Fatal(err)
			}
		}
		if bound != 30 || refused != 270 {
			t.Errorf("%d sessions, %d refused", bound, refused)
		}
	})
}

// testManyMissed fills what waits for one who is away: he gets all of it, in order,
// and the server holds it on disk.
func testManyMissed(t *testing.T, v *victim) {
	const many = 5000
	mallory := v.connect(t, "mallory")
	v.bounded(t, 96<<20, storeCache, func() {
		for i := range many {
			say(t, mallory, fmt.Sprintf("<message type='chat' to='%s'><body>%d %s</body></message>", bare("sloth"), i, strings.Repeat("x", 1000)))
		}
		ask(t, mallory, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
		sloth := v.connect(t, "sloth")
		say(t, sloth, "<presence/>")
		for i := 0; i < many; {
			n := next(t, sloth)
			body := child("body")(n)
			if n.Name.Local != "message" || body == "" {
				continue
			}
			if !strings.HasPrefix(body, strconv.Itoa(i)+" ") {
				t.Fatalf("at place %d comes %.40q", i, body)
			}
			i++
		}
	})
}

// testChurn comes, joins in, and goes, in every way: afterwards the process has as
// many goroutines and files as before.
func testChurn(t *testing.T, v *victim) {
	round := func(n int) {
		for i := range n {
			c := v.connect(t, "witness")
			say(t, c, "<presence/><iq type='set' id='x'><enable xmlns='urn:xmpp:carbons:2'/></iq><iq type='get' id='y'><query xmlns='jabber:iq:roster'/></iq>"+
				"<iq type='set' id='z'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:example:churn'><item id='"+strconv.Itoa(i%5)+"'><x xmlns='urn:x'/></item></publish></pubsub></iq>")
			say(t, c, "<message type='chat' to='"+bare("carol")+"'><body>churn</body></message><presence type='unavailable'/>")
			ask(t, c, "set", "", "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>2</max></set></query>")
			switch i % 3 {
			case 0:
				c.Kill()
			case 1:
				if err := c.Close(v.ctx); err != nil {
					t.Fatal(err)
				}
			case 2: // half a stanza, and gone
				write(c.Net(), "<message to='")
				c.Kill()
			}
		}
	}
	numbers := func(name string) float64 {
		n, err := v.Metric(v.ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	round(60)
	names := []string{"go_goroutines", "process_open_fds", "mirsal_sessions"}
	before := map[string]float64{}
	for _, name := range names {
		before[name] = numbers(name)
	}
	v.bounded(t, 64<<20, storeCache, func() { round(600) })
	for _, name := range names {
		within(t, fmt.Sprintf("%s to be %v again, or nearly", name, before[name]), func() bool { return numbers(name) <= before[name]+3 })
	}
}
