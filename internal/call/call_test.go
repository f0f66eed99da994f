package call

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/internal/call/filter"
	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// place is a world in which all know bob and bob knows them, but for mallory and
// those named stranger….
type place struct {
	*coretest.World
	calls *Calls
	made  map[string]time.Time
}

func play(t *testing.T, change func(*Config), f func(p *place)) {
	t.Helper()
	p := &place{made: map[string]time.Time{}}
	coretest.Run(t, func(w *coretest.World) {
		p.World = w
		cfg := Config{
			Contact: func(_, peer jid.JID) bool {
				return peer.Local() != "mallory" && !strings.HasPrefix(peer.Local(), "stranger")
			},
			Created: func(bare jid.JID) time.Time { return p.made[bare.Local()] },
			Pair:    6, Callee: 20, Caller: 60, Newcomer: 3, Young: 7 * 24 * time.Hour, Keep: 30 * 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
		}
		if change != nil {
			change(&cfg)
		}
		p.calls = New(w.Router, memory.New(), cfg)
		p.calls.Register(w.Host)
		p.calls.Guard(w.Host)
		// what push and the archive would see
		w.Host.Keep = append(w.Host.Keep, func(tr *core.Transit) {
			if stanza.RuleOf(&tr.Head).Archive {
				tr.Keep(core.Owner{JID: tr.Head.To.Bare(), Peer: tr.Head.From.Bare()})
			}
		})
	}, func(*coretest.World) { f(p) })
}

const audio = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"

func invite(kind, id, inner string) string {
	return "<message to='bob@example.org' type='chat'><" + kind + " xmlns='urn:xmpp:jingle-message:0' id='" + id + "'>" + inner + "</" + kind + "></message>"
}

func to(address, xml string) string { return strings.Replace(xml, "bob@example.org", address, 1) }

func jingleIQ(address, action, sid, inner string) string {
	return "<iq type='set' id='j' to='" + address + "'><jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='" + sid + "'>" + inner + "</jingle></iq>"
}

func content(candidates string) string {
	return "<content creator='initiator' name='0'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='111' name='opus' clockrate='48000'/></description>" +
		"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd' pwd='abcdefghijklmnopqrstuvwx'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>" +
		strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "</fingerprint>" + candidates + "</transport></content>"
}

// rang tells whether a client was sent an invitation.
func rang(got string) bool { return strings.Contains(got, "<propose ") }

// traced is what bob's device reads of traces.
func (p *place) traced(c *coretest.Client) string {
	p.T.Helper()
	c.Got()
	c.Send("<iq type='get' id='t'><attempts xmlns='" + NS + "'/></iq>")
	return c.Got()
}

func TestWhatPassesOnWasWrittenByTheServer(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		alice.Send("<message to='bob@example.org' type='chat' xml:lang='x-" + strings.Repeat("a", 500) + "' id='1'><body>evil</body>evil<evil xmlns='e'/><origin-id xmlns='urn:xmpp:sid:0' id='o' evil='1'/>" +
			"<propose xmlns='urn:xmpp:jingle-message:0' id='c' evil='1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio' evil='1'><payload-type id='1' name='evil'/></description><evil/></propose></message>")
		want := "<message xmlns='jabber:client' from='alice@example.org/a' to='bob@example.org' id='1' type='chat'>" +
			"<propose xmlns='urn:xmpp:jingle-message:0' id='c'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose><origin-id xmlns='urn:xmpp:sid:0' id='o'/>"
		if got := bob.Got(); !strings.HasPrefix(got, want+"<stanza-id ") || strings.Contains(got, "evil") {
			t.Errorf("bob got  %s\nand not %s", got, want)
		}
	})
}

