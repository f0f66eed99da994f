package hostile

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// testRoomFlood tries to make ten thousand rooms: as many are made as one account may
// have, at the pace at which rooms are entered, and others' are not in its way.
func testRoomFlood(t *testing.T, v *victim) {
	owner := v.available(t, "carol")
	v.bounded(t, 64<<20, storeCache, func() {
		c := v.available(t, "mallory")
		var writing sync.WaitGroup
		writing.Go(func() {
			for i := range 10_000 {
				if c.Send(entering(fmt.Sprint("flood", i), "m", "")) != nil {
					return
				}
			}
		})
		made, denied := 0, 0
		for made+denied < 1000 { // what comes behind is read at the pace
			n := next(t, c)
			switch {
			case refusal(n) == "resource-constraint":
				denied++
			case strings.Contains(strings.Join(codes(n), " "), "201"):
				made++
			}
		}
		if made != 50 {
			t.Errorf("%d rooms were made", made)
		}
		makes(t, owner, "meanwhile")
		c.Kill()
		writing.Wait()
	})
	succeeds(t, owner, at("meanwhile"), "<query xmlns='"+nsMUCOwner+"'><destroy/></query>")
	again := v.available(t, "mallory") // rooms nobody is in are gone: he may make others
	within(t, "the rooms to be gone", func() bool { return last(enter(t, again, "another", "m")).Attr("type") != "error" })
	say(t, again, "<presence type='unavailable' to='"+at("another")+"/m'/>")
	passed(t, again, again)
}

// testJoinFlood enters and leaves one room as fast as can be, from sixty accounts.
// Those inside go on talking, and in the end nobody is left behind.
func testJoinFlood(t *testing.T, v *victim) {
	owner, witness := v.available(t, "carol"), v.available(t, "witness")
	makes(t, owner, "gate")
	enter(t, witness, "gate", "witness")
	v.bounded(t, 96<<20, storeCache, func() {
		var crowded []*xmppclient.Conn
		for _, name := range crowd(60) {
			crowded = append(crowded, v.available(t, name))
		}
		stop := make(chan struct{})
		var run sync.WaitGroup
		for i, c := range crowded {
			run.Go(func() { drain(t.Context(), c) })
			run.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if c.Send(entering("gate", fmt.Sprint("c", i), "")+"<presence type='unavailable' to='"+at("gate")+"/x'/>") != nil {
						return
					}
				}
			})
		}
		for range 5 {
			heardIn(t, owner, "gate", witness, owner)
		}
		for _, c := range crowded {
			c.Kill()
		}
		close(stop)
		run.Wait()
	})
	within(t, "all to have left", func() bool { return len(v.namesIn(t, "gate")) == 2 })
}

// drain reads what comes, until the connection ends.
func drain(ctx context.Context, c *xmppclient.Conn) {
	for {
		if _, err := c.Next(ctx); err != nil {
			return
		}
	}
}

// Subjects and configurations have bounds, within an element of any size that is
// taken, and the stream ends at one that is not.
func testRoomSizes(t *testing.T, v *victim) {
	owner := v.available(t, "carol")
	makes(t, owner, "sizes")
	long := strings.Repeat("x", 200_000)
	say(t, owner, toRoom("sizes", "s", "<subject>"+long+"</subject>"))
	for n := next(t, owner); ; n = next(t, owner) {
		if n.Attr("id") == "s" {
			if refusal(n) != "not-acceptable" {
				t.Errorf("%.300s", n)
			}
			break
		}
	}
	for _, name := range []string{"roomname", "roomdesc", "lang", "roomsecret", "historylength", "maxusers", "whois", "allowpm"} {
		if n := ask(t, owner, "set", at("sizes"), roomForm(name+"="+long)); n.Attr("type") != "error" {
			t.Errorf("%s: %.300s", name, n)
		}
	}
	refusedAll(t, "the owner", owner, "sizes", "set", []string{
		"<query xmlns='" + nsMUCAdmin + "'><item affiliation='outcast' jid='" + bare("mallory") + "'><reason>" + long + "</reason></item></query>",
		"<query xmlns='" + nsMUCOwner + "'><destroy><reason>" + long + "</reason></destroy></query>",
		"<query xmlns='" + nsMUCAdmin + "'>" + strings.Repeat("<item affiliation='member' jid='a@b.example'/>", 1001) + "</query>",
	})
	if got := last(enter(t, v.available(t, "witness"), "sizes", "witness")).String(); len(got) > 2000 {
		t.Errorf("the subject has %d bytes", len(got))
	}
	for _, s := range []string{toRoom("sizes", "s", "<subject>"+strings.Repeat("x", 1<<20)+"</subject>"),
		"<iq type='set' id='c' to='" + at("sizes") + "'>" + roomForm("roomname="+strings.Repeat("x", 1<<20)) + "</iq>"} {
		c := v.available(t, "carol")
		go write(c.Net(), s)
		refused(t, s, c.Net(), "policy-violation")
	}
}

