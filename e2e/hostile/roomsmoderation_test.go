package hostile

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

func moderation(id string) string {
	return "<moderate xmlns='urn:xmpp:message-moderate:1' id='" + id + "'><retract xmlns='urn:xmpp:message-retract:1'/><reason>x</reason></moderate>"
}

// said says something to everybody and returns the id that the room gave it.
func said(t *testing.T, c *xmppclient.Conn, room, body string) string {
	t.Helper()
	marks++
	id := fmt.Sprint("said", marks)
	say(t, c, toRoom(room, id, "<body>"+body+"</body>"))
	n := next(t, c)
	for n.Attr("id") != id {
		n = next(t, c)
	}
	if place(n) == "" {
		t.Fatalf("no id: %s", n)
	}
	return place(n)
}

// Only moderators take back what others said, and only what the room itself keeps.
// XEP-0425#rules, XEP-0424#rules
func testModerationByOthers(t *testing.T, v *victim) {
	owner, witness, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "court", "enablearchiving=1")
	makes(t, owner, "other", "enablearchiving=1")
	makes(t, mallory, "own", "enablearchiving=1")
	enter(t, witness, "court", "witness")
	id, elsewhere := said(t, witness, "court", "evidence"), said(t, owner, "other", "evidence elsewhere")
	say(t, witness, "<message type='chat' to='"+bare("mallory")+"'><body>private evidence</body></message>")
	direct := ""
	for direct == "" {
		if n := next(t, mallory); n.Child(xmppclient.NSClient, "body") != nil {
			direct = place(n)
		}
	}
	refusedAll(t, "a stranger", mallory, "court", "set", []string{moderation(id)})
	enter(t, mallory, "court", "mallory")
	refusedAll(t, "a participant", mallory, "court", "set", []string{moderation(id), moderation(elsewhere), moderation(direct), moderation("")})
	refusedAll(t, "a moderator of another room", mallory, "own", "set", []string{moderation(id), moderation(elsewhere), moderation(direct), moderation("x")})
	refusedAll(t, "the owner", owner, "court", "set", []string{moderation(elsewhere), moderation(direct)})
	retract := "<retract xmlns='urn:xmpp:message-retract:1' id='" + id + "'%s"
	for _, content := range []string{
		fmt.Sprintf(retract, "/>"), fmt.Sprintf(retract, "><moderated xmlns='urn:xmpp:message-moderate:1' by='"+at("court")+"/owner'/></retract>"),
		"<body>x</body>" + fmt.Sprintf(retract, "/>"), "<retracted xmlns='urn:xmpp:message-retract:1' id='" + id + "' stamp='2020-01-01T00:00:00Z'/>",
	} {
		say(t, mallory, toRoom("court", "r", content))
		n := next(t, mallory)
		for n.Attr("id") != "r" {
			n = next(t, mallory)
		}
		if refusal(n) != "forbidden" {
			t.Errorf("%s is answered %s", content, n)
		}
	}
	for _, room := range []string{"court", "other"} {
		if results, _ := pastOf(t, owner, room, ""); !strings.Contains(fmt.Sprint(results), "evidence") {
			t.Errorf("%s has %v", room, results)
		}
	}
	if n := last(results(t, witness)); !strings.Contains(n.String(), "private evidence") {
		t.Errorf("the private archive ends with %s", n)
	}
}

// results are those of one's own archive.
func results(t *testing.T, c *xmppclient.Conn) []*xmppclient.Node {
	t.Helper()
	say(t, c, "<iq type='set' id='m'>"+archiveQuery("", "<max>200</max>")+"</iq>")
	all, n := upTo(t, c, "m")
	return append(all, n)[:max(1, len(all))]
}