func TestWhatIsNoCallIsRefusedWhoeverItIsFor(t *testing.T) {
	play(t, nil, func(p *place) {
		p.Absent = []string{"nobody"}
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		for xml, condition := range map[string]string{
			invite("propose", "c", ""):                                                                      "bad-request",
			invite("propose", "", audio):                                                                    "bad-request",
			invite("propose", strings.Repeat("c", 129), audio):                                              "bad-request",
			invite("invent", "c", audio):                                                                    "feature-not-implemented",
			to("nobody@example.org", invite("propose", "c", "")):                                            "bad-request",
			strings.Replace(invite("propose", "c", audio), "chat", "headline", 1):                           "not-allowed",
			"<message to='bob@example.org' type='chat'><invite xmlns='urn:xmpp:call-invites:0'/></message>": "feature-not-implemented",
			jingleIQ("bob@example.org/b", "session-initiate", "c", "<content creator='initiator' name='0'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></content>"): "bad-request",
			// a file, and hidden in it a call
			jingleIQ("bob@example.org/b", "session-initiate", "c", "<content creator='initiator' name='0'><description xmlns='urn:f'><x>"+audio+"</x></description></content>"): "feature-not-implemented",
		} {
			alice.Send(xml)
			if got := alice.Got(); !strings.Contains(got, "<"+condition+" ") {
				t.Errorf("%s\nalice got %s", xml, got)
			}
			if got := bob.Got(); got != "" {
				t.Errorf("%s\nbob got %s", xml, got)
			}
		}
	})
}

func TestErrorsAndResultsCarryNoCalls(t *testing.T) {
	play(t, nil, func(p *place) {
		mallory, bob := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		mallory.Send("<message to='bob@example.org/b' type='error' id='1'><propose xmlns='urn:xmpp:jingle-message:0' id='c'><evil/></propose><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
		mallory.Send("<iq to='bob@example.org/b' type='result' id='1'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='evil'/></iq>")
		got := bob.Got()
		if strings.Contains(got, "evil") || strings.Contains(got, "jingle") || !strings.Contains(got, "<gone ") || !strings.Contains(got, "type='result'") {
			t.Errorf("bob got %s", got)
		}
	})
}

func TestSessionsOfOtherKindsPassAsTheyAre(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		file := "<content creator='initiator' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><size>1</size></file></description></content>"
		alice.Send(jingleIQ("bob@example.org/b", "session-initiate", "f", file))
		if got := bob.Got(); !strings.Contains(got, file) {
			t.Errorf("bob got %s", got)
		}
	})
}

func TestAStrangersCallIsSilentAndLeavesATrace(t *testing.T) {
	play(t, nil, func(p *place) {
		mallory, bob := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		mallory.Send(invite("propose", "c", audio))
		if got := mallory.Got(); got != "" {
			t.Errorf("mallory got %s", got)
		}
		got := bob.Got()
		if rang(got) || !strings.Contains(got, "<items node='"+NS+"'>") || strings.Contains(got, "mallory") {
			t.Errorf("bob got %s", got)
		}
		if p.calls.Rings(jid.MustParse("bob@example.org"), jid.MustParse("mallory@example.org")) {
			t.Error("a stranger's call rings")
		}
		mallory.Send(invite("retract", "c", ""))
		if got := bob.Got(); got != "" {
			t.Errorf("of the retraction bob got %s", got)
		}
		if got := p.traced(bob); !strings.Contains(got, "by='mallory@example.org' id='c'") || !strings.Contains(got, "why='stranger' end='retracted'") {
			t.Errorf("traces: %s", got)
		}
	})
}

// R15
func TestTenThousandCallsOfStrangersRingNowhereAndAreAllCounted(t *testing.T) {
	play(t, nil, func(p *place) {
		bob := p.Login("bob@example.org/b")
		heard := ""
		for i := range 625 {
			s := p.Bind(fmt.Sprintf("stranger%d@example.org/s", i))
			for n := range 16 {
				s.Send(invite("propose", fmt.Sprint("c", n), audio))
				if n%2 == 0 {
					s.Send(invite("retract", fmt.Sprint("c", n), ""))
				}
			}
			s.Session.Close(nil)
			heard += bob.Got()
		}
		if rang(heard) || strings.Count(heard, "<message") > 1 {
			t.Errorf("bob was told %.2000s", heard)
		}
		sum := 0
		for _, n := range regexp.MustCompile(`count='(\d+)'`).FindAllStringSubmatch(p.traced(bob), -1) {
			var one int
			fmt.Sscan(n[1], &one)
			sum += one
		}
		if sum != 10_000 {
			t.Errorf("%d calls are counted", sum)
		}
	})
}

