package rooms

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/internal/core/coretest"
)

func TestGuessesAtAPasswordArePacedForTheAccountAndNobodyElse(t *testing.T) {
	run(t, func(w *world) {
		w.open("roomsecret=open sesame")
		guess := func(secret string) string {
			return "<presence to='" + den + "/m'><x xmlns='" + nsMUC + "'><password>" + secret + "</password></x></presence>"
		}
		m, other := w.Login("mallory@example.org/m"), w.Login("mallory@example.org/other")
		for i := range guessBurst {
			m.Send(guess(fmt.Sprint("guess", i)))
			expect(t, "mallory", m.Got(), "<not-authorized ")
		}
		other.Send(guess("open sesame")) // what is right is not told either
		expect(t, "mallory", other.Got(), "type='wait'", "<resource-constraint ")
		c := w.Login("carol@example.org/c")
		c.Send(strings.Replace(guess("open sesame"), "/m", "/c", 1))
		expect(t, "carol", c.Got(), "<status code='110'/>")
		time.Sleep(guessPause)
		m.Send(guess("open sesame"))
		expect(t, "mallory, later,", m.Got(), "<status code='110'/>")
	})
}

func TestTheRightPasswordCostsNothing(t *testing.T) {
	run(t, func(w *world) {
		w.open("roomsecret=open sesame")
		c := w.Login("carol@example.org/c")
		for range 3 * guessBurst {
			c.Send("<presence to='" + den + "/c'><x xmlns='" + nsMUC + "'><password>open sesame</password></x></presence>")
			expect(t, "carol", c.Got(), "<status code='110'/>")
			c.Send("<presence type='unavailable' to='" + den + "/c'/>")
			c.Got()
		}
	})
}

func TestWhatARoomHoldsForSomebodyIsBounded(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		c := w.Login("carol@example.org/c")
		long := "<status>" + strings.Repeat("x", maxPresence) + "</status>"
		c.Send("<presence to='" + den + "/carol'>" + enter + long + "</presence>")
		expect(t, "carol", c.Got(), "<not-acceptable ")
		w.again(c, den+"/carol")
		a.Got()
		c.Send("<presence to='" + den + "/carol'>" + long + "</presence>")
		expect(t, "carol", c.Got(), "<not-acceptable ")
		silent(t, "alice", a.Got())
		a.Send("<message type='groupchat' to='" + den + "'><subject>x</subject><y xmlns='urn:y'>" + strings.Repeat("x", maxSubjectContent) + "</y></message>")
		expect(t, "alice", a.Got(), "<not-acceptable ")
		silent(t, "carol", c.Got())
	})
}

// Who asks and is never answered leaves the others room to ask.
func TestOneCannotHaveAllRequestsThatWait(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		m, c := w.in("mallory@example.org/m", den+"/mallory"), w.in("carol@example.org/c", den+"/carol")
		for i := range asksOfOne + 1 {
			m.Send(fmt.Sprintf("<iq type='get' id='%d' to='%s/alice'><query xmlns='jabber:iq:version'/></iq>", i, den))
		}
		expect(t, "mallory", m.Got(), fmt.Sprintf("id='%d' type='error'", asksOfOne), "<resource-constraint ")
		a.Got()
		c.Send("<iq type='get' id='mine' to='" + den + "/alice'><query xmlns='jabber:iq:version'/></iq>")
		expect(t, "alice", a.Got(), "jabber:iq:version")
		time.Sleep(2 * askTimeout)
		m.Got()
		m.Send("<iq type='get' id='later' to='" + den + "/alice'><query xmlns='jabber:iq:version'/></iq>")
		silent(t, "mallory", m.Got())
	})
}

// However many come, and whoever they are, those inside are shown no more of them than
// they can read.
func TestARoomShowsArrivalsAtAPaceThatPeopleCanRead(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		var crowd []*coretest.Client
		for i := range 20 {
			crowd = append(crowd, w.Login(fmt.Sprintf("c%d@example.org/x", i)))
		}
		a.Got()
		start := time.Now()
		const each = 200
		var run sync.WaitGroup
		for i, c := range crowd {
			run.Go(func() {
				for range each {
					c.Send(fmt.Sprintf("<presence to='%s/c%d'>%s</presence>", den, i, enter))
					c.Send("<presence type='unavailable' to='" + den + "'/>")
				}
			})
		}
		run.Wait()
		if d, least := time.Since(start), time.Duration(20*each-gateBurst)*time.Second/gatePerSecond; d < least || d > least+time.Minute {
			t.Errorf("%d arrivals took %v, and should %v", 20*each, d, least)
		}
	})
}

func TestOfASubjectARoomKeepsItsTextsAndBoundsThemTogether(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		half := strings.Repeat("x", maxSubject*3/4)
		a.Send(say("s", "<subject>"+half+"</subject><subject xml:lang='de'>"+half+"</subject>"))
		expect(t, "alice", a.Got(), "<not-acceptable ")
		a.Send(say("s", "<subject>"+strings.Repeat("<y xmlns='urn:y'/>", 10)+"tea &amp; cake</subject><subject xml:lang='de'>Tee</subject><y xmlns='urn:y'>payload</y>"))
		a.Got()
		c := w.Login("carol@example.org/c")
		c.Send("<presence to='" + den + "/carol'>" + enter + "</presence>")
		got := c.Got()
		expect(t, "carol", got, "<subject>tea &amp; cake</subject><subject xml:lang='de'>Tee</subject><occupant-id ")
		if strings.Contains(got, "urn:y") {
			t.Error("carol is sent", got)
		}
	})
}

// The bound is the account's: more sessions ask no more.
func TestOneAccountCannotHaveAllRequestsThatWait(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		ask := func(c *coretest.Client, id int) {
			c.Send(fmt.Sprintf("<iq type='get' id='%d' to='%s/alice'><query xmlns='jabber:iq:version'/></iq>", id, den))
		}
		m, n := w.in("mallory@example.org/m", den+"/mallory"), w.in("mallory@example.org/n", den+"/mallory")
		for i := range asksOfOne {
			ask(m, i)
		}
		a.Got()
		ask(n, 0)
		expect(t, "mallory's other device", n.Got(), "id='0' type='error'", "<resource-constraint ")
		silent(t, "alice", a.Got())
	})
}

func TestOneAccountIsNotAskedByAllAtOnce(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		b := w.in("bob@example.org/b", den+"/bob")
		for n := range asksAtOne / asksOfOne {
			c := w.in(fmt.Sprintf("c%d@example.org/c", n), fmt.Sprintf("%s/c%d", den, n))
			for i := range asksOfOne {
				c.Send(fmt.Sprintf("<iq type='get' id='%d' to='%s/alice'><query xmlns='jabber:iq:version'/></iq>", i, den))
			}
		}
		a.Got()
		b.Got()
		b.Send("<iq type='get' id='1' to='" + den + "/alice'><query xmlns='jabber:iq:version'/></iq>")
		expect(t, "bob", b.Got(), "id='1' type='error'", "<resource-constraint ")
		silent(t, "alice", a.Got())
		b.Send("<iq type='get' id='2' to='" + den + "/c0'><query xmlns='jabber:iq:version'/></iq>")
		silent(t, "bob, who asks another,", b.Got())
	})
}
