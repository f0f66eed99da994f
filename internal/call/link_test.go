package call

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core/coretest"
	"mirsal/internal/xmpp/jid"
)

var (
	tokenOf = regexp.MustCompile(` token='([A-Z2-7]{26})'`)
	idOf    = regexp.MustCompile(`<link[^>]* id='([0-9a-f]{12})'`)
)

// link asks for a call link.
func (p *place) link(c *coretest.Client, attrs string) (id, token string) {
	p.T.Helper()
	c.Got()
	c.Send("<iq type='set' id='l'><link xmlns='" + NS + "'" + attrs + "/></iq>")
	got := c.Got()
	i, k := idOf.FindStringSubmatch(got), tokenOf.FindStringSubmatch(got)
	if i == nil || k == nil {
		p.T.Fatalf("no link: %s", got)
	}
	return i[1], k[1]
}

// shown is a propose with a token beside it.
func shown(id, token string) string {
	return strings.Replace(invite("propose", id, audio), "</message>", "<link xmlns='"+NS+"' token='"+token+"'/></message>", 1)
}

func TestALinkLetsAStrangerRingOnce(t *testing.T) {
	play(t, nil, func(p *place) {
		mallory, bob := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		id, token := p.link(bob, "")
		mallory.Send(shown("c1", token))
		got := bob.Got()
		if !rang(got) || strings.Contains(got, token) || !strings.Contains(got, "<link xmlns='"+NS+"' id='"+id+"'/>") {
			t.Errorf("bob got %s", got)
		}
		if !p.calls.Rings(jid.MustParse("bob@example.org"), jid.MustParse("mallory@example.org")) {
			t.Error("his other devices are not woken")
		}
		// accepted, it goes on as any other call
		bob.Send(to("mallory@example.org/m", invite("proceed", "c1", "")))
		if got := mallory.Got(); !strings.Contains(got, "<proceed ") {
			t.Errorf("mallory got %s", got)
		}
		mallory.Send(jingleIQ("bob@example.org/b", "session-initiate", "c1", content("")))
		if got := bob.Got(); !strings.Contains(got, "session-initiate") {
			t.Errorf("bob got %s", got)
		}
		mallory.Send(shown("c2", token))
		if got := bob.Got(); rang(got) || strings.Contains(got, token) {
			t.Errorf("it rings twice: %s", got)
		}
		trace := p.traced(bob)
		if !strings.Contains(trace, "id='c1'") || !strings.Contains(trace, " link='"+id+"'") || !strings.Contains(trace, "why='stranger'") || strings.Count(trace, "<attempt ") != 2 {
			t.Errorf("traces: %s", trace)
		}
		if got := mallory.Got(); got != "" {
			t.Errorf("mallory is told %s", got)
		}
	})
}

func TestLinksThatDoNotHoldAreAStrangersCall(t *testing.T) {
	play(t, nil, func(p *place) {
		mallory, bob, carol := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b"), p.Login("carol@example.org/c")
		revoked, token := p.link(bob, "")
		bob.Send("<iq type='set' id='r'><revoke xmlns='" + NS + "' id='" + revoked + "'/></iq>")
		if got := bob.Got(); !strings.Contains(got, "type='result'") {
			t.Fatalf("bob got %s", got)
		}
		_, old := p.link(bob, "")
		_, hers := p.link(carol, "")
		time.Sleep(time.Hour)
		_, fresh := p.link(bob, "")
		for i, no := range []string{token, old, hers, "", strings.Repeat("A", 26), fresh[:25], strings.ToLower(fresh), fresh + "A"} {
			mallory.Send(shown("c"+string(rune('a'+i)), no))
			if got := bob.Got(); rang(got) || no != "" && strings.Contains(got, no) {
				t.Errorf("%q: bob got %s", no, got)
			}
			if got := mallory.Got(); got != "" {
				t.Errorf("%q: mallory is told %s", no, got)
			}
		}
		if trace := p.traced(bob); !strings.Contains(trace, "count='8'") || strings.Contains(trace, " link=") {
			t.Errorf("traces: %s", trace)
		}
		mallory.Send(shown("last", fresh))
		if !rang(bob.Got()) {
			t.Error("the one that holds does not ring")
		}
	})
}

func TestBudgetsHoldForLinksAndUseNoneUp(t *testing.T) {
	play(t, func(c *Config) { c.Pair = 1 }, func(p *place) {
		mallory, bob := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		_, one := p.link(bob, "")
		_, two := p.link(bob, " expires='"+time.Now().Add(3*time.Hour).UTC().Format(time.RFC3339)+"'")
		mallory.Send(shown("c1", one))
		mallory.Send(shown("c2", two))
		if got := bob.Got(); strings.Count(got, "<propose ") != 1 {
			t.Errorf("bob got %s", got)
		}
		if trace := p.traced(bob); !strings.Contains(trace, "why='often'") || strings.Count(trace, " link=") != 1 {
			t.Errorf("traces: %s", trace)
		}
		time.Sleep(time.Hour)
		mallory.Send(shown("c3", two))
		if !rang(bob.Got()) {
			t.Error("the second link was used up by a call that did not ring")
		}
	})
}

