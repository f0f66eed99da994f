package csi

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/xtok"
)

func run(t *testing.T, f func(w *coretest.World, c *CSI)) {
	t.Helper()
	c := New()
	coretest.Run(t, func(w *coretest.World) { c.Register(w.Host) }, func(w *coretest.World) { f(w, c) })
}

// element fills in what stanzas of the server carry.
func element(xml string) core.Packet {
	name, rest, _ := strings.Cut(xml, " ")
	return core.Bytes([]byte(name + " xmlns='jabber:client' " + rest))
}

const (
	composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
	noStore   = "<no-store xmlns='urn:xmpp:hints'/>"
)

func available(from string, n int) string {
	return fmt.Sprintf("<presence from='%s'><status>%d</status></presence>", from, n)
}

func pep(from, node, what string) string {
	return "<message from='" + from + "' type='headline'><event xmlns='" + nsEvent + "'><items node='" + node + "'>" + what + "</items></event></message>"
}

func copyOf(inner string) string {
	return "<message from='bob@example.org'><sent xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward +
		"'><message xmlns='jabber:client' from='bob@example.org/x' to='alice@example.org' type='chat'>" + inner + "</message></forwarded></sent></message>"
}

func TestOnlyWhatTheNextOfItsKindMakesObsoleteWaits(t *testing.T) {
	for xml, waits := range map[string]bool{
		available("alice@example.org/a", 1):                                                                   true,
		"<presence from='alice@example.org/a' type='unavailable'/>":                                           true,
		"<presence from='alice@example.org' type='subscribe'/>":                                               false,
		"<presence from='alice@example.org' type='subscribed'/>":                                              false,
		"<presence from='alice@example.org' type='unsubscribe'/>":                                             false,
		"<presence from='alice@example.org' type='unsubscribed'/>":                                            false,
		"<presence from='alice@example.org' type='probe'/>":                                                   false,
		"<presence from='alice@example.org/a' type='error'/>":                                                 false,
		"<presence from='bob@example.org/b'/>":                                                                false, // the session's own
		"<presence from='room@c.example.org/n'><x xmlns='" + nsRoom + "'><item/></x></presence>":              true,
		"<presence from='room@c.example.org/n'><x xmlns='" + nsRoom + "'><status code='110'/></x></presence>": false,

		"<message from='alice@example.org/a' type='chat'>" + composing + "</message>":                                                  true,
		"<message from='alice@example.org/a' type='chat'><thread>1</thread>" + composing + noStore + "</message>":                      true,
		"<message from='alice@example.org/a' type='error'>" + composing + "</message>":                                                 false,
		"<message from='alice@example.org/a' type='chat'><body>x</body>" + composing + "</message>":                                    false,
		"<message from='alice@example.org/a' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/>" + composing + "</message>":             false,
		"<message from='alice@example.org/a' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='1'/>" + noStore + "</message>": false,
		"<message from='alice@example.org/a' type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>":                       false,
		"<message from='alice@example.org/a' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>":                false,
		"<message from='room@c.example.org/n' type='groupchat'><body>x</body></message>":                                               false,
		"<message from='room@c.example.org' type='groupchat'><subject>x</subject></message>":                                           false,
		"<message from='alice@example.org/a' type='chat'></message>":                                                                   false,

		pep("alice@example.org", "mood", "<item id='1'/>"): true,
		pep("alice@example.org", "mood", ""):               true,
		"<message from='alice@example.org'><body>x</body><event xmlns='" + nsEvent + "'><items node='n'/></event></message>": false,
		"<message from='alice@example.org'><event xmlns='" + nsEvent + "'/></message>":                                       false,

		copyOf(composing):                                      true,
		copyOf(composing + noStore):                            true,
		copyOf("<body>x</body>"):                               false,
		copyOf("<received xmlns='urn:xmpp:receipts' id='1'/>"): false,

		"<iq from='alice@example.org/a' type='get' id='1'><query xmlns='jabber:iq:version'/></iq>":              false,
		"<iq from='bob@example.org' type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>":                   false,
		"<presence from='alice@example.org/a'><status>" + strings.Repeat("x", largest) + "</status></presence>": false,
		"<message from='alice@example.org/a' type='chat'>":                                                      false, // not a stanza at all
	} {
		p := element(xml)
		s := &core.Session{JID: jid.MustParse("bob@example.org/b")}
		if got := wait(s, p) != ""; got != waits {
			t.Errorf("%.200s: waits %v, want %v", xml, got, waits)
		}
	}
}

