package call

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirsal/internal/core"
	"mirsal/internal/core/coretest"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/jingle"
	"mirsal/internal/xmpp/jingle/jingletest"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

// This file is many calls: as many as an environment variable says (MIRSAL_CALLS), some of
// them in every run. bench/results has runs of as many as the requirements name.

func many(t *testing.T, some int) int {
	if n, err := strconv.Atoi(os.Getenv("MIRSAL_CALLS")); err == nil {
		return n
	}
	if testing.Short() {
		return some / 10
	}
	return some
}

// spent is the processor's time of this process, which stands still in no bubble and grows
// with no other program's work.
func spent() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sum is how many calls the traces have, with and without why.
func sum(traces string) (rung, silent int) {
	for _, a := range regexp.MustCompile(`<attempt [^>]*>`).FindAllString(traces, -1) {
		n := 1
		if c := regexp.MustCompile(` count='(\d+)'`).FindStringSubmatch(a); c != nil {
			n, _ = strconv.Atoi(c[1])
		}
		if strings.Contains(a, " why=") {
			silent += n
		} else {
			rung += n
		}
	}
	return rung, silent
}

// others are people who call each other, six times an hour each.
type others struct {
	pairs [][2]*coretest.Client
	calls int
	lost  int
}

func (p *place) others(name string, pairs int) *others {
	o := &others{}
	for i := range pairs {
		o.pairs = append(o.pairs, [2]*coretest.Client{p.Bind(fmt.Sprintf("%s%d@example.org/o", name, i)), p.Login(fmt.Sprintf("to-%s%d@example.org/t", name, i))})
	}
	return o
}

// call lets one of them ring.
func (o *others) call(n int) {
	pair := o.pairs[n%len(o.pairs)]
	pair[0].Send(to(pair[1].Session.JID.Bare().String(), invite("propose", fmt.Sprint("o", n), audio)))
	if o.calls++; !rang(pair[1].Got()) {
		o.lost++
	}
}

// all lets each of them ring six times, and tells what one call cost.
func (o *others) all() time.Duration {
	begun := spent()
	for n := range 6 * len(o.pairs) {
		o.call(n)
	}
	return (spent() - begun) / time.Duration(6*len(o.pairs))
}

func percentile(list []time.Duration, p int) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[min(len(list)-1, len(list)*p/100)]
}

// R16: 5,000 attempts in an hour at one callee in every run.
func TestAnHourOfAttemptsWakesNobodyMoreThanItMay(t *testing.T) {
	attempts := many(t, 5000)
	play(t, nil, func(p *place) {
		woken := 0 // what push and the archive would see of calls to bob
		p.Host.Keep = append(p.Host.Keep, func(tr *core.Transit) {
			if tr.Head.Facts.Any(stanza.CallOffer) && tr.Head.To.Local() == "bob" {
				woken++
			}
		})
		bob := p.Login("bob@example.org/b")
		const callers = 1000 // half of them his contacts
		var crowd []*coretest.Client
		for i := range callers {
			crowd = append(crowd, p.Bind(fmt.Sprintf("%s%d@example.org/c", []string{"friend", "stranger"}[i%2], i)))
		}
		o := p.others("one", max(1, attempts/500))
		every := max(1, attempts/(6*len(o.pairs)))
		before := p.others("before", len(o.pairs)).all()
		rings, of := 0, map[string]int{}
		for i := range attempts {
			if n := i / every; i%every == 0 && n < 6*len(o.pairs) {
				o.call(n)
			}
			// one of them is louder than the others
			crowd[rand.IntN(callers)*(i%3&1)].Send(invite("propose", fmt.Sprint("a", i), audio))
			time.Sleep(time.Hour / time.Duration(attempts))
			if i%100 == 0 || i == attempts-1 {
				for _, m := range regexp.MustCompile(`from='(\w+)@[^']*'[^>]*><propose `).FindAllStringSubmatch(bob.Got(), -1) {
					rings++
					of[m[1]]++
				}
			}
		}
		after := p.others("after", len(o.pairs)).all() // while what the last minutes left is in memory
		rung, silent := sum(p.traced(bob))
		most := 0
		for _, n := range of {
			most = max(most, n)
		}
		t.Logf("%d attempts of %d callers: %d rings, %d of one caller at most, %d wakes; traces: %d that rang, %d that were silent", attempts, callers, rings, most, woken, rung, silent)
		t.Logf("%d calls of others meanwhile, %d lost; processor's time of one before %s, behind it %s", o.calls, o.lost, before, after)
		if rings != 20 || most != 6 || woken != rings || rung != rings || rung+silent != attempts || o.lost > 0 {
			t.Error("which is not as it should be")
		}
	})
}

