package hostile

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// Attacks on stream management (XEP-0198), as elements and inside SASL2.
func TestResumptionAttacks(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--set", "c2s.negotiation=20s", "--set", "limits.sessions=30", "--set", "limits.hibernated=10",
	}})
	s.Accounts(password, "alice", "bob", "mallory", "witness", "carol")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	v.all(t, resumptionAttacks())
}

func resumptionAttacks() attacks {
	return attacks{
		{"20 sessions of others, and guesses", testResumingOthers},
		{"20 counts that cannot be", testImpossibleCounts},
		{"20 many resume at once", testResumedAtOnce},
		{"20 resumed while it lives", testResumedAlive},
		{"20 nothing is acknowledged", testNothingAcknowledged},
		{"20 a thousand sessions asleep", testThousandAsleep},
	}
}

// asks tries to resume in both ways and returns what each was told.
func (v *victim) asks(t *testing.T, name, id, previous, h string) (told []*xmppclient.Node) {
	t.Helper()
	c, inline := v.resumes(t, name, password, id, previous, h)
	c.Kill()
	return []*xmppclient.Node{inline, v.asksOld(t, name, previous, h)}
}

func (v *victim) asksOld(t *testing.T, name, previous, h string) *xmppclient.Node {
	t.Helper()
	old := v.loggedIn(t, name)
	defer old.Kill()
	if err := old.Send(resume(previous, h)); err != nil {
		t.Fatal(err)
	}
	return next(t, old)
}