func TestAnEventWaitsUntilTheNextOfTheSameItems(t *testing.T) {
	key := func(xml string) string {
		p := element(xml)
		return wait(&core.Session{}, p)
	}
	a := key(pep("a@example.org", "n", "<item id='1'>x</item>"))
	if a != key(pep("a@example.org", "n", "<retract id='1'/>")) {
		t.Error("a retraction does not make obsolete what it retracts")
	}
	for _, other := range []string{
		pep("a@example.org", "n", "<item id='2'/>"), pep("a@example.org", "m", "<item id='1'/>"), pep("b@example.org", "n", "<item id='1'/>"),
		pep("a@example.org", "n", "<item id='1'/><item id='2'/>"), strings.ReplaceAll(pep("a@example.org", "n", ""), "items", "purge"),
	} {
		if key(other) == a {
			t.Errorf("%s takes the place of another item's event", other)
		}
	}
}

func TestWhatWaitsGoesBeforeWhatDoesNotAndOnceSomebodyLooks(t *testing.T) {
	run(t, func(w *coretest.World, c *CSI) {
		bob := w.Login("bob@example.org/b")
		c.Set(bob.Session, false)
		push := func(xml string) { bob.Session.Push(element(xml)) }
		push(available("alice@example.org/a", 1))
		push("<message from='alice@example.org/a' type='chat'>" + composing + "</message>")
		push(available("alice@example.org/a", 2))
		push("<presence from='alice@example.org/a' type='unavailable'/>")
		if got := bob.Got(); got != "" {
			t.Errorf("an inactive session was sent %s", got)
		}
		push("<message from='carol@example.org/c'><body>now</body></message>")
		order(t, bob.Got(), "composing", "unavailable", "now")
		push(available("alice@example.org/a", 3))
		c.Set(bob.Session, true)
		bob.Session.Push(element("<iq type='result' id='pong'/>"))
		order(t, bob.Got(), "<status>3<", "pong")
		push(available("alice@example.org/a", 4))
		order(t, bob.Got(), "<status>4<")
	})
}

// order checks that parts are there, each once and in this order, and that no
// other stanza is.
func order(t *testing.T, got string, parts ...string) {
	t.Helper()
	rest := got
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Fatalf("no %q in its place in %s", p, got)
		}
		rest = after
	}
	if n := strings.Count(got, "xmlns='jabber:client'"); n != len(parts) {
		t.Errorf("%d stanzas, want %d: %s", n, len(parts), got)
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	run(t, func(w *coretest.World, c *CSI) {
		bob := w.Login("bob@example.org/b")
		c.Set(bob.Session, false)
		flushed := func(pad int) (n int) {
			for n = 1; n < 5000; n++ {
				bob.Session.Push(element(fmt.Sprintf("<presence from='alice@example.org/%d'><status>%*d</status></presence>", n, pad, n)))
				if got := bob.Got(); got != "" {
					if strings.Count(got, "<presence") != n {
						t.Errorf("after %d: %d were sent", n, strings.Count(got, "<presence"))
					}
					return n
				}
			}
			return n
		}
		if n := flushed(1); n > 300 {
			t.Errorf("%d stanzas wait", n)
		}
		if n := flushed(8 << 10); n > 9 {
			t.Errorf("%d stanzas of 8 KiB wait", n)
		}
	})
}

func TestWhoLosesTheConnectionIsOwedWhatWaitedAndResumesActive(t *testing.T) {
	run(t, func(w *coretest.World, c *CSI) {
		bob := w.Login("bob@example.org/b")
		bob.Session.EnableSM(true, func([16]byte) []byte { return nil })
		bob.Got()
		c.Set(bob.Session, false)
		bob.Session.Push(element(available("alice@example.org/a", 1)))
		bob.Abort(nil)
		bob.Session.Detach(bob)
		c.Set(bob.Session, false) // too late: nobody is there to say so
		bob.Session.Push(element(available("alice@example.org/a", 2)))
		f, ok := bob.Session.Freeze()
		if !ok || len(f.Queue) != 2 || core.Flag(f.Flags)&core.Inactive != 0 {
			t.Errorf("a graceful stop keeps %d stanzas, flags %b", len(f.Queue), f.Flags)
		}
		again := w.Connection()
		if err := bob.Session.Resume(again, 0, "", func(uint32) []byte { return []byte("<resumed xmlns='jabber:client'/>") }); err != nil {
			t.Fatal(err)
		}
		bob.Session.Push(element(available("alice@example.org/a", 3)))
		order(t, again.Got(), "<resumed ", "<status>1<", "<status>2<", "<status>3<")
	})
}

func TestWhoIsResumedElsewhereIsOwedWhatWaited(t *testing.T) {
	run(t, func(w *coretest.World, c *CSI) {
		bob := w.Login("bob@example.org/b")
		bob.Session.EnableSM(true, func([16]byte) []byte { return nil })
		bob.Got()
		c.Set(bob.Session, false)
		bob.Session.Push(element(available("alice@example.org/a", 1)))
		again := w.Connection()
		if err := bob.Session.Resume(again, 0, "", func(uint32) []byte { return []byte("<resumed xmlns='jabber:client'/>") }); err != nil {
			t.Fatal(err)
		}
		order(t, again.Got(), "<resumed ", "<status>1<")
	})
}