// What was taken back is in no answer of the archive, in no history, and not on the
// disk; those who were away hear of it when they ask what they missed.
// XEP-0425#usecase, XEP-0424#tombstones
func testTakenBack(t *testing.T, v *victim) {
	const secret = "ohmygoodnessthissecretword"
	owner, witness, friend := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "friend")
	makes(t, owner, "erased", "enablearchiving=1")
	succeeds(t, owner, at("erased"), item("affiliation='member' jid='"+bare("friend")+"'"))
	enter(t, friend, "erased", "friend")
	enter(t, witness, "erased", "witness")
	before := said(t, witness, "erased", "harmless")
	id := said(t, witness, "erased", secret)
	if len(v.onDisk(t, secret)) == 0 {
		t.Fatal("what is said cannot be found on the disk by looking for it")
	}
	friend.Kill()
	within(t, "the member to be away", func() bool { return len(v.namesIn(t, "erased")) == 2 })
	succeeds(t, owner, at("erased"), moderation(id))
	own := said(t, witness, "erased", secret+" again")
	say(t, witness, toRoom("erased", "back", "<retract xmlns='urn:xmpp:message-retract:1' id='"+own+"'/>"))
	heard1(t, owner, "erased", witness)
	friend = v.available(t, "friend")
	for _, fields := range []string{
		"", field("start", "2020-01-01T00:00:00Z"), field("end", "2099-01-01T00:00:00Z"), field("with", at("erased")+"/witness"), field("ids", id), field("ids", own),
		field("after-id", before), field("before-id", "x"), field("{urn:xmpp:fulltext:0}fulltext", secret), field("include-groupchat", "true"),
	} {
		if results, n := pastOf(t, friend, "erased", fields); strings.Contains(fmt.Sprint(results, n), secret) {
			t.Errorf("%q is answered with it: %v", fields, results)
		}
	}
	missed, _ := pastOf(t, friend, "erased", field("after-id", before))
	for _, want := range []string{"<retract xmlns='urn:xmpp:message-retract:1' id='" + id, "<retracted xmlns='urn:xmpp:message-retract:1' id='back'"} {
		if !strings.Contains(fmt.Sprint(missed), want) {
			t.Errorf("who was away is told %v, and not %s", missed, want)
		}
	}
	if got := fmt.Sprint(enter(t, friend, "erased", "friend")); strings.Contains(got, secret) || !strings.Contains(got, "harmless") {
		t.Errorf("entering shows %s", got)
	}
	v.offDisk(t, owner, secret)
}