// resumableOld leaves a session that was bound in the old way: only a login in that
// way resumes it.
func (v *victim) resumableOld(t *testing.T, name string) (previous string) {
	t.Helper()
	c := v.loggedIn(t, name)
	defer c.Kill()
	if err := c.Bind(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	previous, err := c.EnableSM(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	return previous
}

// failure is why a resumption failed, "" when it did not.
func failure(n *xmppclient.Node) string {
	if n.Is(xmppclient.NSSASL2, "success") {
		n = n.Child(xmppclient.NSSM, "failed")
	}
	if !n.Is(xmppclient.NSSM, "failed") {
		return ""
	}
	return n.Children[0].Name.Local
}

func testResumingOthers(t *testing.T, v *victim) {
	theirs, id := v.resumable(t, "witness", password, "w")
	nobodys := ""
	for _, previous := range []string{
		strings.Repeat("0", 32), id, strings.ToUpper(id), id[:31], id + "0", id[:30] + "00", "", " " + id, "x", strings.Repeat("f", 4000), strings.Repeat("é", 16),
	} {
		for i, told := range v.asks(t, "mallory", "m", previous, "0") {
			if failure(told) != "item-not-found" {
				t.Errorf("%.40q, way %d: %s", previous, i, told)
			}
			if i == 1 && nobodys == "" {
				nobodys = told.String()
			} else if i == 1 && told.String() != nobodys {
				t.Errorf("%.40q is told %s, an id that never was %s", previous, told, nobodys)
			}
		}
	}
	// it was not taken from who has it
	if err := theirs.Send("<iq type='get' id='still'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		t.Fatal(err)
	}
	if n := next(t, theirs); n.Attr("id") != "still" || n.Attr("type") != "result" {
		t.Errorf("the session that somebody else tried to take: %s", n)
	}
}

func testImpossibleCounts(t *testing.T, v *victim) {
	for h, condition := range map[string]string{
		"1": "undefined-condition", "4294967295": "undefined-condition", "2147483648": "undefined-condition",
		"4294967296": "bad-format", "-1": "bad-format", "": "bad-format", "0x0": "bad-format", "1e0": "bad-format", "18446744073709551616": "bad-format",
	} {
		c, id := v.resumable(t, "mallory", password, "m")
		c.Kill()
		told := v.asks(t, "mallory", "m", id, h)
		told[1] = v.asksOld(t, "mallory", v.resumableOld(t, "mallory"), h)
		for i, told := range told {
			if !told.Is(xmppclient.NSStream, "error") || told.Child(xmppclient.NSStreams, condition) == nil {
				t.Errorf("h=%q, way %d: want %s, got %s", h, i, condition, told)
			}
		}
		live, _ := v.resumable(t, "mallory", password, "m")
		if err := live.Send("<a xmlns='" + xmppclient.NSSM + "' h='" + h + "'/>"); err != nil {
			t.Fatal(err)
		}
		if told := next(t, live); !told.Is(xmppclient.NSStream, "error") || told.Child(xmppclient.NSStreams, condition) == nil {
			t.Errorf("<a h=%q/>: want %s, got %s", h, condition, told)
		}
	}
}

// testResumedAtOnce lets many connections resume one session at the same time: one
// has it in the end, and what the session is owed arrives there.
func testResumedAtOnce(t *testing.T, v *victim) {
	const many = 8
	c, id := v.resumable(t, "mallory", password, "m")
	if err := c.Send("<iq type='get' id='whoami'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		t.Fatal(err)
	}
	full := next(t, c).Attr("to")
	c.Kill()
	var conns [many]*xmppclient.Conn
	for i := range conns {
		conns[i] = v.secured(t)
	}
	var run sync.WaitGroup
	for _, c := range conns {
		run.Go(func() {
			if c.Authenticate(v.ctx, "SCRAM-SHA-256", "mallory", password, agent("m")+resume(id, "0")) == nil {
				_ = c.Send("<iq type='get' id='mine'><ping xmlns='urn:xmpp:ping'/></iq>")
			}
		})
	}
	run.Wait()
	left := make(chan int, many)
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	for i, c := range conns {
		go func() {
			for {
				n, err := c.Next(ctx)
				if err != nil {
					left <- -1
					return
				}
				if n.Name.Local == "message" {
					left <- i
					return
				}
			}
		}()
	}
	sender := v.connect(t, "witness")
	for range many - 1 { // all but one are told to go
		select {
		case i := <-left:
			if i >= 0 {
				t.Fatal("a message that nobody sent")
			}
		case <-ctx.Done():
			t.Fatal("more than one connection has the session")
		}
	}
	if err := sender.Send("<message to='" + full + "' type='chat'><body>who is it</body></message>"); err != nil {
		t.Fatal(err)
	}
	if i := <-left; i < 0 {
		t.Error("nobody has the session")
	}
}

func testResumedAlive(t *testing.T, v *victim) {
	first, id := v.resumable(t, "mallory", password, "m")
	for range 20 {
		second, n := v.resumes(t, "mallory", password, "m", id, "0")
		if !resumed(n) {
			t.Fatalf("not resumed: %s", n)
		}
		for {
			told, err := first.Next(v.ctx)
			if err != nil {
				t.Fatalf("the first socket was not told: %v", err)
			}
			if told.Is(xmppclient.NSStream, "error") {
				if told.Child(xmppclient.NSStreams, "conflict") == nil {
					t.Errorf("the first socket: %s", told)
				}
				break
			}
		}
		first = second
	}
}

// testNothingAcknowledged sends a hundred thousand stanzas to a client that reads
// and never acknowledges, and to one that sleeps.
func testNothingAcknowledged(t *testing.T, v *victim) {
	reader, awake := v.resumable(t, "carol", password, "reader")
	sleeper, asleep := v.resumable(t, "carol", password, "sleeper")
	for _, c := range []*xmppclient.Conn{reader, sleeper} {
		if err := c.Send("<presence/><iq type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
			t.Fatal(err)
		}
		for n := next(t, c); n.Attr("id") != "here"; n = next(t, c) {
		}
	}
	go func() {
		for {
			if _, err := reader.Next(v.ctx); err != nil {
				return
			}
		}
	}()
	sleeper.Kill()
	before, err := v.Metric(v.ctx, "mirsal_queue_overflows_total")
	if err != nil {
		t.Fatal(err)
	}
	mallory := v.connect(t, "mallory")
	v.bounded(t, 64<<20, storeCache, func() {
		one := fmt.Sprintf("<message to='carol@%s' type='headline'><body>never acknowledged</body></message>", mirsal.Domain)
		for range 1000 {
			if err := mallory.Send(strings.Repeat(one, 100)); err != nil {
				t.Fatal(err)
			}
		}
		if err := mallory.Send("<iq type='get' id='through'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
			t.Fatal(err)
		}
		for n := next(t, mallory); n.Attr("id") != "through"; n = next(t, mallory) {
		}
		within(t, "both sessions to be closed", func() bool {
			after, err := v.Metric(v.ctx, "mirsal_queue_overflows_total")
			return err == nil && after >= before+2
		})
	})
	for device, id := range map[string]string{"reader": awake, "sleeper": asleep} {
		if _, n := v.resumes(t, "carol", password, device, id, "0"); resumed(n) {
			t.Errorf("the %s's session, which was closed, goes on", device)
		}
	}
}

// testThousandAsleep leaves a thousand sessions behind.
func testThousandAsleep(t *testing.T, v *victim) {
	sessions := func() float64 {
		n, err := v.Metric(v.ctx, "mirsal_sessions")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := sessions()
	var ids []string
	v.bounded(t, 64<<20, storeCache, func() {
		for i := range 1000 {
			if i%8 == 0 {
				within(t, "room for sessions", func() bool { return sessions() < before+20 })
			}
			// all of one device that has no id: nothing of it is written
			c, id := v.resumable(t, "carol", password, "")
			c.Kill()
			ids = append(ids, id)
		}
	})
	within(t, "the oldest to be ended", func() bool { return sessions() <= before+10 })
	if _, n := v.resumes(t, "carol", password, "", ids[999], "0"); !resumed(n) {
		t.Errorf("the latest: %s", n)
	}
	if _, n := v.resumes(t, "carol", password, "", ids[0], "0"); resumed(n) {
		t.Error("the first of a thousand is kept")
	}
	n, err := v.Metric(v.ctx, "mirsal_sessions")
	if err != nil || n > before+11 {
		t.Errorf("%v sessions, %v", n, err)
	}
}