// model checks what one session got against what was pushed to it.
type model struct {
	sent []string // in order: "SENDER KEY N"
}

var numbered = regexp.MustCompile(`#([a-z]+ [a-z]+ \d+)#`)

func (m *model) check(t *testing.T, got string) {
	t.Helper()
	at := map[string]int{} // by sender: how far it was read
	last := map[string]string{}
	for _, s := range m.sent {
		part := strings.Fields(s)
		last[part[0]+part[1]] = s
	}
	seen := map[string]bool{}
	for _, found := range numbered.FindAllStringSubmatch(got, -1) {
		s := found[1]
		i := slices.Index(m.sent, s)
		who := strings.Fields(s)[0]
		if i < at[who] || seen[s] {
			t.Fatalf("%q comes late or twice", s)
		}
		at[who], seen[s] = i, true
	}
	for _, s := range m.sent {
		if key := strings.Fields(s); !seen[s] && (key[1] == "body" || last[key[0]+key[1]] == s) {
			t.Fatalf("%q is lost", s)
		}
	}
}

func stanzaOf(who, kind string, n int) string {
	mark := fmt.Sprintf("#%s %s %d#", who, kind, n)
	switch from := who + "@example.org/r"; kind {
	case "presence":
		return "<presence from='" + from + "'><status>" + mark + "</status></presence>"
	case "state":
		return "<message from='" + from + "' id='" + mark + "' type='chat'>" + composing + "</message>"
	case "event":
		return "<message from='" + from + "' id='" + mark + "'><event xmlns='" + nsEvent + "'><items node='n'><item id='1'/></items></event></message>"
	default:
		return "<message from='" + from + "' type='chat'><body>" + mark + "</body></message>"
	}
}

func kinds(r *rand.Rand) string {
	return []string{"presence", "state", "event", "presence", "body"}[r.IntN(5)]
}

func TestAClientGetsASubsequenceThatLacksOnlyWhatIsObsolete(t *testing.T) {
	for seed := range uint64(30) {
		run(t, func(w *coretest.World, c *CSI) {
			r := rand.New(rand.NewPCG(seed, 1))
			bob, m, got := w.Login("bob@example.org/b"), &model{}, ""
			for n := range 400 {
				if r.IntN(12) == 0 {
					c.Set(bob.Session, r.IntN(3) == 0)
				}
				who, kind := string(rune('a'+r.IntN(3))), kinds(r)
				m.sent = append(m.sent, fmt.Sprintf("%s %s %d", who, kind, n))
				bob.Session.Push(element(stanzaOf(who, kind, n)))
				if r.IntN(20) == 0 {
					got += bob.Got()
				}
			}
			c.Set(bob.Session, true)
			m.check(t, got+bob.Got())
		})
	}
}

func TestManySendersWhileTheClientLooksAndLooksAway(t *testing.T) {
	run(t, func(w *coretest.World, c *CSI) {
		bob, m := w.Login("bob@example.org/b"), &model{}
		plans := make([][]string, 4) // each sender's stanzas
		for i := range plans {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			for n := range 300 {
				who, kind := string(rune('a'+i)), kinds(r)
				m.sent = append(m.sent, fmt.Sprintf("%s %s %d", who, kind, n))
				plans[i] = append(plans[i], stanzaOf(who, kind, n))
			}
		}
		var run sync.WaitGroup
		for _, plan := range plans {
			run.Go(func() {
				for _, xml := range plan {
					bob.Session.Push(element(xml))
				}
			})
		}
		run.Go(func() {
			for i := range 400 {
				c.Set(bob.Session, i%2 == 0)
			}
		})
		run.Wait()
		c.Set(bob.Session, true)
		m.check(t, bob.Got())
	})
}

// stream is a connection after authentication.
type stream struct {
	core.Stream
	account jid.JID
	session *core.Session
}

func (s *stream) Account() jid.JID       { return s.account }
func (s *stream) Session() *core.Session { return s.session }

func TestClientsSayWhetherSomebodyLooksOnceTheyHaveASession(t *testing.T) {
	run(t, func(w *coretest.World, _ *CSI) {
		bob := w.Login("bob@example.org/b")
		say := func(st *stream, name string) {
			e, _ := xtok.Parse([]byte("<"+name+" xmlns='"+ns+"'/>"), xtok.Limits{})
			if err := w.Host.NonzaHandler(e)(st, e); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		say(&stream{account: bob.Session.JID.Bare()}, "inactive")
		st := &stream{account: bob.Session.JID.Bare(), session: bob.Session}
		say(st, "inactive")
		if !bob.Session.Flag(core.Inactive) {
			t.Error("inactive was not heard")
		}
		say(st, "active")
		if bob.Session.Flag(core.Inactive) {
			t.Error("active was not heard")
		}
		if offer(&stream{}) != nil || offer(st) == nil {
			t.Error("offered before authentication, or not after")
		}
	})
}
