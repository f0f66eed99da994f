package rooms

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirsal/internal/core"
)

func TestWhoChangesPresenceAllTheTimeIsReadMoreSlowly(t *testing.T) {
	run(t, func(w *world) {
		a := w.open()
		start := time.Now()
		for range 500 {
			a.Send("<presence to='" + den + "/alice'><show>away</show></presence>")
		}
		if d := time.Since(start); d != 0 {
			t.Error("the first 500 took", d)
		}
		for range 1000 {
			a.Send("<presence to='" + den + "/alice'><show>away</show></presence>")
		}
		if d := time.Since(start); d < 9*time.Second || d > 12*time.Second {
			t.Error("1500 took", d)
		}
	})
}

// flood is what one occupant does again and again so that much is sent to others.
type flood struct {
	name string
	by   int // the owner, or somebody who was there before the crowd
	// during: long enough for what is owed to show
	during time.Duration
	xml    func(i int) string
}

func floods() []flood {
	set := func(ns, content string) string {
		return "<iq type='set' id='i' to='" + den + "'><query xmlns='" + ns + "'>" + content + "</query></iq>"
	}
	to := "to='" + den + "'"
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#%s</value></field><field var='muc#%s'><value>%s</value></field></x>"
	return []flood{
		{"short messages", 0, 20 * time.Second, func(int) string { return "<message type='groupchat' " + to + "><body>x</body></message>" }},
		{"messages", 0, 20 * time.Second, func(int) string {
			return "<message type='groupchat' " + to + "><body>" + strings.Repeat("x", 500) + "</body></message>"
		}},
		{"long messages", 0, 400 * time.Second, func(int) string {
			return "<message type='groupchat' " + to + "><body>" + strings.Repeat("x", 250_000) + "</body></message>"
		}},
		{"subjects", 0, 20 * time.Second, func(i int) string {
			return "<message type='groupchat' " + to + "><subject>" + fmt.Sprint(i, strings.Repeat("x", 4000)) + "</subject></message>"
		}},
		{"statuses", 1, 20 * time.Second, func(i int) string {
			return "<presence to='" + den + "/n1'><status>" + fmt.Sprint(i, strings.Repeat("x", 8000)) + "</status></presence>"
		}},
		{"nicks", 0, 20 * time.Second, func(i int) string { return fmt.Sprintf("<presence to='"+den+"/n0'/><presence to='%s/n%d'/>", den, i) }},
		{"entering and leaving", 0, 20 * time.Second, func(i int) string {
			return "<presence type='unavailable' to='" + den + "/n0'/><presence to='" + den + "/n0'>" + enter + "</presence>"
		}},
		{"affiliations", 0, 20 * time.Second, func(i int) string {
			var items strings.Builder
			for n := range 50 {
				fmt.Fprintf(&items, "<item affiliation='%s' jid='u%d@example.org'><reason>%s</reason></item>", []string{"member", "none"}[i%2], n+1, strings.Repeat("x", 300))
			}
			return set(nsAdmin, items.String())
		}},
		{"roles", 0, 20 * time.Second, func(i int) string {
			return set(nsAdmin, "<item role='"+[]string{"visitor", "participant"}[i%2]+"' nick='n1'/>")
		}},
		{"configurations", 0, 20 * time.Second, func(i int) string {
			return set(nsOwner, fmt.Sprintf(form, "roomconfig", "roomconfig_roomname", fmt.Sprint(i)))
		}},
		{"registrations", 1, 20 * time.Second, func(i int) string {
			if i%2 == 0 {
				return set(nsRegister, fmt.Sprintf(form, "register", "register_roomnick", fmt.Sprint("registered", i)))
			}
			return set(nsRegister, "<remove/>")
		}},
		{"pictures", 0, 20 * time.Second, func(i int) string {
			return "<iq type='set' id='i' " + to + "><vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>" + strings.Repeat("A", 4*(i%100+1)) + "</BINVAL></PHOTO></vCard></iq>"
		}},
	}
}

// Whatever an occupant does, even one who owns the room, what the others are sent for
// it stays within the pace, in packets and in bytes.
func TestOneOccupantCausesNoMoreThanThePaceAllows(t *testing.T) {
	for _, f := range floods() {
		t.Run(f.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f.run(t, 1000, f.during) }) })
	}
}

// run lets one flood a room of so many for so long.
func (f flood) run(t *testing.T, size int, d time.Duration) {
	y := newYard(t)
	var by *core.Session
	for i := range size {
		s := y.join(t, i)
		if i == f.by {
			by = s
		}
		if i == 0 {
			y.send(t, s, "<iq xmlns='jabber:client' type='set' id='c' to='"+den+"'><query xmlns='"+nsOwner+"'><x xmlns='jabber:x:data' type='submit'>"+
				"<field var='FORM_TYPE'><value>"+formConfig+"</value></field><field var='muc#roomconfig_whois'><value>anyone</value></field></x></query></iq>")
		}
	}
	synctest.Wait()
	y.rooms.set.Unpaced = false
	y.bytes.Store(0)
	start, sent := time.Now(), 0
	for i := 0; time.Since(start) < d; i++ {
		for _, xml := range elements(f.xml(i)) {
			y.send(t, by, strings.Replace(xml, " ", " xmlns='jabber:client' ", 1))
			sent += len(xml)
		}
		if i > 1_000_000 {
			t.Fatal("nothing slows it")
		}
	}
	synctest.Wait()
	// the last that was sent may be over a burst, and is owed
	units := int64(paceBurst) + int64(time.Since(start).Seconds()*pacePerSecond) + int64(fan(size, len(f.xml(0))))
	out := y.bytes.Load()
	t.Logf("%d bytes in, %d out in %v", sent, out, time.Since(start))
	if most := units * 1024; out > most {
		t.Errorf("%d bytes were sent, at most %d are to be", out, most)
	}
	y.rooms.Close()
	y.rooms.Wait()
}

// elements are the stanzas of a text.
func elements(xml string) []string {
	if before, after, ok := strings.Cut(xml, "/><presence "); ok {
		return []string{before + "/>", "<presence " + after}
	}
	return []string{xml}
}