func TestRingsAreLimitedAndTheRestIsSilent(t *testing.T) {
	play(t, nil, func(p *place) {
		bob := p.Login("bob@example.org/b")
		rings := func(c *coretest.Client, n int) (many int) {
			for n := range n {
				c.Send(invite("propose", fmt.Sprintf("c%d-%d", time.Now().UnixNano(), n), audio))
				time.Sleep(time.Millisecond)
				many += strings.Count(bob.Got(), "<propose ")
			}
			return many
		}
		alice := p.Login("alice@example.org/a")
		if n := rings(alice, 10); n != 6 {
			t.Errorf("of one caller %d calls rang", n)
		}
		p.made["young"] = time.Now().Add(-time.Hour)
		if n := rings(p.Login("young@example.org/y"), 10); n != 3 {
			t.Errorf("of a new account %d calls rang", n)
		}
		if n := rings(p.Login("carol@example.org/c"), 10) + rings(p.Login("dave@example.org/d"), 10); n != 11 {
			t.Errorf("of two more callers %d calls rang", n)
		}
		// whose budgets are their own
		eve := p.Login("eve@example.org/e")
		alice.Send(to("eve@example.org", invite("propose", "e", audio)))
		if !rang(eve.Got()) {
			t.Error("another callee does not hear it ring")
		}
		time.Sleep(time.Hour)
		if n := rings(alice, 10); n != 6 {
			t.Errorf("an hour later %d calls rang", n)
		}
	})
}

func TestWhoSpeaksWithEachOtherMayCallAsOftenAsTheyLike(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		for i := range 30 {
			alice.Send(invite("propose", fmt.Sprint("c", i), audio))
			if !rang(bob.Got()) {
				t.Fatalf("call %d did not ring", i)
			}
			bob.Send(to("alice@example.org/a", invite("proceed", fmt.Sprint("c", i), "")))
			alice.Send(invite("finish", fmt.Sprint("c", i), ""))
		}
	})
}

func TestOneIDRingsOnce(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		for i := range 5 {
			alice.Send(invite("propose", "c", audio))
			if got := bob.Got(); rang(got) != (i == 0) {
				t.Errorf("at %d: %s", i, got)
			}
		}
	})
}

func TestOfTwoDevicesThatAcceptTheFirstDoesAndAllHearIt(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, one, two, three := p.Login("alice@example.org/a"), p.Login("bob@example.org/1"), p.Login("bob@example.org/2"), p.Login("bob@example.org/3")
		alice.Send(to("bob@example.org/1", invite("propose", "c", audio)))
		for _, c := range []*coretest.Client{one, two, three} {
			if !rang(c.Got()) {
				t.Error("a device does not ring")
			}
		}
		one.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		two.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		three.Send(to("alice@example.org/a", invite("reject", "c", "")))
		if got := alice.Got(); strings.Count(got, "<proceed ") != 1 || !strings.Contains(got, "from='bob@example.org/1'") || strings.Contains(got, "<reject") {
			t.Errorf("alice got %s", got)
		}
		word := "<message xmlns='jabber:client' from='bob@example.org' to='bob@example.org/%s' type='headline'><answered xmlns='" + NS + "' id='c' with='alice@example.org'/></message>"
		if got := two.Got(); !strings.Contains(got, fmt.Sprintf(word, "2")) || !strings.Contains(got, "<conflict ") {
			t.Errorf("the second device got %s", got)
		}
		if got := three.Got(); got != fmt.Sprintf(word, "3") {
			t.Errorf("the third device got %s", got)
		}
		if got := one.Got(); got != "" {
			t.Errorf("the first device got %s", got)
		}
		if got := p.traced(one); !strings.Contains(got, "end='answered'") {
			t.Errorf("traces: %s", got)
		}
	})
}

func TestARejectionStopsTheOthers(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, one, two := p.Login("alice@example.org/a"), p.Login("bob@example.org/1"), p.Login("bob@example.org/2")
		alice.Send(invite("propose", "c", audio))
		two.Got()
		one.Send(to("alice@example.org", invite("reject", "c", "")))
		if got := two.Got(); !strings.Contains(got, "<ended xmlns='"+NS+"' id='c' with='alice@example.org' why='rejected'/>") {
			t.Errorf("the other device got %s", got)
		}
		if got := alice.Got(); !strings.Contains(got, "<reject ") {
			t.Errorf("alice got %s", got)
		}
	})
}