// testRoomPassword guesses, from several sessions: after a few tries not even the
// right password lets that account in, and others are let in.
func testRoomPassword(t *testing.T, v *victim) {
	owner := v.available(t, "carol")
	makes(t, owner, "vault", "passwordprotectedroom=1", "roomsecret=open sesame")
	answers := map[string]int{}
	for s := range 3 {
		c := v.available(t, "mallory")
		for i := range 20 {
			say(t, c, entering("vault", "m", fmt.Sprintf("<password>guess%d-%d</password>", s, i)))
			answers[refusal(last(welcomed(t, c, "vault")))]++
		}
		if s > 0 {
			say(t, c, entering("vault", "m", "<password>open sesame</password>"))
			answers[refusal(last(welcomed(t, c, "vault")))]++
		}
	}
	if answers["not-authorized"] > 12 || answers[""] > 0 || answers["resource-constraint"] < 48 {
		t.Errorf("guesses are answered %v", answers)
	}
	c := v.available(t, "witness")
	say(t, c, entering("vault", "witness", "<password>open sesame</password>"))
	if n := last(welcomed(t, c, "vault")); n.Attr("type") == "error" {
		t.Errorf("who knows it is told %s", n)
	}
	for _, payload := range []string{"<query xmlns='http://jabber.org/protocol/disco#info'/>", "<query xmlns='" + nsMUCOwner + "'/>"} {
		if got := ask(t, c, "get", at("vault"), payload).String(); strings.Contains(got, "sesame") {
			t.Errorf("the password is told: %s", got)
		}
	}
}

// testInvitationsToStrangers invites people who do not know him to his room: a few
// are, and the rest is refused. One who has blocked him is not.
func testInvitationsToStrangers(t *testing.T, v *victim) {
	mallory, witness := v.available(t, "mallory"), v.available(t, "witness")
	makes(t, mallory, "lure")
	ask(t, witness, "set", "", "<block xmlns='urn:xmpp:blocking'><item jid='"+bare("mallory")+"'/></block>")
	defer ask(t, witness, "set", "", "<unblock xmlns='urn:xmpp:blocking'/>")
	passed(t, witness, witness)
	invite := func(names ...string) string {
		list := ""
		for _, n := range names {
			list += "<invite to='" + bare(n) + "'><reason>come</reason></invite>"
		}
		return "<message to='" + at("lure") + "' id='i'><x xmlns='" + nsMUCUser + "'>" + list + "</x></message>"
	}
	say(t, mallory, invite("witness"))
	say(t, mallory, invite(crowd(21)...)) // too many in one
	for _, name := range crowd(60) {
		say(t, mallory, invite(name))
	}
	denied := 0
	for _, n := range passed(t, mallory, mallory) {
		if n.Name.Local == "message" && n.Attr("type") == "error" {
			denied++
		}
	}
	if denied != 1+1+60-30 {
		t.Errorf("%d invitations were refused", denied)
	}
	if got := passed(t, witness, witness); len(got) != 0 {
		t.Errorf("who has blocked him was sent %v", got)
	}
	late, early := v.available(t, "crowd59"), v.available(t, "crowd0")
	for c, want := range map[*xmppclient.Conn]int{late: 0, early: 1} {
		got := 0
		for _, n := range passed(t, c, c) {
			if n.Attr("from") == at("lure") {
				got++
			}
		}
		if got != want {
			t.Errorf("%s was sent %d invitations", c.JID, got)
		}
	}
}