// offDisk waits until no file of the server holds a word; somebody makes it write
// meanwhile.
func (v *victim) offDisk(t *testing.T, c *xmppclient.Conn, word string) {
	t.Helper()
	where := v.onDisk(t, word)
	for until := time.Now().Add(3 * patience); len(where) > 0 && time.Now().Before(until); where = v.onDisk(t, word) {
		for range 200 { // the log of the database is moved into it when it is long
			say(t, c, "<message type='chat' to='"+bare("carol")+"'><body>"+strings.Repeat("filling ", 2000)+"</body></message>")
		}
		ask(t, c, "get", mirsal.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	}
	if len(where) > 0 {
		t.Logf("while it runs it is still in %v", where)
		if err := v.Stop(); err != nil {
			t.Fatal(err)
		}
		if where = v.onDisk(t, word); len(where) > 0 {
			t.Errorf("what was taken back is in %v", where)
		}
	}
}

// onDisk are the files of the server that hold a word.
func (v *victim) onDisk(t *testing.T, word string) (where []string) {
	t.Helper()
	err := filepath.WalkDir(v.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(word)) {
			where = append(where, filepath.Base(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// Who changes his nick while he is removed is out, and nobody else is.
func testRenameWhileRemoved(t *testing.T, v *victim) {
	owner, witness, mallory := v.available(t, "carol"), v.available(t, "witness"), v.available(t, "mallory")
	makes(t, owner, "doors")
	enter(t, witness, "doors", "witness")
	for i := range 30 {
		nick := fmt.Sprint("m", i)
		if n := last(enter(t, mallory, "doors", nick)); n.Attr("type") == "error" {
			t.Fatal(n)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = mallory.Send("<presence to='" + at("doors") + "/" + nick + "x'/><presence to='" + at("doors") + "/" + nick + "'/>" + toRoom("doors", "late", "<body>late</body>"))
		}()
		succeeds(t, owner, at("doors"), item("affiliation='outcast' jid='"+bare("mallory")+"'"))
		<-done
		passed(t, mallory, mallory)
		for _, c := range []string{"<presence to='" + at("doors") + "/" + nick + "y'/>", toRoom("doors", "gone", "<body>gone</body>")} {
			say(t, mallory, c)
		}
		passed(t, mallory, mallory)
		for _, n := range heard1(t, owner, "doors", witness) {
			if n.Attr("id") == "gone" || n.Attr("type") == "unavailable" && strings.HasSuffix(n.Attr("from"), "/witness") {
				t.Errorf("this was told: %s", n)
			}
		}
		if names := v.namesIn(t, "doors"); len(names) != 2 {
			t.Fatalf("inside are %v", names)
		}
		succeeds(t, owner, at("doors"), item("affiliation='none' jid='"+bare("mallory")+"'"))
	}
}

// A session that ends while it enters leaves nobody behind.
func testEnterWhileEnding(t *testing.T, v *victim) {
	owner := v.available(t, "carol")
	makes(t, owner, "hasty")
	var run sync.WaitGroup
	for i := range 40 {
		c := v.available(t, fmt.Sprint("crowd", i))
		run.Go(func() {
			write(c.Net(), entering("hasty", fmt.Sprint("c", i), ""))
			if i%2 == 0 {
				write(c.Net(), "<presence type='unavailable'/>")
			}
			time.Sleep(time.Duration(i%5) * time.Millisecond)
			c.Kill()
		})
	}
	run.Wait()
	within(t, "all to be gone", func() bool { return len(v.namesIn(t, "hasty")) == 1 })
}

// Who enters a room that is just being destroyed is in the next one of that name, or
// outside: never in one that is gone.
func testEnterWhileDestroyed(t *testing.T, v *victim) {
	owner, witness := v.available(t, "carol"), v.available(t, "witness")
	for i := range 20 {
		room := fmt.Sprint("ruin", i)
		makes(t, owner, room)
		go func() { _ = witness.Send(entering(room, "witness", "")) }()
		succeeds(t, owner, at(room), "<query xmlns='"+nsMUCOwner+"'><destroy/></query>")
		for n := next(t, witness); ; n = next(t, witness) {
			if strings.HasPrefix(n.Attr("from"), at(room)) && (len(codes(n)) > 0 || n.Attr("type") == "error" || n.Attr("type") == "unavailable") {
				break
			}
		}
		passed(t, witness, witness)
		ping := ask(t, witness, "get", at(room)+"/witness", "<ping xmlns='urn:xmpp:ping'/>")
		say(t, witness, toRoom(room, "there", "<body>x</body>"))
		n := next(t, witness)
		for n.Attr("id") != "there" {
			n = next(t, witness)
		}
		if (ping.Attr("type") == "result") != (n.Attr("type") != "error") {
			t.Errorf("a self-ping is answered %s, a message %s", ping, n)
		}
		say(t, witness, "<presence type='unavailable' to='"+at(room)+"/witness'/>")
		passed(t, witness, witness)
	}
}

// A session that is in five hundred rooms and is gone leaves all of them.
func testManyRoomsAndGone(t *testing.T, v *victim) {
	var owners []*xmppclient.Conn
	mallory := v.available(t, "mallory")
	go drain(t.Context(), mallory)
	v.bounded(t, 64<<20, storeCache, func() {
		for o := range 10 {
			owner := v.available(t, fmt.Sprint("crowd", o))
			owners = append(owners, owner)
			for i := range 50 {
				enter(t, owner, fmt.Sprintf("many%d-%d", o, i), "owner")
				succeeds(t, owner, at(fmt.Sprintf("many%d-%d", o, i)), roomForm())
				say(t, mallory, entering(fmt.Sprintf("many%d-%d", o, i), "mallory", ""))
			}
		}
		for o, owner := range owners {
			for i := range 50 {
				within(t, "mallory to be in", func() bool { return v.others(t, owner, fmt.Sprintf("many%d-%d", o, i)) == 1 })
			}
		}
		mallory.Kill()
		for o, owner := range owners {
			for i := range 50 {
				within(t, "mallory to be gone", func() bool { return v.others(t, owner, fmt.Sprintf("many%d-%d", o, i)) == 0 })
			}
			owner.Kill()
		}
	})
}

// others is how many participants the owner of a room sees.
func (v *victim) others(t *testing.T, owner *xmppclient.Conn, room string) int {
	t.Helper()
	return strings.Count(ask(t, owner, "get", at(room), item("role='participant'")).String(), "<item")
}

// Who is banned while his connection is lost is out when he is back, and hears why.
func testBannedAsleep(t *testing.T, v *victim) {
	owner, witness := v.available(t, "carol"), v.available(t, "witness")
	makes(t, owner, "dreams")
	enter(t, witness, "dreams", "witness")
	mallory, previous := v.resumable(t, "mallory", password, "sleeper")
	say(t, mallory, "<presence/>")
	enter(t, mallory, "dreams", "mallory")
	mallory.Kill()
	heard1(t, owner, "dreams", witness)
	succeeds(t, owner, at("dreams"), item("affiliation='outcast' jid='"+bare("mallory")+"'"))
	said(t, owner, "dreams", "not for mallory")
	again, n := v.resumes(t, "mallory", password, "sleeper", previous, "0")
	if !resumed(n) {
		t.Fatalf("not resumed: %s", n)
	}
	say(t, again, toRoom("dreams", "back", "<body>back</body>"))
	banned := false
	for n := next(t, again); n.Attr("id") != "back"; n = next(t, again) {
		banned = banned || strings.Contains(strings.Join(codes(n), " "), "301")
		if strings.Contains(n.String(), "not for mallory") {
			t.Errorf("who is banned was sent %s", n)
		}
	}
	if !banned {
		t.Error("who was banned was not told")
	}
	for _, n := range heard1(t, owner, "dreams", witness) {
		if n.Attr("id") == "back" {
			t.Errorf("who is banned spoke: %s", n)
		}
	}
}