func TestARetractionReachesAllAndErasesNothing(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, one, two := p.Login("alice@example.org/a"), p.Login("bob@example.org/1"), p.Login("bob@example.org/2")
		alice.Send(invite("propose", "c", audio))
		one.Got()
		two.Got()
		alice.Send(to("bob@example.org/1", invite("retract", "c", "")))
		for _, c := range []*coretest.Client{one, two} {
			if got := c.Got(); !strings.Contains(got, "<retract ") || !strings.Contains(got, "why='retracted'") {
				t.Errorf("a device got %s", got)
			}
		}
		if got := p.traced(one); !strings.Contains(got, "by='alice@example.org' id='c'") || !strings.Contains(got, "end='retracted'") {
			t.Errorf("traces: %s", got)
		}
		alice.Send("<iq type='get' id='t' to='bob@example.org'><attempts xmlns='" + NS + "'/></iq>")
		if got := alice.Got(); !strings.Contains(got, "<service-unavailable ") {
			t.Errorf("alice reads bob's traces: %s", got)
		}
		one.Send("<iq type='set' id='t'><attempts xmlns='" + NS + "'/></iq>")
		if got := one.Got(); !strings.Contains(got, "<not-allowed ") {
			t.Errorf("a device changes traces: %s", got)
		}
	})
}

func TestAForgedStepChangesNothing(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob, mallory, carol := p.Login("alice@example.org/a"), p.Login("bob@example.org/b"), p.Login("mallory@example.org/m"), p.Login("carol@example.org/c")
		alice.Send(invite("propose", "c", audio))
		bob.Got()
		mallory.Send(invite("retract", "c", ""))
		mallory.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		alice.Send(invite("proceed", "c", "")) // the roles are swapped
		bob.Send(to("alice@example.org", invite("retract", "c", "")))
		if got := bob.Got() + alice.Got(); got != "" {
			t.Errorf("somebody got %s", got)
		}
		carol.Send(to("alice@example.org/a", invite("proceed", "c", ""))) // a contact's passes, and is not bob's
		alice.Got()
		alice.Send(jingleIQ("carol@example.org/c", "session-initiate", "c", content("")))
		if got := carol.Got(); got != "" {
			t.Errorf("carol got %s", got)
		}
		bob.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		if got := alice.Got(); !strings.Contains(got, "<proceed ") {
			t.Errorf("alice got %s", got)
		}
	})
}

func TestADeviceThatComesWhileItRingsRings(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, _ := p.Login("alice@example.org/a"), p.Login("bob@example.org/1")
		alice.Send(invite("propose", "c", audio))
		time.Sleep(30 * time.Second)
		two := p.Login("bob@example.org/2")
		p.calls.Presence(two.Session, true)
		p.calls.Presence(two.Session, false)
		if got := two.Got(); strings.Count(got, "<propose ") != 1 {
			t.Errorf("the second device got %s", got)
		}
		time.Sleep(40 * time.Second)
		three := p.Login("bob@example.org/3")
		p.calls.Presence(three.Session, true)
		if got := three.Got(); got != "" {
			t.Errorf("after a minute a device got %s", got)
		}
	})
}

// The devices that an invitation is given to are chosen before it lands, and one may come in between.
func TestADeviceThatComesWhileTheInvitationLandsRings(t *testing.T) {
	play(t, nil, func(p *place) {
		var two *coretest.Client
		comes := func(_ *core.Transit, _ *core.Delivery) {
			if two == nil {
				two = p.Login("bob@example.org/2")
				p.calls.Presence(two.Session, true)
			}
		}
		p.Host.Spread = append([]core.SpreadFunc{comes}, p.Host.Spread...)
		alice, one := p.Login("alice@example.org/a"), p.Login("bob@example.org/1")
		alice.Send(invite("propose", "c", audio))
		for name, c := range map[string]*coretest.Client{"first": one, "second": two} {
			if got := c.Got(); strings.Count(got, "<propose ") != 1 {
				t.Errorf("the %s device got %s", name, got)
			}
		}
		p.calls.Presence(two.Session, true)
		if got := two.Got(); got != "" {
			t.Errorf("once more it got %s", got)
		}
	})
}