// What a room says comes from the room: such words in messages and presence of
// people, straight or through a room, are cut, or come in the sender's name.
// XEP-0045#security
func testForgedRoom(t *testing.T, v *victim) {
	owner, witness, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "stage")
	enter(t, witness, "stage", "witness")
	enter(t, mallory, "stage", "mallory")
	heardIn(t, owner, "stage", witness, mallory)
	var forgeries []string
	for _, inner := range []string{
		"<invite from='" + bare("carol") + "'><reason>x</reason></invite>", "<status code='110'/>", "<status code='104'/>", "<status code='307'/>",
		"<item affiliation='owner' role='moderator' jid='" + bare("mallory") + "'/>", "<destroy jid='evil@elsewhere.example'/>", "<decline from='" + bare("carol") + "'/>",
	} {
		forgeries = append(forgeries, "<x xmlns='"+nsMUCUser+"'>"+inner+"</x>", "<u:x xmlns:u='"+nsMUCUser+"'>"+strings.ReplaceAll(strings.ReplaceAll(inner, "</", "</u:"), "<", "<u:")+"</u:x>")
	}
	for i, f := range forgeries {
		f = strings.ReplaceAll(strings.ReplaceAll(f, "<u:/u:", "</u:"), "<u:u:", "<u:")
		straight := []string{"<message to='" + witness.JID + "'>" + f + "</message>", "<message type='chat' to='" + bare("witness") + "'><body>x</body>" + f + "</message>", "<presence to='" + witness.JID + "'>" + f + "</presence>"}
		through := []string{toRoom("stage", "f", "<body>x</body>"+f), "<message type='chat' to='" + at("stage") + "/witness'><body>x</body>" + f + "</message>", "<presence to='" + at("stage") + "/mallory'>" + f + "</presence>"}
		for _, s := range append(straight, through...) {
			say(t, mallory, s)
		}
		passed(t, mallory, mallory)
		got := heard1(t, owner, "stage", witness)
		if len(got) < len(through) {
			t.Errorf("%d came of %q", len(got), f)
		}
		for _, n := range got {
			checkForged(t, i, n, mallory.JID)
		}
	}
}

// checkForged checks one stanza that came of a forgery.
func checkForged(t *testing.T, i int, n *xmppclient.Node, sender string) {
	t.Helper()
	from := n.Attr("from")
	switch {
	case from == sender:
	case from != at("stage")+"/mallory":
		t.Errorf("%d came in the name of %q: %s", i, from, n)
	default:
		text := n.String()
		for _, bad := range []string{"<invite", "<destroy", "<decline", "evil@", "code='104'", "code='307'", "code='110'", bare("mallory") + "'", "moderator"} {
			if strings.Contains(text, bad) {
				t.Errorf("%d: the room says %q: %s", i, bad, n)
			}
		}
	}
}

// A room of two thousand: who floods it is read at his pace, which bounds what the
// others are sent, and the server's memory. R89
func TestOneFloodsARoomOfTwoThousand(t *testing.T) {
	const sessions, accounts = 2000, 100
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{"--set", "c2s.require_tls=false", "--set", "limits.sessions=30", "--set", "limits.enabled=true"}})
	s.Accounts(password, append(crowd(accounts), "alice", "bob", "carol", "mallory")...)
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	owner, mallory := v.available(t, "carol"), v.available(t, "mallory")
	makes(t, owner, "crowded", "whois=anyone")
	succeeds(t, owner, at("crowded"), item("affiliation='admin' jid='"+bare("mallory")+"'"))
	enter(t, mallory, "crowded", "mallory")
	inside := v.fill(t, "crowded", sessions, accounts)
	go drain(t.Context(), owner)
	v.undisturbed(t)
	v.bounded(t, 192<<20, 64<<20, func() {
		before, start := inside.Load(), time.Now()
		flood := func(c *xmppclient.Conn) {
			for i := 0; ; i++ {
				s := toRoom("crowded", "m", "<body>"+strings.Repeat("x", 100+i%3*50_000)+"</body>") + fmt.Sprintf("<presence to='%s/mallory'><status>%d</status></presence>", at("crowded"), i) +
					"<iq type='set' id='i' to='" + at("crowded") + "'>" + item("affiliation='"+[]string{"member", "none"}[i%2]+"' jid='"+bare("crowd0")+"'") + "</iq>"
				if c.Send(s) != nil {
					return
				}
			}
		}
		other := v.available(t, "mallory")
		enter(t, other, "crowded", "mallory")
		for _, c := range []*xmppclient.Conn{mallory, other} {
			go drain(t.Context(), c)
			go flood(c)
		}
		const during = 8 * time.Second
		time.Sleep(during)
		mallory.Kill()
		other.Kill()
		took, sent := time.Since(start), inside.Load()-before
		t.Logf("%d MB were sent in %v", sent>>20, took)
		// a burst, the pace, and what may be owed: one element more
		if most := int64(200_000+10_000*took.Seconds()+sessions*101_000/640) * 1100; sent > most {
			t.Errorf("%d MB were sent in %v, at most %d are to be", sent>>20, took, most>>20)
		}
		if sent < 10<<20 {
			t.Error("nothing was sent")
		}
		v.undisturbed(t)
	})
}
