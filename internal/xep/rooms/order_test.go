package rooms

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mirsal/internal/core/coretest"
)

var event = regexp.MustCompile(`<(presence|message) to='[^']*' xmlns='jabber:client' from='` + den + `/([^']*)'( id='([^']*)')?( type='(unavailable|groupchat)')?`)

// events are what somebody was told of others, in order.
func events(got string) (all []string) {
	for _, m := range event.FindAllStringSubmatch(got, -1) {
		all = append(all, m[1]+" "+m[2]+" "+m[4]+" "+m[6])
	}
	return all
}

// Alice and bob stay; others come, speak, change nick and go, all at the same time.
func TestEverybodySeesOneOrder(t *testing.T) {
	run(t, func(w *world) {
		a := w.open("changesubject=1")
		b := w.in("bob@example.org/b", den+"/bob")
		a.Got()
		b.Got()
		var all sync.WaitGroup
		for i := range 8 {
			c := w.Login(fmt.Sprintf("p%d@example.org/x", i))
			all.Go(func() { wander(c, "qrstvwxz"[i:i+1]) })
		}
		all.Wait()
		ofA, ofB := events(a.Got()), events(b.Got())
		if len(ofA) < 100 || !slices.Equal(ofA, ofB) {
			t.Errorf("%d and %d events\n%s\n\n%s", len(ofA), len(ofB), strings.Join(ofA, "\n"), strings.Join(ofB, "\n"))
		}
		inside := map[string]bool{"alice": true, "bob": true}
		for _, e := range ofA {
			f := strings.SplitN(e, " ", 4)
			switch {
			case f[0] == "presence":
				inside[f[1]] = f[3] != "unavailable"
			case !inside[f[1]]:
				t.Errorf("%q by somebody who is not inside", e)
			}
		}
	})
}

func wander(c *coretest.Client, nick string) {
	for n := range 5 {
		c.Send("<presence to='" + den + "/" + nick + "'>" + enter + "</presence>")
		c.Send(fmt.Sprintf("<message type='groupchat' id='%s%d' to='%s'><body>x</body></message>", nick, n, den))
		c.Send("<presence to='" + den + "/" + nick + nick + "'/>")
		c.Send(fmt.Sprintf("<message type='groupchat' id='%s%da' to='%s'><body>x</body></message>", nick, n, den))
		c.Send("<presence type='unavailable' to='" + den + "/" + nick + nick + "'/>")
	}
}

func TestWhatANewcomerIsShownEndsWhereHeCameIn(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		var all sync.WaitGroup
		all.Go(func() {
			for n := range 60 {
				a.Send(fmt.Sprintf("<message type='groupchat' id='m%d' to='%s'><body>x</body></message>", n, den))
			}
		})
		var there []*coretest.Client
		for i := range 10 {
			c := w.Login(fmt.Sprintf("p%d@example.org/x", i))
			there = append(there, c)
			all.Go(func() {
				c.Send("<presence to='" + den + "/" + "qrstvwxzkb"[i:i+1] + "'>" + enter + "</presence>")
			})
		}
		all.Wait()
		for _, c := range there {
			next := -1
			for _, m := range regexp.MustCompile(` id='m(\d+)'`).FindAllStringSubmatch(c.Got(), -1) {
				var n int
				fmt.Sscan(m[1], &n)
				if next >= 0 && n != next {
					t.Fatalf("message %d where %d was next", n, next)
				}
				next = n + 1
			}
			if next != 60 {
				t.Errorf("the last one shown is %d", next-1)
			}
		}
	})
}