func TestACallerWhoVanishesDoesNotRingForEver(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		alice.Send(invite("propose", "c", audio))
		bob.Got()
		alice.Session.Close(nil)
		time.Sleep(rings + tick)
		if got := bob.Got(); !strings.Contains(got, "<ended ") || !strings.Contains(got, "why='missed'") {
			t.Errorf("bob got %s", got)
		}
		bob.Send(to("alice@example.org", invite("proceed", "c", "")))
		if got := bob.Got(); !strings.Contains(got, "<item-not-found ") {
			t.Errorf("of a late acceptance bob got %s", got)
		}
		if got := p.traced(bob); !strings.Contains(got, "end='missed'") {
			t.Errorf("traces: %s", got)
		}
	})
}

func TestASessionBeginsOnlyWithTheDeviceThatAccepted(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, one, two, mallory := p.Login("alice@example.org/a"), p.Login("bob@example.org/1"), p.Login("bob@example.org/2"), p.Login("mallory@example.org/m")
		begin := func(c *coretest.Client, at string) (condition string) {
			c.Got()
			c.Send(jingleIQ(at, "session-initiate", "c", content("")))
			_, condition, _ = strings.Cut(c.Got(), "<error type='")
			return condition
		}
		if got := begin(alice, "bob@example.org/1"); !strings.Contains(got, "<not-acceptable ") {
			t.Errorf("without a call: %s", got)
		}
		if a, b := begin(mallory, "bob@example.org/1"), begin(mallory, "bob@example.org/nowhere"); a != b || !strings.Contains(a, "<service-unavailable ") {
			t.Errorf("a stranger can tell who is there: %s %s", a, b)
		}
		alice.Send(invite("propose", "c", audio))
		if got := begin(alice, "bob@example.org/1"); !strings.Contains(got, "<not-acceptable ") {
			t.Errorf("while it rings: %s", got)
		}
		one.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		one.Got()
		two.Got()
		if got := begin(alice, "bob@example.org/2"); !strings.Contains(got, "<not-acceptable ") {
			t.Errorf("with another device: %s", got)
		}
		if got := begin(alice, "bob@example.org/1"); got != "" {
			t.Errorf("with the device that accepted: %s", got)
		}
		if got := two.Got(); got != "" {
			t.Errorf("the other device got %s", got)
		}
		if got := one.Got(); !strings.Contains(got, "action='session-initiate'") {
			t.Errorf("the device that accepted got %s", got)
		}
	})
}

func TestAddressesOfTheDeviceItselfDoNotPass(t *testing.T) {
	candidate := func(ip string) string {
		return "<candidate component='1' foundation='1' generation='0' id='x' ip='" + ip + "' port='5000' priority='1' protocol='udp' type='host'/>"
	}
	for _, loopback := range []bool{false, true} {
		play(t, func(c *Config) { c.Direct, c.Loopback = true, loopback }, func(p *place) {
			alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
			alice.Send(jingleIQ("bob@example.org/b", "session-initiate", "c", content(candidate("127.0.0.1")+candidate("::1")+candidate("::ffff:127.0.0.1")+candidate("192.0.2.1"))))
			got := bob.Got()
			if strings.Contains(got, "127.0.0.1") != loopback || strings.Contains(got, "'::1'") != loopback || !strings.Contains(got, "192.0.2.1") {
				t.Errorf("with loopback %v bob got %s", loopback, got)
			}
		})
	}
}

func TestOldTracesGo(t *testing.T) {
	play(t, func(c *Config) { c.Keep = 2 * time.Hour }, func(p *place) {
		alice, bob, mallory := p.Login("alice@example.org/a"), p.Login("bob@example.org/b"), p.Login("mallory@example.org/m")
		alice.Send(invite("propose", "c", audio))
		mallory.Send(invite("propose", "c", audio))
		time.Sleep(4 * time.Hour)
		items, err := p.calls.traces.bucket.Owners(t.Context())
		if got := p.traced(bob); strings.Contains(got, "<attempt ") || len(items) != 0 || err != nil {
			t.Errorf("later: %s, %v %v", got, items, err)
		}
	})
}