// R17: whatever a caller does after a propose, the trace is there.
func TestNoCallVanishes(t *testing.T) {
	const each = 100 // of one callee
	cases := many(t, 1000)
	unlimited := func(c *Config) { c.Pair, c.Callee, c.Caller, c.Newcomer = 1<<20, 1<<20, 1<<20, 1<<20 }
	play(t, unlimited, func(p *place) {
		there, rings := 0, 0
		for b := range cases / each {
			bob := p.Login(fmt.Sprintf("bob%d@example.org/b", b))
			address := bob.Session.JID.Bare().String()
			for i := range each {
				name := fmt.Sprintf("%s%d-%d", []string{"friend", "stranger"}[i%2], b, i)
				rings += p.vanish(name, address, i/2%len(tricks()), bob)
				time.Sleep(time.Second)
			}
			trace := p.traced(bob)
			for i := range each {
				if strings.Contains(trace, fmt.Sprintf(" by='%s%d-%d@example.org' id='c'", []string{"friend", "stranger"}[i%2], b, i)) {
					there++
				}
			}
			bob.Session.Close(nil)
		}
		t.Logf("%d cases, %d rang, %d traces", cases, rings, there)
		if there != cases || rings != cases/2 {
			t.Error("which is not all")
		}
	})
}

// tricks are what a caller does who wants no trace.
func tricks() []func(p *place, c, bob *coretest.Client, address string) {
	return []func(p *place, c, bob *coretest.Client, address string){
		func(_ *place, c, _ *coretest.Client, address string) { c.Send(to(address, invite("retract", "c", ""))) },
		func(_ *place, c, _ *coretest.Client, _ string) { c.Session.Close(nil) },
		// the server crashes: what it had in memory is gone
		func(p *place, _, _ *coretest.Client, _ string) { p.crash() },
		func(p *place, c, _ *coretest.Client, address string) {
			p.crash()
			c.Send(to(address, invite("retract", "c", "")))
			c.Send(to(address, invite("finish", "c", "")))
		},
		// others' retractions, and those that look like the callee's own devices'
		func(p *place, c, bob *coretest.Client, address string) {
			eve := p.Bind("stranger-eve@example.org/e")
			for _, kind := range []string{"retract", "reject", "finish", "proceed"} {
				eve.Send(to(address, invite(kind, "c", "")))
				c.Send(to(address, invite(kind, "c", "")))
				c.Send(to(address+"/b", strings.Replace(invite(kind, "c", ""), "'chat'", "'error'", 1)))
			}
			bob.Send("<iq type='set' id='x'><attempts xmlns='" + NS + "'/></iq>")
			eve.Session.Close(nil)
		},
		// the same again, and as an archive that is to be cleared
		func(_ *place, c, _ *coretest.Client, address string) {
			for range 3 {
				c.Send(to(address, invite("propose", "c", audio)))
				c.Send(to(address, invite("retract", "c", "")))
			}
			c.Send("<message to='" + address + "' type='chat'><apply-to xmlns='urn:xmpp:fasten:0' id='c'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to></message>")
		},
	}
}

// vanish lets somebody call and then try a trick; it returns how often it rang.
func (p *place) vanish(name, address string, trick int, bob *coretest.Client) int {
	c := p.Bind(name + "@example.org/c")
	c.Send(to(address, invite("propose", "c", audio)))
	n := strings.Count(bob.Got(), "<propose ")
	tricks()[trick](p, c, bob, address)
	bob.Got()
	c.Session.Close(nil)
	return n
}

// crash forgets what is in memory and not in the store.
func (p *place) crash() {
	again := New(p.Router, memory.New(), p.calls.cfg)
	p.calls.mu.Lock()
	defer p.calls.mu.Unlock()
	p.calls.budgets, p.calls.calls, p.calls.at, p.calls.opened = again.budgets, again.calls, again.at, again.opened
	p.calls.landing, p.calls.news, p.calls.traces.full = again.landing, again.news, again.traces.full
}