func TestAContactsCallLeavesALinkAsItIs(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, mallory, bob := p.Login("alice@example.org/a"), p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		_, token := p.link(bob, "")
		alice.Send(shown("c1", token))
		if got := bob.Got(); !rang(got) || strings.Contains(got, "<link ") {
			t.Errorf("bob got %s", got)
		}
		mallory.Send(shown("c2", token))
		if !rang(bob.Got()) {
			t.Error("the link is gone")
		}
	})
}

func TestOnlyTheServerSaysThatALinkWasShown(t *testing.T) {
	play(t, nil, func(p *place) {
		alice, bob := p.Login("alice@example.org/a"), p.Login("bob@example.org/b")
		for i, beside := range []string{"<link xmlns='" + NS + "' id='0123456789ab'/>", "<link xmlns='" + NS + "' token='" + strings.Repeat("A", 26) + "' id='0123456789ab'/>"} {
			kind := []string{"propose", "ringing"}[i]
			alice.Send(strings.Replace(invite(kind, kind, audio), "</message>", beside+"</message>", 1))
			if got := bob.Got(); !strings.Contains(got, "<"+kind) || strings.Contains(got, "<link") || strings.Contains(got, "AAAA") {
				t.Errorf("bob got %s", got)
			}
		}
	})
}

func TestLinksAreFewAndEndWithinAWeek(t *testing.T) {
	play(t, nil, func(p *place) {
		mallory, bob := p.Login("mallory@example.org/m"), p.Login("bob@example.org/b")
		at := func(d time.Duration) string {
			return " expires='" + time.Now().Add(d).UTC().Format(time.RFC3339) + "'"
		}
		refused := func(c *coretest.Client, condition, xml string) {
			t.Helper()
			c.Send(xml)
			if got := c.Got(); !strings.Contains(got, "<"+condition+" ") {
				t.Errorf("%s\nis answered by %s", xml, got)
			}
		}
		for _, expires := range []string{at(-time.Second), at(0), at(longestLink + time.Second), " expires='soon'", " lasts='0'", " lasts='-1'", " lasts='604801'", " lasts='1h'", at(time.Hour) + " lasts='60'"} {
			refused(bob, "bad-request", "<iq type='set' id='l'><link xmlns='"+NS+"'"+expires+"/></iq>")
		}
		for range mostLinks - 1 {
			p.link(bob, at(time.Minute))
		}
		id, _ := p.link(bob, at(longestLink))
		refused(bob, "too-many", "<iq type='set' id='l'><link xmlns='"+NS+"'/></iq>")
		for _, what := range []string{"<link xmlns='" + NS + "'/>", "<revoke xmlns='" + NS + "' id='" + id + "'/>"} {
			refused(mallory, "service-unavailable", "<iq type='set' id='l' to='bob@example.org'>"+what+"</iq>")
		}
		refused(mallory, "service-unavailable", "<iq type='get' id='l' to='bob@example.org'><links xmlns='"+NS+"'/></iq>")
		refused(bob, "bad-request", "<iq type='get' id='l'><link xmlns='"+NS+"'/></iq>")
		refused(mallory, "item-not-found", "<iq type='set' id='l'><revoke xmlns='"+NS+"' id='"+id+"'/></iq>")
		time.Sleep(time.Minute)
		p.link(bob, "")
		bob.Send("<iq type='get' id='l'><links xmlns='" + NS + "'/></iq>")
		got := bob.Got()
		if strings.Count(got, "<link ") != 2 || !strings.HasSuffix(got[:strings.Index(got, "</links>")], "/>") || !strings.Contains(got, "id='"+id+"'") || strings.Contains(got, "token") {
			t.Errorf("the links are %s", got)
		}
	})
}

func TestLinksOutliveARestartAndLeaveNothingBehind(t *testing.T) {
	play(t, nil, func(p *place) {
		bob := p.Login("bob@example.org/b")
		_, token := p.link(bob, "")
		again := &links{kv: p.calls.links.kv, lock: newLocks(), bucket: p.calls.links.bucket} // nothing is held in memory
		if key, err := again.find("bob@example.org", token, time.Now()); key == "" || err != nil {
			t.Errorf("%q, %v", key, err)
		}
		all, err := again.bucket.Owners(t.Context())
		if err != nil || len(all) != 1 {
			t.Errorf("%v, %v", all, err)
		}
		if err := again.sweep(time.Now().Add(linkLife)); err != nil {
			t.Error(err)
		}
		if all, err = again.bucket.Owners(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

func TestALinkLeadsToItsOwner(t *testing.T) {
	if got := linkURI(jid.MustParse("böb;c@example.org"), "T"); got != "xmpp:b%C3%B6b%3Bc@example.org?call;link=T" {
		t.Error(got)
	}
}

// TestWhatSaysThatSomebodyRangByALinkIsTheServersWord: devices believe it.
func TestWhatSaysThatSomebodyRangByALinkIsTheServersWord(t *testing.T) {
	play(t, func(c *Config) { c.Everyone = true }, func(p *place) {
		for _, who := range []string{"alice@example.org/a", "mallory@example.org/m"} {
			c, bob := p.Login(who), p.Login("bob@example.org/b")
			c.Send(strings.Replace(shown("c1", "x"), "token='x'", "id='0f3a9c51d2e7'", 1))
			if got := bob.Got(); !rang(got) || strings.Contains(got, "0f3a9c51d2e7") {
				t.Errorf("of %s bob got %s", who, got)
			}
		}
	})
}