func TestManyCallsThatRangAreSummedUp(t *testing.T) {
	play(t, nil, func(p *place) {
		bob := jid.MustParse("bob@example.org")
		for i := range mostRung + 7 {
			if _, err := p.calls.traces.add(bob, attempt{ID: "c", By: "alice@example.org", At: int64(1000 - i)}); err != nil {
				t.Fatal(err)
			}
		}
		items, err := p.calls.traces.bucket.Scan(t.Context(), bob.String(), store.Range{})
		if err != nil || len(items) != mostRung+1 || decode(items[0].Value).Count != 7 {
			t.Errorf("%d traces, the first %s, %v", len(items), items[0].Value, err)
		}
	})
}

func TestWithoutATraceNothingRings(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		p.calls.traces.kv.(interface{ Close() error }).Close()
		alice.Send(invite("propose", "c", audio))
		if got := bob.Got(); got != "" {
			t.Errorf("bob got %s", got)
		}
		if got := alice.Got(); !strings.Contains(got, "<internal-server-error ") {
			t.Errorf("alice got %s", got)
		}
	})
}

func TestAnAccountThatGoesLeavesNothing(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		alice.Send(invite("propose", "c", audio))
		bob.Got()
		p.calls.accountGone(jid.MustParse("alice@example.org"))
		if f := p.calls; len(f.calls)+len(f.at)+len(f.opened)+len(f.landing) != 0 {
			t.Errorf("%v %v %v %v", f.calls, f.at, f.opened, f.landing)
		}
	})
}

// sign makes a file of rules.
func sign(t *testing.T, key ed25519.PrivateKey, serial int, rules string) string {
	t.Helper()
	file, err := filter.Sign(fmt.Sprintf("mirsal call rules 1\nserial %d\nissued %s\nexpires %s\n%s\n", serial,
		time.Now().UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339), rules), key)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRulesAreInForceWithinSecondsAndUntilTheyEnd(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	where := filepath.Join(t.TempDir(), "rules")
	play(t, func(c *Config) { c.Rules, c.Keys = where, []ed25519.PublicKey{public} }, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		p.made["alice"] = time.Now().Add(-24 * time.Hour)
		video := strings.Replace(audio, "'audio'", "'video'", 1)
		calls := func(id, media string) string {
			alice.Send(invite("propose", id, media))
			if got := alice.Got(); got != "" && !strings.Contains(got, "<rule xmlns='"+NS+"'/>") {
				t.Errorf("alice got %s", got)
			}
			return bob.Got()
		}
		if !rang(calls("1", video)) {
			t.Error("without rules it does not ring")
		}
		write(t, where, sign(t, private, 3, "refuse young-video propose media=video age<7d"))
		time.Sleep(tick + time.Second)
		if rang(calls("2", video)) || !rang(calls("3", audio)) {
			t.Error("the rule is not in force, or is against all")
		}
		if got := p.traced(bob); !strings.Contains(got, "id='2'") || !strings.Contains(got, "why='rule'") {
			t.Errorf("traces: %s", got)
		}
		write(t, where, sign(t, private, 2, "refuse any propose media=audio"))
		time.Sleep(tick + time.Second)
		if !rang(calls("4", audio)) {
			t.Error("older rules came into force")
		}
		time.Sleep(time.Hour)
		if !rang(calls("5", video)) {
			t.Error("rules do not end")
		}
	})
}

func TestRulesThatWouldHaveHurtNormalCallsAreNotPutInForce(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	where := filepath.Join(t.TempDir(), "rules")
	play(t, func(c *Config) { c.Rules, c.Keys = where, []ed25519.PublicKey{public} }, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		alice.Send(invite("propose", "c", audio))
		bob.Send(to("alice@example.org/a", invite("proceed", "c", "")))
		alice.Send(jingleIQ("bob@example.org/b", "session-initiate", "c", content("")))
		for _, r := range []string{"refuse x propose media=audio", "refuse x session codec=opus"} {
			if _, err := p.calls.activate(sign(t, private, 5, r), time.Now()); !errors.Is(err, ErrHarm) {
				t.Errorf("%s: %v", r, err)
			}
		}
		if kept := fmt.Sprintf("%+v %+v", p.calls.normal[0].Invite, *p.calls.normal[1].Session); strings.Contains(kept, "alice") || strings.Contains(kept, "AB:AB") {
			t.Errorf("what is kept of normal calls: %s", kept)
		}
		if _, err := p.calls.activate(sign(t, private, 5, "refuse x session codec=g729"), time.Now()); err != nil {
			t.Error(err)
		}
	})
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