// normal are the recorded sessions: those that begin one, and what follows.
func normal(t *testing.T) (begin, follow []jingle.Session) {
	for _, s := range jingletest.Exchanges(t, "../xmpp/jingle/testdata/exchanges") {
		e, err := xtok.Parse(s.XML, xtok.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := jingle.ParseSession(jingletest.Payload(e))
		switch {
		case err != nil:
		case v.Action == jingle.SessionInitiate:
			begin = append(begin, v)
		case v.Action != jingle.SessionTerminate:
			follow = append(follow, v)
		}
	}
	if len(begin) < 5 || len(follow) < 5 {
		t.Fatal(len(begin), len(follow), "sessions are recorded")
	}
	return begin, follow
}

const emergency = `refuse young-video propose media=video age<7d
refuse young-session session-initiate media=video age<7d
refuse bad-codec session codec=h263-1998
refuse bad-parameter session parameter=sprop-overflow
refuse bad-extension session extension=urn:example:overflow
refuse bad-feedback session feedback=overflow
refuse many-contents session contents>4
refuse many-candidates session candidates>31`

// R18: recorded calls pass while rules are in force, all of them; what the rules mean does not.
func TestRulesDropNoNormalCall(t *testing.T) {
	calls := many(t, 2000)
	begin, follow := normal(t)
	public, private, _ := ed25519.GenerateKey(nil)
	play(t, func(c *Config) { c.Keys = []ed25519.PublicKey{public} }, func(p *place) {
		alice, young, bob := p.Login("alice@example.org/a"), p.Login("young@example.org/y"), p.Login("bob@example.org/b")
		p.made["alice"], p.made["young"] = time.Now().Add(-30*24*time.Hour), time.Now()
		dropped, meant, refused := 0, 0, 0
		video := strings.Replace(audio, "'audio'", "'video'", 1)
		pass := func(from, by *coretest.Client, xml string) bool {
			from.Send(xml)
			return by.Got() != "" && from.Got() == ""
		}
		session := func(to jid.JID, sid string, s jingle.Session) string {
			s.SID, s.Initiator, s.Responder = sid, "", ""
			return fmt.Sprintf("<iq type='set' id='j' to='%s'>%s</iq>", to, s.Append(nil))
		}
		serial := 0
		for i := range calls {
			if i%(calls/20) == 0 { // new rules, tried with what was normal so far
				serial++
				if _, err := p.calls.activate(sign(t, private, serial, emergency), time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			id, media := fmt.Sprint("c", i), []string{audio, video, audio + video}[i%3]
			ok := pass(alice, bob, invite("propose", id, media)) &&
				pass(bob, alice, to("alice@example.org/a", invite("proceed", id, ""))) &&
				pass(alice, bob, session(bob.Session.JID, id, begin[i%len(begin)])) &&
				pass(alice, bob, session(bob.Session.JID, id, follow[i%len(follow)])) &&
				pass(bob, alice, session(alice.Session.JID, id, follow[(i+1)%len(follow)])) &&
				pass(alice, bob, invite("finish", id, ""))
			if !ok {
				dropped++
			}
			if i%100 == 0 {
				meant++
				young.Send(invite("propose", id, video))
				if bob.Got(); strings.Contains(young.Got(), "<rule ") {
					refused++
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Logf("%d calls from %d recorded beginnings and %d later stanzas, %d dropped; of %d that a rule means %d refused; %d sets of rules were tried with what was normal", calls, len(begin), len(follow), dropped, meant, refused, serial)
		if dropped > 0 || refused != meant {
			t.Error("which is not as it should be")
		}
	})
}

func TestARuleIsLiveInSeconds(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(nil)
	where := filepath.Join(t.TempDir(), "rules")
	play(t, func(c *Config) { c.Rules, c.Keys = where, []ed25519.PublicKey{public} }, func(p *place) {
		alice := p.Login("alice@example.org/a")
		var all []time.Duration
		for i := range uint64(max(10, many(t, 1000)/100)) {
			time.Sleep(rand.N(time.Minute))
			write(t, where, sign(t, private, int(i)+1, "refuse all-audio propose media=audio"))
			begun := time.Now()
			for r := p.calls.inForce.Load(); r == nil || r.Serial != i+1; r = p.calls.inForce.Load() {
				time.Sleep(10 * time.Millisecond)
			}
			all = append(all, time.Since(begun))
			alice.Send(invite("propose", fmt.Sprint("c", i), audio))
			if got := alice.Got(); !strings.Contains(got, "<rule ") {
				t.Fatalf("alice got %s", got)
			}
		}
		t.Logf("%d rules: live after %s at p50, %s at most", len(all), percentile(all, 50), slices.Max(all))
		if slices.Max(all) > tick+10*time.Millisecond {
			t.Error("which is too late")
		}
	})
}
